"""What an employee lives through, over HTTP, with the real dialogue engine."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import httpx
import pytest

from tests.stack import CHEN, LI, WANG, Employee, Stack

pytestmark = pytest.mark.engine

Staff = Callable[..., Employee]
TICKET = re.compile(r"FW\d{8}-\d{4}")
_DOCUMENTS = itertools.count(1)


def file_ticket(li: Employee, description: str = "差旅单提交后一直卡在部门负责人节点", document_no: str = "") -> str:
    """Through the form from nothing to a number; about a document of its own each time, unless told."""
    turn = li.press("file")
    answers = {
        "business_type": "系统操作",
        "description": description,
        "urgency": "一般",
        "document_no": document_no or f"BX20261121{next(_DOCUMENTS):04d}",
        "contact": "跳过",
    }
    for _ in range(7):
        if turn.types[-1] == "summary":
            turn = li.ask("提交")
            break
        turn = li.ask(answers[turn.messages[-1]["field"]])
    return turn.message("ticket")["number"]


class TestQuestions:
    def test_an_answer_comes_with_its_source_date_and_follow_ups(self, employee: Staff) -> None:
        turn = employee().ask("出差住宿费能报多少？")
        answer = turn.message("answer")
        assert turn.outcome["band"] == "answer"
        assert answer["entry_id"] == turn.outcome["entry_id"] == "travel-001"
        assert any("住宿" in source["label"] for source in answer["sources"])
        assert answer["effective_from"] == "2026-01-01"
        assert answer["options"] and all(option["choice"].startswith("entry:") for option in answer["options"])

    def test_the_case_that_was_asked_about_is_read_from_the_table(self, employee: Staff) -> None:
        li = employee()
        li.ask("成都住宿限额多少")
        told = li.press("entry:travel-001").message("answer")["text"]
        assert "《住宿费限额标准表》（元/人·天）" in told and "- 成都 · 其他人员 · 平季：370" in told
        assert "杭州" not in told
        assert "成都" not in employee().press("entry:travel-001").message("answer")["text"]

    def test_a_follow_up_opens_exactly_that_entry(self, employee: Staff) -> None:
        li = employee()
        option = li.ask("出差住宿费能报多少？").message("answer")["options"][0]
        turn = li.press(option["choice"])
        assert turn.message("answer")["title"] == option["label"]
        assert turn.outcome["entry_id"] == option["choice"].removeprefix("entry:")

    def test_traditional_and_full_width_characters_find_the_same(self, employee: Staff) -> None:
        plain, other = employee(), employee()
        assert (
            plain.ask("出差住宿费能报多少?").outcome["entry_id"]
            == other.ask("出差住宿費能報多少？").outcome["entry_id"]
        )

    def test_a_close_call_offers_up_to_five_choices_and_none_of_these(self, employee: Staff) -> None:
        li = employee()
        turn = li.ask("发票")
        assert turn.outcome["band"] == "clarify" and turn.outcome["entry_id"] is None
        choices = turn.message("choices")["options"]
        assert 2 <= len(choices) <= 6 and choices[-1] == {"label": "都不是", "choice": "none"}
        opened = li.press(choices[0]["choice"])
        assert opened.message("answer")["title"] == choices[0]["label"]

    def test_none_of_these_is_kept_as_unresolved(self, employee: Staff, stack: Stack) -> None:
        li = employee(page="invoice.pool")
        li.ask("发票")
        turn = li.press("none")
        assert "file" in turn.choices
        kept = unresolved(stack, li)
        assert [(row["question"], row["reason"], row["page"]) for row in kept] == [
            ("发票", "none_of_these", "invoice.pool")
        ]
        assert len(kept[0]["shown"]) >= 2

    def test_no_answer_says_so_and_offers_a_ticket(self, employee: Staff) -> None:
        turn = employee().ask("蓝牙耳机配对码忘记咋整哦qwzx")
        assert (turn.outcome["band"], turn.outcome["entry_id"]) == ("none", None)
        assert turn.types == ["text"] and "没有找到" in turn.text and turn.choices == ["file"]

    def test_two_misses_in_a_row_offer_a_person(self, employee: Staff) -> None:
        li = employee()
        first, second = li.ask("蓝牙耳机配对码忘记咋整哦qwzx"), li.ask("咕噜咕噜喵喵喵呜哇")
        assert first.outcome["band"] == second.outcome["band"] == "none"
        assert "handoff" in second.choices and "人" in second.text

    @pytest.mark.parametrize("text", ["今天天气怎么样", "帮我点个外卖", "打开微信"])
    def test_out_of_scope_is_declined_politely_and_shortly(self, employee: Staff, text: str) -> None:
        turn = employee().ask(text)
        assert turn.outcome["band"] in (None, "none")
        assert len(turn.text) < 120 and ("抱歉" in turn.text or "服务范围" in turn.text)

    @pytest.mark.parametrize(("text", "expected"), [("谢谢", "不客气"), ("再见", "再见"), ("你是谁", "智能客服")])
    def test_small_talk_is_short(self, employee: Staff, text: str, expected: str) -> None:
        turn = employee().ask(text)
        assert expected in turn.text and len(turn.text) < 120

    def test_a_question_inside_thanks_is_answered(self, employee: Staff) -> None:
        assert employee().ask("谢谢，出差住宿费能报多少").outcome["band"] in ("answer", "clarify")

    def test_a_question_in_english_is_searched(self, employee: Staff) -> None:
        li = employee()
        assert "出差住宿费能报多少？" in [
            o["label"] for o in li.ask("hotel limit when travelling to Shanghai").message("choices")["options"]
        ]
        assert li.ask("how do I teach my dog to sit").outcome["band"] == "none"
        assert "智能客服" in li.ask("hello").text

    def test_the_greeting_knows_the_page(self, employee: Staff) -> None:
        turn = employee(page="expense.travel.fill", node="itinerary").ask("你好")
        assert "差旅报销单" in turn.text and len(turn.choices) >= 3

    def test_what_only_finance_may_see_is_hidden_from_others(self, employee: Staff, stack: Stack) -> None:
        restricted = finance_only(stack)
        li, chen = employee(LI), employee(CHEN)
        assert li.press(f"entry:{restricted['id']}").types == ["text"]
        assert chen.press(f"entry:{restricted['id']}").message("answer")["title"] == restricted["question"]
        shown = li.ask(restricted["question"])
        assert restricted["question"] not in shown.text and f"entry:{restricted['id']}" not in shown.choices


class TestTicket:
    def test_the_form_from_nothing_to_a_number(self, employee: Staff) -> None:
        li = employee(page="expense.travel.fill", node="submit", document_no="BX20261103-0042")
        li.ask("差旅单")
        turn = li.press("file")
        assert turn.message("question")["field"] == "description"
        turn = li.ask("提交差旅单时页面一直转圈，没有任何提示")
        assert turn.message("question")["field"] == "urgency"
        turn = li.ask("紧急")
        fields = {field["field"]: field["value"] for field in turn.message("summary")["fields"]}
        assert fields == {
            "business_type": "差旅报销",
            "description": "提交差旅单时页面一直转圈,没有任何提示",
            "urgency": "紧急",
            "document_no": "BX20261103-0042",
            "contact": "李晓雯（E1001）",
        }
        ticket = li.ask("提交").message("ticket")
        assert TICKET.fullmatch(ticket["number"]) and ticket["status_label"] == "待受理"
        detail = console(li.url).get(f"/api/v1/console/tickets/{ticket['number']}").json()
        assert (detail["page"], detail["node"], detail["document_no"]) == (
            "expense.travel.fill",
            "submit",
            "BX20261103-0042",
        )
        assert [message["text"] for message in detail["transcript"] if message["from"] == "user"][:2] == [
            "差旅单",
            "提交工单",
        ]
        assert detail["tried"] and detail["tried"][0]["asked"] == "差旅单"

    def test_a_person_at_any_time_even_inside_the_form(self, employee: Staff) -> None:
        li = employee()
        li.ask("蓝牙耳机配对码忘记咋整哦qwzx")
        turn = li.ask("转人工")
        assert turn.types[-1] == "question"
        turn = li.ask("别问了赶紧给我转人工客服")
        assert turn.message("ticket")["description"] == "蓝牙耳机配对码忘记咋整哦qwzx"

    def test_a_person_who_was_called_is_not_called_twice(self, employee: Staff) -> None:
        li = employee()
        number = file_ticket(li)
        turn = li.ask("转人工")
        assert number in turn.text and "ticket" not in turn.types

    def test_the_same_question_again_joins_the_open_ticket_and_says_so(self, employee: Staff) -> None:
        li = employee()
        number = file_ticket(li, document_no="BX202611200001")
        assert file_ticket(li, "单据还是卡在部门负责人节点，请帮忙看看", "BX202611200001") == number
        assert "没有另建新工单" in li.history()[-1]["text"]
        assert file_ticket(li, document_no="BX202611200002") != number
        assert file_ticket(employee(WANG), document_no="BX202611200001") != number

    def test_the_order_may_carry_the_story(self, employee: Staff) -> None:
        turn = employee(page="invoice.pool").ask("转人工，我的发票验真一直失败急死了")
        assert turn.types[-1] == "summary" or turn.messages[-1]["field"] != "description"
        turn_fields = turn.messages[-1].get("fields")
        if turn_fields:
            assert {"发票", "紧急"} <= {field["value"] for field in turn_fields}

    def test_every_field_can_be_corrected(self, employee: Staff) -> None:
        li = employee(document_no="BX20261103-0042", page="expense.daily.fill")
        li.press("file")
        li.ask("办公用品报销单打印不出来")
        turn = li.ask("一般")
        assert turn.types[-1] == "summary"
        for order, field, value in (
            ("业务类型改成系统操作", "business_type", "系统操作"),
            ("紧急程度改成特急", "urgency", "特急"),
            ("单号写错了，应该是BX20261104-0007", "document_no", "BX20261104-0007"),
            ("联系方式改为8123分机,邮箱zhang@example.com", "contact", None),
            ("描述改成打印按钮点了没有反应", "description", "打印按钮点了没有反应"),
        ):
            turn = li.ask(order)
            fields = {item["field"]: item["value"] for item in turn.message("summary")["fields"]}
            assert value is None or fields[field] == value, order
        turn = li.press("say:修改问题描述")
        assert turn.message("question")["field"] == "description"
        turn = li.ask("打印预览是空白的")
        fields = {item["field"]: item["value"] for item in turn.message("summary")["fields"]}
        assert fields["description"] == "打印预览是空白的"
        assert fields["urgency"] == "特急"

    def test_optional_fields_can_be_skipped_and_a_wrong_value_is_explained(self, employee: Staff) -> None:
        li = employee(None)
        turn = li.press("file")
        turn = li.ask("系统操作") if turn.messages[-1]["field"] == "business_type" else turn
        turn = li.ask("登录后菜单全是英文的")
        assert turn.messages[-1]["field"] == "urgency"
        turn = li.ask("跳过")
        assert turn.messages[-1]["field"] == "document_no"
        turn = li.ask("蓝色")
        assert turn.messages[-1]["field"] == "document_no" and "编号" in turn.text
        turn = li.ask("没有")
        assert turn.messages[-1]["field"] == "contact"
        turn = li.ask("跳过")
        values = {item["field"]: item["value"] for item in turn.message("summary")["fields"]}
        assert values["urgency"] == "一般" and values["document_no"] == values["contact"] == "无"

    def test_a_question_in_the_middle_is_answered_and_the_form_goes_on(self, employee: Staff) -> None:
        li = employee()
        li.press("file")
        li.ask("发票")
        li.ask("电子发票上传以后一直显示验真中")
        turn = li.ask("出差住宿费能报多少？")
        assert turn.message("answer")["entry_id"] == "travel-001"
        assert turn.messages[-1]["field"] == "urgency"

    def test_the_form_can_be_cancelled(self, employee: Staff) -> None:
        visitor = employee(None)
        visitor.press("file")
        turn = visitor.ask("算了不提了")
        assert "已取消" in turn.text
        assert "还没有提交过工单" in visitor.press("my_tickets").text

    @pytest.mark.parametrize(
        ("text", "types"), [("好的", ["text"]), ("出差住宿费能报多少？", ["answer"]), ("我要提工单", ["question"])]
    )
    def test_a_form_that_a_person_came_into_swallows_nothing(
        self, employee: Staff, text: str, types: list[str]
    ) -> None:
        li = employee()
        number = file_ticket(li)
        li.press("file")
        li.ask("电子发票上传以后一直显示验真中")
        desk, at = console(li.url), f"/api/v1/console/tickets/{number}"
        for verb, more in (("claim", {}), ("resolve", {"text": "已处理"})):
            version = desk.get(at).json()["version"]
            assert desk.post(f"{at}/{verb}", json={"version": version, **more}).status_code == 200
        assert li.ask(text).types == types

    def test_my_tickets_and_a_number_show_the_state_to_their_owner_only(self, employee: Staff) -> None:
        wang = employee(WANG)
        number = file_ticket(wang)
        assert number in wang.ask("我的工单").text
        assert wang.ask(f"{number} 到哪了").message("ticket")["status_label"] == "待受理"
        other = employee(LI).ask(f"工单{number}处理了吗")
        assert "没有找到您名下的工单" in other.text

    def test_personal_data_is_masked_in_the_transcript(self, employee: Staff) -> None:
        li = employee()
        li.ask("繁體，全角？")
        assert li.history()[0]["text"] == "繁體，全角？"
        li.ask("我的身份证110101199003074578和电话13812345678要登记在哪里")
        kept = li.history()[2]["text"]
        assert "110101199003074578" not in kept and "13812345678" not in kept and "138****5678" in kept


def console(url: str) -> httpx.Client:
    """A signed-in administrator."""
    from tests.stack import ADMIN_PASSWORD

    client = httpx.Client(base_url=url, headers={"X-Requested-With": "fssc"}, trust_env=False, timeout=60)
    signed_in = client.post("/api/v1/console/session", json={"username": "admin", "password": ADMIN_PASSWORD})
    assert signed_in.status_code == 200, signed_in.text
    return client


def finance_only(stack: Stack) -> dict[str, str]:
    entries = console(stack.url).get("/api/v1/console/kb/entries", params={"page_size": 100, "page": 1}).json()
    pages = range(2, entries["total"] // 100 + 2)
    items = entries["items"] + [
        item
        for page in pages
        for item in console(stack.url)
        .get("/api/v1/console/kb/entries", params={"page_size": 100, "page": page})
        .json()["items"]
    ]
    return next(item for item in items if item["audience"]["groups"] == ["finance"])


def unresolved(stack: Stack, li: Employee) -> list[dict]:
    """What the worker has filed under this conversation; waits for it."""
    import time

    from sqlalchemy import select

    from core.database import Database
    from kb.store import UnresolvedRow

    database = Database(stack.settings.database)
    for _ in range(600):
        with database.read() as session:
            rows = session.scalars(
                select(UnresolvedRow).where(UnresolvedRow.conversation_id == li.conversation_id)
            ).all()
        if rows:
            database.close()
            return [
                {"question": row.question, "reason": row.reason, "page": row.page, "shown": row.shown} for row in rows
            ]
        time.sleep(0.2)
    raise AssertionError("the worker kept no unresolved question within two minutes")
