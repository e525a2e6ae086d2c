"""Imports and exports from the command line: the console's code, run here and now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from sqlalchemy.orm import Session

from core.database import Database
from core.errors import Conflict, FSSCError, InvalidInput
from kb.ingest import guard, jobs
from kb.ingest.decisions import resolve_open
from kb.ingest.export import write_entries
from kb.ingest.imports import DONE, PREVIEW, ImportRow, cancel, create_import, import_of, lock_import
from kb.ingest.kinds import KINDS
from kb.ingest.policies.remarks import notes_of
from kb.ingest.report import ACTION_LABELS, OUTCOME_LABELS, rows_of

AUTHOR = "cli"
_SHOWN = 20


@dataclass(frozen=True)
class Wishes:
    """`sure` asks no questions; `on_collision` decides all collisions; `approve` makes no drafts."""

    sure: bool
    approve: bool
    on_collision: str | None
    policy_id: str | None


def import_file(database: Database, path: Path, wishes: Wishes, console: Console, ask: Callable[[str], bool]) -> bool:
    """Read a file, show what would happen, and do it; whether it was imported. What was not leaves nothing behind."""
    console.print(f"▸ {path.name}", markup=False)
    try:
        row = _read(database, path, wishes, console)
        if not _agreed(database, row, wishes, console, ask):
            return False
        return _apply(database, row, wishes, console)
    except FSSCError as error:
        console.print(f"✗ {path.name}: {error.message}", markup=False)
    except FileNotFoundError:
        console.print(f"✗ 找不到文件 {path}，请检查路径。", markup=False)
    except OSError as error:
        console.print(f"✗ {path.name}: {error.strerror or error}", markup=False)
    return False


def _read(database: Database, path: Path, wishes: Wishes, console: Console) -> ImportRow:
    if path.stat().st_size > guard.MOST_BYTES:
        raise InvalidInput(guard.too_large(path.stat().st_size))
    with path.open("rb") as stream, database.write() as session:
        row = create_import(
            session, name=path.name, stream=stream, kind="auto", author=AUTHOR, policy_id=wishes.policy_id
        )
        claim = jobs.lease(row)
    return _worked(database, row, claim, "读取", PREVIEW, console)


def _agreed(database: Database, row: ImportRow, wishes: Wishes, console: Console, ask: Callable[[str], bool]) -> bool:
    try:
        with database.write() as session:
            row = lock_import(session, row.id)
            if row.kind == "faq" and wishes.on_collision:
                resolve_open(session, row, wishes.on_collision)
        _show_preview(row, console)
        with database.read() as session:
            if row.kind == "faq":
                _show_rows(session, row, "invalid", console)
                _show_rows(session, row, "noted", console)
        if row.counts.get("open"):
            raise Conflict(
                f"有 {row.counts['open']} 行与已有的知识冲突，请加 --on-collision merge（合并为相似问）、overwrite（覆盖）、"
                "skip（跳过）或 create（新建）；overwrite 不处理会改变可见范围的行，create 不处理与自己的编号冲突的行，这些行请在管理台逐行选择。"
            )
        if not wishes.sure and not ask("导入吗？"):
            raise Conflict("已取消，什么都没有写入。")
    except BaseException:
        with database.write() as session:
            cancel(session, row.id)
        raise
    return True


def _apply(database: Database, row: ImportRow, wishes: Wishes, console: Console) -> bool:
    try:
        with database.write() as session:
            approve = wishes.approve or row.kind == "policy"
            row = jobs.confirm(session, KINDS, row.id, by=AUTHOR, approve=approve, admin=True)
            claim = jobs.lease(row)
    except Conflict as error:
        raise Conflict(f"{error.message}（可在管理台的导入页面继续这次导入）") from error
    row = _worked(database, row, claim, "写入", DONE, console)
    if row.kind == "faq":
        with database.read() as session:
            _show_rows(session, row, "failed", console)
        told = "，".join(f"{label} {row.counts.get(name, 0)} 条" for name, label in OUTCOME_LABELS.items())
        changed = any(row.counts.get(name) for name in ("created", "updated", "merged"))
        after = "；已提交审核，通过后随下次发布生效" if changed and not wishes.approve else ""
        console.print(f"✓ {told}{after}", markup=False)
        return not row.counts.get("failed")
    flagged = row.counts.get("flagged")
    done = "✓ 已作为历史版本保存，现行版本不变" if row.body.get("historic") else "✓ 已导入"
    console.print(f"{done}{f'，{flagged} 个条目的依据有变，已提醒复核' if flagged else ''}", markup=False)
    return True


def _worked(database: Database, row: ImportRow, claim: str, doing: str, wanted: str, console: Console) -> ImportRow:
    columns = (TextColumn(f"  {doing}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=None)
        jobs.run_leased(database, KINDS, row, claim, lambda done, total: bar.update(task, completed=done, total=total))
    with database.read() as session:
        row = import_of(session, row.id)
    if row.state != wanted:
        raise InvalidInput(row.error or "这次导入已被取消。")
    return row


def _show_preview(row: ImportRow, console: Console) -> None:
    if row.kind == "policy":
        return _show_policy(row, console)
    known = [column for column in row.summary.get("columns", ()) if column["field"]]
    if known:
        console.print("  列：" + "、".join(column["header"] for column in known), markup=False)
    if ignored := row.summary.get("ignored"):
        console.print("  原样保留的列：" + "、".join(ignored), markup=False)
    if passed_over := row.summary.get("passed_over"):
        console.print("  没有表头、没有读取的工作表：" + "、".join(passed_over), markup=False)
    for note in row.summary.get("notes", ()):
        console.print(f"  {note}", markup=False)
    figures = [f"{label} {row.counts[name]} 行" for name, label in ACTION_LABELS.items() if row.counts.get(name)]
    if figures:
        console.print("  " + "，".join(figures), markup=False)


def _show_policy(row: ImportRow, console: Console) -> None:
    known, before = row.summary, row.summary.get("against")
    since = f"，{known['effective_from']} 起施行" if known["effective_from"] else ""
    console.print(f"  《{known['title']}》（编号 {known['id']}）版本 {known['version']}{since}", markup=False)
    kinds = {"unchanged": "未变", "changed": "修改", "added": "新增", "removed": "删除", "renumbered": "条号变动"}
    figures = [f"{label} {row.counts[kind]} 条" for kind, label in kinds.items() if row.counts.get(kind)]
    than = f"与版本 {before['version']} 相比：" if before else ""
    console.print(f"  {than}" + "，".join(figures), markup=False)
    if known.get("historic"):
        why = "施行日期早于已入库的版本" if known["effective_from"] else "没有填写施行日期"
        console.print(f"  {why}：这一版只作为历史版本保存。", markup=False)
    for note in notes_of(row.body):
        console.print(f"  {note}", markup=False)
    if row.counts.get("tables_open"):
        console.print(
            f"  其中 {row.counts['tables_open']} 张表格需要有人确认维度才能成为标准表，请在管理台导入同一份文件。",
            markup=False,
        )


def _show_rows(session: Session, row: ImportRow, only: str, console: Console) -> None:
    rows, total = rows_of(session, row, only=only, page_size=_SHOWN)
    if not rows:
        return
    table = Table("行", "标准问", "说明", box=None, pad_edge=False)
    for one in rows:
        table.add_row(*(_plain(value) for value in (_place(one), one["question"][:40], one["message"])))
    console.print(table)
    if total > len(rows):
        console.print(f"  …… 还有 {total - len(rows)} 行", markup=False)


def _place(row: dict[str, Any]) -> str:
    return f"{row['sheet']} {row['line']}".strip()


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


def export_file(database: Database, path: Path) -> int:
    """Write every entry to a .xlsx or .csv file; return how many. Raises InvalidInput for another name."""
    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise InvalidInput("请把导出文件命名为 .xlsx 或 .csv。")
    draft = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        with database.read() as session:
            count = write_entries(session, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count
