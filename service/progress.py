"""A long command tells how far it is: a moving line on a terminal, a line now and then in a log."""

from __future__ import annotations

import re
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

_COUNTED = re.compile(r"(?P<what>.*?)[:：]?\s*(?P<done>\d+)\s*(?:of|/)\s*(?P<of>\d+)")
_SILENCE_S = 10.0


class Steps:
    """Call it with what is going on; `encoding: 256 of 900` moves a bar. A context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: Progress | None = None
        if console.is_terminal:
            columns = (TextColumn("▸ {task.description}"), BarColumn(30), TaskProgressColumn(), TimeElapsedColumn())
            self._shown = Progress(*columns, console=console)
        self._task: TaskID | None = None
        self._what = ""
        self._told = 0.0

    def __enter__(self) -> Self:
        if self._shown:
            self._shown.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self._finish()
        if self._shown:
            self._shown.stop()

    def __call__(self, text: str) -> None:
        counted = _COUNTED.fullmatch(text.strip())
        what = counted["what"] if counted else text.strip()
        done, of = (int(counted["done"]), int(counted["of"])) if counted else (0, None)
        fresh = what != self._what
        if fresh:
            self._finish()
            self._what = what
        if self._shown:
            if fresh:
                self._task = self._shown.add_task(what, total=of)
            self._shown.update(self._task, completed=done, total=of)
        elif fresh or time.monotonic() - self._told >= _SILENCE_S:
            self._console.print(f"▸ {what}" + (f" {done / max(of, 1):.0%}" if of else ""), markup=False)
            self._told = time.monotonic()

    def _finish(self) -> None:
        if self._shown and self._task is not None:
            total = self._shown.tasks[self._task].total
            self._shown.update(self._task, total=total or 1, completed=total or 1)
            self._shown.stop_task(self._task)
