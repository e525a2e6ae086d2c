"""What a day's work reaches, to hold our retrieval against: the encoder alone, BM25 alone, and both lists merged.

What none of them can tell is whether there is an answer at all; the best that their scores offer is the score plus its
margin over the second entry, and a threshold on that. Like ours, it is chosen without a look at the questions: by curated
ones, each hidden while it is asked, and our sentences out of scope, half and half.

`coverage_hindsight` is the coverage with the best threshold for the very questions asked; `coverage_hindsight_margin` that with the best of
a few multiples of the margin besides. Where too few entries have a
second question to be found by, nothing can be chosen beforehand, and the threshold of hindsight stands in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import bm25s
import faiss
import numpy as np

from core.text import normalize
from kb.entries import Entry
from kb.evaluate import RANKS, Judged, best_threshold, coverage_in_hindsight, evaluation_of
from kb.evaluation.questions import Questions
from kb.evaluation.remembering import Remembering
from kb.lessons import out_of_scope
from kb.words import words

_ROWS = 200
_FUSED = 60
_MARGINS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
_TIMED = 300
_LESSONS, _LEAST_LESSONS = 600, 50
_BATCH = 256

Ranked = tuple[np.ndarray, np.ndarray]
"""Positions of entries, best first, each once, and their scores."""


class Method(Protocol):
    build_s: float

    def rank(self, text: str, without: int = -1) -> Ranked:
        """As if row `without` were not there."""
        ...


@dataclass(frozen=True)
class Rows:
    """What is searched: every question, and a passage's title with its text; `owner` (rows,) are positions of entries."""

    texts: list[str]
    owner: np.ndarray
    passage: np.ndarray

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Rows:
        held = [entry.questions or (f"{entry.title} {entry.answer}".strip(),) for entry in entries]
        counts = [len(texts) for texts in held]
        return cls(
            [normalize(text) for texts in held for text in texts],
            np.repeat(np.arange(len(entries)), counts),
            np.repeat([entry.is_passage for entry in entries], counts),
        )


class Nearest:
    """The entry of the nearest question or passage, by cosine."""

    def __init__(self, rows: Rows, encoder: Remembering) -> None:
        self._encoder = encoder
        self._owner = rows.owner
        started, spent = time.perf_counter(), encoder.seconds
        self._index = faiss.IndexFlatIP(encoder.dim)
        for start in range(0, len(rows.texts), _BATCH):
            batch, passage = rows.texts[start : start + _BATCH], rows.passage[start : start + _BATCH]
            vectors = np.empty((len(batch), encoder.dim), np.float32)
            for kind, encode in ((False, encoder.encode_queries), (True, encoder.encode_passages)):
                of_kind = np.flatnonzero(passage == kind)
                vectors[of_kind] = encode([batch[i] for i in of_kind])
            self._index.add(vectors)
        took = time.perf_counter() - started - (encoder.seconds - spent)
        self.build_s = took + len(rows.texts) * encoder.seconds / max(encoder.encoded, 1)

    def rank(self, text: str, without: int = -1) -> Ranked:
        vector = self._encoder.encode_queries([text])
        scores, rows = self._index.search(vector, min(_ROWS, self._index.ntotal))
        kept = rows[0] != without
        return _distinct(self._owner[rows[0][kept]], scores[0][kept])


class BM25:
    """The entry of the question or passage that BM25 (Lucene's, k1 1.5, b 0.75) likes best, over jieba's words."""

    def __init__(self, rows: Rows) -> None:
        started = time.perf_counter()
        self._owner = rows.owner
        self._index = bm25s.BM25()
        self._index.index([words(text) or ["\0"] for text in rows.texts], show_progress=False)
        self.build_s = time.perf_counter() - started

    def rank(self, text: str, without: int = -1) -> Ranked:
        asked = [word for word in words(text) if word in self._index.vocab_dict]
        if not asked:
            return np.empty(0, int), np.empty(0, np.float32)
        scores = self._index.get_scores(asked)
        count = min(_ROWS, len(scores))
        best = np.argpartition(-scores, count - 1)[:count]
        best = best[(scores[best] > 0) & (best != without)]
        best = best[np.argsort(-scores[best], kind="stable")]
        return _distinct(self._owner[best], scores[best])


