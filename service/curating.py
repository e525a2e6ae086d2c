"""Curation at work: the desk's tickets as curation needs them, and a curator's tools put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.database import Database
from core.errors import Conflict
from core.events import Event
from core.settings import Settings
from handoff.notices import notify
from handoff.tickets import TicketEventRow, TicketFiled, TicketRow
from handoff.timeline import TicketReopened
from kb.curation import again, runs
from kb.curation.gaps import PolicyGapOpened
from kb.curation.grouping import Space
from kb.curation.nights import Night
from kb.curation.signals import Signal, keep, reopened
from kb.curation.store import RunRow
from kb.curation.tickets import Answer, TicketFacts
from kb.curation.writer import Writer
from kb.encoder import Encoder
from kb.release.live import LiveKnowledge
from kb.release.loading import Progress
from kb.search import Searcher

LONGEST_STRETCH = timedelta(minutes=15)
"""Between two things that somebody did to a ticket they worked on it, but no longer than this."""
FIRST_STRETCH = timedelta(minutes=3)
"""What reading it before the first takes."""


def writer_of(settings: Settings) -> Writer | None:
    """The language model that is configured; None where none is."""
    if not settings.llm_url or not settings.llm_model:
        return None
    return Writer(settings.llm_url, settings.llm_key, settings.llm_model)


class DeskTickets:
    """The desk's tickets, of which curation is told only what it needs."""

    def facts(self, session: Session, numbers: Iterable[str]) -> dict[str, TicketFacts]:
        wanted = sorted(set(numbers))
        found: dict[str, TicketFacts] = {}
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            events: dict[str, list[TicketEventRow]] = {number: [] for number in some}
            query = select(TicketEventRow).where(TicketEventRow.ticket.in_(some), TicketEventRow.actor_kind == "staff")
            for event in session.scalars(query.order_by(TicketEventRow.id)):
                events[event.ticket].append(event)
            for row in session.scalars(select(TicketRow).where(TicketRow.number.in_(some))):
                found[row.number] = TicketFacts(
                    row.number,
                    row.status,
                    row.business_type,
                    minutes_of([event.at for event in events[row.number]]),
                    row.rating,
                    tuple(
                        Answer(event.actor, event.actor_name, event.text, event.kind == "resolved", event.at)
                        for event in events[row.number]
                        if event.public and event.kind in ("replied", "resolved")
                    ),
                )
        return found


def minutes_of(moments: Sequence[datetime]) -> float:
    """The minutes that people spent on a ticket to which they did something at these moments, as far as a timeline tells."""
    if not moments:
        return 0.0
    gaps = (min(after - before, LONGEST_STRETCH) for before, after in zip(moments, moments[1:], strict=False))
    return round((FIRST_STRETCH + sum(gaps, timedelta())).total_seconds() / 60, 1)


@dataclass
class Curating:
    """A curator's tools on one database. `knowledge` is the release that serves; it is refreshed before each piece of work.
    `writer` is a language model, if there is one."""

    database: Database
    encoder: Encoder
    knowledge: LiveKnowledge
    writer: Writer | None = None

    @cached_property
    def tickets(self) -> DeskTickets:
        return DeskTickets()

    @property
    def searcher(self) -> Searcher:
        """Raises Unavailable before the first release."""
        return self.knowledge.searcher

    def space(self) -> Space:
        """Where questions are compared, as the entries of the release that serves teach."""
        searcher = self.searcher
        known = self.__dict__.get("_space")
        if known is None or known[0] != searcher.release:
            questions = ~searcher.index.passage
            known = searcher.release, Space(searcher.index.vectors[questions], searcher.index.owner[questions])
            self.__dict__["_space"] = known
        return known[1]

    def run_waiting(self) -> bool:
        """Do the run that waits, if any."""
        return runs.run_waiting(self.database, self._night)

    def now(self, asked_by: str, progress: Progress) -> dict[str, Any]:
        """Do a run at once; figures of what came of it. Raises Conflict while another one is at work, Unavailable before the
        first release."""
        self.knowledge.refresh()
        _ = self.searcher
        with self.database.write() as session:
            number = runs.ask(session, asked_by).id

        def both(since: datetime | None, tell: Progress) -> dict[str, Any]:
            def told(text: str) -> None:
                tell(text)
                progress(text)

            return self._night(since, told)

        if not runs.run_waiting(self.database, both):
            raise Conflict("另一次归类正在进行，请稍后再试。", code="run_working")
        self.follow()
        with self.database.read() as session:
            row = session.get_one(RunRow, number)
            if row.state == runs.FAILED:
                raise Conflict(row.error, code="run_failed")
            return row.counts

    def _night(self, since: datetime | None, progress: Progress) -> dict[str, Any]:
        self.knowledge.refresh()
        moment = now()
        night = Night(self.database, self.encoder, self.space(), self.tickets, moment, self.writer and self.writer.name)
        return night.run(since, progress)

    def follow(self) -> None:
        """Hear what became of drafts, and ask a new release what is open."""
        with self.database.write() as session:
            again.follow_drafts(session)
            asked = not again.not_asked(session)
        if not asked:
            self.knowledge.refresh()
            again.ask_again(self.database, self.encoder, self.searcher, now())


def hear_filed(session: Session, event_id: int, event: Event) -> None:
    """A ticket is a question that nothing answered."""
    assert isinstance(event, TicketFiled)
    ticket = session.get(TicketRow, event.number)
    shown = [
        {name: one.get(name) for name in ("entry_id", "question", "probability")}
        for one in (ticket.tried if ticket else [])
        if one.get("asked") == event.question
    ]
    keep(
        session,
        Signal(
            f"ticket:{event.number}",
            "handoff",
            event.conversation_id,
            event.question,
            event.page,
            event.node,
            shown,
            ticket=event.number,
            detail={"reason": event.reason},
        ),
    )


def hear_reopened(session: Session, event_id: int, event: Event) -> None:
    assert isinstance(event, TicketReopened)
    reopened(session, f"reopened:{event_id}", event.number, event.reason)


def hear_gap(session: Session, event_id: int, event: Event) -> None:
    """Whoever was named hears of it."""
    assert isinstance(event, PolicyGapOpened)
    if event.assignee:
        where = f"《{event.policy}》" if event.policy else "制度"
        notify(session, [event.assignee], "gap", f"{where}缺口待补：{event.question}", key=f"gap:{event.gap}")
