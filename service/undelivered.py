"""What was said to employees and has not reached them: looked at and put right by a person, on the console and the CLI."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from connectors.delivery import MOST_ATTEMPTS
from core import audit, outbox
from core.audit import HasId
from core.errors import Conflict, InvalidInput, NotFound
from core.outbox import DeliveryRow, DeliveryState
from core.transcript import Conversation, Message

LATE = timedelta(minutes=10)
"""What is on its way for longer than this is worth a look."""
KINDS = ("open", "dead", "unsure", "late", "settled")
_SHOWN = 200


@dataclass(frozen=True)
class Undelivered:
    """One message. `reason` is for people, `error` what the channel said; `text` is masked and cut short."""

    id: int
    state: str
    channel: str
    cause: str
    ticket: str | None
    employee_no: str | None
    employee: str | None
    text: str
    attempts: int
    at: datetime
    due_at: datetime
    reason: str
    error: str


def undelivered(
    session: Session,
    moment: datetime,
    *,
    kind: str = "open",
    channel: str = "",
    words: str = "",
    page: int = 1,
    page_size: int = 50,
) -> tuple[list[Undelivered], int]:
    """A page of them, newest first, and how many there are. `kind` is one of KINDS, `open` being all that still wait for
    somebody; `words` is a ticket, an employee's number or name. Raises InvalidInput for an unknown kind."""
    query = _asked(kind, moment)
    if channel:
        query = query.where(DeliveryRow.channel == channel)
    if words.strip():
        query = query.where(_about(words.strip()))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    shown = query.order_by(DeliveryRow.id.desc()).offset((page - 1) * page_size).limit(page_size)
    return [_shown(*row) for row in session.execute(shown)], total


def counts(session: Session, moment: datetime) -> dict[str, int]:
    """How many there are of each kind."""
    return {
        kind: session.scalar(select(func.count()).select_from(_asked(kind, moment).subquery())) or 0 for kind in KINDS
    }


def send_again(session: Session, actor: HasId | str, delivery_id: int) -> None:
    """Have it sent now. Raises NotFound, or Conflict where it arrived meanwhile."""
    row = _row(session, delivery_id)
    before = row.state
    if not outbox.try_again(session, delivery_id):
        raise Conflict("这条消息已经送达或正在发送，请刷新列表。", code="already_delivered")
    audit.append(session, actor, "delivery.retried", _subject(session, row), {"delivery": row.id, "before": before})


def settle(session: Session, actor: HasId | str, delivery_id: int, words: str) -> None:
    """Somebody told the employee another way, as `words` say: it is not sent any more. Raises NotFound, InvalidInput without
    words, or Conflict where it is on its way or arrived."""
    row = _row(session, delivery_id)
    if not words.strip():
        raise InvalidInput("请写明怎样联系到员工的，例如“已电话告知”。", code="words_missing")
    before = row.state
    if not outbox.settle(session, delivery_id):
        raise Conflict("这条消息正在发送或已经送达，请刷新列表。", code="already_delivered")
    detail = {"delivery": row.id, "before": before, "words": words.strip()[:200]}
    audit.append(session, actor, "delivery.settled", _subject(session, row), detail)


def _asked(kind: str, moment: datetime) -> Select[tuple[DeliveryRow, Conversation, Message]]:
    under_way = DeliveryRow.state.in_((DeliveryState.WAITING, DeliveryState.SENDING))
    late = and_(under_way, DeliveryRow.at < moment - LATE)
    wanted: dict[str, ColumnElement[bool]] = {
        "open": or_(DeliveryRow.state.in_((DeliveryState.DEAD, DeliveryState.UNSURE)), late),
        "dead": DeliveryRow.state == DeliveryState.DEAD,
        "unsure": DeliveryRow.state == DeliveryState.UNSURE,
        "late": late,
        "settled": DeliveryRow.state == DeliveryState.SETTLED,
    }
    if kind not in wanted:
        raise InvalidInput("没有这种投递状态，请刷新页面。", code="kind_unknown")
    return (
        select(DeliveryRow, Conversation, Message)
        .join(Conversation, Conversation.id == DeliveryRow.conversation_id)
        .join(Message, Message.id == DeliveryRow.message_id)
        .where(wanted[kind])
    )


def _about(words: str) -> ColumnElement[bool]:
    return or_(
        Message.body["number"].as_string() == words.upper(),
        Conversation.employee_no == words,
        Conversation.identity["name"].as_string().contains(words, autoescape=True),
    )


def _shown(row: DeliveryRow, conversation: Conversation, message: Message) -> Undelivered:
    return Undelivered(
        row.id,
        row.state,
        row.channel,
        row.key,
        message.body.get("number"),
        conversation.employee_no,
        conversation.identity.get("name"),
        message.text[:_SHOWN],
        row.attempts,
        row.at,
        row.due_at,
        _reason(row),
        row.error or "",
    )


def _reason(row: DeliveryRow) -> str:
    if row.state == DeliveryState.SETTLED:
        return "已另行告知员工，不再发送"
    if row.state == DeliveryState.UNSURE:
        return "已经发出，但没有收到渠道的确认：员工可能看到了，也可能没有"
    if row.state == DeliveryState.DEAD:
        if row.attempts >= MOST_ATTEMPTS:
            return f"试了 {row.attempts} 次都没有发出去，已停止"
        return "渠道拒绝接收，重发前请先排除原因"
    return f"一直没有发出去（已试 {row.attempts} 次），系统会继续重试"


def _row(session: Session, delivery_id: int) -> DeliveryRow:
    row = session.get(DeliveryRow, delivery_id)
    if row is None:
        raise NotFound(f"没有投递记录 {delivery_id}，请刷新列表。")
    return row


def _subject(session: Session, row: DeliveryRow) -> str:
    """Its ticket, where an auditor looks; else the delivery itself."""
    return session.get_one(Message, row.message_id).body.get("number") or f"delivery:{row.id}"
