"""Bringing what is said to where the employee reads it. A channel is one way to do so; the worker runs the deliverer.

A channel says what became of each message:

returns Receipt   the channel has it
raises NotSent    it surely has not: sent again later, more slowly each time; `for_good` where no repeat can help
                  and, with `words`, what was sent together is sent one by one
raises Busy       not now: a rate limit. Nothing of this channel, or for this employee, is sent before `retry_after` has passed
raises Unsure     sent, and no answer: sent again only while the channel drops repeats of a key

A process that is killed between sending and recording leaves the same doubt as `Unsure`.

What waits in one conversation is sent in one message where its channel can (`Joining`): nothing waits for more to come.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, Protocol, runtime_checkable

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox
from core.clock import now
from core.database import Database
from core.identity import Identity
from core.outbox import DeliveryRow, DeliveryState
from core.transcript import Conversation, Message
from handoff.notices import notify
from handoff.tickets import ticket_of

log = structlog.get_logger()

MOST_ATTEMPTS = 30
AT_ONCE = 8
_LOOK_AGAIN, _TOGETHER = 0.5, 0.005
"""Seconds: while something slow is being sent, what else is due is looked for; sends that end together are recorded together."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=10)


@dataclass(frozen=True)
class Delivery:
    """A message for one employee. `key` stays the same over all attempts; `message` is `Message.to_dict()`, whose `text`
    says everything by itself; `attempt` counts from 1; `thread` is the group chat of the conversation, empty where there is
    none. `along` are the messages that are said after it, in the same message of the channel: the same in every attempt."""

    key: str
    channel: str
    conversation_id: str
    employee: Identity
    message: dict[str, Any]
    attempt: int
    thread: str = ""
    along: tuple[dict[str, Any], ...] = ()

    @property
    def messages(self) -> tuple[dict[str, Any], ...]:
        return (self.message, *self.along)


@dataclass(frozen=True)
class Receipt:
    """What the channel calls the message, for a later recall or an inquiry."""

    id: str
    detail: dict[str, Any] = field(default_factory=dict)


class NotSent(Exception):
    """`words`: it was what was said that was refused, not whom it was said to."""

    def __init__(self, reason: str, *, for_good: bool = False, words: bool = False) -> None:
        super().__init__(reason)
        self.for_good = for_good
        self.words = words


class Busy(Exception):
    """`everybody`: the whole channel has to wait, not only this employee's messages."""

    def __init__(self, retry_after: timedelta, *, everybody: bool = True) -> None:
        super().__init__(f"busy for {retry_after.total_seconds():.0f} s")
        self.retry_after = retry_after
        self.everybody = everybody


class Unsure(Exception):
    pass


class Channel(Protocol):
    """`repeats` is how long after a first attempt the channel recognises the same key and shows the message once; None
    where it never does. `send` answers within `core.outbox.CLAIM`."""

    repeats: timedelta | None

    def send(self, delivery: Delivery) -> Receipt: ...


@runtime_checkable
class Joining(Channel, Protocol):
    """A channel that can say several messages in one: those of `Delivery.along` after the first, each as it would be by itself."""

    def together(self, deliveries: Sequence[Delivery]) -> int:
        """How many of these, of one conversation and in order, go in one message: from 1, the first alone, to all of them."""
        ...


Sent = Receipt | Callable[[], bool]
"""What came of one attempt: the channel has it, or what to record instead."""


@dataclass(frozen=True)
class _Claimed:
    """What goes in one message: `rows` are one delivery, or a set in order. `taken_over`: it may have been sent already."""

    rows: tuple[DeliveryRow, ...]
    delivery: Delivery
    taken_over: bool


