"""The reviewed sample: each week's answers drawn at random, judged by people who know, as the true rate of wrong answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from core.privacy import mask
from core.transcript import Message, Turn
from handoff.actors import Actor
from handoff.quality.periods import bounds, week_of
from kb.samples import VERDICTS, SampleRow
from kb.store import EntryRow
from service.insight.calendar import day_of
from service.insight.entries import titles_of
from service.insight.store import QuestionRow, StateRow
from service.insight.wilson import interval

SIZE = 50
MOST = 500
MOST_WORDS = 500


def to_draw(session: Session, moment: datetime) -> str | None:
    """The week before `moment`, where it is counted and nobody has drawn from it."""
    week = week_of(moment - timedelta(days=7))
    state = session.get(StateRow, "visits")
    if state is None or state.at < bounds(week)[1] or session.get(StateRow, f"sample:{week}"):
        return None
    return week


def draw(session: Session, week: str, moment: datetime, size: int | None = None) -> int:
    """Draw from the answers that the bot chose by itself in `week`; how many. The same week draws the same, and only once."""
    if session.get(StateRow, f"sample:{week}"):
        return 0
    start, end = bounds(week)
    turns = session.scalars(
        select(QuestionRow.turn_id)
        .where(
            QuestionRow.day >= day_of(start),
            QuestionRow.day < day_of(end),
            QuestionRow.outright == 1,
            QuestionRow.band == "answer",
        )
        .order_by(QuestionRow.turn_id)
    ).all()
    size = size or settings(session)["size"]
    chosen = Random(int(week.replace("-W", ""))).sample(turns, min(size, len(turns)))
    rows = [row for one in sorted(chosen) if (row := _drawn(session, one, week, moment))]
    if rows:
        session.execute(insert(SampleRow.__table__), rows)
    session.add(StateRow(name=f"sample:{week}", body={"answers": len(turns), "drawn": len(rows)}, at=moment))
    return len(rows)


def _drawn(session: Session, turn_id: str, week: str, moment: datetime) -> dict[str, Any] | None:
    turn = session.get(Turn, turn_id)
    outcome = (turn.outcome or {}) if turn else {}
    message = session.scalars(
        select(Message).where(Message.turn_id == turn_id, Message.type == "answer").order_by(Message.seq)
    ).first()
    if turn is None or message is None or not outcome.get("entry_id"):
        return None
    return {
        "week": week,
        "turn_id": turn_id,
        "message_id": message.id,
        "conversation_id": turn.conversation_id,
        "entry_id": outcome["entry_id"],
        "release": outcome.get("release"),
        "probability": outcome.get("probability"),
        "question": mask(outcome.get("question") or ""),
        "answered_at": turn.at,
        "drawn_at": moment,
        "comment": "",
    }


def settings(session: Session) -> dict[str, int]:
    """`{size}`: how many answers a week are drawn."""
    state = session.get(StateRow, "sample")
    return state.body if state else {"size": SIZE}


def change_settings(session: Session, actor: Actor, size: int) -> None:
    """Draw so many answers a week from now on. Raises InvalidInput."""
    if not 1 <= size <= MOST:
        raise InvalidInput(f"每周抽样数量要填 1 到 {MOST} 的整数。", code="sample_size")
    before = settings(session)
    session.merge(StateRow(name="sample", body={"size": size}, at=now()))
    audit.append(session, actor, "insight.sample", "sample", {"before": before, "after": {"size": size}})


def judge(
    session: Session, sample_id: int, actor: Actor, verdict: str, comment: str = "", right_entry: str = ""
) -> SampleRow:
    """A reviewer's word on one answer; it may be changed within a week. Raises NotFound, InvalidInput, Conflict."""
    row = session.get(SampleRow, sample_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这条抽样，请刷新列表。")
    if verdict not in VERDICTS:
        raise InvalidInput("请选择正确、部分正确或错误。", code="verdict")
    if row.reviewed_at is not None and now() - row.reviewed_at > timedelta(days=7):
        raise Conflict("评审超过 7 天，已计入答错率，不能再改。", code="verdict_settled")
    if right_entry and session.get(EntryRow, right_entry) is None:
        raise InvalidInput(f"没有编号为 {right_entry} 的知识条目，请核对。", code="right_entry")
    before = row.verdict
    row.verdict, row.reviewer, row.reviewed_at = verdict, actor.id, now()
    row.comment, row.right_entry = mask(comment.strip()[:MOST_WORDS]), right_entry or None
    detail = {"verdict": verdict, "before": before, "entry": row.entry_id, "right_entry": row.right_entry}
    audit.append(session, actor, "insight.judged", f"sample:{row.id}", detail)
    return row


def listed(session: Session, week: str, state: str, page: int, size: int = 20) -> dict[str, Any]:
    """The answers of a week, `state` waiting, a verdict or empty for all; masked."""
    query = select(SampleRow).where(SampleRow.week == week)
    if state:
        query = query.where(SampleRow.verdict.is_(None) if state == "waiting" else SampleRow.verdict == state)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.scalars(query.order_by(SampleRow.id).offset((page - 1) * size).limit(size)).all()
    answers = dict(
        session.execute(select(Message.id, Message.text).where(Message.id.in_([row.message_id for row in rows]))).all()
    )
    titles = titles_of(session, {one for row in rows for one in (row.entry_id, row.right_entry) if one})
    return {
        "items": [
            {
                "id": row.id,
                "question": mask(row.question),
                "answer": mask(answers.get(row.message_id, "")),
                "entry_id": row.entry_id,
                "title": titles.get(row.entry_id, row.entry_id),
                "probability": row.probability,
                "release": row.release,
                "at": row.answered_at.isoformat(),
                "verdict": row.verdict,
                "comment": row.comment,
                "right_entry": row.right_entry,
                "right_title": titles.get(row.right_entry or "", row.right_entry),
                "reviewer": row.reviewer,
                "reviewed_at": row.reviewed_at and row.reviewed_at.isoformat(),
            }
            for row in rows
        ],
        "total": total,
    }


def rate(counts: Counter[str]) -> dict[str, Any]:
    """`{reviewed, right, partly, wrong, rate, low, high}`: the share of wrong answers with Wilson's 95 % interval."""
    reviewed = sum(counts[one] for one in VERDICTS)
    bounds_ = interval(counts["wrong"], reviewed)
    return {
        "reviewed": reviewed,
        **{one: counts[one] for one in VERDICTS},
        "rate": round(counts["wrong"] / reviewed, 4) if reviewed else None,
        "low": round(bounds_[0], 4) if bounds_ else None,
        "high": round(bounds_[1], 4) if bounds_ else None,
    }


def weeks(session: Session, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Every drawn week of the period: how many were drawn and judged, and the wrong-answer rate. Oldest first."""
    rows = session.execute(
        select(SampleRow.week, SampleRow.verdict, func.count())
        .where(SampleRow.answered_at >= since, SampleRow.answered_at < until)
        .group_by(SampleRow.week, SampleRow.verdict)
    ).all()
    counted: dict[str, Counter[str]] = {}
    for week, verdict, count in rows:
        counted.setdefault(week, Counter())[verdict or "waiting"] += count
    return [{"week": week, "waiting": counts["waiting"], **rate(counts)} for week, counts in sorted(counted.items())]


def together(weeks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The rate over several weeks."""
    total: Counter[str] = Counter()
    for week in weeks:
        total.update({one: week[one] for one in VERDICTS})
    return rate(total)
