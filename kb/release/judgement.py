"""What a release judges by: its matcher, its thresholds and the held-out questions that they were chosen by."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from kb.matcher import Matcher
from kb.thresholds import HeldOut, Thresholds


@dataclass(frozen=True)
class Judgement:
    """Stored with a release as the files that its parts write, so that no replica fits anything."""

    matcher: Matcher
    thresholds: Thresholds
    held_out: HeldOut

    def save(self, directory: Path) -> None:
        """Write the files of every part into an existing directory."""
        self.matcher.save(directory)
        self.thresholds.save(directory)
        self.held_out.save(directory)

    @classmethod
    def load(cls, directory: Path) -> Judgement:
        """Read what `save` wrote. OSError, KeyError, TypeError or ValueError when it is missing or of another kind."""
        return cls(Matcher.load(directory), Thresholds.load(directory), HeldOut.load(directory))

    def pack(self) -> bytes:
        """The same files, zipped."""
        packed = io.BytesIO()
        with tempfile.TemporaryDirectory(prefix="fssc-fitted-") as name, zipfile.ZipFile(packed, "w", 8) as archive:
            self.save(Path(name))
            for file in sorted(Path(name).iterdir()):
                archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes())
        return packed.getvalue()

    @classmethod
    def unpack(cls, packed: bytes) -> Judgement:
        """Read what `pack` made; ValueError when it cannot be read, as after an upgrade that weighs other features."""
        try:
            with tempfile.TemporaryDirectory(prefix="fssc-fitted-") as name:
                with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                    for file in archive.namelist():
                        (Path(name) / Path(file).name).write_bytes(archive.read(file))
                return cls.load(Path(name))
        except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError("the stored matcher is of another kind") from error
