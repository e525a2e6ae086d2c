"""Checks that run under the dialogue engine's interpreter, with `python -m unittest`: `tests/engine/test_inside.py` runs them."""
