"""What lies where in a directory that holds the default encoder, and what its network calls what goes in and out.

The names are sentence-transformers'.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
MODULES_FILE = "modules.json"
PROMPTS_FILE = "config_sentence_transformers.json"
STAMP_FILE = "built.json"
MODULE = "kb.encoder.onnx_module.OnnxTransformer"

INPUT_IDS, ATTENTION_MASK = "input_ids", "attention_mask"
TOKEN_EMBEDDINGS, SENTENCE_EMBEDDING = "token_embeddings", "sentence_embedding"
EARLIER_EMBEDDING, FUSED_EMBEDDING = "earlier_embedding", "fused_embedding"


@dataclass(frozen=True)
class Stamp:
    """`inputs` names what the directory was built from and by, `content` what came out."""

    inputs: str
    content: str

    def write(self, directory: Path) -> None:
        (directory / STAMP_FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")


def read_stamp(directory: Path) -> Stamp | None:
    """The stamp, or None where `kb.encoder.build` has not finished its work."""
    try:
        return Stamp(**json.loads((directory / STAMP_FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
