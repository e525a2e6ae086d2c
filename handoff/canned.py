"""Canned replies: words that are sent often, one's own or shared with the desk."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.clock import now
from core.database import Base, Moment
from core.errors import Forbidden, InvalidInput, NotFound
from handoff.actors import SYSTEM, Actor
from handoff.views import may_share

MOST_CHARACTERS = 2000
STARTER = (
    (
        "请补充附件",
        "您好，{员工姓名}。处理工单 {工单号} 需要您补充附件：请在这里上传发票或审批单的照片，收到后我会继续处理。",
    ),
    ("请补充单据号", "您好，{员工姓名}。请把单据号发给我（在费用系统“我的单据”里可以看到），我马上为您查询。"),
    ("已转相关同事", "您好，{员工姓名}。这个问题需要相关同事核实，我已经转过去了，有结果会第一时间在这里告诉您。"),
    (
        "付款已提交银行",
        "您好，{员工姓名}。单据 {单据号} 的付款已提交银行，一般 1 至 2 个工作日到账；如届时仍未到账，请在这里告诉我。",
    ),
    ("问题已解决", "您好，{员工姓名}。您反映的问题已经处理好了，请刷新页面再试一次；还有问题可以直接在这里回复。"),
)


class CannedReplyRow(Base):
    """`text` may hold {员工姓名}, {工单号}, {单据号}, {我的姓名}; empty `business_type` fits every ticket."""

    __tablename__ = "canned_reply"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    title: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    business_type: Mapped[str] = mapped_column(String(40), default="")
    owner: Mapped[str] = mapped_column(String(64), index=True)
    shared: Mapped[bool] = mapped_column(default=False)
    used: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(Moment)


def replies_for(session: Session, actor: Actor) -> list[CannedReplyRow]:
    """Their own and the shared ones, those used most first."""
    query = select(CannedReplyRow).where(or_(CannedReplyRow.owner == actor.id, CannedReplyRow.shared))
    return list(session.scalars(query.order_by(CannedReplyRow.used.desc(), CannedReplyRow.id)))


def save_reply(
    session: Session, actor: Actor, id: int | None, title: str, text: str, business_type: str, shared: bool
) -> CannedReplyRow:
    """Make one, or change the one with this id. Raises InvalidInput, NotFound, Forbidden."""
    title, text = " ".join(title.split()), text.strip()
    if not 1 <= len(title) <= 40:
        raise InvalidInput("标题需要 1 到 40 个字。", code="title_invalid")
    if not 1 <= len(text) <= MOST_CHARACTERS:
        raise InvalidInput(f"内容需要 1 到 {MOST_CHARACTERS} 个字。", code="text_invalid")
    if shared and not may_share(actor):
        raise Forbidden("共享常用回复由组长或主管维护，您可以先保存为自己的。", code="role_missing")
    row = _own(session, actor, id) if id is not None else CannedReplyRow(owner=actor.id, used=0, shared=False)
    told = shared or row.shared
    row.title, row.text, row.business_type, row.shared, row.updated_at = title, text, business_type, shared, now()
    session.add(row)
    session.flush()
    if told:
        audit.append(session, actor, "canned.saved", str(row.id), {"title": title, "text": text, "shared": shared})
    return row


def remove_reply(session: Session, actor: Actor, id: int) -> None:
    row = _own(session, actor, id)
    if row.shared:
        audit.append(session, actor, "canned.removed", str(row.id), {"title": row.title})
    session.delete(row)


def count_use(session: Session, actor: Actor, id: int) -> None:
    """One more use: those used most are offered first."""
    row = session.get(CannedReplyRow, id, with_for_update=True)
    if row and (row.shared or row.owner == actor.id):
        row.used += 1


def seed(session: Session) -> None:
    """A handful of shared replies, where there is none."""
    if session.scalar(select(CannedReplyRow.id).limit(1)) is None:
        session.add_all(
            CannedReplyRow(title=title, text=text, owner=SYSTEM.id, shared=True, used=0, updated_at=now())
            for title, text in STARTER
        )


def _own(session: Session, actor: Actor, id: int) -> CannedReplyRow:
    row = session.get(CannedReplyRow, id, with_for_update=True)
    if row is None or (row.owner != actor.id and not row.shared):
        raise NotFound("没有这条常用回复，可能已被删除，请刷新页面。", code="canned_not_found")
    if row.owner != actor.id and not may_share(actor):
        raise Forbidden("这是共享的常用回复，由组长或主管维护。", code="role_missing")
    return row
