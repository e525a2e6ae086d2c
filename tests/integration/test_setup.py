"""What stands in the way of a start is told in one line, with an exit code that is not 0."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
FSSC = Path(sys.executable).parent / "fssc"


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def told(done: subprocess.CompletedProcess[str], words: str) -> None:
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("✗")]
    assert done.returncode != 0 and len(lines) == 1 and words in lines[0], done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(FSSC, "run", FSSC_PORT=str(port), FSSC_HOME=str(tmp_path))
    told(done, f"port {port} is in use")
    assert "FSSC_PORT" in done.stdout


def test_a_missing_interpreter() -> None:
    told(run("make", "run", "PYTHON=no-such-python"), "no-such-python was not found")


def test_another_interpreter(tmp_path: Path) -> None:
    """The script says which Python it needs, whichever one runs it."""
    script = (ROOT / "scripts" / "install.py").read_text(encoding="utf-8").replace("!= (3, 11)", "!= (3, 99)")
    copy = tmp_path / "scripts" / "install.py"
    copy.parent.mkdir()
    copy.write_text(script, encoding="utf-8")
    told(run(sys.executable, copy), "needs Python 3.11")


def test_no_disk(tmp_path: Path) -> None:
    script = (ROOT / "scripts" / "install.py").read_text(encoding="utf-8")
    copy = tmp_path / "scripts" / "install.py"
    copy.parent.mkdir()
    copy.write_text(script.replace("NEEDED_GIB = 8", "NEEDED_GIB = 10**9"), encoding="utf-8")
    told(run(sys.executable, copy), "GiB free")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told(run(FSSC, "setup", FSSC_HOME=str(tmp_path / "file")), "FSSC_HOME=")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FSSC_PORT": "http"}, "FSSC_PORT"),
        ({"FSSC_ENV": "production"}, "FSSC_SECRET_KEY"),
        ({"FSSC_WRONG_RATE": "3"}, "FSSC_WRONG_RATE"),
    ],
)
def test_a_setting_that_cannot_be(environment: dict[str, str], words: str, tmp_path: Path) -> None:
    told(run(FSSC, "setup", FSSC_HOME=str(tmp_path), **environment), words)


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    told(
        run(FSSC, "setup", FSSC_HOME=str(tmp_path), DATABASE_URL="postgresql://nobody@127.0.0.1:9/none"), "DATABASE_URL"
    )
