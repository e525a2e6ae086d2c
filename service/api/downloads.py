"""Files made for one answer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download(name: str, write: Callable[[Path], object]) -> FileResponse:
    """A file made for this answer and gone after it."""
    directory = Path(tempfile.mkdtemp(prefix="fssc-download-"))
    try:
        path = directory / f"file{Path(name).suffix}"
        write(path)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    kind = _XLSX if path.suffix == ".xlsx" else "text/csv; charset=utf-8"
    done = BackgroundTask(shutil.rmtree, directory, ignore_errors=True)
    return FileResponse(path, media_type=kind, filename=name, headers={"Cache-Control": "no-store"}, background=done)
