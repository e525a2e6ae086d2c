"""What changed between two versions of an entry, field by field, as people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from kb.care.drafts import DraftRow
from kb.store import EntryVersionRow, entry_from_dict, entry_to_dict


def _lines(values: list[str]) -> str:
    return "\n".join(values)


def _audience(audience: dict[str, list[str]]) -> str:
    named = [("公司", audience.get("companies")), ("人员组", audience.get("groups"))]
    return _lines([f"{name}：{'、'.join(values)}" for name, values in named if values]) or "所有人"


def _sources(sources: list[dict[str, Any]]) -> str:
    return _lines([f"{one['label']}：{one['quote']}" if one.get("quote") else one["label"] for one in sources])


def _text(value: Any) -> str:
    return str(value or "")


FIELDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "question": ("标准问", _text),
    "similar": ("相似问", _lines),
    "answer": ("答案", _text),
    "business_type": ("业务类型", _text),
    "scenes": ("适用场景", _lines),
    "audience": ("可见范围", _audience),
    "sources": ("依据", _sources),
    "effective_from": ("生效日期", _text),
    "effective_to": ("失效日期", _text),
    "review_on": ("复核日期", _text),
    "related": ("后续问题", _lines),
    "owner": ("负责组", _text),
    "title": ("标题", _text),
    "extra": ("其他信息", lambda pairs: _lines([f"{name}：{value}" for name, value in pairs])),
}


def compare(before: dict[str, Any] | None, after: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields that differ, as `{field, label, before, after, lines: [{op, text}]}` with op ` `, `+` or `-`.

    Both are bodies of entries (`entry_to_dict`); without `before` everything is new.
    """
    old = whole(before) if before is not None else None
    new = whole(after)
    found = []
    for name, (label, told) in FIELDS.items():
        was, becomes = told(old[name]) if old else "", told(new[name])
        if was != becomes:
            found.append({"field": name, "label": label, "before": was, "after": becomes, "lines": lines(was, becomes)})
    return found


def lines(before: str, after: str) -> list[dict[str, str]]:
    """Two texts line by line as `{op, text}`: what stays, what goes, what comes."""
    return list(_steps(before.splitlines(), after.splitlines()))


def _steps(old: list[str], new: list[str]) -> Iterator[dict[str, str]]:
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from ({"op": " ", "text": text} for text in old[a:b])
        else:
            yield from ({"op": "-", "text": text} for text in old[a:b])
            yield from ({"op": "+", "text": text} for text in new[c:d])


def whole(body: dict[str, Any]) -> dict[str, Any]:
    """A body that was stored before the entry had all its fields gets the rest."""
    return entry_to_dict(entry_from_dict(body))


def version_of(session: Session, entry_id: str, version: int) -> EntryVersionRow:
    """Raises NotFound."""
    row = session.get(EntryVersionRow, (entry_id, version)) if 0 < version < 2**31 else None
    if row is None:
        raise NotFound(f"知识 {entry_id} 没有第 {version} 版，请刷新页面。")
    return row


def body_at(session: Session, entry_id: str, version: str) -> dict[str, Any] | None:
    """The body of a version by its number, or of the `draft`; None for 0, the time before the first. Raises NotFound."""
    if version == "draft":
        draft = session.get(DraftRow, entry_id)
        if draft is None:
            raise NotFound("这条知识没有草稿，可能已被审核或撤销，请刷新页面。", code="no_draft")
        return draft.body
    if version == "0":
        return None
    return version_of(session, entry_id, int(version) if version.isdecimal() and len(version) < 10 else -1).body


def versions_of(session: Session, entry_id: str) -> list[dict[str, Any]]:
    """`{version, author, reviewer, retired, at}`, newest first."""
    rows = session.execute(
        select(
            EntryVersionRow.version,
            EntryVersionRow.author,
            EntryVersionRow.reviewer,
            EntryVersionRow.retired,
            EntryVersionRow.at,
        )
        .where(EntryVersionRow.entry_id == entry_id)
        .order_by(EntryVersionRow.version.desc())
    )
    return [
        {
            "version": row.version,
            "author": row.author,
            "reviewer": row.reviewer,
            "retired": row.retired,
            "at": row.at.isoformat(),
        }
        for row in rows
    ]
