"""What happens at the desk, told to open consoles: one look at the database a second, whoever listens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from anyio import to_thread
from sqlalchemy import func, select

from core.database import Database
from handoff.actors import Actor
from handoff.notices import NoticeRow
from handoff.permissions import may
from handoff.tickets import TicketEventRow, TicketRow

log = structlog.get_logger()

_EVERY_S = 1.0
_KEPT_S = 30.0
"""Two transactions may commit in another order than they took their numbers: a number that was passed over is looked for
this long."""
_MOST = 500
_WAITING_MOST = 200
_LONGEST_S = 900.0
"""After this a listener has to come again, so that roles that were taken away count."""


def notice_body(row: NoticeRow) -> dict[str, Any]:
    """A notice as the console reads it."""
    return {
        "id": row.id,
        "kind": row.kind,
        "ticket": row.ticket,
        "text": row.text,
        "urgent": row.urgent,
        "at": row.at.isoformat(),
        "read": row.read_at is not None,
    }


@dataclass(frozen=True)
class Change:
    """Something new: a ticket's event, or a notice to `username`."""

    id: int
    body: dict[str, Any]
    ticket: TicketRow | None = None
    username: str | None = None


@dataclass(frozen=True)
class Told:
    """What a listener hears: `tickets` with what happened to them, or a `notice`. `last` is where to go on after a break."""

    event: str
    data: dict[str, Any]
    last: str = ""


@dataclass(eq=False)
class _Listener:
    actor: Actor
    queue: asyncio.Queue[Told | None] = field(default_factory=lambda: asyncio.Queue(_WAITING_MOST))


class Seen:
    """The numbers of a growing table that were read, and from where to read on."""

    def __init__(self, last: int) -> None:
        self.low = last
        self._at: dict[int, float] = {}

    def take(self, ids: list[int], at: float) -> set[int]:
        """Those of `ids` that are new; what was seen long ago need not be asked for again."""
        fresh = {id for id in ids if id > self.low and id not in self._at}
        self._at |= dict.fromkeys(fresh, at)
        old = [id for id, seen in self._at.items() if seen < at - _KEPT_S]
        if old:
            self.low = max(self.low, *old)
            self._at = {id: seen for id, seen in self._at.items() if id > self.low}
        return fresh

    @property
    def high(self) -> int:
        return max(self._at, default=self.low)


class Hub:
    """Reads the database while anybody listens, and hands on what each may know."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[_Listener] = set()
        self._reader: asyncio.Task[None] | None = None
        self._events, self._notices = Seen(0), Seen(0)
        self.closing = False

    async def listen(self, actor: Actor, last: str = "") -> AsyncIterator[Told]:
        """What happens from now on, or since `last`; ends when the process is told to stop."""
        listener = _Listener(actor)
        if self._reader is None or self._reader.done():
            self._events, self._notices = await to_thread.run_sync(self._ends)
            self._reader = asyncio.create_task(self._read())
        self._listeners.add(listener)
        try:
            yield Told("hello", {}, self._place())
            if last and (missed := await to_thread.run_sync(self._since, last)) is not None:
                for told in self._for(actor, missed):
                    yield told
            until = time.monotonic() + _LONGEST_S
            while told := await self._next(listener, until):
                yield told
        finally:
            self._listeners.discard(listener)

    async def _next(self, listener: _Listener, until: float) -> Told | None:
        try:
            return await asyncio.wait_for(listener.queue.get(), until - time.monotonic())
        except TimeoutError:
            return None

    def close(self) -> None:
        """Let every listener go; safe to call from a signal's handler."""
        self.closing = True

    async def _read(self) -> None:
        while self._listeners and not self.closing:
            try:
                changes = await to_thread.run_sync(self._fresh)
                for listener in list(self._listeners):
                    for told in self._for(listener.actor, changes):
                        self._put(listener, told)
            except Exception as error:
                log.error("stream_failed", error=repr(error))
            await asyncio.sleep(_EVERY_S)
        for listener in list(self._listeners):
            self._put(listener, None)

    def _put(self, listener: _Listener, told: Told | None) -> None:
        """Whoever does not keep up is let go, and comes back with the place where they were."""
        if listener.queue.full():
            while not listener.queue.empty():
                listener.queue.get_nowait()
            told = None
        listener.queue.put_nowait(told)

    def _for(self, actor: Actor, changes: list[Change]) -> list[Told]:
        """One message for all that happened to tickets, since a page is loaded once for it; one for each notice."""
        place = self._place()
        told = [Told("notice", one.body, place) for one in changes if one.username == actor.id]
        tickets = [one for one in changes if one.username is None]
        if tickets:
            known = [one.body for one in tickets if one.ticket is not None and may(actor, "read", one.ticket)]
            told.append(Told("tickets", {"changes": known, "hidden": len(tickets) - len(known)}, place))
        return told

    def _place(self) -> str:
        return f"{self._events.high}.{self._notices.high}"

    def _ends(self) -> tuple[Seen, Seen]:
        with self._database.read() as session:
            last = [session.scalar(select(func.max(table.id))) or 0 for table in (TicketEventRow, NoticeRow)]
        return Seen(last[0]), Seen(last[1])

    def _fresh(self) -> list[Change]:
        at = time.monotonic()
        with self._database.read() as session:
            asked = select(TicketEventRow.id).where(TicketEventRow.id > self._events.low)
            ids = list(session.scalars(asked.order_by(TicketEventRow.id.desc()).limit(_MOST)))
            told = select(NoticeRow.id).where(NoticeRow.id > self._notices.low)
            notice_ids = list(session.scalars(told.order_by(NoticeRow.id.desc()).limit(_MOST)))
        fresh, fresh_notices = self._events.take(ids, at), self._notices.take(notice_ids, at)
        return self._changes(sorted(fresh), sorted(fresh_notices))

    def _since(self, last: str) -> list[Change] | None:
        """What came after `last`, an id that a browser gives back; None where it says nothing."""
        events, _, notices = last.partition(".")
        if not (events.isascii() and events.isdigit() and notices.isascii() and notices.isdigit() and len(last) < 40):
            return None
        with self._database.read() as session:
            asked = select(TicketEventRow.id).where(TicketEventRow.id > int(events))
            ids = list(session.scalars(asked.order_by(TicketEventRow.id.desc()).limit(_MOST)))
            told = select(NoticeRow.id).where(NoticeRow.id > int(notices))
            notice_ids = list(session.scalars(told.order_by(NoticeRow.id.desc()).limit(_MOST)))
        return self._changes(sorted(ids), sorted(notice_ids))

    def _changes(self, ids: list[int], notice_ids: list[int]) -> list[Change]:
        if not ids and not notice_ids:
            return []
        with self._database.read() as session:
            rows = session.scalars(select(TicketEventRow).where(TicketEventRow.id.in_(ids)).order_by(TicketEventRow.id))
            events = list(rows)
            tickets = {
                row.number: row
                for row in session.scalars(
                    select(TicketRow).where(TicketRow.number.in_({event.ticket for event in events}))
                )
            }
            notices = session.scalars(select(NoticeRow).where(NoticeRow.id.in_(notice_ids)).order_by(NoticeRow.id))
            changes = [Change(row.id, notice_body(row), username=row.username) for row in notices]
        for event in events:
            ticket = tickets.get(event.ticket)
            body = {
                "number": event.ticket,
                "kind": event.kind,
                "actor": event.actor,
                "actor_name": event.actor_name,
                "version": ticket.version if ticket else 0,
            }
            changes.append(Change(event.id, body, ticket))
        return changes
