"""Knowledge in the database: entries with their versions, policies, tables, and what employees did with answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Json, Moment
from kb.entries import Audience, Entry, Source


class EntryRow(Base):
    """The newest approved version of an entry. Lists and filters read the columns; `body` is the entry itself."""

    __tablename__ = "kb_entry"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int]
    question: Mapped[str] = mapped_column(String(500))
    business_type: Mapped[str] = mapped_column(String(40), index=True)
    owner: Mapped[str] = mapped_column(String(40))
    search_text: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    deleted: Mapped[bool] = mapped_column(default=False)
    effective_from: Mapped[date | None]
    effective_to: Mapped[date | None] = mapped_column(index=True)
    review_on: Mapped[date | None] = mapped_column(index=True)
    updated_at: Mapped[datetime] = mapped_column(Moment, index=True)


class EntryVersionRow(Base):
    """What an entry said at a version, who wrote it and who approved it; `retired` where it was taken out."""

    __tablename__ = "kb_entry_version"

    entry_id: Mapped[str] = mapped_column(ForeignKey("kb_entry.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    author: Mapped[str] = mapped_column(String(64))
    reviewer: Mapped[str | None] = mapped_column(String(64))
    retired: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(Moment)


class DocumentRow(Base):
    """What stands beside the entries: a policy with its articles, a policy table, or the scenes of the host system."""

    __tablename__ = "kb_document"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class HitRow(Base):
    """How often an entry answered, by day and place; the hot questions of a page are read from here."""

    __tablename__ = "kb_hit"

    entry_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    page: Mapped[str] = mapped_column(String(100), primary_key=True)
    node: Mapped[str] = mapped_column(String(100), primary_key=True)
    count: Mapped[int]

    __table_args__ = (Index("ix_kb_hit_place", "page", "node", "day"), Index("ix_kb_hit_day", "day", "entry_id"))


class UnresolvedRow(Base):
    """A question that the bot did not settle, masked, with what was shown: tomorrow's FAQ starts here."""

    __tablename__ = "kb_unresolved"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event_id: Mapped[int] = mapped_column(unique=True)
    conversation_id: Mapped[str] = mapped_column(String(36), index=True)
    question: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(30), index=True)
    page: Mapped[str] = mapped_column(String(100))
    node: Mapped[str] = mapped_column(String(100))
    shown: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    release: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(Moment, index=True)


class FeedbackRow(Base):
    __tablename__ = "kb_feedback"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    message_id: Mapped[str] = mapped_column(String(36))
    conversation_id: Mapped[str] = mapped_column(String(36))
    entry_id: Mapped[str | None] = mapped_column(String(64), index=True)
    helpful: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(String(20))
    comment: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("message_id"),)


def entry_to_dict(entry: Entry) -> dict[str, Any]:
    """Plain JSON values; `entry_from_dict` turns them back."""
    data = dict(vars(entry))
    data["audience"] = {"companies": sorted(entry.audience.companies), "groups": sorted(entry.audience.groups)}
    for key in ("effective_from", "effective_to", "review_on"):
        data[key] = data[key].isoformat() if data[key] else None
    for key in ("similar", "scenes", "related"):
        data[key] = list(data[key])
    data["sources"] = [dict(vars(source)) for source in entry.sources]
    data["extra"] = [list(pair) for pair in entry.extra]
    return data


def entry_from_dict(data: dict[str, Any]) -> Entry:
    audience = data.get("audience") or {}
    return Entry(
        **{
            **data,
            "audience": Audience(frozenset(audience.get("companies", ())), frozenset(audience.get("groups", ()))),
            "similar": tuple(data.get("similar", ())),
            "scenes": tuple(data.get("scenes", ())),
            "related": tuple(data.get("related", ())),
            "sources": tuple(Source(**source) for source in data.get("sources", ())),
            "effective_from": _date(data.get("effective_from")),
            "effective_to": _date(data.get("effective_to")),
            "review_on": _date(data.get("review_on")),
            "extra": tuple((name, value) for name, value in data.get("extra", ())),
        }
    )


