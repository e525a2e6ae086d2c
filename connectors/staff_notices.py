"""Notices to the desk's people where they read: what the console tells them also comes to their channel, once.

A notice stays in the console whatever becomes of its message. `waiting`, `sending`, `delivered`; `unsure`: it may have arrived;
`kept`: it is in the console only, since there is no channel, or since nobody there knows the person, or since it came too late.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ForeignKey, Index, String, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql import ColumnElement

from connectors.delivery import Busy, NotSent
from connectors.port import Connector, Notice
from core.clock import now
from core.database import Base, Database, Json, Moment
from handoff.notices import NoticeRow
from handoff.staff import StaffRow

log = structlog.get_logger()

TITLES = {
    "assigned": "新工单",
    "warned": "即将超时",
    "breached": "已超时",
    "chain_climbed": "超时升级",
    "emergency": "应急呼叫",
    "emergency_acknowledged": "应急呼叫已有人处理",
    "report": "服务报告",
}
"""The kinds of notices that are brought, and what stands above them."""
CLAIM = timedelta(seconds=40)
"""Less than a channel remembers what it has shown."""
LATEST = timedelta(hours=1)
"""What could not be brought by then is no news any more."""
_AT_A_TIME = 200
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=5)
_OPENS = re.compile(r"查看：(https?://)?(\S+)$")
"""How the notice of a report ends: with the page that opens it. In a message the button has it."""

Address = Callable[[str], str]
"""The signed link that opens a ticket in the console; "" where people cannot reach us by a link."""


class StaffMessageRow(Base):
    """The message of one notice. `channel` is set once it may have been sent there."""

    __tablename__ = "staff_message"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), unique=True)
    employee_no: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(20), default="")
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(Moment)
    claim: Mapped[str | None] = mapped_column(String(36))
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    first_tried_at: Mapped[datetime | None] = mapped_column(Moment)
    receipt: Mapped[dict[str, Any] | None] = mapped_column(Json)
    error: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime] = mapped_column(Moment)
    delivered_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("ix_staff_message_state_due", "state", "due_at"),)


def waiting(database: Database) -> bool:
    """Whether there is anything to bring."""
    moment = now()
    with database.read() as session:
        return bool(_new(session, moment, 1) or _due(session, moment, 1))


def bring(
    database: Database, channels: Mapping[str, Connector], address: Address, moment: datetime | None = None
) -> int:
    """Bring what waits, urgent notices first; how many arrived. Any number of processes may do so at a time."""
    begun = moment or now()
    with database.write() as session:
        while found := _new(session, begun, _AT_A_TIME):
            _take_up(session, found, begun)
    with database.read() as session:
        due = _due(session, begun, _AT_A_TIME)
    return sum(_Message(database, one, moment or now()).bring(channels, address) for one in due)


def _new(session: Session, moment: datetime, limit: int) -> list[tuple[int, str]]:
    """Unread notices of somebody with an employee number that nobody has taken up."""
    taken = select(StaffMessageRow.id).where(StaffMessageRow.notice_id == NoticeRow.id)
    query = (
        select(NoticeRow.id, StaffRow.employee_no)
        .join(StaffRow, StaffRow.username == NoticeRow.username)
        .where(
            NoticeRow.at > moment - LATEST,
            NoticeRow.kind.in_(TITLES),
            NoticeRow.read_at.is_(None),
            StaffRow.active,
            StaffRow.employee_no.is_not(None),
            ~taken.exists(),
        )
        .order_by(NoticeRow.id)
        .limit(limit)
    )
    return [(notice, str(employee_no)) for notice, employee_no in session.execute(query)]


def _take_up(session: Session, found: list[tuple[int, str]], moment: datetime) -> None:
    dialect = session.get_bind().dialect.name
    insert = (postgres_insert if dialect == "postgresql" else sqlite_insert)(StaffMessageRow)
    session.execute(
        insert.on_conflict_do_nothing(index_elements=["notice_id"]),
        [
            {
                "notice_id": notice, "employee_no": employee_no, "channel": "", "state": "waiting", "attempts": 0,
                "due_at": moment, "error": "", "at": moment,
            }
            for notice, employee_no in found
        ],
    )  # fmt: skip


def _ready(moment: datetime) -> ColumnElement[bool]:
    return or_(
        and_(StaffMessageRow.state == "waiting", StaffMessageRow.due_at <= moment),
        and_(StaffMessageRow.state == "sending", StaffMessageRow.claimed_until < moment),
    )


def _due(session: Session, moment: datetime, limit: int) -> list[int]:
    query = (
        select(StaffMessageRow.id)
        .join(NoticeRow, NoticeRow.id == StaffMessageRow.notice_id)
        .where(_ready(moment))
        .order_by(NoticeRow.urgent.desc(), StaffMessageRow.id)
        .limit(limit)
    )
    return list(session.scalars(query))


class _Message:
    """One message on its way; `moment` is when this attempt is made."""

    def __init__(self, database: Database, message_id: int, moment: datetime) -> None:
        self._database, self._id, self._moment = database, message_id, moment

    def bring(self, channels: Mapping[str, Connector], address: Address) -> bool:
        claimed = self._claim()
        if claimed is None:
            return False
        row, notice, taken_over = claimed
        if notice.read_at is not None:
            return self._end(row, "kept", "read in the console")
        if notice.at < self._moment - LATEST:
            return self._end(row, "kept", "too late")
        if not channels:
            return self._end(row, "kept", "no channel is connected")
        told = _notice(notice, address)
        reasons = []
        for name, channel in channels.items():
            if row.channel and row.channel != name:
                continue
            if (taken_over or row.channel) and not self._repeats(channel, row):
                return self._end(row, "unsure", row.error or "a process died while it was sent")
            try:
                receipt = channel.tell(row.employee_no, told)
            except Busy as busy:
                return self._later(row, busy.retry_after, str(busy), attempts=row.attempts - 1)
            except NotSent as error:
                if not error.for_good:
                    return self._later(row, _pause(row.attempts), str(error))
                reasons.append(f"{name}: {error}")
            except Exception as error:
                # It may have arrived: no other channel is tried.
                return self._later(row, _pause(row.attempts), str(error) or repr(error), channel=name)
            else:
                found = {"id": receipt.id, **receipt.detail}
                return self._finish(
                    row, state="delivered", channel=name, receipt=found, error="", delivered_at=self._moment
                )
        return self._end(row, "kept", "; ".join(reasons) or f"the channel {row.channel} is off")

    def _claim(self) -> tuple[StaffMessageRow, NoticeRow, bool] | None:
        with self._database.write() as session:
            row = session.scalars(
                select(StaffMessageRow)
                .where(StaffMessageRow.id == self._id, _ready(self._moment))
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is None:
                return None
            taken_over = row.state == "sending"
            row.state, row.claim, row.claimed_until = "sending", str(uuid.uuid4()), self._moment + CLAIM
            row.attempts += 1
            row.first_tried_at = row.first_tried_at or self._moment
            session.flush()
            return row, session.get_one(NoticeRow, row.notice_id), taken_over

    def _repeats(self, channel: Connector, row: StaffMessageRow) -> bool:
        return bool(
            channel.repeats and row.first_tried_at and self._moment - row.first_tried_at < channel.repeats
        )  # fmt: skip

    def _later(
        self, row: StaffMessageRow, pause: timedelta, reason: str, *, attempts: int | None = None, channel: str = ""
    ) -> bool:
        # What surely did not arrive has not been tried, as far as the channel's memory goes.
        first = row.first_tried_at if channel or row.channel else None
        self._finish(
            row, state="waiting", due_at=self._moment + pause, error=reason[:300], first_tried_at=first,
            attempts=row.attempts if attempts is None else attempts, channel=channel or row.channel,
        )  # fmt: skip
        return False

    def _end(self, row: StaffMessageRow, state: str, reason: str) -> bool:
        log.warning("staff_not_told", notice=row.notice_id, state=state, reason=reason)
        self._finish(row, state=state, error=reason[:300])
        return False

    def _finish(self, row: StaffMessageRow, **values: Any) -> bool:
        with self._database.write() as session:
            done = session.execute(
                update(StaffMessageRow)
                .where(StaffMessageRow.id == row.id, StaffMessageRow.claim == row.claim)
                .values(claim=None, claimed_until=None, **values)
            )
            return done.rowcount == 1


def _notice(row: NoticeRow, address: Address) -> Notice:
    urgent_call = row.kind == "emergency" and row.ticket
    text, url = row.text, address(row.ticket) if row.ticket else ""
    if row.kind == "report" and (opens := _OPENS.search(text)):
        url = opens[1] + opens[2] if opens[1] else ""
        text = text[: opens.start()] + ("" if url else "请到管理台的“周报和月报”查看。")
    return Notice(
        title=TITLES[row.kind],
        text=text,
        url=url,
        urgent=row.urgent,
        key=f"notice:{row.id}",
        actions=(("我来处理", f"staff:ack:{row.ticket}"),) if urgent_call else (),
    )


def _pause(attempts: int) -> timedelta:
    return min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE) * (0.9 + random.random() * 0.2)
