"""Nobody sees an entry outside its audience or its time: whatever they ask, press, forge, keep or come back with.

Every entry carries marks that occur nowhere else: if one of a hidden entry's marks is in any answer, it leaked. Who may see
what is spelled out here once more, so that a mistake in the product's own rule is found too.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bot.answering
import bot.replay
import kb.release.live
import service.api.knowledge
from bot.answering import Answering
from bot.turns import Place, TurnContext
from connectors.widget import sign_token
from core.clock import today
from core.identity import ANONYMOUS, Identity
from core.settings import Settings
from kb.encoder import load_encoder
from kb.entries import Audience, Entry, Source
from kb.release.publish import publish
from kb.store import count_hit, save_document, save_entry
from service.app import create_app
from service.bootstrap import build_desk
from service.migrate import migrate

pytestmark = pytest.mark.slow

A, B = "甲公司", "乙公司"
DAY = timedelta(days=1)
NOW = today()
PAGE, NODE = "expense.travel.fill", "itinerary"

# Topic, audience (companies, groups), first and last day. Several share a topic: they ask the very same questions.
SECRETS = [
    ("出差住宿费标准", (), (), None, None),
    ("出差住宿费标准", (A,), (), None, None),
    ("出差住宿费标准", (), ("finance",), None, None),
    ("出差住宿费标准", (), (), None, NOW - DAY),
    ("手工付款怎么补录", (), ("finance",), None, None),
    ("高管薪酬怎么发放", (), ("hr",), None, None),
    ("高管薪酬怎么发放", (A,), ("hr",), None, None),
    ("子公司资金归集比例", (B,), (), None, None),
    ("年终奖个税口径", (A, B), ("finance", "hr"), None, None),
    ("旧版餐补标准", (), (), None, NOW - DAY),
    ("今天到期的优惠政策", (), (), None, NOW),
    ("明年的差旅新标准", (), (), NOW + DAY, None),
    ("明天的内部口径", (), ("finance",), NOW + DAY, NOW + 9 * DAY),
    ("发票丢了怎么办", (), (), None, None),
    ("借款多久要冲销", (), (), NOW - DAY, NOW + DAY),
    ("海外付款审批链", (B,), ("finance",), None, None),
]
WORDINGS = ("{}", "{}？", "请问{}呢", "我想知道{}", "{}在哪里看")


def _entry(n: int) -> Entry:
    topic, companies, groups, begins, ends = SECRETS[n]
    others = [f"e{(n + step) % len(SECRETS):02d}" for step in (1, 2, 4)]
    return Entry(
        id=f"e{n:02d}",
        question=f"{topic}？（QM{n:02d}）",
        similar=(topic, f"请问{topic}呢", f"{topic} SM{n:02d}"),
        answer=f"AM{n:02d}：按内部规定执行。",
        business_type="差旅报销" if n % 2 else "资金与账户",
        scenes=(f"{PAGE}/{NODE}",) if n % 3 else (PAGE,),
        audience=Audience(frozenset(companies), frozenset(groups)),
        sources=(Source(f"《LM{n:02d}办法》第三条"),),
        effective_from=begins,
        effective_to=ends,
        related=tuple(others),
        owner="报销组",
    )


ENTRIES = [_entry(n) for n in range(len(SECRETS))]
POLICY = {
    "id": "internal",
    "title": "LMpp内部资金办法",
    "version": "1",
    "effective_from": "2020-01-01",
    "owner": "资金组",
    "audience": {"companies": [], "groups": ["finance"]},
    "articles": [
        {
            "number": 1,
            "label": "第一条",
            "title": "QMpp限额",
            "chapter": "",
            "text": "AMpp内部资金池单笔调拨限额由司库决定。",
        }
    ],
}
TABLE = {
    "id": "pool",
    "title": "LMpp调拨限额表",
    "unit": "万元",
    "dimensions": [{"name": "事项"}],
    "rows": [{"事项": "跨省调拨", "value": "AMpp"}],
    "source": {"name": "《LMpp内部资金办法》", "policy": "internal", "article": 1},
}
CITING = Entry("citing", "跨省调拨怎么办理？", "填写调拨单。", sources=(Source("调拨表", table="pool"),))
VIEWERS = [
    ANONYMOUS,
    Identity("v-none", "无", None, None, ()),
    Identity("v-a", "甲", A, None, ()),
    Identity("v-b", "乙", B, None, ()),
    Identity("v-af", "甲财", A, None, ("finance",)),
    Identity("v-bf", "乙财", B, None, ("finance",)),
    Identity("v-ah", "甲人", A, None, ("hr",)),
    Identity("v-h", "人", "丙公司", None, ("hr", "sales")),
    Identity("v-odd", "怪", A + " ", None, ("Finance", "finance ", "fin", "*", "")),
]


def sees(viewer: Identity, n: int, day: date = NOW) -> bool:
    _, companies, groups, begins, ends = SECRETS[n]
    if companies and viewer.company not in companies:
        return False
    if groups and not any(group in viewer.groups for group in groups):
        return False
    return not (begins and day < begins) and not (ends and ends < day)


def leaks(viewer: Identity, said: Any, day: date = NOW) -> list[str]:
    """Marks of hidden entries in anything that was said. What the viewer typed is no leak, so it is not given here."""
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    found = []
    for n in range(len(SECRETS)):
        if not sees(viewer, n, day):
            marks = [f"{kind}M{n:02d}" for kind in "QASL"] + [f'"e{n:02d}"', f"entry:e{n:02d}"]
            found += [mark for mark in marks if mark in text]
    if "finance" not in viewer.groups:
        found += [m for m in ("QMpp", "AMpp", "LMpp", "internal#") if m in text]
    return found


@pytest.fixture(scope="module")
def door(encoder_dir: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A front door whose engine is away: questions and buttons are answered from the knowledge base by themselves."""
    home = tmp_path_factory.mktemp("audience")
    chosen = Settings(
        home=home, REDIS_URL=redis_url, engine_url="http://127.0.0.1:9", engine_timeout=1, messages_per_minute=10**6
    )
    migrate(chosen.database)
    encoder = load_encoder(None, encoder_dir.parent)
    desk = build_desk(chosen, encoder)
    with desk.database.write() as session:
        for n, entry in enumerate(ENTRIES):
            save_entry(session, entry, "t")
            for _ in range(3 if n % 2 else 1):  # Hidden entries are the hottest ones.
                count_hit(session, entry.id, NOW, PAGE, NODE)
        save_document(session, "policy", POLICY)
        save_document(session, "table", TABLE)
        save_entry(session, CITING, "t")
        place = {"page": PAGE, "label": "差旅", "nodes": [{"node": NODE, "label": "行程"}]}
        save_document(session, "scenes", {"id": "scenes", "title": "页面", "pages": [place]})
    publish(desk.database, home, encoder, author="t", wrong_rate=0.03, progress=lambda _: None)
    desk.knowledge.refresh()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REDIS_URL", redis_url)  # The task queue is bound when its module is first imported.
        with TestClient(create_app(chosen, desk)) as http:
            yield SimpleNamespace(http=http, desk=desk, key=chosen.widget_key)


