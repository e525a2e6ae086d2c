"""What is exported comes back without a change, whatever the entries hold."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from core.database import Database
from kb.entries import Audience, Entry, Source
from kb.files import read_knowledge
from kb.ingest.export import write_entries, write_template
from kb.ingest.fields import canonical, entry_with, says_the_same
from kb.ingest.imports import FAILED, PREVIEW
from kb.store import save_entries, save_entry
from service.bootstrap import STARTER
from service.migrate import migrate
from tests.ingesters import read

ODD = Entry(
    id="odd-1",
    question="=SUM(A1) 怎么报？",
    answer="- 第一步\n- 第二步\t制表\n\n'=引号\n" + "很长的答案。" * 12_000,
    similar=(
        "+86 开头",
        "带|竖线",
        "反斜杠\\",
        "a\\|b",
        "@某人",
        "'=已有撇号",
        *(f"第{n}种问法" * 20 for n in range(400)),
    ),
    business_type="-减号",
    scenes=("expense.fill/a,b",),
    audience=Audience(frozenset({"1000", "公司,带逗号"}), frozenset({"财务、共享"})),
    sources=(
        Source("税法", regulation="税法", quote="第一\n段"),
        Source("税法", regulation="税法", quote="第二段"),
        Source("《差旅费管理办法》第十二条", policy="travel", article=12),
        Source("《不存在的办法》第一条"),
    ),
    effective_from=date(2026, 1, 1),
    effective_to=date(9999, 12, 31),
    related=("a-1",),
    owner="负责组",
    title="标题",
    review_on=date(2027, 1, 1),
    extra=(("备注", "=1+1"), ("答案", "与列同名"), ("备注2", "多\n行"), ("备注2", "同名两次"), (" 空格 ", "x")),
)


def export(database: Database, path: Path) -> bytes:
    with database.read() as session:
        write_entries(session, path)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_starter_knowledge_and_odd_entries_come_back_the_same(
    database: Database, tmp_path: Path, form: str
) -> None:
    entries = [*read_knowledge(STARTER).entries[:40], ODD, replace(ODD, id="odd-2", answer="短", extra=())]
    with database.write() as session:
        save_entries(session, entries, "t")
    row = read(database, f"知识条目.{form}", export(database, tmp_path / f"x.{form}"))
    assert row.state == PREVIEW, row.error
    assert (row.counts["rows"], row.counts["same"]) == (len(entries), len(entries))


def test_no_cell_of_an_export_is_a_formula(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        save_entry(session, ODD, "t")
    sheet = load_workbook(io.BytesIO(export(database, tmp_path / "x.xlsx"))).active
    cells = [cell for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert len(cells) > 30
    assert all(cell.data_type == "s" and cell.value[0] not in "=+-@" and len(cell.value) < 32_767 for cell in cells)
    assert "\n=" not in export(database, tmp_path / "x.csv").decode("utf-8-sig").replace('"', "\n").replace(",", "\n")


def test_the_template_is_understood_and_empty(database: Database, tmp_path: Path) -> None:
    write_template(tmp_path / "template.xlsx")
    row = read(database, "模板.xlsx", (tmp_path / "template.xlsx").read_bytes())
    assert row.state == FAILED and row.error and "没有内容" in row.error
    book = load_workbook(tmp_path / "template.xlsx")
    sheet = book.worksheets[0]
    sheet["B2"], sheet["D2"] = "怎么报销", "填报销单"
    book.save(tmp_path / "template.xlsx")
    filled = read(database, "模板.xlsx", (tmp_path / "template.xlsx").read_bytes())
    assert (filled.counts["create"], filled.summary["passed_over"]) == (1, [])


words = st.text(max_size=30)
names = st.lists(words, max_size=3).map(tuple)
sets = st.frozensets(words, max_size=3)
days = st.none() | st.dates()
sources = st.builds(
    Source,
    words,
    st.none() | words,
    st.none() | st.integers(1, 99),
    st.none() | words,
    st.none() | words,
    st.none() | words,
)
entries = st.builds(
    Entry,
    id=st.just(""),
    question=words,
    answer=words,
    similar=names,
    business_type=words,
    scenes=names,
    audience=st.builds(Audience, sets, sets),
    sources=st.lists(sources, max_size=3).map(tuple),
    effective_from=days,
    effective_to=days,
    related=names,
    owner=words,
    title=words,
    review_on=days,
    extra=st.lists(st.tuples(words, words), max_size=3).map(tuple),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Database:
    url = f"sqlite:///{tmp_path_factory.mktemp('export') / 'db.sqlite3'}"
    migrate(url)
    return Database(url)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(entries, min_size=1, max_size=4), st.sampled_from(["xlsx", "csv"]))
def test_any_entries_come_back_the_same(
    small: Database, tmp_path_factory: pytest.TempPathFactory, made: list[Entry], form: str
) -> None:
    usable = [
        replace(
            entry,
            id=f"e-{n}",
            question=f"问{n}{entry.question}".replace("\x00", ""),
            answer=f"答{entry.answer}",
            effective_to=None if entry.effective_from else entry.effective_to,
        )
        for n, entry in enumerate(made)
    ]
    from sqlalchemy import delete

    from kb.store import EntryRow, EntryVersionRow

    with small.write() as session:
        session.execute(delete(EntryVersionRow))
        session.execute(delete(EntryRow))
        for entry in usable:
            save_entry(session, entry, "t")
    row = read(small, f"x.{form}", export(small, tmp_path_factory.mktemp("x") / f"x.{form}"))
    assert row.state == PREVIEW, row.error
    assert row.counts["same"] == len(usable), _differences(small, row.id)


def _differences(database: Database, import_id: str) -> list[object]:
    from kb.ingest.collisions import stored_entries
    from kb.ingest.imports import LineRow

    with database.read() as session:
        lines = session.query(LineRow).where(LineRow.import_id == import_id).all()
        stored = stored_entries(session, [line.entry_id for line in lines if line.entry_id])
    return [
        (line.action, line.message, canonical(entry), canonical(entry_with(entry, line.body)))
        for line in lines
        if line.entry_id and (entry := stored.get(line.entry_id)) and not says_the_same(entry, line.body)
    ] or [(line.action, line.message, line.body) for line in lines]


def test_what_an_entry_keeps_aside_never_keeps_it_out(database: Database, tmp_path: Path) -> None:
    """A remark that a sheet may not bring for everybody is no column of an export."""
    with database.write() as session:
        save_entry(
            session,
            Entry(id="t-1", question="甲", answer="乙", extra=(("备注", "内部资料"), ("状态", "停用"))),
            "starter",
        )
    row = read(database, "导出.csv", export(database, tmp_path / "x.csv"))
    assert row.counts["same"] == 1
