"""What the release page draws: is the probability to be believed, and what does each threshold cost?"""

from __future__ import annotations

from typing import Any

import numpy as np

from kb.thresholds import HeldOut

BINS = 10
_POINTS = 60


def reliability(held_out: HeldOut) -> list[dict[str, Any]]:
    """One bar a tenth of the best candidate's probability: how many questions, the mean that was promised, the share that
    came true. Both weighed like the thresholds; empty tenths are left out."""
    held_out = held_out.without_near_misses()
    bins = np.minimum((held_out.probability * BINS).astype(int), BINS - 1)
    bars = []
    for i in range(BINS):
        here = bins == i
        weight = held_out.weight[here]
        if weight.sum() > 0:
            bars.append(
                {
                    "from": i / BINS,
                    "to": (i + 1) / BINS,
                    "count": int(here.sum()),
                    "mean_probability": round(float(np.average(held_out.probability[here], weights=weight)), 4),
                    "share_right": round(float(np.average(held_out.right[here], weights=weight)), 4),
                }
            )
    return bars


def curve(held_out: HeldOut) -> list[dict[str, float]]:
    """Coverage (answered outright and right among the questions with a right entry) and wrong rate by threshold, rising."""
    if not held_out.answerable.any():
        return []
    held_out = held_out.without_near_misses()
    order = np.argsort(-held_out.probability, kind="stable")
    probability, weight = held_out.probability[order], held_out.weight[order]
    right = held_out.right[order] & held_out.answerable[order]
    answered = np.cumsum(weight)
    covered = np.cumsum(weight * right) / held_out.weight[held_out.answerable].sum()
    wrong = np.cumsum(weight * ~held_out.right[order]) / np.maximum(answered, 1e-12)
    last_of_its_score = np.flatnonzero(np.append(probability[:-1] != probability[1:], True))
    spread = np.linspace(0, len(last_of_its_score) - 1, min(_POINTS, len(last_of_its_score))).astype(int)
    return [
        {
            "threshold": round(float(probability[i]), 4),
            "coverage": round(float(covered[i]), 4),
            "wrong_rate": round(float(wrong[i]), 4),
        }
        for i in last_of_its_score[np.unique(spread)][::-1]
    ]