class Asking:
    """One visitor's conversation."""

    def __init__(self, door: SimpleNamespace, viewer: Identity) -> None:
        self.door, self.viewer, self.conversation = door, viewer, None

    @property
    def headers(self) -> dict[str, str]:
        if self.viewer.anonymous:
            return {}
        return {"Authorization": f"Bearer {sign_token(self.viewer, self.door.key, 'fssc-demo')}"}

    def send(self, message_id: str = "", **body: Any) -> dict[str, Any]:
        body |= {"client_message_id": message_id or uuid.uuid4().hex, "context": {"page": PAGE, "node": NODE}}
        if self.conversation:
            body["conversation_id"] = self.conversation
        response = self.door.http.post("/api/v1/chat/messages", json=body, headers=self.headers)
        assert response.status_code == 200, response.text
        self.conversation = response.json()["conversation_id"]
        return response.json()

    def get(self, path: str, **params: Any) -> Any:
        response = self.door.http.get(path, params=params, headers=self.headers)
        assert response.status_code == 200, response.text
        return response.json()

    def history(self) -> list[dict[str, Any]]:
        return self.get(f"/api/v1/chat/conversations/{self.conversation}/messages")["messages"]


@pytest.fixture(params=VIEWERS, ids=lambda viewer: viewer.employee_no or "anonymous")
def asking(request: pytest.FixtureRequest, door: SimpleNamespace) -> Asking:
    return Asking(door, request.param)


