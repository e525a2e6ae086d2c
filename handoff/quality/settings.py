"""Changing what quality goes by: checked, versioned, on the audit log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from core import audit
from core.errors import Conflict, InvalidInput
from handoff.actors import Actor
from handoff.quality.defaults import CLASSES, DEFAULTS
from handoff.quality.documents import QualityDocumentRow, newest, store
from handoff.quality.questionnaire import checked_questionnaire
from handoff.quality.rubric import checked_rubric
from handoff.quality.sampling import checked_rules
from handoff.quality.scoreboard import checked_scoreboard
from handoff.quality.wording import written

KINDS = {
    "satisfaction": "满意度评价",
    "rubric": "质检评分标准",
    "sampling": "质检抽样规则",
    "scoreboard": "坐席评分规则",
    "questionnaire": "问卷",
}


def checked_satisfaction(body: Mapping[str, Any]) -> dict[str, Any]:
    """How satisfaction is asked, as it is stored. Raises InvalidInput."""
    made: dict[str, Any] = {}
    for name, label, least, most in (
        ("remind_after_hours", "提醒时间（小时）", 1, 720),
        ("expires_days", "评价有效期（天）", 1, 60),
        ("low_score", "低分线", 1, 3),
        ("review_days", "回访期限（工作日）", 1, 30),
    ):
        value = body.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidInput(f"{label}要填 {least} 到 {most} 的整数。", code="satisfaction")
        made[name] = value
    if made["remind_after_hours"] >= made["expires_days"] * 24:
        raise InvalidInput("提醒要早于评价到期。", code="satisfaction")
    given = body.get("reasons") or {}
    made["reasons"] = {side: _reasons(given.get(side) or {}) for side in ("low", "high")}
    return made


def _reasons(given: Mapping[str, Any]) -> dict[str, list[str]]:
    made = {name: [written(words, 21) for words in given.get(name) or []] for name in CLASSES}
    flat = [words for offered in made.values() for words in offered]
    if set(given) - set(CLASSES) or not flat:
        raise InvalidInput(f"评价原因要按 {'、'.join(CLASSES)} 分类填写。", code="reasons")
    if any(not 0 < len(words) <= 20 or ":" in words for words in flat) or len(flat) != len(set(flat)):
        raise InvalidInput("每个原因要在 20 字以内、互不相同，不含冒号。", code="reasons")
    if any(len(offered) > 8 for offered in made.values()):
        raise InvalidInput("每类原因最多 8 个。", code="reasons")
    return made


_CHECKS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "satisfaction": checked_satisfaction,
    "rubric": checked_rubric,
    "sampling": checked_rules,
    "scoreboard": checked_scoreboard,
    "questionnaire": checked_questionnaire,
}


def change(
    session: Session, actor: Actor, kind: str, body: Mapping[str, Any], *, version: int, name: str = "default"
) -> QualityDocumentRow:
    """Make `body` the newest version; `version` is the one that was looked at, 0 for none. What is unchanged makes none.

    Raises InvalidInput, or Conflict `version_conflict` where somebody else was quicker.
    """
    made = _CHECKS[kind](body)
    before = newest(session, kind, name)
    if (before.version if before else 0) != version:
        raise Conflict("刚刚有人改过，请刷新后再改。", code="version_conflict")
    if before is not None and before.body == made:
        return before
    row = store(session, kind, made, actor.id, name)
    audit.append(
        session,
        actor,
        f"quality.{kind}",
        f"{kind}:{name}",
        {"version": row.version, "before": before.body if before else DEFAULTS[kind], "after": made},
    )
    return row


def seed(session: Session) -> None:
    """Store what the product comes with, where nothing is stored yet."""
    for kind, body in DEFAULTS.items():
        if newest(session, kind) is None:
            store(session, kind, _CHECKS[kind](body), "system")
