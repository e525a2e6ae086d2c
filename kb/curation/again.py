"""The loop closes: what stayed open is asked again of every new release, and who asked may be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.clock import SHANGHAI
from core.database import Database
from core.outbox import deliver
from core.transcript import Conversation, say
from kb.care.drafts import REJECTED, DraftRow
from kb.curation.deciding import credit
from kb.curation.store import (
    ANSWERED,
    CLOSED,
    GAP,
    OPEN,
    REVIEW,
    SNOOZED,
    AskedAgainRow,
    ClusterRow,
    CurationSettingRow,
    DecisionRow,
    OpenQuestionRow,
)
from kb.encoder import Encoder
from kb.entries import Viewer
from kb.release.releases import current_number, moves_of
from kb.release.vectors import texts_to_vectors
from kb.search import Band, Query, Searcher
from kb.store import EntryRow, EntryVersionRow

SETTLED = 0.8
"""A cluster is closed once this share of its questions is."""

LOOKED_BACK = timedelta(days=90)
MOST = 20_000
TOLD_WITHIN = timedelta(days=30)
"""Who asked longer ago is not told any more."""

TELL = "tell_askers"
_QUOTED = 60
_AT_ONCE = 200


@dataclass(frozen=True)
class Asked:
    """What a release says to an open question."""

    question: int
    entry_id: str | None
    heading: str
    probability: float
    answered: bool


def waiting(database: Database) -> bool:
    """Whether the release that serves has not been asked yet, or a reviewer decided about a draft of curation."""
    with database.read() as session:
        return not_asked(session) or bool(_decided_drafts(session))


def not_asked(session: Session) -> bool:
    """Whether there is anything open that the release was not asked since it began to serve; one that serves again after a
    rollback is asked again."""
    number = current_number(session)
    if number is None:
        return False
    asked = session.get(AskedAgainRow, number)
    if asked is not None and all(move.at <= asked.at for move in moves_of(session, limit=1)):
        return False
    return session.scalar(select(OpenQuestionRow.id).limit(1)) is not None


def ask_again(
    database: Database, encoder: Encoder, searcher: Searcher, moment: datetime, clusters: Sequence[int] | None = None
) -> dict[str, Any]:
    """Ask every open question of the last 90 days again, each as whoever asked it; close what is answered, and tell those who
    asked if that is switched on. Where an earlier release serves again, what later ones had answered is asked too, and open
    again if need be. With `clusters` only theirs, and the release does not count as asked."""
    with database.write() as session:
        follow_drafts(session)
        rows = list(session.scalars(_open_questions(session, moment, clusters)))
        if current_number(session) == searcher.release:
            rows += session.scalars(_answered_later(searcher.release, moment, clusters))
        changed = _changed_since(session, rows)
    vectors = texts_to_vectors(database, encoder, [(row.text, False) for row in rows], lambda _: None)[0]
    found = [_asked(searcher, row, vector, moment, changed) for row, vector in zip(rows, vectors, strict=True)]
    closed = 0
    for start in range(0, len(found), _AT_ONCE):
        with database.write() as session:
            closed += sum(_keep(session, one, searcher.release, moment) for one in found[start : start + _AT_ONCE])
    told = tell_askers(database, moment)
    counts = {"asked": len(rows), "answered": closed, "told": told}
    with database.write() as session:
        touched = {row.cluster for row in rows if row.cluster is not None}
        counts["clusters_opened"] = sum(unsettle(session, cluster) for cluster in sorted(touched))
        not_live(session, searcher)
        counts["clusters_closed"] = sum(settle(session, cluster, moment) for cluster in sorted(touched))
        live(session, searcher)
        if clusters is None:
            session.merge(AskedAgainRow(release=searcher.release, counts=counts, at=moment))
    return counts


def _open_questions(session: Session, moment: datetime, clusters: Sequence[int] | None):
    """What was asked since the release went live it did not settle: there is no use in asking again."""
    live_since = max((move.at for move in moves_of(session, limit=1)), default=moment)
    query = (
        select(OpenQuestionRow)
        .outerjoin(ClusterRow, ClusterRow.id == OpenQuestionRow.cluster)
        .where(OpenQuestionRow.closed_as.is_(None), OpenQuestionRow.last_at > moment - LOOKED_BACK)
        .where(OpenQuestionRow.last_at < live_since)
        .order_by(OpenQuestionRow.last_at.desc(), OpenQuestionRow.id)
        .limit(MOST)
    )
    return query if clusters is None else query.where(OpenQuestionRow.cluster.in_(clusters))


def _answered_later(release: int, moment: datetime, clusters: Sequence[int] | None):
    """What releases answered that were taken back since."""
    query = select(OpenQuestionRow).where(
        OpenQuestionRow.closed_as == ANSWERED,
        OpenQuestionRow.release_now > release,
        OpenQuestionRow.last_at > moment - LOOKED_BACK,
    )
    query = query.order_by(OpenQuestionRow.last_at.desc(), OpenQuestionRow.id).limit(MOST)
    return query if clusters is None else query.where(OpenQuestionRow.cluster.in_(clusters))


def _changed_since(session: Session, rows: Sequence[OpenQuestionRow]) -> dict[tuple[str, int], datetime]:
    """When each version of the entries that did not help came to be."""
    shown = {one["entry_id"] for row in rows for one in row.shown if one.get("entry_id")}
    found: dict[tuple[str, int], datetime] = {}
    ids = sorted(shown)
    for start in range(0, len(ids), 500):
        query = select(EntryVersionRow.entry_id, EntryVersionRow.version, EntryVersionRow.at)
        for row in session.execute(query.where(EntryVersionRow.entry_id.in_(ids[start : start + 500]))):
            found[row.entry_id, row.version] = row.at
    return found


def _asked(
    searcher: Searcher,
    row: OpenQuestionRow,
    vector: np.ndarray,
    moment: datetime,
    changed: dict[tuple[str, int], datetime],
) -> Asked:
    viewer = Viewer(row.company or None, frozenset(row.groups))
    query = Query(row.text, moment.astimezone(SHANGHAI).date(), row.page or None, row.node or None, viewer, top_k=1)
    result = searcher.search(query, vector)
    if not result.candidates:
        return Asked(row.id, None, "", 0.0, False)
    entry, probability = result.candidates[0].entry, result.candidates[0].probability
    answered = result.band is Band.ANSWER
    if answered and any(one.get("entry_id") == entry.id for one in row.shown):
        # It was offered then and did not help: only a newer version of it is an answer.
        since = changed.get((entry.id, entry.version))
        answered = since is not None and since > row.last_at
    return Asked(row.id, entry.id, entry.heading, round(probability, 4), answered)


def _keep(session: Session, asked: Asked, release: int, moment: datetime) -> bool:
    row = session.get_one(OpenQuestionRow, asked.question, with_for_update=True)
    taken_back = row.closed_as == ANSWERED and (row.release_now or 0) > release
    if row.closed_as is not None and not taken_back:
        return False
    row.entry_id, row.probability_now, row.release_now = asked.entry_id, asked.probability, release
    if asked.answered and not taken_back:
        row.closed_as, row.closed_at = ANSWERED, moment
    elif not asked.answered:
        row.closed_as = row.closed_at = None
    return asked.answered and not taken_back


def settle(session: Session, cluster: int, moment: datetime) -> bool:
    """Close a cluster most of whose questions are closed; return whether it was open before."""
    row = session.get_one(ClusterRow, cluster, with_for_update=True)
    states = session.scalars(select(OpenQuestionRow.closed_as).where(OpenQuestionRow.cluster == cluster)).all()
    row.questions, row.answered = len(states), sum(state is not None for state in states)
    if row.state not in (OPEN, SNOOZED, REVIEW, GAP) or not states or row.answered < SETTLED * len(states):
        return False
    row.state, row.closed_at, row.snoozed_until = CLOSED, moment, None
    row.version += 1
    return True


def unsettle(session: Session, cluster: int) -> bool:
    """Open a closed cluster again, too few of whose questions are closed any more; return whether it was."""
    row = session.get_one(ClusterRow, cluster, with_for_update=True)
    states = session.scalars(select(OpenQuestionRow.closed_as).where(OpenQuestionRow.cluster == cluster)).all()
    if row.state != CLOSED or sum(state is not None for state in states) >= SETTLED * len(states):
        return False
    row.answered = sum(state is not None for state in states)
    row.comes_back()
    return True


def not_live(session: Session, searcher: Searcher) -> None:
    """Decisions whose entry went with a release that was taken back wait for the next release, as their clusters do."""
    query = select(DecisionRow, EntryRow.version).join(EntryRow, EntryRow.id == DecisionRow.entry_id)
    for decision, version in session.execute(query.where(DecisionRow.state == "live", EntryRow.deleted.is_(False))):
        place = searcher.index.position.get(decision.entry_id or "")
        held = searcher.entries[place].version if place is not None else 0
        if held >= decision.version or version < decision.version:
            continue
        decision.state = "approved"
        cluster = session.get_one(ClusterRow, decision.cluster, with_for_update=True)
        if cluster.state == OPEN:
            cluster.state = REVIEW


def live(session: Session, searcher: Searcher) -> None:
    """Decisions whose entry the release holds in the version that came of them, or a later one, are live. A cluster whose
    questions it still does not answer is open again."""
    for decision in session.scalars(select(DecisionRow).where(DecisionRow.state == "approved")):
        place = searcher.index.position.get(decision.entry_id or "")
        if place is None or searcher.entries[place].version < decision.version:
            continue
        decision.state = "live"
        cluster = session.get_one(ClusterRow, decision.cluster, with_for_update=True)
        if cluster.state == REVIEW and not _under_review(session, cluster.id, decision.id):
            cluster.state = OPEN


def follow_drafts(session: Session) -> int:
    """Decisions hear what became of their drafts: approved ones wait for the next release; a cluster whose draft was rejected
    or thrown away is open again. Return how many heard something."""
    heard = _decided_drafts(session)
    for decision, draft in heard:
        version = None if draft == REJECTED else _approved(session, decision)
        if version is not None:
            decision.state, decision.version = "approved", version.version
            credit(session, decision, version.reviewer or "", "reviewer")
            continue
        decision.state = "rejected"
        cluster = session.get_one(ClusterRow, decision.cluster, with_for_update=True)
        if cluster.state == REVIEW and not _under_review(session, cluster.id, decision.id):
            cluster.state = OPEN
            cluster.version += 1
    session.flush()
    return len(heard)


def _decided_drafts(session: Session) -> list[tuple[DecisionRow, str | None]]:
    query = (
        select(DecisionRow, DraftRow.state)
        .outerjoin(DraftRow, DraftRow.entry_id == DecisionRow.entry_id)
        .where(DecisionRow.state == "drafted", or_(DraftRow.state.is_(None), DraftRow.state == REJECTED))
    )
    return [(decision, draft) for decision, draft in session.execute(query)]


def _approved(session: Session, decision: DecisionRow) -> EntryVersionRow | None:
    """The version that a decision's draft became; None where it was thrown away."""
    query = select(EntryVersionRow).where(
        EntryVersionRow.entry_id == decision.entry_id,
        EntryVersionRow.at >= decision.at,
        EntryVersionRow.author == decision.by,
        EntryVersionRow.retired.is_(False),
    )
    return session.scalars(query.order_by(EntryVersionRow.version).limit(1)).one_or_none()


