"""Whom an import would give an entry to, or take it from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kb.entries import Audience

_KINDS = (("companies", "公司"), ("groups", "人员组"))


def audience_with(before: Audience, fields: Mapping[str, Any], *, whole: bool) -> Audience:
    """The audience once a row is written: as its cells say; those that name nobody say nothing unless the row is the `whole` entry."""
    kept = {name: getattr(before, name) for name, _ in _KINDS}
    said = {name: frozenset(fields[name]) for name, _ in _KINDS if name in fields and (whole or fields[name])}
    return Audience(**(kept | said))


def widens(before: Audience, after: Audience) -> bool:
    """Whether somebody may see it afterwards who might not before."""
    return any(not _within(getattr(after, name), getattr(before, name)) for name, _ in _KINDS)


def change_of(before: Audience, after: Audience) -> str:
    """What becomes of the audience, as people are told; empty where nothing does."""
    if before == after:
        return ""
    whom = f"原来{people(before)}能看到，写入后{people(after)}能看到"
    if not widens(before, after):
        return f"可见范围会变窄：{whom}，其他人就没有这个答案了"
    return f"可见范围会{'变宽' if not widens(after, before) else '改变'}：{whom}"


def people(audience: Audience) -> str:
    """`只有公司“1000”的人员组“finance”`, since both must hold, or 所有人都."""
    named = [f"{what}“{'、'.join(sorted(names))}”" for name, what in _KINDS if (names := getattr(audience, name))]
    return f"只有{'的'.join(named)}" if named else "所有人都"


def _within(some: frozenset[str], others: frozenset[str]) -> bool:
    return not others or bool(some) and some <= others
