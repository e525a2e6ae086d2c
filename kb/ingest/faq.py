"""Questions and answers in a sheet: every row becomes an entry, changes one, or says why not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from core.clock import today
from core.errors import Conflict, InvalidInput
from kb.ingest.applying import Plan, apply_plan, make_plan
from kb.ingest.collisions import classify
from kb.ingest.columns import Header, header_of, refined
from kb.ingest.decisions import count_actions
from kb.ingest.export import GUIDE
from kb.ingest.fields import FieldReader, Line
from kb.ingest.folding import folded
from kb.ingest.gaps import note_gaps
from kb.ingest.imports import ImportRow, LineRow
from kb.ingest.jobs import Preview, Task
from kb.ingest.policies.references import counted
from kb.ingest.retirement import sheet_out_of_use
from kb.ingest.rows import Row, Sheet, Struck
from kb.ingest.secrecy import mark_in
from kb.ingest.sheets import read_sheets
from kb.ingest.sources import SourceReader
from kb.store import documents

MOST_LINES = 100_000
SHEET_STEP = 2_000_000
"""A row's number is its line, plus this for every sheet before its own: more lines than a sheet can have."""
_HEADER_WITHIN = 30
_STORE_AT_ONCE = 2_000
_MOST_TOLD = 20
_SENTENCE = re.compile(r"[。；;，,]|^(?:说明|注|备注|注意)\s*[:：\d]")


class FaqIngester:
    """FAQ sheets: .xlsx and .csv."""

    kind = "faq"

    def read(self, task: Task) -> Preview:
        """Every row with what would become of it, stored for a person to see."""
        with task.database.read() as session:
            tables = [table for table in documents(session, "table") if not table.get("withdrawn")]
            sources = SourceReader(counted(session), tables)
        reading = _Reading(task, sources)
        lines = list(reading.lines())
        if not reading.readers:
            raise InvalidInput(
                "".join(f"{note}。" for note in reading.notes)
                + "没有找到表头。请在表格里用一行写明列名，至少要有“标准问”和“答案”；可以下载导入模板照着填写。"
            )
        if not lines:
            raise InvalidInput("表头下面没有内容，请填写后重新导入。")
        total = 2 * len(lines)
        classify(task.database, lines, task.about.author, lambda done: task.progress(done, total))
        with task.database.read() as session:
            note_gaps(session, lines, today())
        _store(task, lines, total)
        with task.database.read() as session:
            counts = count_actions(session, task.about.id)
        return Preview(counts, reading.summary())

    def check(self, session: Session, row: ImportRow) -> None:
        """Every collision has been decided, and something is there to import."""
        counts = count_actions(session, row.id)
        if counts["open"]:
            raise Conflict(
                f"还有 {counts['open']} 行与已有的知识冲突，请先逐行或统一选择：合并、覆盖、跳过或新建；"
                "会改变可见范围的行不能统一覆盖，与自己的编号冲突的行不能统一新建，请逐行选。",
                code="collisions_open",
            )

    def prepare(self, task: Task) -> Plan:
        return make_plan(task)

    def apply(self, session: Session, row: ImportRow, plan: Plan) -> dict[str, int]:
        return apply_plan(session, row, plan)


