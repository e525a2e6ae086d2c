"""Tickets: what the bot could not answer, as a structured case for the service group of that business."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Json, Moment
from core.events import Event
from core.identity import Identity

BUSINESS_TYPES = (
    "差旅报销",
    "日常报销",
    "借款与冲销",
    "发票",
    "应付与付款",
    "税务",
    "资金与账户",
    "系统操作",
    "影像与单据退回",
)
OTHER = "其他"
TICKET_NO = re.compile(r"FW\d{8}-\d{4,}", re.I)


class Urgency(StrEnum):
    NORMAL = "一般"
    URGENT = "紧急"
    EMERGENCY = "特急"


class Status(StrEnum):
    NEW = "new"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    MERGED = "merged"

    @property
    def label(self) -> str:
        """What the employee reads."""
        return _STATUS_LABELS[self]

    @property
    def staff_label(self) -> str:
        """What agents read."""
        return "待员工补充" if self is Status.WAITING else self.label


_STATUS_LABELS = {
    Status.NEW: "待受理",
    Status.ASSIGNED: "已派工",
    Status.IN_PROGRESS: "处理中",
    Status.WAITING: "待您补充",
    Status.RESOLVED: "已解决",
    Status.CLOSED: "已关闭",
    Status.REOPENED: "已重开",
    Status.CANCELLED: "已取消",
    Status.MERGED: "已合并",
}


OPEN = (Status.NEW, Status.ASSIGNED, Status.IN_PROGRESS, Status.WAITING, Status.REOPENED)
"""States in which somebody still owes something."""


class ServiceTier(StrEnum):
    """VIP units get their own SLA."""

    STANDARD = "standard"
    VIP = "vip"


class Reason(StrEnum):
    """Why a person is needed."""

    CUSTOMER_REQUEST = "customer_request"
    MISSING_KNOWLEDGE = "missing_knowledge"
    LOW_CONFIDENCE = "low_confidence"
    POLICY_RESTRICTION = "policy_restriction"
    TOOL_FAILURE = "tool_failure"
    COMPLAINT = "complaint"
    EMERGENCY = "emergency"
    SYSTEM = "system"
    """Another system filed it for the employee."""


@dataclass(frozen=True)
class TicketFiled(Event):
    """A ticket was filed. `question` is what the employee had asked about it, or the ticket's description, masked; empty where
    nothing was described."""

    number: str
    conversation_id: str
    question: str
    page: str
    node: str
    reason: str


class TicketRow(Base):
    """The aggregate; only the verbs of `handoff.lifecycle` change it.

    `priority` is 1 (first) to 4; `tier` 2 or 3; `unread` says that the requester wrote and nobody of the desk has looked
    since; `due_at` is the earliest moment at which a running clock runs out, `due_kind` that clock; `rating` is 1 to 5.
    """

    __tablename__ = "ticket"

    number: Mapped[str] = mapped_column(String(20), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    status: Mapped[str] = mapped_column(String(20))
    business_type: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(Text)
    urgency: Mapped[str] = mapped_column(String(10))
    document_no: Mapped[str | None] = mapped_column(String(64))
    contact: Mapped[str | None] = mapped_column(String(100))
    employee_no: Mapped[str | None] = mapped_column(String(64), index=True)
    requester: Mapped[dict[str, Any]] = mapped_column(Json)
    channel: Mapped[str] = mapped_column(String(20))
    page: Mapped[str] = mapped_column(String(100))
    node: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(30))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    tried: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    subtype: Mapped[str] = mapped_column(String(40), default="")
    company: Mapped[str | None] = mapped_column(String(100))
    department: Mapped[str | None] = mapped_column(String(100))
    service_tier: Mapped[str] = mapped_column(String(20), default=ServiceTier.STANDARD)
    tier: Mapped[int] = mapped_column(default=2)
    priority: Mapped[int] = mapped_column(default=3)
    risk_words: Mapped[list[str]] = mapped_column(Json, default=list)
    emergency: Mapped[bool] = mapped_column(default=False)
    group_id: Mapped[str | None] = mapped_column(String(40))
    assignee: Mapped[str | None] = mapped_column(String(64))
    experts: Mapped[list[str]] = mapped_column(Json, default=list)
    merged_into: Mapped[str | None] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(default=1)
    reopenings: Mapped[int] = mapped_column(default=0)
    unread: Mapped[bool] = mapped_column(default=False)
    resolution: Mapped[str] = mapped_column(Text, default="")
    first_response_at: Mapped[datetime | None] = mapped_column(Moment)
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    urged_at: Mapped[datetime | None] = mapped_column(Moment)
    sla_policy: Mapped[str | None] = mapped_column(String(40))
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    due_kind: Mapped[str | None] = mapped_column(String(20))
    breached: Mapped[bool] = mapped_column(default=False)
    rating: Mapped[int | None]

    __table_args__ = (Index("ix_ticket_status_created", "status", "created_at"),)


class TicketEventRow(Base):
    """The timeline of a ticket: its history, oldest first. `public` is what the requester may read; `actor_kind` is
    `staff`, `employee` or `system`."""

    __tablename__ = "ticket_event"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    actor: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)
    public: Mapped[bool] = mapped_column(default=False)
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    actor_kind: Mapped[str] = mapped_column(String(10), default="system")
    actor_name: Mapped[str] = mapped_column(String(64), default="")


class TicketExpertRow(Base):
    """Who was invited to a ticket: `TicketRow.experts`, to be searched by person."""

    __tablename__ = "ticket_expert"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.number"), primary_key=True, index=True)


class TicketLinkRow(Base):
    """Two tickets that have to do with each other; `one` is the smaller number."""

    __tablename__ = "ticket_link"

    one: Mapped[str] = mapped_column(ForeignKey("ticket.number"), primary_key=True)
    other: Mapped[str] = mapped_column(ForeignKey("ticket.number"), primary_key=True, index=True)


class TicketCounterRow(Base):
    __tablename__ = "ticket_counter"

    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


UNDESCRIBED = "员工要求转人工，详见对话记录"
"""The description of a ticket of somebody who wanted a person at once."""


@dataclass(frozen=True)
class TicketDraft:
    """What is needed to file. `tried` is what the bot showed before: `{entry_id, question, probability, band}`; `asked` is the
    question that the ticket is about, where that is shorter than the description."""

    business_type: str
    description: str
    conversation_id: str
    requester: Identity
    reason: Reason
    idempotency_key: str
    channel: str = "widget"
    urgency: Urgency = Urgency.NORMAL
    document_no: str | None = None
    contact: str | None = None
    page: str = ""
    node: str = ""
    asked: str = ""
    subtype: str = ""
    tried: list[dict[str, Any]] = field(default_factory=list)


def ticket_of(session: Session, number: str) -> TicketRow | None:
    return session.get(TicketRow, number)


def tickets_of_requester(
    session: Session, requester: Identity, conversation_id: str, limit: int = 5
) -> list[TicketRow]:
    """The newest tickets of an employee; of an anonymous visitor, those of this very conversation."""
    own = (
        TicketRow.conversation_id == conversation_id
        if requester.anonymous
        else TicketRow.employee_no == requester.employee_no
    )
    query = select(TicketRow).where(own).order_by(TicketRow.created_at.desc(), TicketRow.number.desc()).limit(limit)
    return list(session.scalars(query))


def events_of(session: Session, number: str) -> list[TicketEventRow]:
    query = select(TicketEventRow).where(TicketEventRow.ticket == number).order_by(TicketEventRow.id)
    return list(session.scalars(query))