def test_no_question_finds_what_is_hidden(asking: Asking) -> None:
    shown = set()
    for n, (topic, *_) in enumerate(SECRETS):
        for text in (f"{topic}？（QM{n:02d}）", topic):
            found = asking.get("/api/v1/kb/search", q=text, top_k=50, page=PAGE, node=NODE)
            assert leaks(asking.viewer, found) == [], text
            shown |= {candidate["entry_id"] for candidate in found["candidates"]}
    assert {f"e{n:02d}" for n in range(len(SECRETS)) if sees(asking.viewer, n)} <= shown  # And what is theirs is found.


def test_no_turn_of_the_chat_tells_what_is_hidden(asking: Asking) -> None:
    topics = sorted({topic for topic, *_ in SECRETS})
    for i, topic in enumerate(topics):
        turn = asking.send(text=WORDINGS[i % len(WORDINGS)].format(topic))
        assert leaks(asking.viewer, turn) == [], topic
        for message in turn["messages"]:
            for option in message["options"]:
                if option["choice"].startswith("entry:"):
                    assert leaks(asking.viewer, asking.send(choice=option["choice"])) == []
    assert leaks(asking.viewer, [m for m in asking.history() if m["from"] == "bot"]) == []


def test_no_button_opens_what_is_hidden(asking: Asking) -> None:
    """Whoever knows an id presses a button that they were never shown."""
    for n in range(len(SECRETS)):
        turn = asking.send(choice=f"entry:e{n:02d}")
        opened = any(f"AM{n:02d}" in message["text"] for message in turn["messages"])
        assert opened == sees(asking.viewer, n), n
        assert leaks(asking.viewer, turn) == []
    assert leaks(asking.viewer, asking.send(choice="entry:internal#1")) == []
    assert leaks(asking.viewer, asking.send(choice="greet")) == []
    heard = [m | {"choice": ""} for m in asking.history()]
    heard = [m for m in heard if m["from"] == "bot" or len(m["text"]) > len("e00")]  # An id that was sent is echoed.
    assert leaks(asking.viewer, heard) == []


def test_suggestions_and_hot_questions_are_the_viewers_own(asking: Asking) -> None:
    for page, node in ((PAGE, NODE), (PAGE, ""), ("", ""), ("nowhere", "x")):
        found = asking.get("/api/v1/chat/suggestions", page=page, node=node)
        assert leaks(asking.viewer, found) == []
        assert found["items"]


def test_a_policy_for_some_is_searched_by_them_alone(door: SimpleNamespace) -> None:
    question = "内部资金池单笔调拨限额由谁决定"
    for viewer in VIEWERS:
        found = Asking(door, viewer).get("/api/v1/kb/search", q=question, top_k=50)
        ids = {candidate["entry_id"] for candidate in found["candidates"]}
        assert ("internal#1" in ids) == ("finance" in viewer.groups), viewer
        assert leaks(viewer, found) == []


def test_a_table_of_such_a_policy_adds_its_rows_for_them_alone(door: SimpleNamespace) -> None:
    for viewer in VIEWERS:
        turn = Asking(door, viewer).send(text="跨省调拨怎么办理？")
        told = turn["messages"][-1]["text"]
        assert told.startswith("填写调拨单。"), turn
        assert ("跨省调拨：AMpp" in told) == ("finance" in viewer.groups), viewer
        assert leaks(viewer, turn) == []


