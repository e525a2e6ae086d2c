"""Runs the checks that need Rasa's own interpreter; each of its failures is shown as it was."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-engine" / "bin" / "python"


@pytest.mark.engine
@pytest.mark.parametrize("checks", ["check_patches", "check_compaction", "check_stores"])
def test_inside_the_engine(checks: str, redis_url: str) -> None:
    done = subprocess.run(
        [str(PYTHON), "-m", "unittest", f"tests.engine.inside.{checks}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FSSC_TEST_REDIS_URL": redis_url, "FSSC_ENGINE_LOG": "ERROR"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    assert "skipped" not in done.stderr
