"""The gate: a release that answers worse than the one before it is refused, unless a publisher says why it must go live.

Both releases are measured on held-out questions, so each share has a standard error. A fall counts as a loss when it is
larger than `TOLERATED` *and* larger than twice the standard error of the difference between the two: what a few questions
decide by chance is no reason to refuse. Where the matcher was fitted anew, both are measured on the questions that both were asked
(`on_common`): a release is not worse because its new questions are harder. Beside that, entries that stay must stay findable by
their own wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from kb.evaluate import cross_validated
from kb.release.judgement import Judgement

TOLERATED = 0.01
ERRORS = 2.0
_LOST_SHARE = 0.01
_FEWEST_LOST = 3
_FEWEST_COMMON = 50
_HARDLY = 0.02


@dataclass(frozen=True)
class Gate:
    """`reasons` are for the publisher, in Chinese: why it did not pass, or what to know though it `passed`."""

    passed: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """Curated questions of entries that stay: how many were `asked` and answered by their own entry before, and how many
    of them are not any more."""

    asked: int = 0
    lost: int = 0


_MEASURES = (
    ("top1", "首位命中", "queries", True),
    ("coverage", "直接答对率", "queries", True),
    ("out_of_scope_refused", "范围外拒答率", "out_of_scope", True),
    ("wrong_rate", "答错率", "queries", False),
)


def on_common(before: Judgement, after: Judgement) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both evaluations on the held-out questions of both; None where these are too few to say anything."""
    shared = np.intersect1d(before.held_out.question, after.held_out.question)
    found = []
    for one in (before, after):
        common = one.held_out.of(np.isin(one.held_out.question, shared))
        if common.answerable.sum() < _FEWEST_COMMON:
            return None
        measured = vars(cross_validated(0, common, one.thresholds))
        found.append(measured | {"accepted_wrong_rate": one.thresholds.accepted_wrong_rate, "common": True})
    return found[0], found[1]


def told(measured: Mapping[str, Any]) -> dict[str, Any]:
    """What people see of an evaluation that was compared: the measures, and on how many questions."""
    names = ("queries", "out_of_scope", *(name for name, *_ in _MEASURES))
    return {name: round(one, 4) if isinstance(one := measured[name], float) else one for name in names}


def judge(before: Mapping[str, Any] | None, after: Mapping[str, Any], asked: Asked) -> Gate:
    """`before` and `after` are evaluations of releases; nothing is compared with a first release's."""
    reasons = [
        reason
        for name, label, count, more_is_better in _MEASURES
        if before and (reason := _loss(before, after, name, label, count, more_is_better))
    ]
    if asked.lost >= max(_FEWEST_LOST, _LOST_SHARE * asked.asked):
        reasons.append(
            f"有 {asked.lost} 个仍在库中的问题（抽查 {asked.asked} 个）原来能直接答对，发布后答不对，请查看下方变化的问题。"
        )
    return Gate(not reasons, (*reasons, *_notes(after)))


def _notes(after: Mapping[str, Any]) -> tuple[str, ...]:
    """That a release keeps its promise by hardly ever answering is said, be it the first one or not."""
    coverage, accepted = after.get("coverage"), after.get("accepted_wrong_rate")
    if coverage is None or accepted is None or coverage >= _HARDLY:
        return ()
    return (
        f"直接答对率只有 {coverage:.1%}：要守住 {accepted:.1%} 的可接受答错率，机器人几乎只能反问。"
        "请为条目补充员工的说法（相似问法），或调高可接受的答错率。",
    )


def _loss(
    before: Mapping[str, Any], after: Mapping[str, Any], name: str, label: str, count: str, more_is_better: bool
) -> str | None:
    old, new = before.get(name), after.get(name)
    if old is None or new is None:
        return None
    if name == "wrong_rate" and new <= after.get("accepted_wrong_rate", 0):
        return None
    if name != "top1" and before.get("accepted_wrong_rate") != after.get("accepted_wrong_rate"):
        return None  # The manager asked for another balance.
    worse = old - new if more_is_better else new - old
    noise = ERRORS * sqrt(_variance(old, before.get(count)) + _variance(new, after.get(count)))
    if worse <= max(TOLERATED, noise):
        return None
    how = "下降" if more_is_better else "上升"
    among = "在前后两版都考过的问题上，" if before.get("common") else ""
    return f"{among}{label}从 {old:.1%} {how}到 {new:.1%}，超出了正常波动（允许 {max(TOLERATED, noise) * 100:.1f} 个百分点）。"


def _variance(share: float, count: int | None) -> float:
    """Of a share measured on `count` questions; pulled a little to one half, so that 100 % of three is not certain."""
    count = count or 0
    pulled = (share * count + 1) / (count + 2)
    return pulled * (1 - pulled) / (count + 2)
