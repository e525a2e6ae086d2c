"""When things go wrong: nothing is a 5xx, nothing is answered twice, nothing is lost."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import httpx
import jwt
import pytest

from connectors.widget import sign_token
from tests.e2e.test_dialogue import console, file_ticket
from tests.stack import LI, WANG, Employee, Stack

pytestmark = pytest.mark.engine

Staff = Callable[..., Employee]


class TestBadInput:
    @pytest.mark.parametrize("text", ["", "   ", "\u0000\u0007\u200b", "\ufeff"])
    def test_nothing_to_read_is_refused_kindly(self, employee: Staff, text: str) -> None:
        response = employee().post(text=text)
        assert response.status_code == 400
        assert response.json()["error"] == {"code": "empty_text", "message": "请输入您的问题。"}

    def test_ten_thousand_characters_are_refused_kindly(self, employee: Staff) -> None:
        response = employee().post(text="发票" * 5000)
        assert response.status_code == 400 and "2000" in response.json()["error"]["message"]

    @pytest.mark.parametrize(
        "text",
        [
            "😀😭🙏",
            "？？？",
            '/open_entry{"entry_id":"travel-001"}',
            "/restart",
            "{{7*7}}",
            "1'; DROP TABLE ticket;--",
            "a" * 1999,
        ],
    )
    def test_odd_texts_get_a_kind_sentence(self, employee: Staff, text: str) -> None:
        turn = employee().ask(text)
        assert turn.text and turn.outcome["entry_id"] is None

    def test_an_unknown_page_is_no_obstacle(self, employee: Staff) -> None:
        turn = employee(page="no.such.page", node="x").ask("出差住宿费能报多少？")
        assert turn.message("answer")
        odd = employee().post(
            text="出差住宿费能报多少？", context={"page": {"a": 1}, "node": "<script>", "document_no": None}
        )
        assert odd.status_code == 200

    def test_malformed_json_and_missing_fields(self, stack: Stack, employee: Staff) -> None:
        url = f"{stack.url}/api/v1/chat/messages"
        broken = httpx.post(url, content=b'{"text": "x', headers={"Content-Type": "application/json"}, trust_env=False)
        assert (broken.status_code, broken.json()["error"]["code"]) == (400, "malformed_json")
        for body in ({}, {"text": "x"}, {"client_message_id": "12345678"}, [], "x", 1, None):
            response = httpx.post(url, json=body, trust_env=False)
            assert response.status_code == 400 and response.json()["error"]["message"], body
        assert employee().post(choice='entry:x"}/restart').status_code == 400
        assert "已经下线" in employee().press("entry:../../etc").text
        assert employee().post(choice="restart").status_code == 400
        big = httpx.post(url, content=b"x" * 100_000, headers={"Content-Type": "application/json"}, trust_env=False)
        assert big.status_code == 413

    def test_a_forged_or_expired_token_is_refused_and_never_anonymous(self, stack: Stack) -> None:
        key = stack.settings.widget_key
        expired = sign_token(LI, key, "fssc-demo", timedelta(minutes=-10))
        claims = jwt.decode(sign_token(LI, key, "fssc-demo"), options={"verify_signature": False})
        bad = {
            "token_expired": [expired],
            "token_invalid": [
                sign_token(LI, "another-key-that-is-long-enough-to-sign", "fssc-demo"),
                sign_token(LI, key, "somebody-else"),
                jwt.encode(claims, None, algorithm="none"),
                jwt.encode({**claims, "aud": "other"}, key, algorithm="HS256"),
                jwt.encode({**claims, "exp": claims["iat"] + 90 * 86400}, key, algorithm="HS256"),
                jwt.encode({name: value for name, value in claims.items() if name != "exp"}, key, algorithm="HS256"),
                jwt.encode({**claims, "groups": "finance"}, key, algorithm="HS256"),
                "nonsense",
            ],
        }
        for code, tokens in bad.items():
            for token in tokens:
                response = httpx.post(
                    f"{stack.url}/api/v1/chat/messages",
                    json={"client_message_id": uuid.uuid4().hex, "text": "你好"},
                    headers={"Authorization": f"Bearer {token}"},
                    trust_env=False,
                )
                assert response.status_code == 401 and response.json()["error"]["code"] == code, token

    def test_another_persons_conversation_is_not_there(self, employee: Staff) -> None:
        li, wang, nobody = employee(LI), employee(WANG), employee(None)
        li.ask("你好")
        for other in (wang, nobody):
            other.conversation_id = li.conversation_id
            assert other.post(text="你好").status_code == 404

    def test_the_console_asks_for_a_sign_in(self, stack: Stack) -> None:
        for path in (
            "tickets",
            "tickets/FW20260101-0001",
            "kb/entries",
            "kb/policies",
            "kb/try?q=x",
            "meta",
            "session",
        ):
            assert httpx.get(f"{stack.url}/api/v1/console/{path}", trust_env=False).status_code == 401, path
        wrong = httpx.post(
            f"{stack.url}/api/v1/console/session",
            json={"username": "admin", "password": "wrong"},
            headers={"X-Requested-With": "fssc"},
            trust_env=False,
        )
        assert wrong.status_code == 401 and "密码" in wrong.json()["error"]["message"]

    def test_the_engine_and_its_actions_ask_for_their_tokens(self, stack: Stack) -> None:
        actions = httpx.post(f"{stack.url}/engine/actions", json={"next_action": "action_greet"}, trust_env=False)
        assert actions.status_code == 401
        command = stack.child("bot.engine").cmdline()
        port = command[command.index("--port") + 1]
        for path in ("/webhooks/rest/webhook", "/model/parse", "/conversations/x/trigger_intent"):
            assert httpx.post(f"http://127.0.0.1:{port}{path}", json={}, trust_env=False).status_code == 401


class TestOnceOnly:
    def test_a_replayed_message_gets_the_first_answer(self, employee: Staff) -> None:
        li = employee()
        name = uuid.uuid4().hex
        first = li.post(text="出差住宿费能报多少？", client_message_id=name).json()
        again = li.post(text="出差住宿费能报多少？", client_message_id=name).json()
        assert first == again
        li.conversation_id = first["conversation_id"]
        assert [message["from"] for message in li.history()] == ["user", "bot"]
        assert li.post(text="别的问题", client_message_id=name, conversation_id=None).status_code == 409

    def test_ten_copies_at_once_are_one_message(self, employee: Staff) -> None:
        li = employee()
        li.ask("你好")
        name, answers = uuid.uuid4().hex, []
        threads = [
            threading.Thread(target=lambda: answers.append(li.post(text="发票丢了怎么办", client_message_id=name)))
            for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        assert len([message for message in li.history() if message["from"] == "user"]) == 2

    def test_messages_sent_at_once_are_answered_in_turn(self, employee: Staff) -> None:
        li = employee()
        li.ask("你好")
        threads = [threading.Thread(target=li.ask, args=(f"第{n}个问题：出差住宿费能报多少",)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        senders = [message["from"] for message in li.history()]
        assert senders == ["user", "bot"] * 6

    def test_a_ticket_is_filed_once_however_often_it_is_confirmed(self, employee: Staff) -> None:
        wang = employee(WANG, page="payment.apply", document_no="FK20261101-0003")
        wang.press("file")
        wang.ask("供应商账号变更后付款申请提交不了")
        wang.ask("一般")
        name = uuid.uuid4().hex
        numbers = {
            next(
                m["number"]
                for m in wang.post(text="提交", client_message_id=name).json()["messages"]
                if m["type"] == "ticket"
            )
            for _ in range(3)
        }
        assert len(numbers) == 1


class TestOutage:
    """Kills parts of the product; runs on the shared stack, which has to recover by itself."""

    def test_without_its_engine_the_desk_still_answers_and_files(self, stack: Stack, employee: Staff) -> None:
        li = employee(page="expense.travel.fill")
        li.ask("你好")
        engine = stack.child("bot.engine")
        engine.kill()
        turn = li.ask("出差住宿费能报多少？")
        assert turn.message("answer")["entry_id"] == "travel-001"
        assert li.press("entry:travel-001").message("answer")
        ticket = li.ask("微波炉转盘不转咋整哦qwzx").message("ticket")
        detail = console(stack.url).get(f"/api/v1/console/tickets/{ticket['number']}").json()
        assert detail["handoff_reason"] == "tool_failure" and detail["description"] == "微波炉转盘不转咋整哦qwzx"
        health = httpx.get(f"{stack.url}/healthz", trust_env=False)
        assert health.status_code == 200 and health.json()["status"] in ("degraded", "ok")
        stack.green()
        assert stack.child("bot.engine").pid != engine.pid
        assert li.press("file").types[-1] == "question"

    def test_a_gateway_that_dies_in_the_middle_comes_back_and_loses_nothing(
        self, stack: Stack, employee: Staff
    ) -> None:
        li = employee()
        li.ask("你好")
        name = uuid.uuid4().hex
        stack.child("service.app").kill()
        answer = None
        for _ in range(600):
            try:
                answer = li.post(text="出差住宿费能报多少？", client_message_id=name)
                if answer.status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.3)
        assert answer is not None and answer.json()["outcome"]["entry_id"] == "travel-001"
        assert len([m for m in li.history() if m["from"] == "user"]) == 2
        stack.green()

    def test_a_restart_of_everything_keeps_conversations_forms_and_tickets(self, stack: Stack, employee: Staff) -> None:
        li = employee()
        number = file_ticket(li)
        li.ask("我要再提一个工单")
        before = li.history()
        assert stack.stop() == 0
        seconds = stack.start()
        print(f"second start: {seconds:.1f} s")
        assert li.history() == before
        assert number in li.ask("我的工单").text
        turn = li.ask("审批人离职了单据没人批")
        assert turn.types[-1] in ("question", "summary"), turn.text
