"""Bringing what is said to where the employee reads it. A channel is one way to do so; the worker runs the deliverer.

A channel says what became of each message:

returns Receipt   the channel has it
raises NotSent    it surely has not: sent again later, more slowly each time; `for_good` where no repeat can help
raises Busy       not now: a rate limit. Nothing of this channel, or for this employee, is sent before `retry_after` has passed
raises Unsure     sent, and no answer: sent again only while the channel drops repeats of a key

A process that is killed between sending and recording leaves the same doubt as `Unsure`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

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
    none."""

    key: str
    channel: str
    conversation_id: str
    employee: Identity
    message: dict[str, Any]
    attempt: int
    thread: str = ""


@dataclass(frozen=True)
class Receipt:
    """What the channel calls the message, for a later recall or an inquiry."""

    id: str
    detail: dict[str, Any] = field(default_factory=dict)


class NotSent(Exception):
    def __init__(self, reason: str, *, for_good: bool = False) -> None:
        super().__init__(reason)
        self.for_good = for_good


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


Sent = Receipt | Callable[[], bool]
"""What came of one attempt: the channel has it, or what to record instead."""


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
        flying: dict[Future[Sent], DeliveryRow] = {}
        sent: list[tuple[DeliveryRow, Sent]] = []
        while True:
            receipts = [(row, what) for row, what in sent if isinstance(what, Receipt)]
            if len(receipts) < len(sent):
                arrived += self._gone_on(receipts, 0)[0]
                for _, what in sent:
                    if not isinstance(what, Receipt):
                        what()
                receipts = []
            more, claimed = self._gone_on(receipts, min(AT_ONCE - len(flying), limit - tried))
            arrived += more
            for row, delivery, taken_over in claimed:
                tried += 1
                flying[self._pool.submit(self._attempt, row, delivery, taken_over)] = row
            if not flying:
                return tried, arrived
            wait(flying, timeout=_LOOK_AGAIN, return_when=FIRST_COMPLETED)
            done, _ = wait(flying, timeout=_TOGETHER)
            sent = [(flying.pop(future), future.result()) for future in done]

    def _gone_on(
        self, receipts: list[tuple[DeliveryRow, Receipt]], most: int
    ) -> tuple[int, list[tuple[DeliveryRow, Delivery, bool]]]:
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
            rows = [row for row, _ in claimed]
            messages = _by_id(session, Message, [row.message_id for row in rows])
            conversations = _by_id(session, Conversation, [row.conversation_id for row in rows])
            return arrived, [
                (row, _delivery(row, conversations[row.conversation_id], messages[row.message_id]), taken_over)
                for row, taken_over in claimed
            ]

    def _attempt(self, row: DeliveryRow, delivery: Delivery, taken_over: bool) -> Sent:
        channel = self._channels.get(row.channel)
        if channel is None:
            return partial(self._end, row, DeliveryState.DEAD, f"no channel {row.channel!r}")
        if taken_over and not self._repeats(channel, row):
            return partial(self._end, row, DeliveryState.UNSURE, "a process died while it was sent")
        if (until := self._paused.get(row.channel)) and until > now():
            return partial(self._later, row, until, "busy", _tried_before(row), counted=False)
        try:
            return channel.send(delivery)
        except Busy as busy:
            until = now() + busy.retry_after
            if busy.everybody:
                self._paused[row.channel] = until
            return partial(self._later, row, until, str(busy), _tried_before(row), counted=False)
        except NotSent as error:
            if error.for_good:
                return partial(self._end, row, DeliveryState.DEAD, str(error))
            return partial(self._later, row, now() + _pause(row.attempts), str(error), _tried_before(row))
        except Exception as error:
            # Whatever it was, the message may be out.
            said = str(error) or repr(error)
            if not self._repeats(channel, row):
                return partial(self._end, row, DeliveryState.UNSURE, said)
            return partial(self._later, row, now() + _pause(row.attempts), said, row.first_tried_at)

    @staticmethod
    def _repeats(channel: Channel, row: DeliveryRow) -> bool:
        """Whether the channel would show a repeat only once, even after the pause before it."""
        if channel.repeats is None or row.first_tried_at is None:
            return False
        return now() + _pause(row.attempts) - row.first_tried_at < channel.repeats

    def _later(
        self,
        row: DeliveryRow,
        due_at: datetime,
        reason: str,
        first_tried_at: datetime | None,
        *,
        counted: bool = True,
    ) -> bool:
        if counted and row.attempts >= MOST_ATTEMPTS:
            return self._end(row, DeliveryState.DEAD, reason)
        with self._database.write() as session:
            outbox.finish(
                session,
                row,
                state=DeliveryState.WAITING,
                due_at=due_at,
                attempts=row.attempts if counted else row.attempts - 1,
                first_tried_at=first_tried_at,
                error=reason[:500],
            )
        return False

    def _end(self, row: DeliveryRow, state: DeliveryState, reason: str) -> bool:
        """Give up, and tell whoever answered: an answer that nobody reads is worse than none."""
        log.error("not_delivered", key=row.key, channel=row.channel, state=state, reason=reason)
        with self._database.write() as session:
            if not outbox.finish(session, row, state=state, error=reason[:500]):
                return False
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
        return False


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
