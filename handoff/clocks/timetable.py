"""The calendars that the desk keeps, as data that supervisors edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.clock import now
from core.database import Base, Json, Moment
from core.errors import Conflict, InvalidInput, NotFound
from handoff.actors import Actor
from handoff.clocks import calendars, holidays
from handoff.clocks.calendars import ALWAYS, Calendar, OwnDay

DEFAULT = "workdays"
"""The calendar of whoever names none."""


class CalendarRow(Base):
    """`weekly` holds seven lists of `[from, to]`, Monday first; `days` the company's own, `{"2026-12-31": {periods, note}}`."""

    __tablename__ = "work_calendar"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    weekly: Mapped[list[list[list[str]]]] = mapped_column(Json)
    make_up: Mapped[list[list[str]]] = mapped_column(Json, default=list)
    chinese_holidays: Mapped[bool] = mapped_column(default=True)
    days: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    updated_by: Mapped[str] = mapped_column(String(64))


class CalendarVersionRow(Base):
    """A calendar as it was: what an auditor reckons a stopped clock by."""

    __tablename__ = "work_calendar_version"

    calendar: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(64))


class RulesRow(Base):
    """Counts the changes of policies and calendars, so that clocks reckoned before one are found. `known_until` is the last
    year whose holidays the library knew: another version of it changes calendars too."""

    __tablename__ = "clock_rules"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    known_until: Mapped[int]


def rules_version(session: Session) -> int:
    return session.scalar(select(RulesRow.version)) or 0


def rules_changed(session: Session) -> None:
    """Have every open clock counted anew by the next check; whoever changes what clocks go by calls it."""
    if not session.execute(update(RulesRow).values(version=RulesRow.version + 1)).rowcount:
        session.add(RulesRow(id=1, version=1, known_until=max(holidays.KNOWN)))
        session.flush()


def follow_library(session: Session) -> None:
    """Have clocks counted anew once the installed library knows the holidays of another year."""
    newest = max(holidays.KNOWN)
    if session.scalar(select(RulesRow.id).where(RulesRow.known_until < newest)) is not None:
        session.execute(update(RulesRow).values(version=RulesRow.version + 1, known_until=newest))


_BODY = ("name", "weekly", "make_up", "chinese_holidays", "days")


def _calendar(calendar_id: str, version: int, body: Mapping[str, Any]) -> Calendar:
    return Calendar(
        calendar_id,
        body["name"],
        tuple(calendars.parse(periods) for periods in body["weekly"]),
        calendars.parse(body["make_up"]),
        body["chinese_holidays"],
        {
            date.fromisoformat(day): OwnDay(calendars.parse(own["periods"]), own.get("note", ""))
            for day, own in body["days"].items()
        },
        version,
    )


def calendar_from(row: CalendarRow) -> Calendar:
    """The arithmetic of a stored calendar."""
    return _calendar(row.id, row.version, {field: getattr(row, field) for field in _BODY})


def calendar_as_it_was(session: Session, calendar_id: str, version: int) -> Calendar | None:
    """The calendar as of `version`; None where it was never kept."""
    if calendar_id == ALWAYS.id:
        return ALWAYS
    row = session.get(CalendarVersionRow, (calendar_id, version))
    return _calendar(calendar_id, version, row.body) if row else None


_kept: dict[tuple[str, int, datetime], Calendar] = {}
"""Parsed calendars by id, version and time of change; a process sees few."""


def all_calendars(session: Session) -> dict[str, Calendar]:
    """Every calendar by id; `always` is there in any case."""
    found = {ALWAYS.id: ALWAYS}
    stamps = session.execute(select(CalendarRow.id, CalendarRow.version, CalendarRow.updated_at)).all()
    for stamp in stamps:
        key = (stamp.id, stamp.version, stamp.updated_at)
        if key not in _kept:
            if len(_kept) > 200:
                _kept.clear()
            _kept[key] = calendar_from(session.get_one(CalendarRow, stamp.id, populate_existing=True))
        found[stamp.id] = _kept[key]
    return found


def calendar_of(session: Session, calendar_id: str | None = None) -> Calendar:
    """The calendar `calendar_id`, or the default one; round the clock where neither is there."""
    known = all_calendars(session)
    return known.get(calendar_id or DEFAULT) or known.get(DEFAULT) or ALWAYS