def test_what_one_was_told_is_withheld_once_it_is_no_longer_theirs(door: SimpleNamespace) -> None:
    """The same employee comes back without the group: history, a message sent again, and old buttons tell nothing more."""
    asking = Asking(door, Identity("v-moved", "调岗", A, None, ("finance", "hr")))
    message_id = uuid.uuid4().hex
    told = asking.send(message_id, choice="entry:e04")
    assert "AM04" in json.dumps(told, ensure_ascii=False) and "AM04" in json.dumps(asking.history())
    asking.send(text="高管薪酬怎么发放")
    answer = next(message for message in told["messages"] if message["type"] == "answer")
    asking.viewer = Identity("v-moved", "调岗", A, None, ())
    history = [m for m in asking.history() if m["from"] == "bot" or m.get("choice")]
    assert leaks(asking.viewer, history) == []
    again = asking.send(message_id, choice="entry:e04")
    assert leaks(asking.viewer, again) == []
    rated = {"conversation_id": asking.conversation, "message_id": answer["id"], "helpful": False}
    response = door.http.post("/api/v1/chat/feedback", json=rated, headers=asking.headers)
    assert response.status_code == 204 and response.text == ""
    for option in answer["options"]:
        assert leaks(asking.viewer, asking.send(choice=option["choice"])) == []


def test_somebody_elses_buttons_history_and_answers_are_not_opened(door: SimpleNamespace) -> None:
    insider = Asking(door, Identity("v-in", "内", A, None, ("finance",)))
    told = insider.send(choice="entry:e04")
    answer = next(message for message in told["messages"] if message["type"] == "answer")
    for viewer in (ANONYMOUS, Identity("v-out", "外", A, None, ())):
        outsider = Asking(door, viewer)
        path = f"/api/v1/chat/conversations/{insider.conversation}/messages"
        assert door.http.get(path, headers=outsider.headers).status_code == 404
        rated = {"conversation_id": insider.conversation, "message_id": answer["id"], "helpful": True}
        response = door.http.post("/api/v1/chat/feedback", json=rated, headers=outsider.headers)
        assert response.status_code == 404 and leaks(viewer, response.text) == []
        for option in answer["options"]:
            assert leaks(viewer, outsider.send(choice=option["choice"])) == []


def test_a_forged_identity_is_refused_and_never_becomes_somebody(door: SimpleNamespace) -> None:
    claims = {
        "sub": "x",
        "name": "x",
        "groups": ["finance", "hr"],
        "company": A,
        "iss": "fssc-demo",
        "aud": "fssc-desk",
    }
    claims |= {"iat": 1_700_000_000, "exp": 4_000_000_000}
    real = sign_token(Identity("x", "x", A, None, ()), door.key, "fssc-demo")
    head, body, signature = real.split(".")
    forged = [
        jwt.encode(claims, "another-key-of-thirty-two-characters", "HS256"),
        jwt.encode(claims, None, "none"),
        jwt.encode({**claims, "iss": "somebody"}, door.key, "HS256"),
        jwt.encode({**claims, "groups": "finance"}, door.key, "HS256"),
        jwt.encode({**claims, "exp": 1_700_000_001}, door.key, "HS256"),
        f"{head}.{jwt.encode(claims, door.key, 'HS256').split('.')[1]}.{signature}",
        f"{head}.{body}.",
    ]
    for token in forged:
        headers = {"Authorization": f"Bearer {token}"}
        for method, path, sent in (
            ("GET", "/api/v1/kb/search", {"params": {"q": "手工付款怎么补录", "top_k": 50}}),
            ("GET", "/api/v1/chat/suggestions", {}),
            ("POST", "/api/v1/chat/messages", {"json": {"client_message_id": uuid.uuid4().hex, "choice": "entry:e04"}}),
        ):
            response = door.http.request(method, path, headers=headers, **sent)
            assert response.status_code == 401 and leaks(ANONYMOUS, response.text) == [], (token, path)


def test_the_consoles_pages_and_exports_need_its_users(door: SimpleNamespace) -> None:
    insider = {
        "Authorization": f"Bearer {sign_token(Identity('f', 'f', A, None, ('finance',)), door.key, 'fssc-demo')}"
    }
    document = door.http.get("/api/openapi.json").json()
    tried = 0
    for path, operations in document["paths"].items():
        if not path.startswith("/api/v1/console/") or path == "/api/v1/console/session":
            continue
        for method in operations:
            filled = path.replace("{entry_id}", "e04").replace("{version}", "1")
            filled = filled.replace("{number}", "1").replace("{username}", "admin")
            for name in ("import_id", "flag_id", "policy_id", "row", "n"):
                filled = filled.replace(f"{{{name}}}", "1")
            headers = insider | {"X-Requested-With": "fssc"}
            response = door.http.request(method.upper(), filled, headers=headers, json={})
            assert response.status_code == 401, (method, path, response.status_code)
            assert leaks(ANONYMOUS, response.text) == []
            tried += 1
    assert tried > 20


