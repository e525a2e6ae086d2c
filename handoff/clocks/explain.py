"""A clock retold for an auditor: every period that counted, every pause, and whether that is what was stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from core.clock import SHANGHAI, local
from core.errors import NotFound
from handoff.clocks import holidays
from handoff.clocks.calendars import ALWAYS, Calendar, Span
from handoff.clocks.clock import ClockRow, clocks_of, pauses_of
from handoff.clocks.policies import Kind, Policy
from handoff.clocks.reckoning import Pause, Walk, counted, minutes
from handoff.clocks.rules import Rules
from handoff.clocks.timetable import calendar_as_it_was
from handoff.tickets import ticket_of


@dataclass(frozen=True)
class Account:
    """One clock, reckoned anew from its start. `spans` are what counted up to `until`; `differences` name what was stored
    otherwise; `off` are the days in between on which nothing counts, with the reason."""

    clock: ClockRow
    policy: Policy | None
    calendar: Calendar
    until: datetime
    spans: list[Span]
    pauses: list[Pause]
    off: list[tuple[date, str]]
    unknown_years: list[int]
    differences: list[str]

    @property
    def actual_min(self) -> float:
        return minutes(sum((span.length for span in self.spans), timedelta()))


def accounts(session: Session, number: str, moment: datetime) -> list[Account]:
    """Every clock of a ticket, in the order in which they started. Raises NotFound."""
    if ticket_of(session, number) is None:
        raise NotFound(f"没有工单 {number}，请核对编号。")
    rules = Rules.read(session)
    rows = clocks_of(session, number)
    pauses = pauses_of(session, (row.id for row in rows))
    return [_account(row, rules, _calendar(session, row, rules), pauses[row.id], moment) for row in rows]


def _calendar(session: Session, row: ClockRow, rules: Rules) -> Calendar:
    """The calendar as it was when the clock stopped; of one that runs, as it is."""
    was = (
        calendar_as_it_was(session, row.calendar, row.calendar_version)
        if row.calendar and row.calendar_version
        else None
    )
    if row.stopped_at and was:
        return was
    return rules.calendars.get(row.calendar or "") or was or ALWAYS


def _account(row: ClockRow, rules: Rules, calendar: Calendar, pauses: list[Pause], moment: datetime) -> Account:
    until = row.stopped_at or max(moment, row.started_at)
    spans = list(counted(calendar, row.started_at, until, pauses))
    account = Account(
        row,
        rules.policies.get(row.policy or ""),
        calendar,
        until,
        spans,
        pauses,
        _off(calendar, row.started_at, until),
        calendar.unknown(row.started_at, row.due_at or until),
        [],
    )
    account.differences.extend(_differences(account))
    return account


def _off(calendar: Calendar, start: datetime, end: datetime) -> list[tuple[date, str]]:
    day, last = start.astimezone(SHANGHAI).date(), end.astimezone(SHANGHAI).date()
    found = []
    while day <= last:
        said = calendar.day(day)
        if not said.periods:
            found.append((day, said.note or ("公司休息日" if said.source == "own" else "休息日")))
        elif said.source in ("own", "make_up"):
            found.append((day, said.note or "按特殊日期计时"))
        day += timedelta(days=1)
    return found


def _differences(account: Account) -> list[str]:
    row = account.clock
    if row.stopped_at is not None:
        if row.actual_min != account.actual_min:
            return [f"记录的实际时长是 {row.actual_min} 分钟，重算为 {account.actual_min} 分钟"]
        return []
    if row.promised_min is None:
        return []
    due = Walk(account.calendar, row.started_at, account.pauses).runs_out(row.promised_min)
    if due == row.due_at:
        return []
    return [f"记录的到期时间是 {_moment(row.due_at)}，重算为 {_moment(due)}：时效或日历刚改过，下一次检查后一致"]


def _moment(moment: datetime | None) -> str:
    return local(moment) if moment else "无"


def retold(account: Account) -> list[str]:
    """The account in lines, for people."""
    row = account.clock
    title = f"{Kind(row.kind).label}（第 {row.round} 次）"
    promise = f"承诺 {row.promised_min} 分钟" if row.promised_min is not None else "没有承诺"
    policy = account.policy.name if account.policy else row.policy or "无"
    lines = [
        f"{title}：{promise}，时效“{policy}”，日历“{account.calendar.name}”",
        f"  开始 {_exact(row.started_at)}",
    ]
    pauses = [
        (begin, f"  暂停 {_exact(begin)} → {_exact(end) if end else '仍在暂停'}") for begin, end in account.pauses
    ]
    sum_ = timedelta()
    entries = list(pauses)
    for span in account.spans:
        sum_ += span.length
        entries.append(
            (
                span.start,
                f"  计时 {_exact(span.start)} → {_exact(span.end, span.start)}  "
                f"{minutes(span.length):g} 分钟，累计 {minutes(sum_):g} 分钟",
            )
        )
    for day, why in account.off:
        at = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
        entries.append((at, f"  {day} {why}"))
    lines += [text for _, text in sorted(entries, key=lambda entry: entry[0])]
    if row.stopped_at:
        why = {"replied": "已回复", "resolved": "已解决", "cancelled": "已取消", "merged": "已合并"}[
            row.stopped_by or ""
        ]
        lines.append(f"  停止 {_exact(row.stopped_at)}（{why}），实际 {row.actual_min:g} 分钟")
    else:
        state = "暂停中" if row.paused_at else "计时中"
        lines.append(f"  {state}，到 {_exact(account.until)} 为止 {account.actual_min:g} 分钟")
    if row.due_at:
        lines.append(f"  到期 {_exact(row.due_at)}")
    if row.breached_at:
        lines.append(f"  超时，自 {_exact(row.breached_at)} 起")
    elif row.promised_min is not None:
        lines.append("  未超时")
    if account.unknown_years:
        lines.append(f"  注意：{holidays.warning(account.unknown_years)}")
    lines += [f"  不一致：{text}" for text in account.differences] or ["  与记录一致"]
    return lines


def _exact(moment: datetime, same_day_as: datetime | None = None) -> str:
    there = moment.astimezone(SHANGHAI)
    time = there.strftime("%H:%M:%S") if there.second else there.strftime("%H:%M")
    if same_day_as and there.date() == same_day_as.astimezone(SHANGHAI).date():
        return time
    if same_day_as and time == "00:00":
        return "24:00"
    return f"{there:%Y-%m-%d} {time}"
