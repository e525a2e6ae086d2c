"""The fields of an entry that a row of a file carries: read from its cells, and put on an entry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from openpyxl.utils import get_column_letter

from core.errors import InvalidInput
from kb import limits
from kb.entries import Entry
from kb.ingest import audiences, marks, values
from kb.ingest.columns import LABELS, Header
from kb.ingest.periods import period_of
from kb.ingest.retirement import marked_out_of_use, out_of_use
from kb.ingest.revisions import version_of
from kb.ingest.rows import PICTURE, Cell, Display, Row, ShownDay, Struck, Unusable
from kb.ingest.secrecy import keeps_inside
from kb.ingest.sources import SourceReader
from kb.ingest.workbooks import unguarded
from kb.markup import without_markup
from kb.placeholders import is_picture, placeholder_in
from kb.store import entry_from_dict, entry_to_dict
from kb.words import bare

_LONGEST = {"business_type": limits.NAME, "owner": limits.NAME, "title": limits.TITLE}
_LISTS = {
    "companies": (limits.AUDIENCE, limits.AUDIENCES),
    "groups": (limits.AUDIENCE, limits.AUDIENCES),
    "scenes": (limits.SCENE, limits.SCENES),
    "related": (limits.ID, limits.RELATED),
    "sources": (limits.SOURCE, limits.SOURCES),
}
_DAYS = ("effective_from", "effective_to", "review_on")
_TEXTS = ("question", "similar", "answer", "answer_more")
_AUDIENCES = {"audience": audiences.audience_of, "companies": audiences.companies_of, "groups": audiences.groups_of}


Period = tuple[str, str]
"""A first and a last day as ISO dates, "" where there is none."""


@dataclass
class Line:
    """One row of a file, perhaps with further rows that hold more similar questions of it.

    `fields` has only what the file has a column for, as JSON values. `problems` forbid its import; `notes` do not.
    `companies` are those that may see it, all of them where there are none; `period` is its first and its last day. `below` is
    a row whose question is merged with that of the row above. `seen` are the versions of the entries that it is about, `met` the
    entries that ask the same by now, `reach` how an audience would change that somebody has to agree to.
    """

    n: int
    sheet: str
    line: int
    fields: dict[str, Any]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    last_line: int = 0
    below: bool = False
    action: str = ""
    shown_question: str = ""
    companies: frozenset[str] = frozenset()
    period: Period = ("", "")
    entry_id: str | None = None
    other_id: str | None = None
    other_question: str | None = None
    other_line: int | None = None
    seen: dict[str, int] = field(default_factory=dict)
    met: list[str] = field(default_factory=list)
    reach: str = ""

    @cached_property
    def keys(self) -> list[str]:
        """The questions without punctuation and case, the standard one first; to be asked for once they are final."""
        return [bare(one) for one in (self.question, *self.fields.get("similar", ()))]

    @property
    def question(self) -> str:
        return self.fields.get("question", "")

    @property
    def id(self) -> str:
        return self.fields.get("id", "")


class FieldReader:
    """Reads the rows of one sheet by its header."""

    def __init__(self, header: Header, sources: SourceReader) -> None:
        self.header = header
        self._sources = sources
        self._field_of = {column: name for name, columns in header.fields.items() for column in columns}
        self._guarded = {name for name in header.aside.values() if audiences.guards(name)}
        self._unnamed: dict[int, str] = {}
        self._hidden: frozenset[int] = frozenset()
        self._marks = {f"“{name}”列的列名": mark for name, mark in header.marks.items()}

    def keep_inside(self, where: str, mark: str) -> None:
        """`where` stands `mark`, such as 仅限财务部: no further row is for everybody unless it says so; "" takes it back."""
        self._marks[where] = mark

    @property
    def names(self) -> list[tuple[str, str | None]]:
        """The name and the field of every column; of those without a header the ones that held something."""
        return [*self.header.names, *((name, None) for _, name in sorted(self._unnamed.items()))]

    @property
    def hidden_columns(self) -> list[str]:
        """The columns that were read although their sheet does not show them."""
        named = self._field_of.keys() | self.header.aside.keys() | self._unnamed.keys()
        return [f"{get_column_letter(column + 1)} 列" for column in sorted(self._hidden & named)]

    def read(self, n: int, sheet: str, row: Row) -> Line:
        """What a row says; a cell that cannot be used is a problem of the row."""
        line = Line(n, sheet, row.line, {}, notes=list(row.notes), last_line=row.line)
        line.below = any(column in row.continued for column in self.header.fields.get("question", ()))
        self._hidden = row.hidden_columns
        cells = row.cells

        def cell(column: int) -> Cell:
            value = cells[column] if column < len(cells) else None
            if isinstance(value, str) and is_picture(value):
                value = Unusable(PICTURE)
            if isinstance(value, Unusable):
                name = self._field_of.get(column)
                harmless = name is None and self.header.aside.get(column) not in self._guarded
                harmless = harmless or isinstance(value, Struck) and name in _TEXTS
                told = line.notes if harmless else line.problems
                told.append(f"{get_column_letter(column + 1)} 列{value.reason}")
                return None
            if isinstance(value, ShownDay):
                return value.shown if self._field_of.get(column) in (None, *_TEXTS) else value
            return self._displayed(line, column, value) if isinstance(value, Display) else value

        found = {name: [cell(column) for column in columns] for name, columns in self.header.fields.items()}
        for name, cells_of_it in found.items():
            try:
                self._read_field(line, name, cells_of_it, found)
            except InvalidInput as error:
                line.problems.append(error.message)
        _read_period(line, found)
        line.problems += self._undecided(row)
        if aside := self.header.aside | self._without_header(row):
            line.fields["aside"] = [[name, values.text_of(cell(column))] for column, name in aside.items()]
        if row.hidden:
            line.notes.append("这一行在表格里被隐藏或筛掉了，仍然读取；不要的请在表格里删去")
        if ended := _out_of_use(line):
            line.problems = [ended]
            return line
        self._check_audience(line, says_who=_says_who(found))
        line.companies = frozenset(line.fields.get("companies", ()))
        line.period = validity_of(line.fields)
        if not line.problems:
            line.problems += _limits(line.fields)
        return line

    def _displayed(self, line: Line, column: int, cell: Display) -> str:
        """What texts show; the plain value for everything else. A link goes into the answer, or into the notes."""
        name = self._field_of.get(column)
        if cell.shown is None and name in _TEXTS:
            line.problems.append(
                f"{get_column_letter(column + 1)} 列的数字格式我们不认识，文件里的数是 {cell}，和表格里显示的可能不同；请改成文字再导入"
            )
        text = cell.shown if cell.shown is not None and (name is None or name in _TEXTS) else str(cell)
        if not cell.link or values.names_address(text, cell.link):
            return text
        if name == "answer" and values.is_web(cell.link):
            return values.linked(text, cell.link)
        line.notes.append(f"{get_column_letter(column + 1)} 列单元格的链接没有导入：{cell.link[:200]}")
        return text

    def _undecided(self, row: Row) -> list[str]:
        """Where a second column could be the answer or a day as well, for us to take neither."""
        found = []
        for column, taken in self.header.rivals.items():
            if column < len(row.cells) and row.cells[column] is not None:
                field = self._field_of[taken]
                name = next(name for name, of in self.header.names if of == field)
                first = f"{get_column_letter(taken + 1)} 列“{name}”"
                other = f"{get_column_letter(column + 1)} 列"
                if also := self.header.aside.get(column):
                    other += f"“{also}”"
                found.append(
                    f"{first}和 {other}都可能是“{LABELS[field]}”，分不清用哪一列；请只留一列，另一列改名（如“备注”）或拆成单独的行"
                )
        return found

    def _check_audience(self, line: Line, *, says_who: bool) -> None:
        """What restricts a row elsewhere than in a column of the audience is a problem, unless the row `says_who` may see it."""
        for name, text in line.fields.get("aside", ()):
            try:
                if name in self._guarded:
                    audiences.must_be_public(name, text)
                elif not says_who:
                    audiences.must_not_restrict(name, text)
            except InvalidInput as error:
                line.problems.append(error.message)
                break
        if says_who:
            return
        kind = line.fields.get("business_type", "")
        told = {"“业务类型”列": kind if keeps_inside(kind) else "", **self._marks}
        if said := "、".join(f"{where}写着“{mark[:30]}”" for where, mark in told.items() if mark):
            line.problems.append(
                f"{said}，不能当作全员可见；请加“可见公司”或“可见人员组”列写明谁能看，全员可见的写“全部”"
            )

    def _without_header(self, row: Row) -> dict[int, str]:
        """The columns without a header that hold something in this row, by what they are to be called."""
        found = {
            column: f"{get_column_letter(column + 1)} 列"
            for column, value in enumerate(row.cells)
            if value is not None and column not in self._field_of and column not in self.header.aside
        }
        self._unnamed |= found
        self._guarded |= {name for column, name in found.items() if self._beside_audience(column)}
        return found

    def _beside_audience(self, column: int) -> bool:
        """Whether a column without a header follows one of the audience, as where a merged header has become CSV."""
        named = self._field_of.keys() | self.header.aside.keys()
        left = max((one for one in named if one < column), default=-1)
        return self._field_of.get(left) in _AUDIENCES or self.header.aside.get(left) in self._guarded

    def _read_field(self, line: Line, name: str, cells: list[Cell], found: dict[str, list[Cell]]) -> None:
        fields = line.fields
        text = values.text_of(cells[0])
        if name == "similar":
            texts = (_unmarked(line, name, values.text_of(cell)) for cell in cells)
            fields[name] = [one for text in texts for one in values.split_similar(text)]
        elif name == "answer":
            more = (unguarded(str(cell)) for cell in found.get("answer_more", ()) if cell is not None)
            whole = unguarded(str(cells[0])) if cells[0] is not None else ""
            fields[name] = marks.answer_of(_unmarked(line, name, values.clean(whole + "".join(more))))
        elif name in ("answer_more", "source_details", "period"):
            pass
        elif name == "question":
            fields[name] = marks.question_of(values.line_of(_unmarked(line, name, text)))
        elif name in ("id", "business_type", "owner", "title"):
            fields[name] = values.line_of(text)
        elif name in _DAYS:
            try:
                day = values.day_of(cells[0], last=name == "effective_to")
            except InvalidInput as error:
                raise InvalidInput(f"{LABELS[name]}：{error.message}") from error
            fields[name] = day.isoformat() if day else None
        elif name in ("scenes", "related"):
            fields[name] = values.names_of(text)
        elif name in _AUDIENCES:
            _restrict(fields, name, cells)
        elif name == "sources":
            labels = "\n".join(values.text_of(cell) for cell in cells)
            details = found.get("source_details", [None])[0]
            fields[name] = self._sources.read(labels, values.text_of(details))
            line.notes += self._sources.doubts(labels) if not details else []
        elif name == "version":
            fields[name] = version_of(text)
        elif name == "extra":
            pairs = values.extra_of(text)
            fields[name] = pairs if pairs is not None else [[LABELS["extra"], text]] if text else []


def _unmarked(line: Line, name: str, text: str) -> str:
    """`text` without the HTML that came along; Raises InvalidInput where that would lose something."""
    try:
        said = without_markup(text)
    except InvalidInput as error:
        raise InvalidInput(f"{LABELS[name]}里{error.message}") from error
    if said != text:
        line.notes.append(f"{LABELS[name]}里的网页标记换成了普通文字，请核对")
    return said


def _read_period(line: Line, found: dict[str, list[Cell]]) -> None:
    """The days of a column that holds both, beside those of columns of their own."""
    if "period" not in found:
        return
    try:
        period = period_of(found["period"][0])
    except InvalidInput as error:
        line.problems.append(error.message)
        return
    for name, day in zip(("effective_from", "effective_to"), period, strict=True):
        told = line.fields.get(name)
        if told and day and told != day.isoformat():
            line.problems.append(f"“有效期”里的{LABELS[name]}是 {day}，“{LABELS[name]}”列是 {told}，请核对")
        line.fields[name] = told or (day.isoformat() if day else None)


def _out_of_use(line: Line) -> str:
    """Why a row is not to be imported, as somebody has taken it out of use; "" where nobody has."""
    said = [f"“{name}”列写着“{text[:30]}”" for name, text in line.fields.get("aside", ()) if out_of_use(name, text)]
    if marked_out_of_use(line.question):
        said.append("标准问写明已停用")
    if not said:
        return ""
    stays = f"；知识库里编号 {line.id} 的条目没有改动，要停用请到知识列表操作" if line.id else ""
    return f"{said[0]}，没有导入；仍要使用的请改正后重新导入{stays}"


def _says_who(found: dict[str, list[Cell]]) -> bool:
    """Whether a row says itself who may see it, be it everybody."""
    return any(cell is not None for name in _AUDIENCES for cell in found.get(name, ()))


def _restrict(fields: dict[str, Any], name: str, cells: list[Cell]) -> None:
    """Whoever the cells of one kind of audience name, with those of the other columns."""
    for cell in cells:
        companies, groups = _AUDIENCES[name](values.text_of(cell))
        for kind, found in (("companies", companies), ("groups", groups)):
            if found or name in ("audience", kind):
                fields[kind] = sorted({*fields.get(kind, ()), *found})


def _limits(fields: dict[str, Any]) -> list[str]:
    problems = []
    if len(fields.get("question", "")) > limits.QUESTION:
        problems.append(f"标准问超过 {limits.QUESTION} 字，请精简，把说明写到答案里")
    if any(len(one) > limits.QUESTION for one in fields.get("similar", ())):
        problems.append(f"有相似问超过 {limits.QUESTION} 字，请拆开或精简")
    if len(fields.get("similar", ())) > limits.SIMILAR:
        problems.append(f"相似问超过 {limits.SIMILAR} 条，请保留有代表性的")
    if len(fields.get("answer", "")) > limits.ANSWER:
        problems.append(f"答案超过 {limits.ANSWER} 字，请拆成几条")
    if said := placeholder_in(fields.get("answer", "")):
        problems.append(f"答案只写了“{said}”，员工看不到内容；请写明答案，还没有答案的先不要导入")
    problems += [
        f"{LABELS[name]}超过 {most} 字，请精简" for name, most in _LONGEST.items() if len(fields.get(name, "")) > most
    ]
    for name, (longest, most) in _LISTS.items():
        texts = [one["label"] if isinstance(one, dict) else one for one in fields.get(name, ())]
        if any(len(text) > longest for text in texts):
            problems.append(f"{LABELS[name]}里有一项超过 {longest} 字，请精简，或检查分隔的符号")
        if len(texts) > most:
            problems.append(f"{LABELS[name]}超过 {most} 项，请精简")
    if any(len(source.get("quote") or "") > limits.QUOTE for source in fields.get("sources", ())):
        problems.append(f"依据明细里的原文超过 {limits.QUOTE} 字，请精简")
    kept = [pair for pair in (*fields.get("aside", ()), *fields.get("extra", ())) if pair[1]]
    for name, text in kept:
        if len(text) > limits.EXTRA or len(name) > limits.EXTRA_NAME:
            what = (
                f"“{name[:20]}”列超过 {limits.EXTRA} 字"
                if len(text) > limits.EXTRA
                else f"列名“{name[:20]}…”超过 {limits.EXTRA_NAME} 字"
            )
            problems.append(f"{what}，请精简或删去这一列")
    if len(kept) > limits.EXTRAS:
        problems.append(f"原样保留的列超过 {limits.EXTRAS} 个，请删去不需要的列")
    if fields.get("question") and not bare(fields["question"]):
        problems.append("标准问里没有文字，请填写员工会怎么问")
    begin, finish = fields.get("effective_from"), fields.get("effective_to")
    if begin and finish and begin > finish:
        problems.append("失效日期早于生效日期，请核对")
    return problems


def validity_of(body: dict[str, Any]) -> Period:
    """When an entry is valid, from its JSON or from the fields of a row."""
    return body.get("effective_from") or "", body.get("effective_to") or ""


def entry_with(entry: Entry, fields: dict[str, Any]) -> Entry:
    """`entry` as `fields` want it; what the file has no column for stays."""
    return entry_from_dict(_body_with(canonical(entry), fields))


def says_the_same(entry: Entry, fields: dict[str, Any]) -> bool:
    """Whether `fields` would change nothing of `entry` but white space, HTML and the order of sets."""
    body = canonical(entry)
    body["question"], body["answer"] = values.line_of(_shown(body["question"])), _shown(body["answer"])
    body["similar"] = values.distinct((values.line_of(_shown(one)) for one in body["similar"]), body["question"])
    return _body_with(dict(body, audience=dict(body["audience"])), fields) == body


def _body_with(body: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    for name in ("question", "answer", "business_type", "owner", "title", "scenes", "related", "sources", *_DAYS):
        if name in fields:
            body[name] = fields[name]
    for name in ("companies", "groups"):
        if name in fields:
            body["audience"][name] = fields[name]
    body["similar"] = values.distinct(fields.get("similar", body["similar"]), body["question"])
    if "aside" in fields or "extra" in fields:
        body["extra"] = _extra(body["extra"], fields)
    return body


def _extra(stored: list[list[str]], fields: dict[str, Any]) -> list[list[str]]:
    said = [[name, value] for name, value in fields.get("aside", ())]
    replaced = {name for name, _ in said}
    kept = [] if "extra" in fields else [pair for pair in stored if pair[0] not in replaced]
    return sorted([*kept, *([n, v] for n, v in said if v), *fields.get("extra", ())])


def canonical(entry: Entry) -> dict[str, Any]:
    """An entry's JSON as it would come back from a file: cleaned texts, sets in order. `version` is 0."""
    body = entry_to_dict(replace(entry, version=0))
    for name in ("question", "business_type", "owner", "title"):
        body[name] = values.line_of(body[name])
    body["question"] = marks.question_of(body["question"])
    body["answer"] = marks.answer_of(values.clean(body["answer"]))
    body["similar"] = values.distinct((values.line_of(one) for one in body["similar"]), body["question"])
    for name in ("scenes", "related"):
        body[name] = values.distinct(values.line_of(one) for one in body[name])
    body["audience"] = {
        name: sorted({line for one in body["audience"][name] if (line := values.line_of(one))})
        for name in ("companies", "groups")
    }
    sources = [{**source, "label": values.line_of(source["label"])} for source in body["sources"]]
    body["sources"] = [source for source in sources if source["label"]]
    body["extra"] = sorted([name, cleaned] for name, value in body["extra"] if (cleaned := values.clean(value)))
    return body


def _shown(text: str) -> str:
    try:
        return without_markup(text)
    except InvalidInput:
        return text