class Fusion:
    """Both lists merged by reciprocal rank, 1 / (60 + rank) (Cormack, Clarke and Büttcher, SIGIR 2009)."""

    def __init__(self, *methods: Method) -> None:
        self._methods = methods
        self.build_s = sum(method.build_s for method in methods)

    def rank(self, text: str, without: int = -1) -> Ranked:
        total: dict[int, float] = {}
        for method in self._methods:
            for rank, entry in enumerate(method.rank(text, without)[0].tolist(), start=1):
                total[entry] = total.get(entry, 0.0) + 1 / (_FUSED + rank)
        best = sorted(total, key=total.__getitem__, reverse=True)
        return np.array(best, int), np.array([total[entry] for entry in best])


def baselines(
    questions: Questions, encoder: Remembering, accepted: float, asked: Callable[[str, int, int], None]
) -> dict[str, dict[str, Any]]:
    """The figures of `kb.evaluate.Evaluation`, with `build_s`, for each method; there is no `ece`, as a score is no
    probability. `asked` hears the method, how many questions are done, and how many there are. `encoder` may
    know the vectors; it is made to forget those of the questions that are timed.
    """
    rows = Rows.of(questions.entries)
    nearest, bm25 = Nearest(rows, encoder), BM25(rows)
    methods: dict[str, Method] = {"encoder": nearest, "bm25": bm25, "rrf": Fusion(nearest, bm25)}
    return {
        name: _measured(method, rows, questions, encoder, accepted, lambda done, of, name=name: asked(name, done, of))
        for name, method in methods.items()
    }


def _measured(
    method: Method,
    rows: Rows,
    questions: Questions,
    encoder: Remembering,
    accepted: float,
    asked: Callable[[int, int], None],
) -> dict[str, Any]:
    position = {entry.id: i for i, entry in enumerate(questions.entries)}
    texts = questions.texts
    right = np.array([position[entry] for _, entry in questions.queries] + [-1] * len(questions.out_of_scope))
    rank, score, margin = np.full(len(texts), RANKS), np.zeros(len(texts)), np.zeros(len(texts))
    for i, text in enumerate(texts):
        found, scores = method.rank(text)
        at = np.flatnonzero(found[:RANKS] == right[i])
        rank[i] = at[0] if len(at) else RANKS
        score[i], margin[i] = _confidence(scores)
        asked(i + 1, len(texts))
    within = right >= 0
    threshold = _chosen_beforehand(method, rows, accepted)
    confidence = score + margin
    plainly = best_threshold(confidence, rank == 0, accepted) if threshold is None else confidence >= threshold
    judged = Judged(within, rank, np.zeros(len(texts)), plainly)
    covered = {times: coverage_in_hindsight(judged, score + times * margin, accepted) for times in _MARGINS}
    took = []
    for i in np.linspace(0, len(texts) - 1, min(_TIMED, len(texts))).astype(int):
        encoder.forget([texts[i]])
        started = time.perf_counter()
        method.rank(texts[i])
        took.append((time.perf_counter() - started) * 1000)
    return {
        **asdict(evaluation_of(len(questions.entries), judged, took)),
        "ece": None,
        "ece_half": None,
        "build_s": method.build_s,
        "coverage_hindsight": covered[1.0],
        "coverage_hindsight_margin": max((one for one in covered.values() if one is not None), default=None),
    }


def _chosen_beforehand(method: Method, rows: Rows, accepted: float) -> float | None:
    """The threshold on score plus margin that curated questions and sentences out of scope suggest; None where there are too few."""
    known = np.bincount(rows.owner[~rows.passage], minlength=int(rows.owner.max()) + 1)
    curated = np.flatnonzero(~rows.passage & (known[rows.owner] > 1))
    strangers = out_of_scope()
    count = min(_LESSONS, len(curated), len(strangers))
    if count < _LEAST_LESSONS:
        return None
    values, right = [], []
    for row in curated[np.linspace(0, len(curated) - 1, count).astype(int)].tolist():
        found, scores = method.rank(rows.texts[row], without=row)
        values.append(sum(_confidence(scores)))
        right.append(bool(len(found)) and found[0] == rows.owner[row])
    for at in np.linspace(0, len(strangers) - 1, count).astype(int):
        values.append(sum(_confidence(method.rank(strangers[at])[1])))
        right.append(False)
    answered = best_threshold(np.array(values), np.array(right), accepted)
    return float(np.array(values)[answered].min(initial=np.inf))


def _confidence(scores: np.ndarray) -> tuple[float, float]:
    """The best score, and its margin over the second entry's."""
    if not len(scores):
        return -np.inf, 0.0
    return float(scores[0]), float(scores[0] - scores[1] if len(scores) > 1 else max(scores[0], 0))


def _distinct(owner: np.ndarray, scores: np.ndarray) -> Ranked:
    _, first = np.unique(owner, return_index=True)
    first.sort()
    return owner[first], scores[first]
