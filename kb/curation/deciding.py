"""Decisions: what a curator does with a cluster. Knowledge changes only through drafts, which somebody else reviews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from kb.care.checks import Finding
from kb.care.drafts import DraftRow, propose, submit
from kb.curation.nights import LIVING, opened, recount
from kb.curation.store import (
    DISMISSED,
    GAP,
    MERGED,
    NOT_OURS,
    OPEN,
    REVIEW,
    SNOOZED,
    ClusterRow,
    ContributionRow,
    DecisionRow,
    OpenQuestionRow,
)
from kb.curation.tickets import Tickets
from kb.curation.wording import plain
from kb.entries import Entry
from kb.store import EntryRow, entry_from_dict
from kb.words import bare

MOST_SIMILAR = 200
"""Similar questions of an entry at most: more slow the search down and teach nothing."""


def locked(session: Session, cluster: int, version: int | None = None) -> ClusterRow:
    """The cluster, to be decided about. Raises NotFound; Conflict when somebody decided since the curator looked."""
    return _current(session.get(ClusterRow, cluster, with_for_update=True, populate_existing=True), version)


def seen(session: Session, cluster: int, version: int) -> ClusterRow:
    """The cluster as the curator saw it, to be read. Raises like `locked`."""
    return _current(session.get(ClusterRow, cluster), version)


def _current(row: ClusterRow | None, version: int | None) -> ClusterRow:
    if row is None:
        raise NotFound("没有这一组问题，请刷新列表。", code="cluster_not_found")
    if row.state == MERGED:
        raise Conflict(f"这一组已并入第 {row.merged_into} 组，请打开那一组。", code="cluster_merged")
    if version is not None and version != row.version:
        raise Conflict("另一位同事刚刚处理过这一组，请刷新后再看。", code="version_conflict")
    return row


def decide(
    session: Session,
    cluster: ClusterRow,
    kind: str,
    by: str,
    state: str,
    *,
    entry_id: str | None = None,
    draft: str = "",
    detail: dict[str, Any] | None = None,
) -> DecisionRow:
    """Write a decision down and put the cluster into `state`."""
    moment = now()
    cluster.state, cluster.decided_at = state, moment
    cluster.version += 1
    row = DecisionRow(
        cluster=cluster.id,
        kind=kind,
        by=by,
        at=moment,
        entry_id=entry_id,
        state=draft,
        questions=cluster.questions,
        detail=detail or {},
    )
    session.add(row)
    session.flush()
    audit.append(session, by, f"curation.{kind}", f"cluster:{cluster.id}", {"entry": entry_id, **(detail or {})})
    return row


def with_similar(session: Session, entry_id: str, texts: Sequence[str], by: str) -> Entry:
    """The entry with what these say as similar questions too: over the curator's own draft of it, if there is one. Raises NotFound,
    InvalidInput when it has all of them already, or too many."""
    row, draft = session.get(EntryRow, entry_id), session.get(DraftRow, entry_id)
    own = draft is not None and draft.author == by and not draft.deletes
    if (row is None or row.deleted) and not own:
        raise NotFound("没有这条知识，可能已停用，请另选一条。")
    assert own or row is not None
    entry = entry_from_dict(draft.body if own and draft is not None else row.body)  # type: ignore[union-attr]
    known = {bare(question) for question in entry.questions}
    fresh = [text for text in dict.fromkeys(plain(text) for text in texts) if bare(text) and bare(text) not in known]
    fresh = list({bare(text): text for text in reversed(fresh)}.values())[::-1]
    if not fresh:
        raise InvalidInput("这条知识已经有这些问法，请选择别的问法，或换一种处理方式。", code="nothing_new")
    if len(entry.similar) + len(fresh) > MOST_SIMILAR:
        raise InvalidInput(f"一条知识最多 {MOST_SIMILAR} 个相似问，请少选几个。", code="too_many_similar")
    return replace(entry, similar=(*entry.similar, *fresh))


def add_similar(
    session: Session, cluster: ClusterRow, entry: Entry, texts: Sequence[str], by: str, findings: list[Finding]
) -> DecisionRow:
    """Submit `entry` (of `with_similar`) for review. Raises as `propose` and `submit` do."""
    propose(session, entry, by)
    submit(session, entry.id, by, findings)
    decision = decide(
        session, cluster, "similar", by, REVIEW, entry_id=entry.id, draft="drafted", detail={"questions": list(texts)}
    )
    credit(session, decision, by, "curator")
    return decision


def new_entry(
    session: Session,
    cluster: ClusterRow,
    entry: Entry,
    by: str,
    findings: list[Finding],
    agents: Sequence[str] = (),
    detail: dict[str, Any] | None = None,
) -> DecisionRow:
    """Submit a new entry for review; `agents` are those whose replies went into its answer. Raises Conflict where there is one
    of that id."""
    if session.get(EntryRow, entry.id) is not None or session.get(DraftRow, entry.id) is not None:
        raise Conflict(f"编号 {entry.id} 已被使用，请留空由系统生成。", code="entry_exists")
    propose(session, entry, by)
    submit(session, entry.id, by, findings)
    decision = decide(session, cluster, "entry", by, REVIEW, entry_id=entry.id, draft="drafted", detail=detail)
    credit(session, decision, by, "curator")
    for agent in dict.fromkeys(agents):
        credit(session, decision, agent, "agent")
    return decision


def credit(session: Session, decision: DecisionRow, person: str, part: str) -> None:
    if person and session.get(ContributionRow, (decision.id, person, part)) is None:
        session.add(ContributionRow(decision=decision.id, person=person[:64], part=part, at=now()))


def dismiss(session: Session, cluster: ClusterRow, reason: str, by: str) -> DecisionRow:
    """Not for us: its questions are closed, and those that come later join it closed. Raises InvalidInput without a reason."""
    if not reason.strip():
        raise InvalidInput("请写明为什么不归我们答，以后同样的问题会照此处理。", code="reason_missing")
    moment = now()
    session.execute(
        update(OpenQuestionRow)
        .where(OpenQuestionRow.cluster == cluster.id, OpenQuestionRow.closed_as.is_(None))
        .values(closed_as=NOT_OURS, closed_at=moment)
    )
    cluster.answered, cluster.closed_at = cluster.questions, moment
    return decide(session, cluster, "dismiss", by, DISMISSED, detail={"reason": reason.strip()[:500]})


def snooze(session: Session, cluster: ClusterRow, days: int, by: str) -> DecisionRow:
    """Out of the way for some days."""
    cluster.snoozed_until = now() + timedelta(days=days)
    return decide(session, cluster, "snooze", by, SNOOZED, detail={"days": days})


def wake(session: Session, cluster: ClusterRow, by: str) -> DecisionRow:
    """To be decided again: what was closed as none of ours is open again."""
    if cluster.state == OPEN:
        raise Conflict("这一组本来就在待处理里。", code="already_open")
    session.execute(
        update(OpenQuestionRow)
        .where(OpenQuestionRow.cluster == cluster.id, OpenQuestionRow.closed_as == NOT_OURS)
        .values(closed_as=None, closed_at=None)
    )
    cluster.snoozed_until = cluster.closed_at = None
    decision = decide(session, cluster, "wake", by, OPEN)
    _count(session, cluster)
    return decision


def rename(session: Session, cluster: ClusterRow, name: str, by: str) -> DecisionRow:
    """Raises InvalidInput for an empty name."""
    if not name.strip():
        raise InvalidInput("请填写名称。", code="name_missing")
    before, cluster.name, cluster.named_by = cluster.name, name.strip()[:500], by
    return decide(session, cluster, "rename", by, cluster.state, detail={"before": before, "after": cluster.name})


def split(
    session: Session, cluster: ClusterRow, questions: Sequence[int], by: str, tickets: Tickets, name: str = ""
) -> ClusterRow:
    """A cluster of its own for some of the questions. Raises InvalidInput unless some go and some stay."""
    rows = list(
        session.scalars(
            select(OpenQuestionRow)
            .where(OpenQuestionRow.cluster == cluster.id, OpenQuestionRow.id.in_(questions))
            .order_by(OpenQuestionRow.id)
        )
    )
    total = session.scalar(select(func.count()).where(OpenQuestionRow.cluster == cluster.id)) or 0
    if not rows or len(rows) == total:
        raise InvalidInput("请勾选要分出去的问题，并至少留下一个。", code="split_all")
    fresh = opened(session, name.strip() or rows[0].text, now(), split_from=cluster.id)
    fresh.named_by = by if name.strip() else ""
    for row in rows:
        row.cluster, row.placed_by = fresh.id, by
    session.flush()
    decide(session, cluster, "split", by, cluster.state, detail={"into": fresh.id, "questions": len(rows)})
    for one in (cluster, fresh):
        recount(session, one.id, tickets, now())
    return fresh


def merge(session: Session, cluster: ClusterRow, into: int, by: str, tickets: Tickets) -> ClusterRow:
    """All of a cluster's questions go into another, which keeps its identity. Raises InvalidInput for itself."""
    if into == cluster.id:
        raise InvalidInput("不能并入自己，请另选一组。", code="merge_self")
    target = locked(session, into)
    if target.state not in LIVING:
        raise Conflict("那一组已标为不归我们答，请先恢复它再合并。", code="cluster_dismissed")
    session.execute(
        update(OpenQuestionRow).where(OpenQuestionRow.cluster == cluster.id).values(cluster=into, placed_by=by)
    )
    cluster.merged_into = into
    decide(session, cluster, "merge", by, MERGED, detail={"into": into})
    target.version += 1
    session.flush()
    return recount(session, into, tickets, now())


def open_gap(session: Session, cluster: ClusterRow, by: str, gap: int) -> DecisionRow:
    """The policy does not say: its owner has to, before anything can be answered."""
    decision = decide(session, cluster, "gap", by, GAP, detail={"gap": gap})
    credit(session, decision, by, "curator")
    return decision


def decisions_of(session: Session, cluster: int) -> list[DecisionRow]:
    """What was decided about a cluster, the newest first."""
    query = select(DecisionRow).where(DecisionRow.cluster == cluster).order_by(DecisionRow.id.desc())
    return list(session.scalars(query))


def _count(session: Session, cluster: ClusterRow) -> None:
    states = session.scalars(select(OpenQuestionRow.closed_as).where(OpenQuestionRow.cluster == cluster.id)).all()
    cluster.questions, cluster.answered = len(states), sum(state is not None for state in states)


def decided_since(session: Session, by: str, since: datetime) -> int:
    """How many clusters a curator decided about, for their own counter."""
    query = select(func.count()).where(DecisionRow.by == by, DecisionRow.at >= since)
    return session.scalar(query) or 0
