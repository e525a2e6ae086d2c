"""Knowledge bases of any size, made of the starter knowledge's words: as large as wanted, and nothing like real ones to read.

Every entry takes the wordings of a starter entry and exchanges half of their words, the same ones in every wording, for
others of the starter knowledge, common ones more often. So words are as frequent as in real questions and the lists of who
has a word are as long as they get. Vectors are *not encoded*, which would take most of an hour at 600,000 questions: they
are those of the starter questions with noise, cosine about 0.93 between wordings of one entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import jieba
import numpy as np

from core.text import normalize
from kb.encoder import Encoder
from kb.entries import Entry
from kb.files import read_knowledge
from kb.index import answers, texts

ROOT = Path(__file__).resolve().parent.parent
WORDINGS = 6
jieba.setLogLevel(30)
_EXCHANGED = 0.5
_OF_ENTRY = 0.45
_OF_WORDING = 0.25


class Synthetic:
    """`entries` and their questions' `vectors`, (questions, dim) float32 of unit length, in the order of
    `kb.index.texts(entries)`; the same for the same seed. `answer_vectors` (entries, dim) stand in for those of the answers."""

    def __init__(self, count: int, encoder: Encoder, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        starter = [entry for entry in read_knowledge(ROOT / "kb" / "starter").entries if len(entry.similar) > 1]
        cut = [[jieba.lcut(question) for question in entry.questions[:WORDINGS]] for entry in starter]
        asked = [normalize(question) for entry in starter for question in entry.questions[:WORDINGS]]
        known = dict(zip(asked, encoder.encode_queries(asked), strict=True))
        pool = Counter(word for wordings in cut for wording in wordings for word in wording if len(word) > 1)
        words = np.array(list(pool))
        share = np.array(list(pool.values()), float) / sum(pool.values())
        bases = random.integers(len(starter), size=count)
        drawn = iter(random.choice(words, size=count * 64, p=share).tolist())
        chosen = iter((random.random(count * 64) < _EXCHANGED).tolist())
        self.entries: list[Entry] = []
        sources = np.empty((count, WORDINGS), int)
        place = {text: row for row, text in enumerate(known)}
        for n, base in enumerate(bases.tolist()):
            exchanged: dict[str, str] = {}
            questions = []
            for nth in range(WORDINGS):
                wording = cut[base][nth % len(cut[base])]
                for word in wording:
                    if word not in exchanged:
                        exchanged[word] = next(drawn, word) if len(word) > 1 and next(chosen, False) else word
                sources[n, nth] = place[normalize("".join(wording))]
                questions.append("".join(exchanged[word] for word in wording) + "呢" * (nth // len(cut[base])))
            answer = "".join(exchanged.get(word, word) for word in cut[base][0]) + "：" + starter[base].answer[:80]
            self.entries.append(Entry(f"s{n:06d}", questions[0], answer, tuple(questions[1:]), owner="bench"))
        self.vectors = _noisy(np.stack(list(known.values())), sources, random)
        self.answer_vectors = np.ascontiguousarray(self.vectors[::WORDINGS])


class Prepared:
    """An encoder that need not encode the synthetic questions and answers; every other text is really encoded."""

    def __init__(self, synthetic: Synthetic, encoder: Encoder) -> None:
        self._questions = _rows(texts(synthetic.entries)), synthetic.vectors
        self._answers = _rows(answers(synthetic.entries)), synthetic.answer_vectors
        self._encoder = encoder
        self.name, self.fingerprint, self.dim = "synthetic", f"synthetic of {encoder.fingerprint}", encoder.dim

    def encode_queries(self, texts: list[str]) -> np.ndarray:
        return _known(texts, *self._questions, self._encoder.encode_queries)

    def encode_passages(self, texts: list[str]) -> np.ndarray:
        return _known(texts, *self._answers, self._encoder.encode_passages)


def _rows(held: Sequence[str]) -> dict[str, int]:
    return {text: row for row, text in enumerate(held)}


def _known(
    wanted: list[str], rows: dict[str, int], vectors: np.ndarray, encode: Callable[[list[str]], np.ndarray]
) -> np.ndarray:
    places = [rows.get(text, -1) for text in wanted]
    known = np.array([place >= 0 for place in places], bool)
    found = np.empty((len(wanted), vectors.shape[1]), np.float32)
    found[known] = vectors[[place for place in places if place >= 0]]
    found[~known] = encode([text for text, place in zip(wanted, places, strict=True) if place < 0])
    return found


def asked() -> list[str]:
    """Questions of employees, to be asked of any of these knowledge bases."""
    lines = (ROOT / "tests" / "data" / "starter_queries.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t")[0] for line in lines]


def _noisy(base: np.ndarray, sources: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(entries × wordings, dim): each source's vector, moved by the entry's noise and a little of its own."""
    count, wordings = sources.shape
    dim = base.shape[1]
    vectors = np.empty((count * wordings, dim), np.float32)
    for start in range(0, count, 5000):
        rows = sources[start : start + 5000]
        near = base[rows]
        near += random.standard_normal((len(rows), 1, dim), np.float32) * np.float32(_OF_ENTRY / dim**0.5)
        near += random.standard_normal((*rows.shape, dim), np.float32) * np.float32(_OF_WORDING / dim**0.5)
        near /= np.linalg.norm(near, axis=-1, keepdims=True)
        vectors[start * wordings : (start + len(rows)) * wordings] = near.reshape(-1, dim)
    return vectors