class _Reading:
    def __init__(self, task: Task, sources: SourceReader) -> None:
        self._task = task
        self._sources = sources
        self.readers: dict[str, FieldReader] = {}
        self._without: list[str] = []
        self.notes: list[str] = []

    def lines(self) -> Iterator[Line]:
        seen = 0
        for at, sheet in enumerate(read_sheets(self._task.path, self._task.about.format)):
            if sheet_out_of_use(sheet.name):
                self.notes.append(f"工作表“{sheet.name}”从名称看已经停用，没有读取；仍要导入的请改名后重新导入")
                continue
            for line in folded(self._sheet(at * SHEET_STEP, sheet)):
                seen += 1
                if seen > MOST_LINES:
                    raise InvalidInput(f"文件超过 {MOST_LINES} 行，请拆分成几个文件后分别导入。")
                yield line

    def _sheet(self, offset: int, sheet: Sheet) -> Iterator[Line]:
        reader: FieldReader | None = None
        above: Row | None = None
        count = 0
        hidden: list[int] = []
        marks = {"文件名": mark_in(Path(self._task.about.file_name).stem), "工作表名称": mark_in(sheet.name)}
        for count, row in enumerate(sheet.rows, 1):
            if reader is None:
                row = _as_header(row)
                if header := header_of(row, above):
                    reader = self._reader(sheet.name, header, marks)
                elif count >= _HEADER_WITHIN:
                    break
                else:
                    marks[f"表头上方第 {row.line} 行"] = _mark_of(row)
                above = row
            elif above is not None and (header := refined(above, _as_header(row))):
                reader, above = self._reader(sheet.name, header, marks), None
            else:
                above = None
                if _is_title(reader.header, row):
                    reader.keep_inside("上方的小标题", _mark_of(row))
                    self._tell_remark(sheet.name, row)
                elif not reader.header.repeated_by(row):
                    if row.hidden:
                        hidden.append(row.line)
                    yield reader.read(offset + row.line, sheet.name, row)
            self._task.progress(min(row.line, sheet.about), 2 * max(sheet.about, row.line))
        if reader is None and count:
            self._without.append(sheet.name)
        if reader is not None:
            self._tell_hidden(sheet.name, hidden, reader.hidden_columns)

    def _tell_remark(self, sheet: str, row: Row) -> None:
        """A sentence between the rows is no heading of a section: it may limit what stands around it."""
        text = next((" ".join(cell.split()) for cell in row.cells if isinstance(cell, str)), "")
        if _SENTENCE.search(text):
            of = f"工作表“{sheet}”" if sheet else ""
            self.notes.append(f"{of}第 {row.line} 行是跨列合并的说明，没有导入，请核对要不要写进答案：“{text[:60]}”")

    def _tell_hidden(self, sheet: str, lines: list[int], columns: list[str]) -> None:
        of = f"工作表“{sheet}”的 " if sheet else ""
        if lines:
            listed = "、".join(map(str, lines[:_MOST_TOLD])) + (" 等" if len(lines) > _MOST_TOLD else "")
            self.notes.append(
                f"{of.rstrip()}第 {listed} 行共 {len(lines)} 行被隐藏或筛掉了，仍然读取；不要的请在表格里删去后重新导入"
            )
        if columns:
            self.notes.append(f"{of}{'、'.join(columns)}被隐藏，仍然读取；不要的请在表格里删去后重新导入")

    def _reader(self, sheet: str, header: Header, marks: dict[str, str]) -> FieldReader:
        self.readers[sheet] = reader = FieldReader(header, self._sources)
        for where, mark in marks.items():
            reader.keep_inside(where, mark)
        return reader

    def summary(self) -> dict[str, Any]:
        """Which column was taken for what; sheets that were passed over, since they have no header; what else to know."""
        columns = dict.fromkeys(name for reader in self.readers.values() for name in reader.names)
        return {
            "columns": [{"header": name, "field": field} for name, field in columns],
            "sheets": [name for name in self.readers if name],
            "ignored": [name for name, field in columns if field is None],
            "passed_over": [name for name in self._without if name and name != GUIDE],
            "notes": self.notes,
        }


def _as_header(row: Row) -> Row:
    """A row as a header, whose names count struck out or not: a column of the audience stays one."""
    if not any(isinstance(cell, Struck) for cell in row.cells):
        return row
    return replace(row, cells=[cell.text if isinstance(cell, Struck) else cell for cell in row.cells])


def _mark_of(row: Row) -> str:
    return next((mark for cell in row.cells if isinstance(cell, str) and (mark := mark_in(cell))), "")


def _is_title(header: Header, row: Row) -> bool:
    """A heading between the rows, merged across question and answer."""
    shown = [column for name in ("question", "answer") for column in header.fields.get(name, ())]
    return len(shown) > 1 and any(
        first <= min(shown)
        and max(shown) <= last
        and all(cell is None for column, cell in enumerate(row.cells) if not first <= column <= last)
        for first, last in row.merged
    )


def _store(task: Task, lines: list[Line], total: int) -> None:
    """Keep the rows for a person to see; what an interrupted reading left goes first."""
    table = LineRow.__table__
    with task.database.write() as session:
        session.execute(delete(LineRow).where(LineRow.import_id == task.about.id))
    for start in range(0, len(lines), _STORE_AT_ONCE):
        some = lines[start : start + _STORE_AT_ONCE]
        with task.database.write() as session:
            session.execute(insert(table), [_values(task.about.id, line) for line in some])
        task.progress(len(lines) + start + len(some), total)


def _values(import_id: str, line: Line) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "n": line.n,
        "sheet": line.sheet[:100],
        "line": line.line,
        "action": line.action,
        "resolution": None,
        "outcome": None,
        "message": "；".join([*line.problems, *line.notes]),
        "question": line.question or line.shown_question,
        "entry_id": line.entry_id,
        "other_id": line.other_id,
        "other_question": line.other_question,
        "other_line": line.other_line,
        "body": line.fields | {"seen": line.seen, "met": line.met, "reach": line.reach},
    }