def _under_review(session: Session, cluster: int, but: int) -> bool:
    query = select(DecisionRow.id).where(
        DecisionRow.cluster == cluster, DecisionRow.state.in_(("drafted", "approved")), DecisionRow.id != but
    )
    return session.scalar(query.limit(1)) is not None


def tells(session: Session) -> bool:
    """Whether employees hear that there is an answer now; off unless a manager switched it on."""
    row = session.get(CurationSettingRow, TELL)
    return bool(row and row.value)


def tell_askers(database: Database, moment: datetime) -> int:
    """Tell each employee, once a question and in the conversation where they asked, that it is answered now. Nobody is
    interrupted while they talk to a person, and nothing is said in a group."""
    with database.read() as session:
        if not tells(session):
            return 0
        waiting_ = session.scalars(
            select(OpenQuestionRow.id).where(
                OpenQuestionRow.closed_as == ANSWERED,
                OpenQuestionRow.told_at.is_(None),
                OpenQuestionRow.anonymous.is_(False),
                OpenQuestionRow.closed_at > moment - timedelta(days=1),
                OpenQuestionRow.last_at > moment - TOLD_WITHIN,
            )
        ).all()
    told = 0
    for question in waiting_:
        with database.write() as session:
            told += _tell(session, question, moment)
    return told


def _tell(session: Session, question: int, moment: datetime) -> bool:
    row = session.get_one(OpenQuestionRow, question, with_for_update=True)
    conversation = session.get_one(Conversation, row.conversation_id)
    if row.told_at is not None or conversation.mode != "bot" or conversation.thread or not row.entry_id:
        return False
    row.told_at = moment
    asked = row.text if len(row.text) <= _QUOTED else row.text[:_QUOTED] + "…"
    day = row.last_at.astimezone(SHANGHAI)
    message = say(
        session,
        row.conversation_id,
        "bot",
        "text",
        f"您 {day.month} 月 {day.day} 日问过“{asked}”，知识库里现在有新的答案了，请看看是否有帮助。",
        extras={"options": [{"label": "查看答案", "choice": f"entry:{row.entry_id}"}]},
    )
    deliver(session, message, key=f"answered:{row.id}")
    return True