class Deliverer:
    """Sends what is due, several conversations at once. Any number of processes may run one at the same time."""

    def __init__(self, database: Database, channels: Mapping[str, Channel]) -> None:
        self._database = database
        self._channels = channels
        self._paused: dict[str, datetime] = {}
        self._guard = threading.Lock()
        self._busy = self._asked = False
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deliver")

    def asked(self) -> bool:
        """Whether a thread is at it, which then looks once more before it ends."""
        with self._guard:
            self._asked = True
            return self._busy

    def run(self, limit: int = 500) -> int:
        """Try up to `limit` deliveries; how many arrived. While one thread is at it, another's call is done by that one."""
        with self._guard:
            self._asked = True
            if self._busy:
                return 0
            self._busy = True
        arrived = 0
        try:
            while True:
                with self._guard:
                    if not self._asked or limit <= 0:
                        self._busy = False
                        return arrived
                    self._asked = False
                tried, more = self._round(limit)
                limit -= tried
                arrived += more
        except BaseException:
            with self._guard:
                self._busy = False
            raise

    def _round(self, limit: int) -> tuple[int, int]:
        """Send until nothing is due; how many were tried, and how many arrived."""
        tried = arrived = 0
        flying: dict[Future[Sent], _Claimed] = {}
        sent: list[tuple[_Claimed, Sent]] = []
        while True:
            receipts = [(row, what) for one, what in sent if isinstance(what, Receipt) for row in one.rows]
            if any(not isinstance(what, Receipt) for _, what in sent):
                arrived += self._gone_on(receipts, 0)[0]
                for _, what in sent:
                    if not isinstance(what, Receipt):
                        what()
                receipts = []
            more, claimed = self._gone_on(receipts, min(AT_ONCE - len(flying), limit - tried))
            arrived += more
            for one in claimed:
                tried += len(one.rows)
                flying[self._pool.submit(self._attempt, one)] = one
            if not flying:
                return tried, arrived
            wait(flying, timeout=_LOOK_AGAIN, return_when=FIRST_COMPLETED)
            done, _ = wait(flying, timeout=_TOGETHER)
            sent = [(flying.pop(future), future.result()) for future in done]

    def _gone_on(self, receipts: list[tuple[DeliveryRow, Receipt]], most: int) -> tuple[int, list[_Claimed]]:
        """Keep what arrived and claim what is due next, in one transaction; how many arrived, and the claimed."""
        waiting: list[int] = []
        if not receipts:
            if most <= 0:
                return 0, []
            with self._database.read() as session:
                waiting = outbox.due(session, now(), most)
            if not waiting:
                return 0, []
        with self._database.write() as session:
            kept = [(row, {"id": receipt.id, **receipt.detail}) for row, receipt in receipts]
            arrived = outbox.arrived(session, kept) if kept else 0
            if kept and most > 0:
                waiting = outbox.due(session, now(), most)
            claimed = outbox.claim_all(session, waiting, now()) if waiting else []
            return arrived, self._in_sets(session, claimed)

    def _in_sets(self, session: Session, claimed: Sequence[tuple[DeliveryRow, bool]]) -> list[_Claimed]:
        """Each of what was just claimed with what is sent in the same message, which is claimed with it here."""
        riders = outbox.riders(session, [row for row, _ in claimed if self._may_take_others(row)])
        rows = [*(row for row, _ in claimed), *chain.from_iterable(riders.values())]
        messages = _by_id(session, Message, [row.message_id for row in rows])
        conversations = _by_id(session, Conversation, [row.conversation_id for row, _ in claimed])
        sets = []
        for first, taken_over in claimed:
            some = (first, *riders.get(first.id, ()))
            said = [_delivery(row, conversations[row.conversation_id], messages[row.message_id]) for row in some]
            if first.rides_with is None:
                some = some[: self._how_many(said)]
            if len(some) > 1:
                outbox.ride(first, some[1:])
            along = tuple(one.message for one in said[1 : len(some)])
            sets.append(_Claimed(some, replace(said[0], along=along), taken_over))
        return sets

    def _may_take_others(self, row: DeliveryRow) -> bool:
        """A set stays one, also where its channel is gone."""
        return row.rides_with is not None or isinstance(self._channels.get(row.channel), Joining)

    def _how_many(self, said: Sequence[Delivery]) -> int:
        """Of these that wait, how many go in one message."""
        if len(said) < 2 or not isinstance(channel := self._channels.get(said[0].channel), Joining):
            return 1
        try:
            return channel.together(said)
        except Exception as error:
            # What cannot be joined must not keep everybody's messages from being claimed.
            log.warning("not_joined", key=said[0].key, channel=said[0].channel, error=repr(error)[:200])
            return 1

    def _attempt(self, claimed: _Claimed) -> Sent:
        rows, row = claimed.rows, claimed.rows[0]
        channel = self._channels.get(row.channel)
        if channel is None:
            return partial(self._end, rows, DeliveryState.DEAD, f"no channel {row.channel!r}")
        if claimed.taken_over and not self._repeats(channel, row):
            return partial(self._end, rows, DeliveryState.UNSURE, "a process died while it was sent")
        if (until := self._paused.get(row.channel)) and until > now():
            return partial(self._later, rows, until, "busy", _tried_before(row), counted=False)
        try:
            return channel.send(claimed.delivery)
        except Busy as busy:
            until = now() + busy.retry_after
            if busy.everybody:
                self._paused[row.channel] = until
            return partial(self._later, rows, until, str(busy), _tried_before(row), counted=False)
        except NotSent as error:
            if error.for_good and error.words and len(rows) > 1 and _tried_before(row) is None:
                return partial(self._later, rows, now(), str(error), None, apart=True)
            if error.for_good:
                return partial(self._end, rows, DeliveryState.DEAD, str(error))
            return partial(self._later, rows, now() + _pause(row.attempts), str(error), _tried_before(row))
        except Exception as error:
            # Whatever it was, the message may be out.
            said = str(error) or repr(error)
            if not self._repeats(channel, row):
                return partial(self._end, rows, DeliveryState.UNSURE, said)
            return partial(self._later, rows, now() + _pause(row.attempts), said, row.first_tried_at)

    @staticmethod
    def _repeats(channel: Channel, row: DeliveryRow) -> bool:
        """Whether the channel would show a repeat only once, even after the pause before it."""
        if channel.repeats is None or row.first_tried_at is None:
            return False
        return now() + _pause(row.attempts) - row.first_tried_at < channel.repeats

    def _later(
        self,
        rows: Sequence[DeliveryRow],
        due_at: datetime,
        reason: str,
        first_tried_at: datetime | None,
        *,
        counted: bool = True,
        apart: bool = False,
    ) -> bool:
        """`apart`: one by one from now on, since what was tried before takes nothing along."""
        attempts = rows[0].attempts if counted else rows[0].attempts - 1
        if counted and attempts >= MOST_ATTEMPTS:
            return self._end(rows, DeliveryState.DEAD, reason)
        # As if it had never been claimed: what comes until then may ride along, too.
        untried = attempts == 0
        with self._database.write() as session:
            outbox.finish(
                session,
                rows,
                state=DeliveryState.WAITING,
                due_at=due_at,
                attempts=attempts,
                first_tried_at=first_tried_at,
                rides_with=None if apart or untried else rows[0].rides_with,
                error=reason[:500],
            )
        return False

    def _end(self, rows: Sequence[DeliveryRow], state: DeliveryState, reason: str) -> bool:
        """Give up, and tell whoever answered: an answer that nobody reads is worse than none. From here on each stands for itself."""
        with self._database.write() as session:
            if not outbox.finish(session, rows, state=state, rides_with=None, error=reason[:500]):
                return False
            for row in rows:
                log.error("not_delivered", key=row.key, channel=row.channel, state=state, reason=reason)
                _tell_who_answered(session, row, state)
        return False


