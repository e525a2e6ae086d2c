"""The evaluation of a release whose matcher is carried over: what the change can touch is asked again, the rest stands.

Curated questions are asked while they are hidden, sentences out of scope as they are, in both releases; the measures of
the release before move by the difference. What is far from everything that changed is judged as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kb.features import Probe, gather
from kb.index import Index
from kb.release.contents import Changes
from kb.release.judgement import Judgement

MEASURES = ("top1", "coverage", "wrong_rate", "out_of_scope_refused")
_MOST = 200
_NEIGHBOURS = 3
_MOST_NEAR = 6
_MOST_FAR = 4


@dataclass(frozen=True)
class Tally:
    """How many of the questions asked found their entry first, were answered rightly, and were answered wrongly."""

    right: float = 0.0
    answered: float = 0.0
    wrong: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.answered + other.answered, self.wrong + other.wrong)

    def less(self, other: Tally, scale: float) -> Tally:
        return Tally(
            (self.right - other.right) * scale,
            (self.answered - other.answered) * scale,
            (self.wrong - other.wrong) * scale,
        )


def moved(
    evaluation: Mapping[str, Any],
    before: tuple[Index, Judgement],
    after: tuple[Index, Judgement],
    changes: Changes,
    far: tuple[list[str], np.ndarray],
) -> dict[str, Any]:
    """The measures of `evaluation` as the changes move them. `far` are sentences out of scope with their (n, dim) vectors."""
    if evaluation.get("top1") is None or not changes:
        return {}
    old, new = before[0], after[0]
    asked_old, asked_new = ~old.passage, ~new.passage
    fresh = _rows(new, [*changes.added, *(entry for _, entry in changes.changed)])
    gone = _rows(old, [*changes.removed, *(entry for entry, _ in changes.changed)])
    pairs = _pairs(old, new, asked_new, fresh, gone)
    scale = 1.0
    if len(pairs) > _MOST:
        scale = len(pairs) / _MOST
        pairs = [pairs[i] for i in np.random.default_rng(0).permutation(len(pairs))[:_MOST]]
    was, is_ = Tally(), Tally()
    for old_row, new_row in pairs:
        was += _asked(old, asked_old, before[1], old_row)
        is_ += _asked(new, asked_new, after[1], new_row)
    asked = is_.less(was, scale)
    touched = np.concatenate([new.vectors[fresh], old.vectors[gone]])
    texts, vectors = far
    nearest = np.argsort(-(vectors @ touched.T).max(1))[:_MOST_FAR] if len(texts) and len(touched) else []
    failed = sum(
        int(_answers(new, asked_new, after[1], texts[i], vectors[i]))
        - int(_answers(old, asked_old, before[1], texts[i], vectors[i]))
        for i in nearest
    )
    return _moved(evaluation, asked, failed, max(len(new.texts), 1), max(int(evaluation["out_of_scope"]), 1))


def _moved(evaluation: Mapping[str, Any], asked: Tally, failed: float, questions: int, far: int) -> dict[str, Any]:
    """Questions with a right entry and those without weigh the same in sum, so each side's share counts half."""
    coverage, wrong_rate, refused = (
        evaluation[name] or 0.0 for name in ("coverage", "wrong_rate", "out_of_scope_refused")
    )
    answered = coverage / 2 / max(1 - wrong_rate, 1e-9)
    wrong = answered * wrong_rate + asked.wrong / questions / 2 + failed / far / 2
    right = coverage / 2 + asked.answered / questions / 2
    found = {
        "top1": evaluation["top1"] + asked.right / questions,
        "coverage": right * 2,
        "wrong_rate": wrong / max(wrong + right, 1e-9),
        "out_of_scope_refused": refused - failed / far,
    }
    return {
        name: round(float(np.clip(value, 0, 1)), 4) for name, value in found.items() if evaluation[name] is not None
    }


def _pairs(old: Index, new: Index, questions: np.ndarray, fresh: np.ndarray, gone: np.ndarray) -> list[tuple[int, int]]:
    """Rows of questions that both releases hold, by the same entry with other questions beside: those of what changed, and
    the nearest ones."""
    near: dict[int, None] = {}
    for index, rows in ((new, fresh), (old, gone)):
        for row in rows:
            if len(near) >= _MOST_NEAR:
                break
            near.update(dict.fromkeys(new.nearest(index.vectors[row], questions, _NEIGHBOURS)[0].tolist()))
    pairs = []
    for row in dict.fromkeys([*fresh.tolist(), *near]):
        entry = new.entries[new.owner[row]]
        place = old.position.get(entry.id)
        if entry.is_passage or place is None or len(new.rows(int(new.owner[row]))) < 2 or len(old.rows(place)) < 2:
            continue
        same = [other for other in old.rows(place) if old.texts[other] == new.texts[row]]
        pairs += [(same[0], row)] if same else []
    return pairs


def _rows(index: Index, entries: list[Any]) -> np.ndarray:
    found = [np.array(index.rows(index.position[entry.id])) for entry in entries]
    return np.concatenate([*found, np.empty(0, int)]).astype(int)


def _asked(index: Index, questions: np.ndarray, judgement: Judgement, row: int) -> Tally:
    allowed = questions.copy()
    allowed[row] = False
    evidence = gather(index, Probe(index.texts[row], index.vectors[row]), allowed, [row])
    found = judgement.matcher.probabilities(evidence)
    if not len(found):
        return Tally()
    best = int(found.argmax())
    right = bool(evidence.entries[best] == index.owner[row])
    answered = bool(found[best] >= judgement.thresholds.answer)
    return Tally(float(right), float(answered and right), float(answered and not right))


def _answers(index: Index, questions: np.ndarray, judgement: Judgement, text: str, vector: np.ndarray) -> bool:
    evidence = gather(index, Probe(text, vector), questions)
    found = judgement.matcher.probabilities(evidence)
    return bool(len(found) and found.max() >= judgement.thresholds.answer)
