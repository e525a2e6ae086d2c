"""What would become of each row: a new entry, a change, nothing, or a question for a person, since it collides.

A row collides when its standard question is, but for punctuation and case, a question of another entry or of an
earlier row, and some company may see both on some day. A row that names its entry by id collides only where it brings a
question that the entry did not have, where the entry has changed since the row was exported, or where others than now would
see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.database import Database
from kb import limits
from kb.care.drafts import DraftRow, new_id
from kb.entries import Entry
from kb.ingest.fields import Line, Period, says_the_same, validity_of
from kb.ingest.reach import audience_with, change_of, widens
from kb.ingest.revisions import last_changes, said_at, states
from kb.store import EntryRow, entry_from_dict, entry_to_dict
from kb.words import bare

_AT_ONCE = 500


class Asked(NamedTuple):
    """A question of an entry as the entry words it; `companies` may see it in its `period`, all of them where there are none."""

    entry_id: str
    question: str
    standard: bool
    companies: frozenset[str]
    period: Period


@dataclass
class Known:
    """The entries that have a question of the file, by question."""

    by_question: dict[str, list[Asked]] = field(default_factory=dict)

    def of(self, question: str, line: Line, but: str = "") -> Asked | None:
        """Another entry than `but` with this question that whom the row is for may see; first its standard question, then their own."""
        found = self.all(question, line, but)
        return min(found, key=lambda one: (not one.standard, one.companies != line.companies)) if found else None

    def all(self, question: str, line: Line | Asked, but: str = "") -> list[Asked]:
        """Every other entry than `but` with this question that whom the row is for may see."""
        return [one for one in self.by_question.get(question, ()) if one.entry_id != but and _meet(one, line)]


def _meet(one: Asked | Line, other: Line) -> bool:
    """Whether somebody may see both on some day; people are in one company and in many groups, so groups keep nothing apart."""
    (begins, ends), (starts, stops) = one.period, other.period
    together = not one.companies or not other.companies or bool(one.companies & other.companies)
    return together and not (ends and starts and ends < starts) and not (stops and begins and stops < begins)


def classify(database: Database, lines: list[Line], author: str, progress: Callable[[int], None]) -> None:
    """Give every line of `author`'s file its `action` and, where it has one, the entry it is about; `progress` hears how many
    are done."""
    with database.read() as session:
        keys = {key for line in lines if not line.problems for key in line.keys}
        known = known_questions(session, keys, lambda: progress(0))
    judge = _Judge(known, author)
    for start in range(0, len(lines), _AT_ONCE):
        some = lines[start : start + _AT_ONCE]
        with database.read() as session:
            stored = stored_entries(session, _about(some, known))
            since = _since(session, some, stored)
        for line in some:
            judge.decide(line, stored, since)
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


@dataclass(frozen=True)
class _Since:
    """What became of the entries of some rows: their versions by now, who has a draft of them, what they said when the rows
    were exported (by id and version), who changed them since."""

    versions: dict[str, int]
    drafts: dict[str, str]
    then: dict[tuple[str, int], Entry]
    changes: dict[str, str]


def _since(session: Session, lines: list[Line], stored: dict[str, Entry]) -> _Since:
    exported = {(line.id, version) for line in lines if line.id and (version := line.fields.get("version"))}
    now = states(session, {line.id for line in lines if line.id} | set(stored))
    versions = {one: version for one, (version, _) in now.items()}
    stale = {(one, version) for one, version in exported if version != versions[one]}
    drafts = {one: draft for one, (_, draft) in now.items() if draft}
    return _Since(
        versions, drafts, said_at(session, stale), last_changes(session, {(one, versions[one]) for one, _ in stale})
    )


def _about(lines: list[Line], known: Known) -> set[str]:
    ids = {line.id for line in lines if line.id}
    for line in lines:
        if not line.problems and (hit := known.of(line.keys[0], line, line.id)):
            ids.add(hit.entry_id)
    return ids


def known_questions(
    session: Session, keys: Iterable[str], progress: Callable[[], None], since: datetime | None = None
) -> Known:
    """Which entries, and drafts of new ones, ask these bare questions; of those only that were written `since`."""
    known = Known({key: [] for key in keys if key})
    for n, (entry_id, question, similar, audience, *period) in enumerate(_all_questions(session, since)):
        companies = frozenset((audience or {}).get("companies", ()))
        begins, ends = (day or "" for day in period)
        for at, one in enumerate((question, *similar)):
            if (entries := known.by_question.get(bare(one))) is not None:
                entries.append(Asked(entry_id, one, at == 0, companies, (begins, ends)))
        if n % 1000 == 0:
            progress()
    return known


def _all_questions(session: Session, since: datetime | None) -> Iterator[Sequence[Any]]:
    """`(entry id, question, similar questions, audience, first day, last day)` of every entry and every new draft."""
    for table, key, where in (
        (EntryRow, EntryRow.id, EntryRow.deleted.is_(False)),
        (DraftRow, DraftRow.entry_id, (DraftRow.base_version == 0) & DraftRow.deletes.is_(False)),
    ):
        parts = [table.body[name] for name in ("similar", "audience", "effective_from", "effective_to")]
        query = select(key, table.question, *parts).where(where).order_by(key)
        if since is not None:
            query = query.where(table.updated_at >= since)
        yield from session.execute(query.execution_options(yield_per=1000))


class _Judge:
    def __init__(self, known: Known, author: str) -> None:
        self._known = known
        self._author = author
        self._asking: dict[str, list[Line]] = {}
        self._by_id: dict[str, Line] = {}

    def decide(self, line: Line, stored: dict[str, Entry], since: _Since) -> None:
        if not line.problems:
            if line.id:
                self._named(line, stored, since)
            else:
                self._unnamed(line, stored)
        if line.problems:
            line.action, line.entry_id = "invalid", None
            return
        if line.action in ("create", "update"):
            self._warn(line)
        if line.action == "update" or (line.action == "collide" and line.other_line is None):
            self._tell_of_draft(line, since)
        line.seen = {one: since.versions.get(one, 0) for one in (line.entry_id, line.other_id) if one}
        line.met = [one.entry_id for one in self._known.all(line.keys[0], line, line.entry_id or "")]
        if line.id:
            self._by_id.setdefault(line.id, line)
        for key in line.keys:
            if key:
                self._asking.setdefault(key, []).append(line)

    def _earlier(self, key: str, line: Line) -> Line | None:
        """The first row that asks the same of somebody who may see this one too."""
        return next((one for one in self._asking.get(key, ()) if _meet(one, line)), None)

    def _named(self, line: Line, stored: dict[str, Entry], since: _Since) -> None:
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
            if self._untouched(line, since):
                return
            own = {bare(one) for one in entry.questions}
            line.action = "update"
            new = line.keys[0] not in own
            if not self._asks_of_its_entry(line, entry, since):
                if new:
                    self._collide(line, stored)
            elif new and (hit := self._known.of(line.keys[0], line, line.id)):
                line.notes.append(f"改后的标准问与条目 {hit.entry_id} 的“{hit.question}”相同，请核对")
            return
        if since.versions[line.id] and self._untouched(line, since):
            return
        self._complete(line, None)
        line.action = "create"
        if not limits.is_id(line.id):
            line.problems.append(limits.WRONG_ID)
        if since.versions[line.id]:
            line.notes.append("这个编号的条目曾被停用，将重新启用")
        if not line.problems and not self._asks_of_its_entry(line, None, since):
            self._collide(line, stored)

    def _untouched(self, line: Line, since: _Since) -> bool:
        """Whether nobody has edited the row since it was exported, but somebody the entry: the row then says nothing."""
        then = since.then.get((line.id, line.fields.get("version") or 0))
        if then is None or not says_the_same(then, line.fields):
            return False
        self._same(
            line,
            line.id,
            f"{since.changes.get(line.id, '已有人改过')}这条知识，而文件里的这一行还是导出时的样子；保持现在的内容",
        )
        return True

    def _asks_of_its_entry(self, line: Line, entry: Entry | None, since: _Since) -> bool:
        """Ask before a row undoes what somebody has changed since it was exported, and before it shows the entry to others."""
        exported, current = line.fields.get("version"), since.versions[line.id]
        asking = []
        if exported and current and exported != current:
            who = f"{since.changes[line.id]}，" if line.id in since.changes else ""
            asking.append(
                f"文件里是条目的第 {exported} 版，现在是第 {current} 版（{who}与文件不同）；选“覆盖”以文件为准，选“跳过”保持现状"
            )
        if entry and (
            change := change_of(entry.audience, after := audience_with(entry.audience, line.fields, whole=True))
        ):
            if widens(entry.audience, after):
                line.reach = change
                asking.append(f"{change}；确实如此请选“覆盖”")
            else:
                line.notes.append(change)
        if asking:
            line.action, line.other_id, line.other_line = "collide", line.id, None
            line.other_question = entry.question if entry else line.question
            line.notes += asking
        return bool(asking)

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
            if other := stored.get(hit.entry_id):
                line.reach = change_of(other.audience, audience_with(other.audience, line.fields, whole=False))
            if line.reach:
                line.notes.append(f"若选“覆盖”，{line.reach}；要各答各的，请选“新建”")
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

    def _tell_of_draft(self, line: Line, since: _Since) -> None:
        """A draft of the entry that the row would change: somebody else's keeps the row out, one's own is replaced."""
        about = (line.entry_id if line.action == "update" else line.other_id) or ""
        drafted_by = since.drafts.get(about)
        if drafted_by is None:
            return
        if drafted_by != self._author:
            line.notes.append(f"{drafted_by} 对条目 {about} 的修改还没有审核，处理完之前这一行写不进去")
        elif since.versions[about]:
            line.notes.append(f"您对条目 {about} 还有没审核完的修改，送审这次导入会替换它；要保留请先提交并等它批准")


def _audience(line: Line) -> tuple[Any, ...]:
    return line.fields.get("companies"), line.fields.get("groups")


def _content(line: Line) -> dict[str, Any]:
    return {name: value for name, value in line.fields.items() if name != "id"}


def _where(earlier: Line, line: Line) -> str:
    return f"第 {earlier.line} 行" if earlier.sheet == line.sheet else f"工作表“{earlier.sheet}”第 {earlier.line} 行"
