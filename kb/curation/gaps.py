"""Policy gaps: what is asked and no policy says, as tasks for the policies' owners with the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.events import Event, append_event
from kb.curation.deciding import decide, open_gap
from kb.curation.store import GAP, GAP_CLOSED, OPEN, ClusterRow, GapRow, OpenQuestionRow
from kb.store import DocumentRow

OUTCOMES = {"amended": "已修订制度", "explained": "制度已有规定，已说明口径", "refused": "不予规定"}


@dataclass(frozen=True)
class PolicyGapOpened(Event):
    """Employees ask what a policy does not say; `owner` is the policy's owner, `assignee` the console user who has to see to
    it, if anybody was named."""

    gap: int
    question: str
    policy: str
    owner: str
    assignee: str | None


@dataclass(frozen=True)
class Missing:
    """What a curator says of a gap. `policy_id` is empty where no policy is near."""

    missing: str
    policy_id: str = ""
    article: int | None = None
    owner: str = ""
    assignee: str = ""


def open_(session: Session, cluster: ClusterRow, found: Missing, evidence: dict[str, Any], by: str) -> GapRow:
    """A task for the policy's owner; `evidence` is kept as it is now. Raises InvalidInput without what is missing or an owner,
    NotFound for a policy that there is not, Conflict where the cluster has an open task."""
    if not found.missing.strip():
        raise InvalidInput("请写明制度里缺什么，制度负责人才知道要补哪一条。", code="missing_empty")
    policy = session.get(DocumentRow, ("policy", found.policy_id)) if found.policy_id else None
    if found.policy_id and policy is None:
        raise NotFound("没有这份制度，请重新选择。")
    owner = found.owner.strip() or str(policy.body.get("owner") or "" if policy else "")
    if not owner:
        raise InvalidInput("请选择制度，或填写由谁负责。", code="owner_missing")
    if session.scalar(select(GapRow.id).where(GapRow.cluster == cluster.id, GapRow.state == "open")) is not None:
        raise Conflict("这一组已经有一个待办的制度缺口。", code="gap_open")
    row = GapRow(
        cluster=cluster.id,
        question=cluster.name,
        policy_id=policy.id if policy else None,
        policy=policy.title if policy else "",
        article=found.article,
        owner=owner[:40],
        assignee=found.assignee or None,
        missing=found.missing.strip()[:2000],
        evidence=evidence,
        opened_by=by,
        opened_at=now(),
    )
    session.add(row)
    session.flush()
    open_gap(session, cluster, by, row.id)
    append_event(session, PolicyGapOpened(row.id, row.question, row.policy, row.owner, row.assignee))
    return row


def close(session: Session, gap: int, outcome: str, answer: str, by: str, *, may_any: bool) -> GapRow:
    """The owner has seen to it. What was amended or explained has to be written into an entry next, so the cluster is open
    again; what is refused is closed with its questions. Raises NotFound, Conflict, Forbidden, InvalidInput."""
    row = session.get(GapRow, gap, with_for_update=True)
    if row is None:
        raise NotFound("没有这个制度缺口，请刷新列表。")
    if not may_any and row.assignee != by:
        raise Forbidden("只有负责人或知识编辑可以办结。", code="not_the_assignee")
    if row.state != "open":
        raise Conflict("这个制度缺口已经办结了。", code="already_closed")
    if outcome not in OUTCOMES or not answer.strip():
        raise InvalidInput("请选择结果，并写明制度怎么规定、从哪天起。", code="outcome_missing")
    moment = now()
    row.state, row.outcome, row.answer = "closed", outcome, answer.strip()[:2000]
    row.closed_by, row.closed_at = by, moment
    cluster = session.get_one(ClusterRow, row.cluster, with_for_update=True)
    audit.append(session, by, "curation.gap_closed", f"gap:{gap}", {"outcome": outcome})
    if cluster.state == GAP:
        if outcome == "refused":
            session.execute(
                update(OpenQuestionRow)
                .where(OpenQuestionRow.cluster == cluster.id, OpenQuestionRow.closed_as.is_(None))
                .values(closed_as=GAP_CLOSED, closed_at=moment)
            )
        decide(session, cluster, "gap_done", by, OPEN, detail={"gap": gap, "outcome": outcome})
    return row


def find(session: Session, state: str = "open", owner: str = "", policy: str = "", limit: int = 200) -> list[GapRow]:
    """Tasks, the oldest open ones first, closed ones the newest first."""
    query = select(GapRow).limit(limit)
    query = query.where(GapRow.state == state) if state in ("open", "closed") else query
    query = query.where(GapRow.owner == owner) if owner else query
    query = query.where(GapRow.policy_id == policy) if policy else query
    order = GapRow.opened_at.asc() if state == "open" else GapRow.opened_at.desc()
    return list(session.scalars(query.order_by(order, GapRow.id)))


def shown(row: GapRow) -> dict[str, Any]:
    """As the console tells it."""
    return {
        **{
            name: getattr(row, name)
            for name in (
                "id",
                "cluster",
                "question",
                "policy_id",
                "policy",
                "article",
                "owner",
                "assignee",
                "missing",
                "evidence",
                "state",
                "outcome",
                "answer",
                "opened_by",
                "closed_by",
            )
        },
        "opened_at": row.opened_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
    }
