"""A process that publishes, and is killed at a point that it is told."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import kb.release.loading
import kb.release.publish
from core.database import Database
from kb.encoder import load_encoder
from kb.release.publish import publish

POINTS = {
    "encoded": (kb.release.publish, "vectors_of"),
    "fitted": (kb.release.publish, "fit"),
    "freezing": (kb.release.publish, "freeze"),
    "pointing": (kb.release.publish, "add_release"),
    "committed": (kb.release.publish, "directory_of"),
    "writing": (kb.release.loading.np, "save"),
}
"""What is called last before the process is killed; the database has the new release from `committed` on."""


def killed_after(function: Any) -> Any:
    def run(*args: Any, **kwargs: Any) -> Any:
        function(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    return run


def publish_and_die(url: str, home: str, encoder: str, point: str) -> None:
    """Publish to `url`; `encoder` is where the default encoder lies, `point` one of POINTS."""
    module, name = POINTS[point]
    setattr(module, name, killed_after(getattr(module, name)))
    publish(
        Database(url),
        Path(home),
        load_encoder(None, Path(encoder)),
        author="t",
        wrong_rate=0.03,
        progress=lambda _: None,
    )