def _date(value: str | date | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def save_entry(session: Session, entry: Entry, author: str, reviewer: str | None = None) -> bool:
    """Store `entry` as a new version if it differs from the stored one; return whether it did."""
    return save_entries(session, [entry], author, reviewer) == 1


def save_entries(session: Session, entries: Iterable[Entry], author: str, reviewer: str | None = None) -> int:
    """Store each entry that differs from the stored one as a new version; return how many did. Of two with one id the last
    counts."""
    session.flush()
    unique = list({entry.id: entry for entry in entries}.values())
    return sum(
        _save_some(session, unique[start : start + 500], author, reviewer) for start in range(0, len(unique), 500)
    )


def _save_some(session: Session, entries: list[Entry], author: str, reviewer: str | None) -> int:
    wanted = [entry.id for entry in entries]
    stored = {
        row.id: row
        for row in session.execute(
            select(EntryRow.id, EntryRow.version, EntryRow.deleted, EntryRow.body)
            .where(EntryRow.id.in_(wanted))
            .order_by(EntryRow.id)
            .with_for_update()
        )
    }
    table = EntryRow.__table__
    at = now()
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for entry in entries:
        row = stored.get(entry.id)
        body = entry_to_dict(entry)
        if row and not row.deleted and {**row.body, "version": 0} == {**body, "version": 0}:
            continue
        body["version"] = row.version + 1 if row else 1
        (changed if row else new).append(
            {
                "id": entry.id,
                "version": body["version"],
                "body": body,
                "question": entry.question,
                "business_type": entry.business_type,
                "owner": entry.owner,
                "effective_from": entry.effective_from,
                "effective_to": entry.effective_to,
                "review_on": entry.review_on,
                "search_text": search_text(entry),
                "deleted": False,
                "updated_at": at,
            }
        )
    if new:
        session.execute(insert(table), new)
    if changed:
        for held in [one for one in session.identity_map.values() if isinstance(one, EntryRow)]:
            session.expire(held)
        session.execute(
            update(table).where(table.c.id == bindparam("key")), [{**row, "key": row["id"]} for row in changed]
        )
    versions = [
        {"entry_id": row["id"], "version": row["version"], "body": row["body"], "author": author, "reviewer": reviewer}
        for row in (*new, *changed)
    ]
    if versions:
        session.execute(insert(EntryVersionRow.__table__), [{**row, "retired": False, "at": at} for row in versions])
    return len(versions)


def retire_entry(session: Session, entry_id: str, author: str, reviewer: str | None = None) -> bool:
    """Take an entry out of the next release; its versions stay. False when there is none to take out."""
    row = session.get(EntryRow, entry_id, with_for_update=True)
    if row is None or row.deleted:
        return False
    row.version, row.deleted, row.updated_at = row.version + 1, True, now()
    row.body = {**row.body, "version": row.version}
    session.add(
        EntryVersionRow(
            entry_id=entry_id,
            version=row.version,
            body=row.body,
            author=author,
            reviewer=reviewer,
            retired=True,
            at=now(),
        )
    )
    return True


def search_text(entry: Entry) -> str:
    """What the list's words are looked for in."""
    return "\n".join((entry.id, *entry.questions, entry.answer)).lower()


def live_entries(session: Session) -> list[Entry]:
    """Every entry that is not deleted, by id: what the next release will hold."""
    rows = session.scalars(select(EntryRow).where(EntryRow.deleted.is_(False)).order_by(EntryRow.id))
    return [entry_from_dict(row.body) for row in rows]


def find_entries(
    session: Session,
    *,
    text: str = "",
    business_type: str = "",
    owner: str = "",
    scene: str = "",
    where: ColumnElement[bool] | None = None,
    order: ColumnElement[Any] | None = None,
    retired: bool = False,
    page: int = 1,
    page_size: int = 20,
) -> tuple[list[EntryRow], int]:
    """Entries that hold every word of `text`, those with all of them in their question first; how many there are in all.
    Those that were taken out only with `retired`, and then no others.

    `scene` is a page, with all its nodes, or `page/node`; `where` one more condition on the rows, `order` what goes before
    the usual order.
    """
    query = matching(select(EntryRow), EntryRow, text, business_type, owner, scene).where(EntryRow.deleted.is_(retired))
    if where is not None:
        query = query.where(where)
    total = session.scalar(select(func.count()).select_from(query.with_only_columns(EntryRow.id).subquery())) or 0
    in_title = [EntryRow.question.icontains(word, autoescape=True) for word in text.split()]
    titles_first = case((and_(*in_title), 0), else_=1) if in_title else EntryRow.id
    ordered = query.order_by(*(() if order is None else (order,)), titles_first, EntryRow.id)
    return list(session.scalars(ordered.offset((page - 1) * page_size).limit(page_size))), total


def matching(query: Select[Any], table: Any, text: str, business_type: str, owner: str, scene: str) -> Select[Any]:
    """`query` with the list's filters on `table`: the entries, or their drafts."""
    if business_type:
        query = query.where(table.business_type == business_type)
    if owner:
        query = query.where(table.owner == owner)
    if scene:
        listed = table.body["scenes"].as_string()
        found = listed.contains(f'"{scene}"', autoescape=True)
        if "/" not in scene:
            found = or_(found, listed.contains(f'"{scene}/', autoescape=True))
        query = query.where(found)
    for word in text.lower().split():
        query = query.where(table.search_text.contains(word, autoescape=True))
    return query


def hot_entries(session: Session, page: str, node: str, since: date, limit: int = 20) -> list[str]:
    """Ids of the entries that answered most at this place since a day, most first; the whole desk's without a page."""
    total = func.sum(HitRow.count)
    query = select(HitRow.entry_id).where(HitRow.day >= since).group_by(HitRow.entry_id)
    query = query.order_by(total.desc(), HitRow.entry_id)
    if page:
        query = query.where(HitRow.page == page)
        if node:
            query = query.where(or_(HitRow.node == node, HitRow.node == ""))
    return list(session.scalars(query.limit(limit)))


def count_hit(session: Session, entry_id: str, day: date, page: str, node: str) -> None:
    row = session.get(HitRow, (entry_id, day, page, node), with_for_update=True)
    if row:
        row.count += 1
    else:
        session.add(HitRow(entry_id=entry_id, day=day, page=page, node=node, count=1))


def save_document(session: Session, kind: str, body: dict[str, Any]) -> None:
    """Store a policy, a table or the scenes by kind and id."""
    session.merge(DocumentRow(kind=kind, id=body["id"], title=body["title"], body=body, updated_at=now()))


def documents(session: Session, kind: str) -> list[dict[str, Any]]:
    return list(session.scalars(select(DocumentRow.body).where(DocumentRow.kind == kind).order_by(DocumentRow.id)))