def _tell_who_answered(session: Session, row: DeliveryRow, state: DeliveryState) -> None:
    number = session.get_one(Message, row.message_id).body.get("number")
    ticket = ticket_of(session, number) if number else None
    if ticket and ticket.assignee:
        doubt = "可能没有送达" if state is DeliveryState.UNSURE else "没有送达"
        notify(
            session,
            [ticket.assignee],
            "undelivered",
            f"工单 {ticket.number} 的一条回复{doubt}，请换个方式联系员工，或让管理员查看投递记录。",
            key=f"undelivered:{row.id}",
            ticket=ticket.number,
        )


def _by_id(session: Session, kind: type[Any], ids: Sequence[str]) -> dict[str, Any]:
    return {row.id: row for row in session.scalars(select(kind).where(kind.id.in_(ids)))} if ids else {}


def _delivery(row: DeliveryRow, conversation: Conversation, message: Message) -> Delivery:
    return Delivery(
        row.key,
        row.channel,
        row.conversation_id,
        Identity.from_dict(conversation.identity),
        message.to_dict(),
        row.attempts,
        conversation.thread,
    )


def _tried_before(row: DeliveryRow) -> datetime | None:
    """Since when the message may be out, where this very attempt is known to have failed."""
    begun = row.claimed_until - outbox.CLAIM if row.claimed_until else None
    return None if row.first_tried_at == begun else row.first_tried_at


def _pause(attempts: int) -> timedelta:
    """2, 4, 8 … seconds, at most ten minutes; a little uneven, so that what failed together does not return together."""
    pause = min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    return pause * (0.9 + random.random() * 0.2)
