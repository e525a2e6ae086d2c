"""The state's holidays and 调休, as far as `chinese-calendar` knows them: the State Council announces a year in its autumn
before, and the library follows in a new version."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

import chinese_calendar


class Kind(StrEnum):
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"


KNOWN = frozenset(day.year for day in chinese_calendar.holidays)
"""The years whose holidays the installed library knows."""

AHEAD = timedelta(days=60)
"""How long before its first day an unknown year is warned of."""

_NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}


def kind(day: date) -> Kind | None:
    """Whether `day` is off by the state's calendar, worked for another, or neither; neither in an unknown year."""
    if day in chinese_calendar.holidays:
        return Kind.HOLIDAY
    return Kind.MAKE_UP if day in chinese_calendar.workdays else None


def name(day: date) -> str:
    """`国庆节`, `国庆节调休`; empty on any other day."""
    if day in chinese_calendar.holidays:
        return _NAMES.get(chinese_calendar.holidays[day], "节假日")
    return _NAMES.get(chinese_calendar.workdays[day], "") + "调休" if day in chinese_calendar.workdays else ""


def unknown_years(today: date) -> list[int]:
    """This year and the one that begins within `AHEAD`, where their holidays are not known."""
    return [year for year in sorted({today.year, (today + AHEAD).year}) if year not in KNOWN]


def warning(years: list[int]) -> str:
    """What the console says about `years`."""
    named = "、".join(map(str, years))
    return (
        f"{named} 年的节假日和调休安排尚未收录，目前按每周作息计算。"
        "请在“特殊日期”里登记放假和调休，或请系统管理员升级 chinese-calendar。"
    )
