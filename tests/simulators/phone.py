"""A page that looks like a phone chat, for somebody who tries a channel without an account: what they type and press goes through
the channel's simulator, what the product sends comes back."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt
from pydantic import BaseModel, Field

from tests.simulators import wecom_cards
from tests.simulators.dingtalk import DingtalkSimulator
from tests.simulators.wecom import WecomSimulator

PAGE = Path(__file__).with_name("phone.html")
PEOPLE = {"E1001": ("李晓雯", "华晟销售公司"), "E1002": ("王建国", "华晟制造公司"), "E2001": ("陈思远", "华晟集团总部")}
_LINK = re.compile(r'&lt;a href=&quot;(https?://[^"<>\s]+?)&quot;&gt;(.*?)&lt;/a&gt;', re.S)
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True})

Line = dict[str, Any]


class Handset(Protocol):
    """A channel as its client shows it. `shown(sent)` renders one of the simulator's `sent`."""

    label: str
    groups: dict[str, str]
    extras: dict[str, str]

    def say(self, user: str, text: str, group: str) -> list[int]: ...
    def press(self, user: str, sent: dict[str, Any], labels: list[str]) -> list[int]: ...
    def extra(self, user: str, name: str) -> list[int]: ...
    def sent(self) -> list[dict[str, Any]]: ...
    def shown(self, sent: dict[str, Any]) -> Line: ...


class WecomHandset:
    label = "企业微信"
    groups: dict[str, str] = {}
    extras = {"open": "重新进入应用", "mine": "菜单：我的工单", "voice": "发一段语音"}

    def __init__(self, simulator: WecomSimulator) -> None:
        self.simulator = simulator
        simulator.members = {
            no: {"name": name, "department": [n], "main_department": n}
            for n, (no, (name, _)) in enumerate(PEOPLE.items(), 2)
        }
        simulator.departments = {
            n: {"name": company, "parentid": 1} for n, (_, company) in enumerate(PEOPLE.values(), 2)
        }

    def say(self, user: str, text: str, group: str) -> list[int]:
        return self.simulator.say(user, text)

    def press(self, user: str, sent: dict[str, Any], labels: list[str]) -> list[int]:
        return self.simulator.press(user, *labels, shown=sent)

    def extra(self, user: str, name: str) -> list[int]:
        if name == "open":
            return self.simulator.event(user, "enter_agent", "<EventKey></EventKey>")
        if name == "mine":
            return self.simulator.event(user, "click", "<EventKey>my_tickets</EventKey>")
        voice = f"<MediaId>m</MediaId><Format>amr</Format><MsgId>{time.time_ns()}</MsgId>"
        return self.simulator.call(self.simulator.message(user, "voice", voice))

    def sent(self) -> list[dict[str, Any]]:
        return self.simulator.sent

    def shown(self, sent: dict[str, Any]) -> Line:
        card = sent.get("card")
        if not card:
            return {"html": _LINK.sub(r'<a href="\1" target="_blank" rel="noopener">\2</a>', html.escape(sent["text"]))}
        title = card.get("main_title") or {}
        rows = [f"{row['keyname']}：{row.get('value', '')}" for row in card.get("horizontal_content_list", [])]
        words = [title.get("desc", ""), card.get("sub_title_text", ""), *rows]
        addresses = [card.get("card_action") or {}, *card.get("jump_list", []), *card.get("button_list", [])]
        return {
            "title": title.get("title", ""),
            "html": html.escape("\n".join(word for word in words if word)),
            "buttons": wecom_cards.labels(card),
            "several": card["card_type"] == "vote_interaction" and card["checkbox"].get("mode") == 1,
            "links": [
                {"label": one.get("title") or one.get("text") or "打开", "url": one["url"]}
                for one in addresses
                if one.get("url")
            ],
            "locked": sent.get("locked", ""),
        }


