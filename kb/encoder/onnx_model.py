"""The default encoder at run time: a tokenizer and an onnxruntime session, without torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from kb.encoder.errors import LoadError
from kb.encoder.layout import (
    ATTENTION_MASK,
    FUSED_EMBEDDING,
    INPUT_IDS,
    MODEL_FILE,
    PROMPTS_FILE,
    SENTENCE_EMBEDDING,
    TOKENIZER_FILE,
)
from kb.encoder.threads import configured_threads

_BATCH_TEXTS = 64
_BATCH_TOKENS = 4096
_CHUNK_TEXTS = 2048


class OnnxModel:
    """A directory that `kb.encoder.build` made. Safe to use from many threads.

    `prompts` are the directory's own, by sentence-transformers' names. `threads` work on one call.
    Raises LoadError when the directory is incomplete or of another onnxruntime's making.
    """

    def __init__(self, directory: Path, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or configured_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self.prompts: dict[str, str] = json.loads((directory / PROMPTS_FILE).read_text("utf-8"))["prompts"]
            self.tokenizer = Tokenizer.from_file(str(directory / TOKENIZER_FILE))
            self._session = onnxruntime.InferenceSession(
                str(directory / MODEL_FILE), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise LoadError(f"the encoder in {directory} cannot be loaded: {error}") from error
        self.dim: int = self._session.get_outputs()[0].shape[-1]

    @property
    def plain(self) -> Plain:
        return Plain(self)

    def encode(self, texts: list[str], prompt: str, output: str = FUSED_EMBEDDING) -> np.ndarray:
        """(len(texts), dim) float32 of unit length. A text beyond 512 tokens counts by its beginning."""
        vectors = np.empty((len(texts), self.dim), np.float32)
        for start in range(0, len(texts), _CHUNK_TEXTS):
            chunk = [prompt + text for text in texts[start : start + _CHUNK_TEXTS]]
            encodings = self.tokenizer.encode_batch_fast(chunk)
            for rows in _batches([len(encoding) for encoding in encodings]):
                ids, mask = pad([encodings[row] for row in rows])
                vectors[start + rows] = self.run(output, ids, mask)
        return vectors

    def run(self, output: str, input_ids: np.ndarray, attention_mask: np.ndarray) -> np.ndarray:
        """One pass; both inputs are (batch, tokens) int64."""
        return self._session.run([output], {INPUT_IDS: input_ids, ATTENTION_MASK: attention_mask})[0]


class Plain:
    """The model with the mean of its last layer alone, which is how its makers use it."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        self.prompts, self.dim = model.prompts, model.dim

    @property
    def plain(self) -> Plain:
        return self

    def encode(self, texts: list[str], prompt: str) -> np.ndarray:
        return self._model.encode(texts, prompt, SENTENCE_EMBEDDING)


def pad(encodings: list[Encoding]) -> tuple[np.ndarray, np.ndarray]:
    """Ids and mask, both (batch, longest) int64; `<pad>` is 1."""
    width = max(len(encoding) for encoding in encodings)
    ids = np.ones((len(encodings), width), np.int64)
    mask = np.zeros((len(encodings), width), np.int64)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding)] = encoding.ids
        mask[row, : len(encoding)] = 1
    return ids, mask


def _batches(lengths: list[int]) -> list[np.ndarray]:
    """Positions in batches of similar length, the longest first."""
    order = np.argsort(lengths, kind="stable")[::-1]
    batches, start = [], 0
    while start < len(order):
        size = min(_BATCH_TEXTS, max(1, _BATCH_TOKENS // lengths[order[start]]))
        batches.append(order[start : start + size])
        start += size
    return batches
