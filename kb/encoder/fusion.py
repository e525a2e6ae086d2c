"""One vector from the means of the last two layers: `python -m kb.encoder.fusion` learns how, after the model has changed.

The last layer of a contrastive encoder serves its own training task; the one before knows things that it drops. Of both
side by side (768 numbers) the first 384 principal directions keep 99.9 % of the squares, so a vector is as long as
before. The directions are learnt from the starter knowledge, without a look at which questions belong together.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.text import normalize
from kb.encoder.layout import EARLIER_EMBEDDING, SENTENCE_EMBEDDING
from kb.encoder.onnx_model import OnnxModel

FUSION_FILE = Path(__file__).with_name("fusion.npy")


def fusion() -> np.ndarray:
    """(2 × hidden, hidden) float16, orthonormal columns: what the two means, each of unit length, are multiplied by."""
    return np.load(FUSION_FILE)


def learnt(model: OnnxModel, texts: list[str]) -> np.ndarray:
    """The first principal directions, not centred, of these texts, each with its prompt; as `fusion` returns them."""
    both = np.concatenate([model.encode(texts, "", name) for name in (SENTENCE_EMBEDDING, EARLIER_EMBEDDING)], axis=1)
    _, _, directions = np.linalg.svd(both, full_matrices=False)
    return directions[: model.dim].T.astype(np.float16)


def main() -> None:
    from core.settings import Settings
    from kb.files import read_knowledge

    model = OnnxModel(Settings().home / "encoder")
    entries = read_knowledge(FUSION_FILE.parents[1] / "starter").entries
    asked = [model.prompts["query"] + normalize(text) for entry in entries for text in entry.questions]
    told = [model.prompts["passage"] + normalize(entry.answer) for entry in entries]
    np.save(FUSION_FILE, learnt(model, [*asked, *told]))


if __name__ == "__main__":
    main()
