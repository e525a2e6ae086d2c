PYTHON ?= python3.11
.PHONY: run setup test test-fast lint bench clean

define find_python
@command -v $(PYTHON) >/dev/null 2>&1 || { echo "✗ $(PYTHON) was not found: install Python 3.11, or name it: PYTHON=/path/to/python3.11 make $@"; exit 1; }
endef

run:  ## set everything up and start the product
	$(find_python)
	@$(PYTHON) scripts/install.py
	@exec .venv/bin/fssc run

setup:  ## set everything up, start nothing
	$(find_python)
	@$(PYTHON) scripts/install.py
	@.venv/bin/fssc setup

test:  ## everything, with the real engine, Redis, PostgreSQL and browser
	$(find_python)
	@$(PYTHON) scripts/install.py --test
	@scripts/test

test-fast:  ## style and the rooms by themselves: no engine, no browser, no PostgreSQL, nothing slow
	$(find_python)
	@$(PYTHON) scripts/install.py --fast
	@.venv/bin/ruff check .
	@.venv/bin/lint-imports
	@FSSC_TEST_DATABASES=sqlite .venv/bin/python -m pytest tests/unit -m "not slow" --numprocesses 2 --dist loadfile

lint:
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports

bench:  ## figures as ratios against a baseline run beside them
	$(find_python)
	@$(PYTHON) scripts/install.py --test
	@.venv/bin/fssc setup
	@.venv/bin/python -m bench
