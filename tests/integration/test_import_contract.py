"""Every kind of import keeps the same promises."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from core.database import Database
from kb.ingest.imports import PREVIEW
from tests.ingesters import IngesterContract, expire, seen, upload, work
from tests.workbooks import workbook

_WORKER = """
import sys
from core.database import Database
from kb.ingest.jobs import run_waiting
from kb.ingest.kinds import KINDS
run_waiting(Database(sys.argv[1]), KINDS)
"""


class TestQuestions(IngesterContract):
    suffix = ".xlsx"

    def good(self) -> tuple[str, bytes]:
        return "问答.xlsx", workbook([["标准问", "答案"], ["合同专用章怎么借用", "在系统提交用印申请"]])


class TestPolicies(IngesterContract):
    suffix = ".txt"

    def good(self) -> tuple[str, bytes]:
        text = "印章管理办法\n第一条 目的\n规范印章使用。\n第二条 借用\n借用印章应当提前一天申请。\n第三条 施行\n自2026年1月1日起施行。\n"
        return "印章管理办法.txt", text.encode()


@pytest.mark.slow
def test_a_worker_killed_by_the_system_is_replaced(database: Database) -> None:
    rows = "".join(f"第{n}个问题怎么办,答案{n}\n" for n in range(30_000))
    import_id = upload(database, "很多.csv", f"标准问,答案\n{rows}".encode())
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, database.url])
    deadline = time.monotonic() + 60
    while not seen(database, import_id).progress_done and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    left = seen(database, import_id)
    assert left.progress_done and left.state == "reading", "the worker was not killed in the middle"
    assert work(database) == 0
    expire(database, import_id)
    assert work(database) == 1
    row = seen(database, import_id)
    assert (row.state, row.counts["rows"], row.counts["create"]) == (PREVIEW, 30_000, 30_000)
