"""A run, every night and on demand: signals are gathered, new questions find their cluster, clusters are counted anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from core.database import Database
from core.errors import Unavailable
from kb.curation import grouping
from kb.curation.grouping import Space
from kb.curation.signals import keep
from kb.curation.store import (
    CLOSED,
    DISMISSED,
    GAP,
    MERGED,
    NOT_OURS,
    OPEN,
    REVIEW,
    SNOOZED,
    ClusterRow,
    OpenQuestionRow,
    SignalRow,
)
from kb.curation.tickets import Tickets
from kb.curation.watching import abandoned, looked_through, rephrased
from kb.curation.wording import plain
from kb.encoder import Encoder
from kb.release.loading import Progress
from kb.release.vectors import texts_to_vectors

Namer = Callable[[Sequence[str]], str]
"""Questions to one that says what they ask; empty, or Unavailable, where it knows none."""

WEEK = timedelta(days=7)
_MEMBERS = 30
"""So many of a cluster's newest questions say what it is about."""
_REMEMBERED = timedelta(days=180)
_NAMED = 3
"""Of fewer questions the first is as good a name as any."""

MODEL = "model"
"""Who named a cluster, where a language model did."""


class Night:
    """One run over what there is at `moment`; `space` is where questions are compared, `namer` makes a name of a cluster's
    questions if there is one."""

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        space: Space,
        tickets: Tickets,
        moment: datetime,
        namer: Namer | None = None,
    ) -> None:
        self._database = database
        self._encoder = encoder
        self._tickets = tickets
        self._moment = moment
        self._namer = namer
        self.space = space

    def run(self, since: datetime | None, progress: Progress) -> dict[str, Any]:
        """Gather, group, count; figures of what came of it. Signals in finished turns after `since` are looked for."""
        progress("正在查看最近的会话")
        gathered = self._gather(since)
        progress("正在按意思归类")
        placed, fresh = self._group(progress)
        progress("正在统计")
        with self._database.write() as session:
            woken = wake(session, self._moment)
            clusters = list(session.scalars(_moving(self._moment)))
        for start in range(0, len(clusters), 100):
            with self._database.write() as session:
                for cluster in clusters[start : start + 100]:
                    recount(session, cluster, self._tickets, self._moment)
        self._name(clusters)
        return {"gathered": gathered, "placed": placed, "new_clusters": fresh, "woken": woken}

    def vectors(self, texts: Sequence[str], progress: Progress = lambda _: None) -> np.ndarray:
        """(n, dim) float32, each encoded once and kept."""
        return texts_to_vectors(self._database, self._encoder, [(text, False) for text in texts], progress)[0]

    def _gather(self, since: datetime | None) -> int:
        with self._database.read() as session:
            turns = looked_through(session, since, self._moment)
            found = [*abandoned(session, turns, self._moment)]
        found += rephrased(turns, lambda texts: self._encoder.encode_queries(list(texts)), self.space)
        with self._database.write() as session:
            known = set(session.scalars(select(SignalRow.key).where(SignalRow.key.in_([one.key for one in found]))))
            return sum(keep(session, one) is not None for one in found if one.key not in known)

    def _group(self, progress: Progress) -> tuple[int, int]:
        with self._database.read() as session:
            new = session.execute(
                select(OpenQuestionRow.id, OpenQuestionRow.text)
                .where(OpenQuestionRow.cluster.is_(None))
                .order_by(OpenQuestionRow.id)
            ).all()
            homes = members(session, self._moment - _REMEMBERED)
        if not new:
            return 0, 0
        known = list(homes)
        spread = np.empty((0, self._encoder.dim), np.float32)
        if known:
            spread = grouping.spread_of(self._placed([[text for _, text in homes[one]] for one in known]))
        placed = self.space.place(self.vectors([plain(row.text) for row in new], progress))
        fresh = 0
        with self._database.write() as session:
            for rows in grouping.groups(placed, self.space.together):
                home, _ = grouping.home_of(placed[rows], spread, self.space.together)
                if home >= 0:
                    cluster = session.get_one(ClusterRow, known[home])
                else:
                    best = int(rows[grouping.central(placed[rows])[0]])
                    cluster = opened(session, plain(new[best].text), self._moment)
                    fresh += 1
                likeness = placed[rows] @ (spread[home] if home >= 0 else placed[rows].mean(0))
                for row, alike in zip(rows, likeness, strict=True):
                    question = session.get_one(OpenQuestionRow, new[int(row)].id)
                    if question.cluster is None:
                        joins(cluster, question, float(alike), self._moment)
        return len(new), fresh

    def _name(self, clusters: Sequence[int]) -> None:
        """A cluster that nobody named has the name of its most central question, or the one that the namer finds."""
        with self._database.read() as session:
            homes = members(session, self._moment - _REMEMBERED, clusters)
            nameless = set(session.scalars(select(ClusterRow.id).where(ClusterRow.named_by == "")))
        asked = {
            cluster: [text for _, text in rows]
            for cluster, rows in homes.items()
            if cluster in nameless and len(rows) >= _NAMED
        }
        for (cluster, texts), placed in zip(asked.items(), self._placed(list(asked.values())), strict=True):
            told = self._told(texts)
            with self._database.write() as session:
                row = session.get_one(ClusterRow, cluster)
                row.name = (told or texts[int(grouping.central(placed)[0])])[:500]
                row.named_by = MODEL if told else ""

    def _placed(self, texts: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """The placed vectors of some lists of texts."""
        flat = self.vectors([text for some in texts for text in some])
        ends = np.cumsum([len(some) for some in texts])
        return [self.space.place(some) for some in np.split(flat, ends[:-1])] if texts else []

    def _told(self, texts: Sequence[str]) -> str:
        if self._namer is None:
            return ""
        try:
            return self._namer(texts)
        except Unavailable:
            self._namer = None  # Not again in this run: each call may wait for a minute.
            return ""


def _moving(moment: datetime) -> Select[tuple[int]]:
    """Clusters whose figures may have changed since they were counted last."""
    lately = or_(ClusterRow.last_at > moment - 2 * WEEK, ClusterRow.recent > 0, ClusterRow.before > 0)
    return select(ClusterRow.id).where(ClusterRow.state != MERGED, lately).order_by(ClusterRow.id)


def opened(session: Session, name: str, moment: datetime, split_from: int | None = None) -> ClusterRow:
    """A new, empty cluster."""
    row = ClusterRow(name=name[:500], created_at=moment, last_at=moment, split_from=split_from)
    session.add(row)
    session.flush()
    return row


def joins(cluster: ClusterRow, question: OpenQuestionRow, likeness: float, moment: datetime) -> None:
    """A question comes into a cluster: it wakes one that was closed, and is none of ours where the cluster is not."""
    question.cluster, question.likeness = cluster.id, round(likeness, 4)
    if cluster.state == DISMISSED:
        question.closed_as, question.closed_at = NOT_OURS, moment
    elif question.closed_as is None:
        cluster.comes_back()
    cluster.last_at = max(cluster.last_at, question.last_at)


def members(
    session: Session, since: datetime, clusters: Sequence[int] | None = None
) -> dict[int, list[tuple[int, str]]]:
    """The newest questions of each cluster that is there, as (id, what it says): at most `_MEMBERS`."""
    query = (
        select(OpenQuestionRow.cluster, OpenQuestionRow.id, OpenQuestionRow.text)
        .join(ClusterRow, ClusterRow.id == OpenQuestionRow.cluster)
        .where(ClusterRow.state != MERGED, OpenQuestionRow.last_at >= since)
        .order_by(OpenQuestionRow.cluster, OpenQuestionRow.last_at.desc(), OpenQuestionRow.id)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    wanted = None if clusters is None else set(clusters)
    for cluster, question, text in session.execute(query):
        if (wanted is None or cluster in wanted) and len(rows := found.setdefault(cluster, [])) < _MEMBERS:
            rows.append((question, plain(text)))
    return found


def wake(session: Session, moment: datetime) -> int:
    """Snoozed clusters whose time has come are open again."""
    rows = session.scalars(
        select(ClusterRow).where(ClusterRow.state == SNOOZED, ClusterRow.snoozed_until <= moment).with_for_update()
    ).all()
    for row in rows:
        row.state, row.snoozed_until = OPEN, None
    return len(rows)


def recount(session: Session, cluster: int, tickets: Tickets, moment: datetime) -> ClusterRow:
    """Bring a cluster's figures up to date."""
    row = session.get_one(ClusterRow, cluster, with_for_update=True)
    found = session.execute(
        select(OpenQuestionRow.asker, OpenQuestionRow.last_at, OpenQuestionRow.closed_as).where(
            OpenQuestionRow.cluster == cluster
        )
    ).all()
    row.questions = len(found)
    row.people = len({one.asker for one in found})
    row.answered = sum(one.closed_as is not None for one in found)
    row.recent = sum(one.last_at > moment - WEEK for one in found)
    row.before = sum(moment - 2 * WEEK < one.last_at <= moment - WEEK for one in found)
    row.last_at = max((one.last_at for one in found), default=row.last_at)
    facts = tickets.facts(session, ticket_numbers(session, cluster)).values()
    row.minutes = round(sum(one.minutes for one in facts), 1)
    kinds = Counter(one.business_type for one in facts if one.business_type)
    if kinds:
        row.business_type = kinds.most_common(1)[0][0]
    if row.state == REVIEW and not found:
        row.state = OPEN
    return row


def ticket_numbers(session: Session, cluster: int) -> list[str]:
    """The tickets that a cluster's questions led to."""
    return list(
        session.scalars(
            select(SignalRow.ticket)
            .join(OpenQuestionRow, OpenQuestionRow.id == SignalRow.question)
            .where(OpenQuestionRow.cluster == cluster, SignalRow.ticket.is_not(None))
            .distinct()
            .order_by(SignalRow.ticket)
        )
    )


LIVING = (OPEN, SNOOZED, REVIEW, GAP, CLOSED)
"""States in which a cluster may still be decided about."""