class Clock:
    """What day it is for the chat."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.day = NOW
        for module in (bot.answering, bot.replay, kb.release.live, service.api.knowledge):
            monkeypatch.setattr(module, "today", lambda: self.day)


def test_an_entry_that_ends_between_choices_and_press_does_not_open(
    door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, asking = Clock(monkeypatch), Asking(door, VIEWERS[2])
    clock.day = NOW
    turn = asking.send(choice="entry:e09")  # Ended yesterday.
    assert leaks(asking.viewer, turn) == []
    for n in (10, 14):
        assert f"AM{n}" in json.dumps(asking.send(choice=f"entry:e{n}"), ensure_ascii=False)
    clock.day = NOW + 2 * DAY
    for n in (10, 14):
        turn = asking.send(choice=f"entry:e{n}")
        assert leaks(asking.viewer, turn, clock.day) == []
        assert leaks(asking.viewer, asking.get("/api/v1/kb/search", q=SECRETS[n][0], top_k=50), clock.day) == []
        assert leaks(asking.viewer, asking.get("/api/v1/chat/suggestions", page=PAGE, node=NODE), clock.day) == []
    options = [option for message in asking.history() for option in message["options"]]
    assert leaks(asking.viewer, options, clock.day) == []
    clock.day = NOW + DAY  # And one that begins does open.
    assert "AM11" in json.dumps(asking.send(choice="entry:e11"), ensure_ascii=False)


identities = st.builds(
    Identity,
    st.just("v"),
    st.just("v"),
    st.sampled_from([A, B, "丙公司", None, "", A + "子公司"]),
    st.none(),
    st.lists(st.sampled_from(["finance", "hr", "sales", "财务", ""]), max_size=3, unique=True).map(tuple),
)
questions = st.one_of(
    st.builds(lambda wording, n: wording.format(SECRETS[n][0]), st.sampled_from(WORDINGS), st.integers(0, 15)),
    st.integers(0, 15).map(lambda n: ENTRIES[n].question),
    st.builds(lambda a, b: f"{SECRETS[a][0]}和{SECRETS[b][0]}", st.integers(0, 15), st.integers(0, 15)),
    st.text(max_size=20),
)
places = st.sampled_from([Place(), Place(PAGE), Place(PAGE, NODE), Place("other", NODE)])


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(identity=identities, question=questions, place=places, days=st.integers(-400, 400))
def test_whoever_asks_whatever_wherever_whenever(
    door: SimpleNamespace, identity: Identity, question: str, place: Place, days: int
) -> None:
    day = NOW + timedelta(days=days)
    with pytest.MonkeyPatch.context() as patched:
        Clock(patched).day = day
        patched.setattr(bot.answering, "today", lambda: day)
        patched.setattr(kb.release.live, "today", lambda: day)
        answering = Answering(door.desk.knowledge)
        context = TurnContext("c", "t", "widget", identity, place)
        reply, outcome = answering.respond(question, context)
        told = [reply.to_dict(), outcome.to_dict() | {"question": ""}, answering.greet(context).to_dict()]
        assert leaks(identity, told, day) == []
        for option in reply.options:
            if option.choice.startswith("entry:"):
                opened, _ = answering.open(option.choice.removeprefix("entry:"), context)
                assert opened.type == "answer" and leaks(identity, opened.to_dict(), day) == []
        for n in range(len(SECRETS)):
            opened, chosen = answering.open(f"e{n:02d}", context)
            assert (opened.type == "answer") == (chosen.entry_id is not None) == sees(identity, n, day)
            assert leaks(identity, [opened.to_dict(), answering.title(f"e{n:02d}", context)], day) == []
