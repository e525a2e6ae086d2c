"""A long command is followed on a terminal and in a log."""

from __future__ import annotations

import io

from rich.console import Console

from service.progress import Steps


def test_a_log_gets_a_line_for_each_step_and_not_for_each_question() -> None:
    log = io.StringIO()
    with Steps(Console(file=log, width=200)) as progress:
        progress("loading the encoder")
        for done in range(1, 501):
            progress(f"asking: {done} of 500")
        progress("正在编码：256/900")
    assert log.getvalue().splitlines() == ["▸ loading the encoder", "▸ asking 0%", "▸ 正在编码 28%"]


def test_a_terminal_gets_a_bar_that_ends_full() -> None:
    screen = io.StringIO()
    with Steps(Console(file=screen, force_terminal=True, width=100)) as progress:
        progress("asking: 3 of 4")
        progress("loading")
    shown = screen.getvalue()
    assert "asking" in shown and "loading" in shown
    assert shown.rstrip().count("100%") >= 2


def test_an_error_inside_is_not_swallowed_and_the_screen_is_given_back() -> None:
    screen = io.StringIO()
    try:
        with Steps(Console(file=screen, force_terminal=True)) as progress:
            progress("asking: 1 of 2")
            raise ValueError("broken")
    except ValueError as error:
        assert str(error) == "broken"
    else:
        raise AssertionError("the error was swallowed")
    assert screen.getvalue().rstrip().endswith("\x1b[?25h"), "the cursor is shown again"
