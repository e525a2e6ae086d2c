"""The default encoder as a module of sentence-transformers, for whoever wants a `SentenceTransformer` of it.

`SentenceTransformer(path, trust_remote_code=True)` loads it: sentence-transformers asks for that word whenever a
directory names a class of another package. Pooling and normalization are sentence-transformers' own modules.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Self

import torch
from sentence_transformers.base.modules import InputModule

from kb.encoder.layout import ATTENTION_MASK, INPUT_IDS, MODEL_FILE, TOKEN_EMBEDDINGS, TOKENIZER_FILE
from kb.encoder.onnx_model import OnnxModel, pad


class OnnxTransformer(InputModule):
    """Texts to `token_embeddings` (batch, tokens, dim), by onnxruntime on the CPU; it cannot be trained."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self._model = OnnxModel(directory)
        self.tokenizer = self._model.tokenizer

    def preprocess(self, inputs: list[str], prompt: str | None = None, **kwargs: Any) -> dict[str, torch.Tensor]:
        ids, mask = pad(self.tokenizer.encode_batch_fast(self._prepend_prompt(inputs, prompt or "")))
        return {INPUT_IDS: torch.from_numpy(ids), ATTENTION_MASK: torch.from_numpy(mask)}

    def forward(self, features: dict[str, torch.Tensor], **kwargs: Any) -> dict[str, torch.Tensor]:
        ids, mask = features[INPUT_IDS].cpu().numpy(), features[ATTENTION_MASK].cpu().numpy()
        vectors = torch.from_numpy(self._model.run(TOKEN_EMBEDDINGS, ids, mask))
        return {**features, TOKEN_EMBEDDINGS: vectors.to(features[INPUT_IDS].device)}

    @property
    def max_seq_length(self) -> int:
        return self.tokenizer.truncation["max_length"]

    def get_embedding_dimension(self) -> int:
        return self._model.dim

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        for name in (MODEL_FILE, TOKENIZER_FILE):
            shutil.copyfile(self._directory / name, Path(output_path) / name)

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", **kwargs: Any) -> Self:
        return cls(Path(model_name_or_path) / subfolder)
