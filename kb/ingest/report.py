"""What became of every row of a FAQ import: by pages for the console, whole as a sheet to download."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from kb.care.versions import compare
from kb.entries import Entry
from kb.ingest.applying import OUTCOMES
from kb.ingest.collisions import stored_entries
from kb.ingest.decisions import ACTIONS
from kb.ingest.fields import canonical, entry_with
from kb.ingest.imports import DONE, NOT_SAID, PREVIEW, ImportRow, LineRow
from kb.ingest.values import clean
from kb.ingest.workbooks import new_sheet, text_cells
from kb.store import entry_to_dict

ACTION_LABELS = {"create": "新建", "update": "更新", "same": "无变化", "collide": "冲突", "invalid": "不能导入"}
RESOLUTION_LABELS = {"merge": "合并为相似问", "overwrite": "覆盖", "skip": "跳过", "create": "新建"}
OUTCOME_LABELS = {"created": "已新建", "updated": "已更新", "merged": "已合并", "skipped": "已跳过", "failed": "未导入"}
_MOST_ANSWER = 500
_HEADER = ["工作表", "行号", "标准问", "预览", "处理方式", "结果", "条目编号", "冲突条目", "冲突问题", "说明"]
_PASSED_OVER = "没有找到表头，整张工作表没有读取；如果有问答，请用一行写明“标准问”“答案”等列名后重新导入"
_WIDTHS = {"标准问": 40, "冲突问题": 30, "说明": 60}


def rows_of(
    session: Session, row: ImportRow, *, only: str = "", page: int = 1, page_size: int = 20
) -> tuple[list[dict[str, Any]], int]:
    """Rows as the console shows them, and how many there are; `only` an action, an outcome, `open` collisions, or `noted`: those to
    be written of which there is something to tell."""
    query = select(LineRow).where(LineRow.import_id == row.id)
    if only == "open":
        query = query.where(LineRow.action == "collide", LineRow.resolution.is_(None))
    elif only == "noted":
        query = query.where(LineRow.action.in_(("create", "update", "collide")), LineRow.message != "")
    elif only in ACTIONS:
        query = query.where(LineRow.action == only)
    elif only in OUTCOMES:
        query = query.where(LineRow.outcome == (only if row.state == DONE else ""))
    elif only:
        raise InvalidInput("only 只能是行的类别、结果、open 或 noted。")
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    lines = session.scalars(query.order_by(LineRow.n).offset((page - 1) * page_size).limit(page_size)).all()
    about = {line.entry_id if line.action == "update" else line.other_id for line in lines}
    others = stored_entries(session, about - {None, ""})
    earlier = _earlier(session, row.id, [line.other_line for line in lines if line.other_line is not None])
    return [_row(row, line, others, earlier) for line in lines], total


def _earlier(session: Session, import_id: str, numbers: list[int]) -> dict[int, LineRow]:
    query = select(LineRow).where(LineRow.import_id == import_id, LineRow.n.in_(numbers))
    return {line.n: line for line in session.scalars(query)} if numbers else {}


def _changes(row: ImportRow, line: LineRow, stored: Mapping[str, Entry]) -> list[str]:
    """What a row would change of its entry, as the names of its fields; nothing once it is done."""
    entry = stored.get(line.entry_id or "")
    if row.state != PREVIEW or line.action != "update" or entry is None:
        return []
    fields = {name: value for name, value in line.body.items() if name not in NOT_SAID}
    after = entry_to_dict(entry_with(entry, fields))
    return [one["label"] for one in compare(canonical(entry), after)]


def _row(row: ImportRow, line: LineRow, others: dict[str, Any], earlier: dict[int, LineRow]) -> dict[str, Any]:
    other = None
    if line.other_line is not None:
        first = earlier.get(line.other_line)
        answer = first.body.get("answer", "") if first else ""
        audience = _audience(first.body) if first else None
        other = {"entry_id": line.other_id, "question": line.other_question, "row": line.other_line}
        other |= {"line": first.line if first else None, "sheet": first.sheet if first else None}
    elif line.other_id is not None:
        entry = others.get(line.other_id)
        answer = entry.answer if entry else ""
        audience = _audience(entry_to_dict(entry)["audience"]) if entry else None
        other = {"entry_id": line.other_id, "question": line.other_question, "row": None}
        other["standard_question"] = entry.question if entry else line.other_question
        other["similar_count"] = len(entry.similar) if entry else 0
    return {
        "row": line.n,
        "sheet": line.sheet,
        "line": line.line,
        "action": line.action,
        "resolution": line.resolution,
        "outcome": line.outcome if row.state == DONE else None,
        "message": line.message,
        "question": line.question,
        "answer": line.body.get("answer", "")[:_MOST_ANSWER],
        "entry_id": line.entry_id,
        "audience": _audience(line.body),
        "collides_with": {**other, "answer": answer[:_MOST_ANSWER], "audience": audience} if other else None,
        "similar_count": len(line.body.get("similar", ())),
        "changes": _changes(row, line, others),
    }


def _audience(body: dict[str, Any]) -> dict[str, list[str]] | None:
    """Who may see it; None where the file has no column for that."""
    known = {name: body[name] for name in ("companies", "groups") if name in body}
    return {"companies": [], "groups": [], **known} if known else None


def write_report(session: Session, row: ImportRow, path: Path) -> int:
    """Every row and what became of it, as .xlsx; return how many rows. Nothing in it is a formula.

    Sheets that were passed over, and what else there is to know of the file, stand at the end, one row each.
    """
    book = Workbook(write_only=True)
    sheet = new_sheet(book, "导入结果", _HEADER, _WIDTHS)
    count = 0
    for line in _lines(session, row.id):
        outcome = OUTCOME_LABELS.get(line.outcome or "", "") if row.state == DONE else ""
        texts = [
            line.sheet,
            str(line.line),
            line.question,
            ACTION_LABELS.get(line.action, line.action),
            RESOLUTION_LABELS.get(line.resolution or "", ""),
            outcome,
            line.entry_id or "",
            line.other_id or "",
            line.other_question or "",
            line.message,
        ]
        sheet.append(text_cells(sheet, [clean(text) for text in texts]))
        count += 1
    for name in row.summary.get("passed_over", ()):
        told = {"工作表": name, "预览": "没有读取", "说明": _PASSED_OVER}
        sheet.append(text_cells(sheet, [clean(told.get(column, "")) for column in _HEADER]))
    for note in row.summary.get("notes", ()):
        sheet.append(text_cells(sheet, [clean(note) if column == "说明" else "" for column in _HEADER]))
    book.save(path)
    return count


def _lines(session: Session, import_id: str) -> Iterator[LineRow]:
    query = select(LineRow).where(LineRow.import_id == import_id).order_by(LineRow.n)
    yield from session.scalars(query.execution_options(yield_per=500))