def save_calendar(
    session: Session,
    actor: Actor | str,
    calendar_id: str,
    *,
    name: str,
    weekly: Sequence[Sequence[Sequence[str]]],
    make_up: Sequence[Sequence[str]] = (),
    chinese_holidays: bool = True,
    version: int | None = None,
) -> CalendarRow:
    """Make or change a calendar. `version` is the one that was edited: Conflict `version_conflict` when somebody was faster."""
    if calendar_id == ALWAYS.id:
        raise InvalidInput("“全天候 7×24”是固定的，不能修改；请另建一个日历。")
    if not name.strip():
        raise InvalidInput("请填写日历名称。")
    if len(weekly) != 7:
        raise InvalidInput("每周作息应包含周一到周日共七天。")
    parsed = [calendars.parse(day) for day in weekly]
    if not any(parsed):
        raise InvalidInput("每周至少要有一个工作时段。")
    body = {
        "name": name.strip(),
        "weekly": [calendars.written(day) for day in parsed],
        "make_up": calendars.written(calendars.parse(make_up) or next(filter(None, parsed))),
        "chinese_holidays": chinese_holidays,
    }
    row = _locked(session, calendar_id)
    if row is None:
        row = CalendarRow(
            id=calendar_id,
            days={},
            version=_next_version(session, calendar_id),
            updated_at=now(),
            updated_by=_id(actor),
            **body,
        )
        session.add(row)
        audit.append(session, _id(actor), "calendar.made", f"calendar:{calendar_id}", body)
    else:
        _same(row, version)
        before = {field: getattr(row, field) for field in body}
        if before == body:
            return row
        for field, value in body.items():
            setattr(row, field, value)
        _stamp(row, actor)
        audit.append(
            session, _id(actor), "calendar.changed", f"calendar:{calendar_id}", {"before": before, "after": body}
        )
    _keep(session, row)
    return row


def save_days(
    session: Session,
    actor: Actor | str,
    calendar_id: str,
    days: Mapping[date, tuple[Sequence[Sequence[str]], str] | None],
    version: int | None = None,
) -> CalendarRow:
    """Set the company's own days: periods (none: off) and a note; None takes one back. Others stay."""
    row = _locked(session, calendar_id)
    if row is None:
        raise NotFound("没有找到这个日历，可能已被删除。")
    _same(row, version)
    kept = dict(row.days)
    changes = {}
    for day, own in days.items():
        key = day.isoformat()
        before = kept.pop(key, None)
        if own is not None:
            kept[key] = {"periods": calendars.written(calendars.parse(own[0])), "note": own[1].strip()[:60]}
        if kept.get(key) != before:
            changes[key] = {"before": before, "after": kept.get(key)}
    if not changes:
        return row
    row.days = dict(sorted(kept.items()))
    _stamp(row, actor)
    audit.append(session, _id(actor), "calendar.days", f"calendar:{calendar_id}", changes)
    _keep(session, row)
    return row


def remove_calendar(session: Session, actor: Actor | str, calendar_id: str, used_by: Sequence[str]) -> None:
    """Remove a calendar that nobody uses any more; `used_by` names who does."""
    if calendar_id in (ALWAYS.id, DEFAULT):
        raise InvalidInput("默认日历和“全天候 7×24”不能删除。")
    row = _locked(session, calendar_id)
    if row is None:
        raise NotFound("没有找到这个日历，可能已被删除。")
    if used_by:
        raise Conflict(f"还在使用，不能删除：{'、'.join(used_by)}。请先改用别的日历。", code="in_use")
    audit.append(
        session, _id(actor), "calendar.removed", f"calendar:{calendar_id}", {"name": row.name, "weekly": row.weekly}
    )
    session.delete(row)
    session.flush()
    rules_changed(session)


def _locked(session: Session, calendar_id: str) -> CalendarRow | None:
    return session.scalars(select(CalendarRow).where(CalendarRow.id == calendar_id).with_for_update()).one_or_none()


def _next_version(session: Session, calendar_id: str) -> int:
    """A calendar that is made again under the same id goes on counting."""
    last = select(func.max(CalendarVersionRow.version)).where(CalendarVersionRow.calendar == calendar_id)
    return (session.scalar(last) or 0) + 1


def _same(row: CalendarRow, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Conflict("日历刚刚被别人修改过，请刷新后再改。", code="version_conflict")


def _stamp(row: CalendarRow, actor: Actor | str) -> None:
    row.version += 1
    row.updated_at = now()
    row.updated_by = _id(actor)


def _keep(session: Session, row: CalendarRow) -> None:
    body = {field: getattr(row, field) for field in _BODY}
    session.add(
        CalendarVersionRow(calendar=row.id, version=row.version, body=body, at=row.updated_at, by=row.updated_by)
    )
    session.flush()
    rules_changed(session)


def _id(actor: Actor | str) -> str:
    return actor if isinstance(actor, str) else actor.id