class DingtalkHandset:
    label = "钉钉"
    extras = {"picture": "发一张图片"}

    def __init__(self, simulator: DingtalkSimulator) -> None:
        self.simulator = simulator
        self.groups = simulator.groups
        simulator.members = {
            no: {"name": name, "dept_id_list": [n]} for n, (no, (name, _)) in enumerate(PEOPLE.items(), 2)
        }
        simulator.departments = {
            n: {"name": company, "parent_id": 1} for n, (_, company) in enumerate(PEOPLE.values(), 2)
        }

    def say(self, user: str, text: str, group: str) -> list[int]:
        return self.simulator.say(user, text, group=group)

    def press(self, user: str, sent: dict[str, Any], labels: list[str]) -> list[int]:
        for button in sent["card"].get("btns") or []:
            if button["title"] == labels[0] and button["actionURL"].startswith("dtmd:"):
                return self.say(user, parse_qs(urlsplit(button["actionURL"]).query)["content"][0], sent["group"])
        raise KeyError(labels[0])

    def extra(self, user: str, name: str) -> list[int]:
        body = self.simulator.message(user, msgtype="picture", content={"downloadCode": "x"})
        body.pop("text", None)
        return self.simulator.bring(body)

    def sent(self) -> list[dict[str, Any]]:
        return self.simulator.sent

    def shown(self, sent: dict[str, Any]) -> Line:
        card = sent["card"]
        buttons = card.get("btns") or []
        links = [
            {"label": one["title"], "url": one["actionURL"]} for one in buttons if one["actionURL"].startswith("http")
        ]
        if card.get("singleURL"):
            links.append({"label": card["singleTitle"], "url": card["singleURL"]})
        rendered = _MARKDOWN.render(sent["text"]).replace("<a ", '<a target="_blank" rel="noopener" ')
        pressed = [one["title"] for one in buttons if one["actionURL"].startswith("dtmd:")]
        return {"html": rendered, "markdown": True, "buttons": pressed, "links": links}


class Said(BaseModel):
    user: str
    group: str = ""
    text: str = Field("", max_length=3000)


class Pressed(BaseModel):
    user: str
    line: int
    labels: list[str] = Field(min_length=1, max_length=20)


class Extra(BaseModel):
    user: str
    name: str


def phone(handset: Handset) -> FastAPI:
    """The page, and the few routes behind it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    lines: list[Line] = []
    lock = threading.Lock()

    def took() -> None:
        """Everything that has arrived since, after what was said before it."""
        with lock:
            known = sum("sent" in line for line in lines)
            for sent in handset.sent()[known:]:
                lines.append({"sent": sent, "user": sent["user"], "group": sent.get("group", "")})

    def mine(user: str, group: str, text: str) -> None:
        took()
        with lock:
            lines.append({"user": user, "group": group, "html": html.escape(text), "mine": PEOPLE[user][0], "by": user})

    def done(act: Callable[[], list[int]]) -> dict[str, Any]:
        return {"answered": act()}

    def known(user: str) -> str:
        if user not in PEOPLE:
            raise HTTPException(404)
        return user

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        return PAGE.read_text(encoding="utf-8")

    @app.get("/api/about")
    def about() -> dict[str, Any]:
        people = [{"id": no, "name": name, "company": company} for no, (name, company) in PEOPLE.items()]
        return {"label": handset.label, "people": people, "groups": handset.groups, "extras": handset.extras}

    @app.get("/api/lines")
    def read(user: str, group: str = "") -> list[Line]:
        took()
        with lock:
            chat = [
                (n, line) for n, line in enumerate(lines)
                if line["group"] == group and (group or line["user"] == user)
            ]  # fmt: skip
        return [
            {"id": n, **(handset.shown(line["sent"]) if "sent" in line else {"html": line["html"], "mine": line["mine"], "me": line["by"] == user})}
            for n, line in chat
        ]  # fmt: skip

    @app.post("/api/say")
    def say(said: Said) -> dict[str, Any]:
        mine(known(said.user), said.group, said.text)
        return done(lambda: handset.say(said.user, said.text, said.group))

    @app.post("/api/press")
    def press(pressed: Pressed) -> dict[str, Any]:
        sent = lines[pressed.line]["sent"]
        return done(lambda: handset.press(known(pressed.user), sent, pressed.labels))

    @app.post("/api/extra")
    def extra(wanted: Extra) -> dict[str, Any]:
        if wanted.name in ("voice", "picture"):
            mine(known(wanted.user), "", {"voice": "［语音］", "picture": "［图片］"}[wanted.name])
        return done(lambda: handset.extra(known(wanted.user), wanted.name))

    return app


def handset_of(name: str) -> tuple[Any, Handset]:
    """The simulator of this channel, and how it looks. Raises KeyError."""
    simulator: Any = {"wecom": WecomSimulator, "dingtalk": DingtalkSimulator}[name]()
    return simulator, {"wecom": WecomHandset, "dingtalk": DingtalkHandset}[name](simulator)
