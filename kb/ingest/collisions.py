"""What would become of each row: a new entry, a change, nothing, or a question for a person, since it collides.

A row collides when its standard question is, but for punctuation and case, a question of another entry or of an
earlier row, and some company may see both on some day. A row that names its entry by id collides only where it brings a question that
the entry did not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.database import Database
from kb.care.drafts import DraftRow, new_id
from kb.entries import Entry
from kb.ingest.fields import Line, Period, says_the_same, validity_of
from kb.store import EntryRow, entry_from_dict, entry_to_dict
from kb.words import bare

_AT_ONCE = 500
_ID = re.compile(r"[^\s/\\#?%&\"'<>]{1,64}")


class _Asked(NamedTuple):
    """A question of an entry as the entry words it; `companies` may see it in its `period`, all of them where there are none."""

    entry_id: str
    question: str
    standard: bool
    companies: frozenset[str]
    period: Period


@dataclass
class _Known:
    """The entries that have a question of the file, by question."""

    by_question: dict[str, list[_Asked]] = field(default_factory=dict)

    def of(self, question: str, line: Line, but: str = "") -> _Asked | None:
        """Another entry than `but` with this question that whom the row is for may see; first its standard question, then their own."""
        found = [one for one in self.by_question.get(question, ()) if one.entry_id != but and _meet(one, line)]
        return min(found, key=lambda one: (not one.standard, one.companies != line.companies)) if found else None


def _meet(one: _Asked | Line, other: Line) -> bool:
    """Whether somebody may see both on some day; people are in one company and in many groups, so groups keep nothing apart."""
    (begins, ends), (starts, stops) = one.period, other.period
    together = not one.companies or not other.companies or bool(one.companies & other.companies)
    return together and not (ends and starts and ends < starts) and not (stops and begins and stops < begins)


def classify(database: Database, lines: list[Line], progress: Callable[[int], None]) -> None:
    """Give every line its `action` and, where it has one, the entry it is about; `progress` hears how many are done."""
    known = _known(database, lines, progress)
    judge = _Judge(known)
    for start in range(0, len(lines), _AT_ONCE):
        some = lines[start : start + _AT_ONCE]
        with database.read() as session:
            stored = stored_entries(session, _about(some, known))
            retired = _retired(session, {line.id for line in some if line.id} - set(stored))
        for line in some:
            judge.decide(line, stored, retired)
        progress(start + len(some))


def stored_entries(session: Session, ids: Iterable[str]) -> dict[str, Entry]:
    """Entries by id as they are now; one that is only proposed as its draft has it."""
    ids = list(ids)
    found: dict[str, Entry] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        drafts = select(DraftRow.body).where(
            DraftRow.entry_id.in_(some), DraftRow.base_version == 0, DraftRow.deletes.is_(False)
        )
        live = select(EntryRow.body).where(EntryRow.id.in_(some), EntryRow.deleted.is_(False))
        for query in (drafts, live):
            found |= {body["id"]: entry_from_dict(body) for body in session.scalars(query)}
    return found


def _retired(session: Session, ids: set[str]) -> set[str]:
    wanted = sorted(ids)
    return {
        one
        for start in range(0, len(wanted), _AT_ONCE)
        for one in session.scalars(
            select(EntryRow.id).where(EntryRow.id.in_(wanted[start : start + _AT_ONCE]), EntryRow.deleted.is_(True))
        )
    }


def _about(lines: list[Line], known: _Known) -> set[str]:
    ids = {line.id for line in lines if line.id}
    for line in lines:
        if not line.problems and not line.id and (hit := known.of(line.keys[0], line)):
            ids.add(hit.entry_id)
    return ids


def _known(database: Database, lines: list[Line], progress: Callable[[int], None]) -> _Known:
    known = _Known({key: [] for line in lines if not line.problems for key in line.keys})
    known.by_question.pop("", None)
    with database.read() as session:
        for n, (entry_id, question, similar, audience, *period) in enumerate(_all_questions(session)):
            companies = frozenset((audience or {}).get("companies", ()))
            begins, ends = (day or "" for day in period)
            for at, one in enumerate((question, *similar)):
                if (entries := known.by_question.get(bare(one))) is not None:
                    entries.append(_Asked(entry_id, one, at == 0, companies, (begins, ends)))
            if n % 1000 == 0:
                progress(0)
    return known


def _all_questions(session: Session) -> Iterator[Sequence[Any]]:
    """`(entry id, question, similar questions, audience, first day, last day)` of every entry and every new draft."""
    for table, key, where in (
        (EntryRow, EntryRow.id, EntryRow.deleted.is_(False)),
        (DraftRow, DraftRow.entry_id, (DraftRow.base_version == 0) & DraftRow.deletes.is_(False)),
    ):
        parts = [table.body[name] for name in ("similar", "audience", "effective_from", "effective_to")]
        query = select(key, table.question, *parts).where(where).order_by(key)
        yield from session.execute(query.execution_options(yield_per=1000))


class _Judge:
    def __init__(self, known: _Known) -> None:
        self._known = known
        self._asking: dict[str, list[Line]] = {}
        self._by_id: dict[str, Line] = {}

    def decide(self, line: Line, stored: dict[str, Entry], retired: set[str]) -> None:
        if not line.problems:
            if line.id:
                self._named(line, stored, retired)
            else:
                self._unnamed(line, stored)
        if line.problems:
            line.action, line.entry_id = "invalid", None
            return
        if line.action in ("create", "update"):
            self._warn(line)
        if line.id:
            self._by_id.setdefault(line.id, line)
        for key in line.keys:
            if key:
                self._asking.setdefault(key, []).append(line)

    def _earlier(self, key: str, line: Line) -> Line | None:
        """The first row that asks the same of somebody who may see this one too."""
        return next((one for one in self._asking.get(key, ()) if _meet(one, line)), None)

    def _named(self, line: Line, stored: dict[str, Entry], retired: set[str]) -> None:
        if earlier := self._by_id.get(line.id):
            if earlier.fields == line.fields:
                self._same(line, line.id, f"与{_where(earlier, line)}完全相同")
            else:
                line.problems.append(f"编号 {line.id} 在{_where(earlier, line)}已经出现，内容不同，请只保留一行")
            return
        line.entry_id = line.id
        if entry := stored.get(line.id):
            line.shown_question = entry.question
            if "companies" not in line.fields:
                line.companies = entry.audience.companies
            line.period = validity_of({**entry_to_dict(entry), **line.fields})
            self._complete(line, entry)
            if says_the_same(entry, line.fields):
                self._same(line, line.id, "与现有内容相同")
                return
            own = {bare(one) for one in entry.questions}
            line.action = "update"
            if line.keys[0] not in own:
                self._collide(line, stored)
            return
        self._complete(line, None)
        line.action = "create"
        if not _ID.fullmatch(line.id):
            line.problems.append("编号最长 64 个字符，不能含空格和 / \\ # ? % & 引号、尖括号；也可以留空由系统编号")
        if line.id in retired:
            line.notes.append("这个编号的条目曾被停用，将重新启用")
        self._collide(line, stored)

    def _unnamed(self, line: Line, stored: dict[str, Entry]) -> None:
        self._complete(line, None)
        earlier = self._earlier(line.keys[0], line)
        if earlier is not None and _content(earlier) == _content(line):
            self._same(line, earlier.entry_id, f"与{_where(earlier, line)}完全相同")
            return
        hit = self._known.of(line.keys[0], line)
        if hit and hit.standard and hit.entry_id in stored and says_the_same(stored[hit.entry_id], line.fields):
            self._same(line, hit.entry_id, "与现有内容相同")
            return
        line.action, line.entry_id = "create", new_id()
        self._collide(line, stored)

    def _complete(self, line: Line, entry: Entry | None) -> None:
        if not line.question and (entry is None or "question" in line.fields):
            missing = "标准问"
            line.problems.append(
                f"缺少{missing}，请填写" if not line.id else f"缺少{missing}，编号 {line.id} 也不在知识库中，请填写"
            )
        if not line.fields.get("answer") and (entry is None or "answer" in line.fields):
            line.problems.append("缺少答案，请填写")

    def _same(self, line: Line, entry_id: str | None, why: str) -> None:
        line.action, line.entry_id = "same", entry_id
        line.notes.append(why)

    def _collide(self, line: Line, stored: dict[str, Entry]) -> None:
        key = line.keys[0]
        if not key or line.problems:
            return
        earlier = self._earlier(key, line)
        if hit := self._known.of(key, line, line.id):
            line.action, line.other_id, line.other_question = "collide", hit.entry_id, hit.question
            line.notes.append(f"与条目 {hit.entry_id} 的{'标准问' if hit.standard else '相似问'}“{hit.question}”相同")
            if earlier:
                line.notes.append(f"{_where(earlier, line)}也问这个问题")
        elif earlier:
            line.action, line.other_line, line.other_id = "collide", earlier.n, earlier.entry_id
            line.other_question = earlier.question or earlier.shown_question
            apart = "，可见范围不同；要各答各的，请选“新建”" if _audience(earlier) != _audience(line) else ""
            line.notes.append(f"与{_where(earlier, line)}的问题相同{apart}")

    def _warn(self, line: Line) -> None:
        for question, key in zip(line.fields.get("similar", ()), line.keys[1:], strict=True):
            if hit := self._known.of(key, line, line.entry_id or ""):
                line.notes.append(f"相似问“{question}”也是条目 {hit.entry_id} 的问法，请核对应归哪一条")
                return
            if (earlier := self._earlier(key, line)) and earlier.entry_id != line.entry_id:
                line.notes.append(f"相似问“{question}”也出现在{_where(earlier, line)}，请核对应归哪一条")
                return


def _audience(line: Line) -> tuple[Any, ...]:
    return line.fields.get("companies"), line.fields.get("groups")


def _content(line: Line) -> dict[str, Any]:
    return {name: value for name, value in line.fields.items() if name != "id"}


def _where(earlier: Line, line: Line) -> str:
    return f"第 {earlier.line} 行" if earlier.sheet == line.sheet else f"工作表“{earlier.sheet}”第 {earlier.line} 行"
