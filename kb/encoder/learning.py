"""Learn what the default encoder adds to its model: `python -m kb.encoder.learning`, after the model has changed."""

from __future__ import annotations

import numpy as np

from core.settings import Settings
from core.text import normalize
from kb.encoder.facing import FACING_FILE, last
from kb.encoder.fusion import FUSION_FILE
from kb.encoder.layout import EARLIER_EMBEDDING, SENTENCE_EMBEDDING
from kb.encoder.onnx_model import OnnxModel
from kb.files import read_knowledge
from kb.passages import passages_of


def both_means(model: OnnxModel, kind: str, texts: list[str]) -> np.ndarray:
    """(texts, 2 × dim) float32: the means of the last layer and of the one before, each of unit length."""
    asked = [model.prompts[kind] + normalize(text) for text in texts]
    return np.concatenate([model.encode(asked, "", name) for name in (SENTENCE_EMBEDDING, EARLIER_EMBEDDING)], axis=1)


def directions(both: np.ndarray) -> np.ndarray:
    """The first principal directions, not centred, as `kb.encoder.fusion.fusion` returns them."""
    _, _, found = np.linalg.svd(both, full_matrices=False)
    return found[: both.shape[1] // 2].T.astype(np.float16)


def common(both: np.ndarray, fusion: np.ndarray) -> np.ndarray:
    """What fused vectors of one kind of text have in common in the last layer's part: (dim,) float32."""
    fused = both @ fusion.astype(np.float32)
    fused /= np.linalg.norm(fused, axis=1, keepdims=True)
    return (fused @ last(fusion)).mean(0)


def main() -> None:
    model = OnnxModel(Settings().home / "encoder")
    knowledge = read_knowledge(FUSION_FILE.parents[1] / "starter")
    articles = [passage for policy in knowledge.policies for passage in passages_of(policy)]
    questions = both_means(model, "query", [question for entry in knowledge.entries for question in entry.questions])
    answers = both_means(model, "passage", [entry.answer for entry in knowledge.entries])
    told = np.concatenate([answers, both_means(model, "passage", [article.answer for article in articles])])
    fusion = directions(np.concatenate([questions, answers]))
    np.save(FUSION_FILE, fusion)
    np.save(FACING_FILE, np.stack([common(questions, fusion), common(told, fusion)]).astype(np.float32))


if __name__ == "__main__":
    main()
