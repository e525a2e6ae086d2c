"""Bringing files in over the console's API: who may, what is shown, what is downloaded; and from the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from openpyxl import Workbook, load_workbook
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from typer.testing import CliRunner

from core.database import Database
from core.settings import Settings
from kb.entries import Entry
from kb.ingest.guard import MOST_BYTES
from kb.store import live_entries, save_entry
from service import users
from service.app import create_app
from service.cli import app as fssc
from service.users import add_user
from tests.ingesters import work
from tests.integration.test_care_api import PASSWORD, Colleague

STAY = Entry(id="t-1", question="出差住宿费能报多少？", answer="限额内据实。", similar=("酒店一晚上限多少",))
FILE = "问题,答案\n出差住宿费能报多少,另一个答案\n新问题,新答案\n没有答案,\n".encode()


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture
def people(app: FastAPI, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.setattr(users, "_HASHER", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))
    roles = {"admin": ["admin"], "wang": ["editor"], "li": ["editor", "reviewer"], "chen": ["agent"]}
    with database.write() as session:
        for username, given in roles.items():
            add_user(session, username, "", PASSWORD, given)
        save_entry(session, STAY, "starter")
    app.state.desk = SimpleNamespace(settings=Settings(home=tmp_path), database=database)
    return SimpleNamespace(database=database, **{name: Colleague(app, name) for name in roles})


def bring(person: Colleague, data: bytes = FILE, name: str = "问答.csv", expect: int = 201, **form: str) -> Any:
    return person("POST", "/kb/imports", expect, files={"file": (name, data)}, data=form)


def test_from_the_file_to_drafts(people: SimpleNamespace) -> None:
    made = bring(people.wang)
    assert (made["state"], made["kind"], made["author"]) == ("reading", "faq", "wang")
    at = f"/kb/imports/{made['id']}"
    work(people.database)
    preview = people.chen("GET", at)
    assert preview["state"] == "preview"
    assert preview["counts"] | {"rows": 3, "create": 1, "collide": 1, "invalid": 1, "open": 1} == preview["counts"]
    assert preview["summary"]["columns"][0] == {"header": "问题", "field": "question"}
    assert people.chen("GET", "/kb/imports")["items"][0]["id"] == made["id"]
    (row,) = people.chen("GET", f"{at}/rows?only=open")["items"]
    assert row["collides_with"]["entry_id"] == "t-1" and row["answer"] == "另一个答案"
    assert "1 行" in people.wang.refused("collisions_open", "POST", f"{at}/confirm", json={})
    assert people.wang("PUT", f"{at}/rows/{row['row']}", json={"resolution": "skip"})["counts"]["open"] == 0
    people.wang.refused("role_missing", "POST", f"{at}/confirm", json={"approve": True})
    assert people.wang("POST", f"{at}/confirm", json={})["state"] == "applying"
    work(people.database)
    done = people.wang("GET", at)
    assert done["state"] == "done" and done["counts"] | {"created": 1, "skipped": 1, "failed": 1} == done["counts"]
    assert [one["outcome"] for one in people.wang("GET", f"{at}/rows")["items"]] == ["skipped", "created", "failed"]
    assert people.wang("GET", f"{at}/rows?only=failed")["total"] == 1
    people.wang.refused("already_done", "POST", f"{at}/cancel")
    people.wang.refused("not_in_preview", "POST", f"{at}/resolve", json={"resolution": "skip"})
    report = people.chen.http.get(f"{at}/report.xlsx")
    assert "attachment" in report.headers["content-disposition"]
    assert load_workbook(io.BytesIO(report.content)).active.max_row == 4
    with people.database.read() as session:
        assert live_entries(session) == [STAY]


def test_a_reviewer_approves_what_another_brought(people: SimpleNamespace) -> None:
    for uploader, code in ((people.li, "own_draft"), (people.wang, None)):
        at = f"/kb/imports/{bring(uploader)['id']}"
        work(people.database)
        people.li("POST", f"{at}/resolve", json={"resolution": "overwrite"})
        if code:
            people.li.refused(code, "POST", f"{at}/confirm", json={"approve": True})
            people.li("POST", f"{at}/cancel")
        else:
            people.li("POST", f"{at}/confirm", json={"approve": True})
    work(people.database)
    with people.database.read() as session:
        answers = {entry.question: entry.answer for entry in live_entries(session)}
    assert answers == {"出差住宿费能报多少": "另一个答案", "新问题": "新答案"}


def test_who_may_and_what_may_not(people: SimpleNamespace) -> None:
    people.chen.refused("role_missing", "POST", "/kb/imports", files={"file": ("a.csv", FILE)})
    people.wang.http.headers.pop("X-Requested-With")
    people.wang.refused("csrf", "POST", "/kb/imports", files={"file": ("a.csv", FILE)})
    people.wang.http.headers["X-Requested-With"] = "fssc"
    assert "缺少文件" in people.wang.refused("invalid_input", "POST", "/kb/imports", data={"kind": "faq"})
    assert "宏" in people.wang.refused(
        "invalid_input", "POST", "/kb/imports", files={"file": ("a.xlsm", b"PK\x03\x04")}
    )
    sent = {"files": {"file": ("a.csv", FILE)}}
    assert "制度" in people.wang.refused("invalid_input", "POST", "/kb/imports", data={"kind": "policy"}, **sent)
    people.wang.refused("not_found", "GET", "/kb/imports/00000000-0000-0000-0000-000000000000")
    assert people.wang("GET", "/kb/imports")["total"] == 0


def test_sixty_megabytes_are_refused_on_the_way_in(people: SimpleNamespace) -> None:
    large = people.wang.http.post("/kb/imports", files={"file": ("a.csv", b"x" * (MOST_BYTES + 10 * 2**20))})
    assert large.status_code == 413 and "50 MB" in large.json()["error"]["message"]

    def pieces():
        for _ in range(60):
            yield b"x" * 2**20

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    undeclared = people.wang.http.post("/kb/imports", content=pieces(), headers=headers)
    assert undeclared.status_code in (400, 413)
    assert people.wang("GET", "/kb/imports")["total"] == 0


def test_export_and_template(people: SimpleNamespace) -> None:
    table = list(csv.reader(io.StringIO(people.chen.http.get("/kb/export.csv").content.decode("utf-8-sig"))))
    assert dict(zip(table[0], table[1], strict=True))["标准问"] == STAY.question
    for path in ("/kb/export.xlsx", "/kb/imports/template.xlsx"):
        book = load_workbook(io.BytesIO(people.chen.http.get(path).content))
        assert "标准问" in [cell.value for cell in next(book.worksheets[0].iter_rows())]


def test_the_command_line_does_the_same(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("FSSC_HOME", str(tmp_path))
    with database.write() as session:
        save_entry(session, STAY, "starter")
    (tmp_path / "问答.csv").write_bytes(b"\n".join(FILE.splitlines()[:3]))
    (tmp_path / "坏.xlsx").write_bytes(b"nothing")

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(fssc, ["kb", *words])
        return result.exit_code, result.output

    code, said = run("import", str(tmp_path / "问答.csv"), "--yes", "--approve")
    assert code == 1 and "--on-collision" in said and "t-1" in said
    code, said = run("import", str(tmp_path / "坏.xlsx"), str(tmp_path / "没有.csv"), "--yes")
    assert code == 1 and "不符" in said and "找不到" in said
    code, said = run("import", str(tmp_path / "问答.csv"), "--yes", "--approve", "--on-collision", "merge")
    assert code == 0 and "已新建 1 条" in said, said
    with database.read() as session:
        assert {entry.question for entry in live_entries(session)} == {STAY.question, "新问题"}
    book = Workbook()
    book.active.append(["问题", "答案"])
    book.active.append(["新问题", "新答案"])
    book.create_sheet("付款").append(["员工怎么问", "我们怎么答"])
    book.save(tmp_path / "两张.xlsx")
    code, said = run("import", str(tmp_path / "两张.xlsx"), "--yes", "--on-collision", "skip")
    assert code == 0 and "没有读取的工作表：付款" in said
    code, said = run("export", str(tmp_path / "全部.xlsx"))
    assert code == 0 and "2 entries" in said
    code, said = run("import", str(tmp_path / "全部.xlsx"), "--yes")
    assert code == 0 and "无变化 2 行" in said
    assert run("export", str(tmp_path / "全部.txt"))[0] == 1


def test_the_command_line_says_what_is_history_only(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("FSSC_HOME", str(tmp_path))

    def bring(year: int) -> str:
        path = tmp_path / f"印刷{year}.txt"
        path.write_text(f"印刷费管理办法\n第一条 每页{year}元。\n第二条 本办法自{year}年1月1日起施行。", "utf-8")
        return CliRunner().invoke(fssc, ["kb", "import", str(path), "--yes"]).output

    newer, older = bring(2025), bring(2023)
    assert "历史版本" not in newer and "✓ 已导入" in newer
    assert (
        "施行日期早于已入库的版本：这一版只作为历史版本保存" in older and "✓ 已作为历史版本保存，现行版本不变" in older
    )
