"""All entries as a sheet that an import reads back without any change, and the empty template of one."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from openpyxl import Workbook
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kb.entries import Entry
from kb.ingest import values
from kb.ingest.audiences import guards
from kb.ingest.columns import LABELS, field_of
from kb.ingest.fields import canonical
from kb.ingest.retirement import out_of_use
from kb.ingest.rows import MOST_COLUMNS
from kb.ingest.secrecy import restricts
from kb.ingest.workbooks import guarded, new_sheet, text_cells
from kb.store import EntryRow, entry_from_dict

_FIELDS = [name for name in LABELS if name not in ("audience", "extra", "title", "version", "period")]
_WIDTHS = {"标准问": 36, "相似问": 40, "答案": 60, "依据": 30}
_MOST_IN_CELL = 32_000
"""Excel refuses a cell of more than 32,767 characters."""
_MOST_ASIDE = 150
_SHEET = "知识条目"
GUIDE = "填写说明"
"""The sheet of the template that tells what to write where; an import passes it over without a word."""

_EXAMPLE = {
    "question": "差旅报销需要在多少天内提交？",
    "similar": "出差回来多久之内要报销\n差旅费报销有时间限制吗",
    "answer": "出差结束后 30 天内提交报销单。",
    "business_type": "差旅",
    "effective_from": "2026-01-01",
    "sources": "《差旅费管理办法》第十二条",
    "owner": "费用组",
}
_HINTS = {
    "id": "留空由系统编号；填已有编号则更新那一条",
    "question": "必填，每行一个",
    "similar": "一行一个，或用 | 隔开；也可以分多列：相似问1、相似问2…",
    "answer": "必填",
    "business_type": "如 差旅、发票、借款",
    "companies": "公司编码，一行一个；留空为所有公司",
    "groups": "人员组名称，一行一个；留空为所有员工",
    "scenes": "费用系统的页面或页面/节点，一行一个",
    "effective_from": "如 2026-01-31，留空为一直有效",
    "effective_to": "最后有效的一天，留空为长期",
    "sources": "如 《差旅费管理办法》第十二条，一行一个",
    "source_details": "导出时由系统填写，不用改",
    "related": "相关条目的编号，一行一个",
    "owner": "由谁维护",
    "review_on": "下次复核的日期",
}


def write_entries(session: Session, path: Path) -> int:
    """Write every entry, retired ones aside, to a .xlsx or .csv file by its name; return how many."""
    if session.get_bind().dialect.name == "postgresql":  # The passes below must see the same entries.
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    aside = _aside_names(session)
    most = _most_columns(session)
    header = [LABELS[name] for name in _FIELDS for _ in range(most.get(name, 1))]
    first = header.index(LABELS["answer"])
    header[first + 1 : first + most["answer"]] = [f"答案续{n}" for n in range(1, most["answer"])]
    header += [LABELS["title"], *aside, LABELS["extra"], LABELS["version"]]
    rows = (_cells(entry, aside, most) for entry in _entries(session))
    return _write_csv(path, header, rows) if path.suffix.lower() == ".csv" else _write_xlsx(path, header, rows)


def write_template(path: Path) -> None:
    """An empty sheet with every column; what to write where, with an example, stands on a second one."""
    book = Workbook(write_only=True)
    names = [name for name in _FIELDS if name != "source_details"]
    new_sheet(book, _SHEET, [LABELS[name] for name in names], _WIDTHS)
    hints = new_sheet(book, GUIDE, ["列名", "怎么填", "例子"], {"怎么填": 60, "例子": 40})
    for name in names:
        hints.append(text_cells(hints, [LABELS[name], _HINTS.get(name, ""), _EXAMPLE.get(name, "")]))
    hints.append(text_cells(hints, ["其他列", "可以自己加列，内容会原样保留在条目里"]))
    book.save(path)


def _entries(session: Session) -> Iterator[Entry]:
    query = select(EntryRow.body).where(EntryRow.deleted.is_(False)).order_by(EntryRow.id)
    for body in session.scalars(query.execution_options(yield_per=500)):
        yield entry_from_dict(body)


def _aside_names(session: Session) -> list[str]:
    """The names kept aside that can be a column of their own, the most frequent first."""
    counted: Counter[str] = Counter()
    for entry in _entries(session):
        counted.update({name for name, _ in entry.extra})
    return [name for name, _ in counted.most_common() if _can_head(name)][:_MOST_ASIDE]


def _can_head(name: str) -> bool:
    return (
        bool(name) and len(name) <= 60 and values.line_of(name) == name and field_of(name) is None and not guards(name)
    )


def _most_columns(session: Session) -> dict[str, int]:
    most = {"similar": 1, "answer": 1}
    for entry in _entries(session):
        most["similar"] = max(most["similar"], len(_similar_cells(list(entry.similar))))
        most["answer"] = max(most["answer"], -(-len(entry.answer) // _MOST_IN_CELL))
    return {**most, "similar": min(most["similar"], MOST_COLUMNS // 4)}


def _similar_cells(similar: list[str]) -> list[str]:
    cells = [""]
    for one in similar:
        line = values.join_similar([one])
        if cells[-1] and len(cells[-1]) + len(line) >= _MOST_IN_CELL:
            cells.append("")
        cells[-1] += f"\n{line}" if cells[-1] else line
    return cells


def _cells(entry: Entry, aside: list[str], most: dict[str, int]) -> list[str]:
    """The texts of one row, as columns of `_FIELDS`, then those aside."""
    body = canonical(entry)
    cells: list[str] = []
    for name in _FIELDS:
        value = body["audience"][name] if name in ("companies", "groups") else body.get(name)
        if name == "similar":
            parts = _similar_cells(value)
            cells += parts + [""] * (most[name] - len(parts))
        elif name == "answer":
            cells += [value[n * _MOST_IN_CELL : (n + 1) * _MOST_IN_CELL] for n in range(most[name])]
        elif name == "sources":
            cells.append("\n".join(source["label"] for source in value))
        elif name == "source_details":
            cells.append(_details(body["sources"]))
        else:
            cells.append(values.join_names(value) if isinstance(value, list) else value or "")
    named = Counter(name for name, _ in body["extra"])
    own = {
        name: value
        for name, value in body["extra"]
        if named[name] == 1 and name in aside and not restricts(name, value) and not out_of_use(name, value)
    }
    rest = [pair for pair in body["extra"] if pair[0] not in own]
    cells += [body["title"], *(own.get(name, "") for name in aside)]
    return [*cells, values.as_json(rest) if rest else "", str(entry.version)]


def _details(sources: list[dict[str, object]]) -> str:
    known = [{name: value for name, value in source.items() if value is not None} for source in sources]
    return values.as_json(known) if known else ""


def _write_csv(path: Path, header: list[str], rows: Iterator[list[str]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for row in chain([header], rows):
            writer.writerow(map(guarded, row))
            count += 1
    return count - 1


def _write_xlsx(path: Path, header: list[str], rows: Iterator[list[str]]) -> int:
    book = Workbook(write_only=True)
    sheet = new_sheet(book, _SHEET, header, _WIDTHS)
    count = 0
    for row in rows:
        sheet.append(text_cells(sheet, row))
        count += 1
    book.save(path)
    return count
