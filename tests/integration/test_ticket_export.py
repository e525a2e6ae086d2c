"""`fssc tickets export` and the console's export write what the filter asks for and the reader may see, as text."""

from __future__ import annotations

from datetime import timedelta
from itertools import zip_longest
from pathlib import Path

import pytest
from openpyxl import load_workbook

from core.clock import today
from core.database import Database
from core.errors import InvalidInput
from core.identity import Identity
from core.transcript import open_conversation
from handoff.actors import SYSTEM, Actor
from handoff.filing import file_ticket
from handoff.queue import Asked
from handoff.tickets import Reason, TicketDraft, Urgency, ticket_of
from service import ticket_export
from service.ticket_export import export

LI = Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")


def filed(database: Database, key: str, description: str, **changes) -> str:
    with database.write() as session:
        draft = TicketDraft(
            business_type=changes.pop("business_type", "发票"),
            description=description,
            conversation_id=open_conversation(session, "widget", LI).id,
            requester=LI,
            reason=Reason.MISSING_KNOWLEDGE,
            idempotency_key=key,
            **changes,
        )
        return file_ticket(session, draft).number


def rows(path: Path) -> list[dict[str, str]]:
    header, *found = load_workbook(path, read_only=True).active.iter_rows(values_only=True)
    return [dict(zip_longest(header, row)) for row in found]


def test_a_filter_a_day_and_words_choose_what_is_written(database: Database, tmp_path: Path) -> None:
    formula = filed(database, "a", '=HYPERLINK("http://evil","点我") 发票抬头写错了怎么办')
    other = filed(database, "b", "付款被银行退回了", business_type="应付与付款", urgency=Urgency.URGENT)
    path = tmp_path / "out.xlsx"
    with database.read() as session:
        assert export(session, SYSTEM, Asked(), path) == 2
        first, second = rows(path)
        assert (first["工单编号"], second["工单编号"]) == (formula, other)
        assert first["问题描述"].startswith("'=HYPERLINK") and first["提交人"] == "李晓雯"
        assert second["紧急程度"] == "紧急" and second["业务类型"] == "应付与付款"

        assert export(session, SYSTEM, Asked(urgency=("紧急",)), path) == 1
        assert [row["工单编号"] for row in rows(path)] == [other]
        assert export(session, SYSTEM, Asked(text="抬头写错"), path) == 1
        assert [row["工单编号"] for row in rows(path)] == [formula]
        assert export(session, SYSTEM, Asked(text="没有的话"), path) == 0 and rows(path) == []

        assert export(session, SYSTEM, Asked(), path, since=today(), until=today()) == 2
        assert export(session, SYSTEM, Asked(), path, until=today() - timedelta(days=1)) == 0


def test_a_day_ends_at_midnight_in_shanghai(database: Database, tmp_path: Path) -> None:
    number = filed(database, "a", "发票抬头写错了怎么办")
    with database.write() as session:
        ticket = ticket_of(session, number)
        ticket.created_at = ticket_export._midnight(today()) - timedelta(seconds=1)
    with database.read() as session:
        assert export(session, SYSTEM, Asked(), tmp_path / "a.xlsx", since=today()) == 0
        assert export(session, SYSTEM, Asked(), tmp_path / "a.xlsx", until=today() - timedelta(days=1)) == 1


def test_nobody_exports_what_they_may_not_see(database: Database, tmp_path: Path) -> None:
    filed(database, "a", "发票抬头写错了怎么办")
    editor = Actor("staff", "editor", roles=frozenset({"editor"}))
    auditor = Actor("staff", "auditor", roles=frozenset({"auditor"}))
    with database.read() as session:
        assert export(session, editor, Asked(), tmp_path / "a.xlsx") == 0
        assert export(session, auditor, Asked(), tmp_path / "a.xlsx") == 1


def test_more_than_a_sheet_holds_is_refused(database: Database, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(ticket_export, "MOST", 1)
    filed(database, "a", "发票抬头写错了怎么办")
    filed(database, "b", "付款被银行退回了", business_type="应付与付款")
    with database.read() as session, pytest.raises(InvalidInput, match="缩小日期范围"):
        export(session, SYSTEM, Asked(), tmp_path / "a.xlsx")
