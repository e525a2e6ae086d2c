"""WeChat Work's servers as their documentation describes them: token, directory, sending, cards; callbacks signed and sent like
theirs.

What a caller does wrong is refused as they would, and kept in `violations`. Faults are put in by hand: `answer_next`.
"""

from __future__ import annotations

import base64
import hashlib
import random
import secrets
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import httpx
import uvicorn
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.supervisor import free_port
from tests.simulators import wecom_cards as cards

_TRIES = 3
_A_MINUTE, _AN_HOUR, _A_TEXT = 30, 1000, 2048
_CODE_SECONDS = 72 * 3600
_UNSEEN = {0x200B: None, 0x200C: None}


@dataclass
class WecomSimulator:
    """`start()` serves on the loopback at `url`; `say`, `event` and `verify` call back `callback_url`."""

    callback_url: str = ""
    corp_id: str = "ww1234567890abcdef"
    secret: str = "the-apps-secret"
    agent_id: int = 1000002
    patience: float = 5.0
    """Seconds that it waits for an answer to a callback."""
    token: str = "QDG6eK"
    aes_key: str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    departments: dict[int, dict[str, Any]] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    tokens_given: int = 0
    token_seconds: int = 7200
    trusted: bool = True
    visible: bool = True
    closed: bool = False
    url: str = ""
    answer_next: dict[str, deque[dict[str, Any] | int]] = field(default_factory=lambda: defaultdict(deque))

    def __post_init__(self) -> None:
        self._valid: dict[str, float] = {}
        self._hour: dict[str, deque[float]] = defaultdict(deque)
        self._seen: dict[tuple[str, str], float] = {}
        self._tasks: set[str] = set()
        self._codes: dict[str, tuple[dict[str, Any], float]] = {}
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> WecomSimulator:
        port = free_port()
        config = uvicorn.Config(self.app(), host="127.0.0.1", port=port, log_level="warning", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{port}"
        return self

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(10)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a product whose app this is."""
        return {
            "FSSC_WECOM_CORP_ID": self.corp_id,
            "FSSC_WECOM_AGENT_ID": str(self.agent_id),
            "FSSC_WECOM_SECRET": self.secret,
            "FSSC_WECOM_TOKEN": self.token,
            "FSSC_WECOM_AES_KEY": self.aes_key,
            "FSSC_WECOM_URL": self.url,
        }

    def expire_tokens(self) -> None:
        """Early, as happens."""
        self._valid.clear()

    # What they are asked for.

    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_middleware(_Faults, answer_next=self.answer_next)

        @app.get("/cgi-bin/gettoken")
        def gettoken(corpid: str = "", corpsecret: str = "") -> dict[str, Any]:
            if not self.trusted:
                return _error(
                    60020, "not allow to access from your ip, hint: [1], from ip: 203.0.113.9, more info at …"
                )
            if corpid != self.corp_id:
                return _error(40013, "invalid corpid")
            if corpsecret != self.secret:
                return _error(40001, "invalid credential")
            with self._lock:
                current = next((one for one, until in self._valid.items() if until > time.time()), None)
                if current is None:
                    current = secrets.token_urlsafe(48)
                    self._valid = {current: time.time() + self.token_seconds}
                self.tokens_given += 1
            return {"errcode": 0, "errmsg": "ok", "access_token": current, "expires_in": self.token_seconds}

        @app.get("/cgi-bin/user/get")
        def user_get(access_token: str = "", userid: str = "") -> dict[str, Any]:
            if bad := self._refused(access_token):
                return bad
            member = self.members.get(userid)
            return (
                {"errcode": 0, "errmsg": "ok", "userid": userid, **member} if member else _error(60111, "no such user")
            )

        @app.get("/cgi-bin/department/get")
        def department_get(access_token: str = "", id: int = 0) -> dict[str, Any]:
            if bad := self._refused(access_token):
                return bad
            found = self.departments.get(id)
            return {"errcode": 0, "department": {"id": id, **found}} if found else _error(60123, "invalid party id")

        @app.get("/cgi-bin/agent/get")
        def agent_get(access_token: str = "", agentid: int = 0) -> dict[str, Any]:
            if bad := self._refused(access_token):
                return bad
            if agentid != self.agent_id:
                return _error(301002, "no privilege to access/modify the agent")
            users = [{"userid": one} for one in self.members] if self.visible else []
            return {
                "errcode": 0,
                "agentid": agentid,
                "close": int(self.closed),
                "allow_userinfos": {"user": users},
                "allow_partys": {"partyid": []},
                "allow_tags": {"tagid": []},
            }

        @app.post("/cgi-bin/message/update_template_card")
        async def update_template_card(request: Request, access_token: str = "") -> dict[str, Any]:
            if bad := self._refused(access_token):
                return bad
            return self._update(await request.json())

        @app.post("/cgi-bin/message/send")
        async def send(request: Request, access_token: str = "") -> dict[str, Any]:
            if bad := self._refused(access_token):
                return bad
            return self._send(await request.json())

        return app

    def _refused(self, token: str) -> dict[str, Any] | None:
        if not self.trusted:
            return _NOT_TRUSTED
        if not token:
            return _error(41001, "access_token missing")
        if token not in self._valid:
            return _error(40014, "invalid access_token")
        return _error(42001, "access_token expired") if self._valid[token] < time.time() else None

    def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("agentid") != self.agent_id:
            return _error(40056, "invalid agentid")
        kind = body.get("msgtype")
        if kind not in ("text", "markdown", "template_card") or kind not in body:
            self.violations.append(f"msgtype {kind!r}")
            return _error(40008, "invalid message type")
        content = str(body[kind].get("content", ""))
        if kind == "template_card":
            card = body[kind]
            if wrong := cards.wrong_with(card):
                self.violations.append(wrong)
                return _error(42028, wrong)
            if (task := card.get("task_id")) and task in self._tasks:
                return _error(42014, "task_id is used")
            content = cards.seen(card)
        elif not 0 < len(content.encode()) <= _A_TEXT:
            self.violations.append(f"{len(content.encode())} bytes of text: cut by the original without a word")
        users = str(body.get("touser", "")).split("|")
        known = {member.lower(): member for member in self.members}
        invalid = [user for user in users if user.lower() not in known]
        if len(invalid) == len(users):
            return _error(81013, "user & party & tag all invalid")
        if kind == "template_card" and body[kind].get("task_id"):
            self._tasks.add(body[kind]["task_id"])
        for user in users:
            if user.lower() in known:
                self._arrive(known[user.lower()], content, body)
        return {"errcode": 0, "errmsg": "ok", "invaliduser": "|".join(invalid).lower(), "msgid": secrets.token_hex(8)}

    def _arrive(self, user: str, content: str, body: dict[str, Any]) -> None:
        moment = time.time()
        with self._lock:
            if body.get("enable_duplicate_check"):
                seen = self._seen.get((user, content), 0.0)
                if moment - seen < body.get("duplicate_check_interval", 1800):
                    return
                self._seen[user, content] = moment
            hour = self._hour[user]
            while hour and hour[0] < moment - 3600:
                hour.popleft()
            lately = sum(one > moment - 60 for one in list(hour)[-_A_MINUTE - 1 :])
            if lately >= _A_MINUTE or len(hour) >= _AN_HOUR:
                self.dropped.append({"user": user, "text": content})
                self.violations.append(
                    f"{lately} messages a minute, {len(hour)} an hour to {user}: dropped without a word"
                )
                return
            hour.append(moment)
            seen = content.translate(_UNSEEN)
            shown = {"user": user, "text": seen, "at": moment, "body": body, "card": body.get("template_card")}
            self.sent.append({**shown, "locked": ""})

    def _update(self, body: dict[str, Any]) -> dict[str, Any]:
        """A card that was clicked gets other words on its button, once for each click."""
        if body.get("agentid") != self.agent_id or not body.get("userids"):
            return _error(40058, "userids and agentid are needed")
        shown, until = self._codes.pop(str(body.get("response_code")), ({}, 0.0))
        if until < time.time() or shown["user"] not in body["userids"]:
            return _error(42037, "response_code is invalid, expired or used")
        label = str((body.get("button") or {}).get("replace_name") or "")
        if not 0 < len(label) <= 10:
            self.violations.append(f"replace_name {label!r}")
            return _error(40058, "replace_name")
        shown["locked"] = label
        return {"errcode": 0, "errmsg": "ok", "invaliduser": ""}

    def sent_to(self, user: str) -> list[dict[str, Any]]:
        """What arrived, oldest first: `text` as it is read, `card` or None, `locked` once it was clicked and changed."""
        return [one for one in self.sent if one["user"] == user]

    def heard_by(self, user: str) -> list[str]:
        return [one["text"] for one in self.sent_to(user)]

    def card_of(self, user: str) -> dict[str, Any]:
        """The last card that can be pressed, as it was sent. Raises StopIteration where there is none."""
        return next(one for one in reversed(self.sent_to(user)) if one["card"] and cards.labels(one["card"]))

    # What they call back with.

    def say(self, user: str, text: str, message_id: str | None = None, times: int = 1) -> list[int]:
        """A member writes; the statuses that the callback answered. `times` over 1 are repeats as after a timeout."""
        number = message_id or str(secrets.randbelow(2**62))
        return self.call(self.message(user, "text", f"<Content>{escape(text)}</Content><MsgId>{number}</MsgId>"), times)

    def event(self, user: str, event: str, more: str = "", times: int = 1) -> list[int]:
        return self.call(self.message(user, "event", f"<Event>{event}</Event>{more}"), times)

    def press(self, user: str, *labels: str, times: int = 1, shown: dict[str, Any] | None = None) -> list[int]:
        """A member presses a button of the last card, or selects options and submits; each time with a response code of its own."""
        shown = shown or self.card_of(user)
        card, statuses = shown["card"], []
        for _ in range(times):
            code = secrets.token_hex(12)
            self._codes[code] = (shown, time.time() + _CODE_SECONDS)
            more = (
                f"{cards.clicked(card, labels)}<TaskId>{card['task_id']}</TaskId><CardType>{card['card_type']}</CardType>"
                f"<ResponseCode>{code}</ResponseCode>"
            )
            statuses += self.event(user, "template_card_event", more)
        return statuses

    def storm(
        self, messages: Sequence[str], rng: random.Random, duplicates: float = 0.2, threads: int = 8
    ) -> list[int]:
        """Many at once, in any order, a share of them twice; the statuses."""
        twice = [one for one in messages if rng.random() < duplicates]
        order = [*messages, *twice]
        rng.shuffle(order)
        with ThreadPoolExecutor(threads) as pool:
            return [status for statuses in pool.map(self.call, order) for status in statuses]

    def message(self, user: str, kind: str, more: str) -> str:
        return (
            f"<xml><ToUserName>{self.corp_id}</ToUserName><FromUserName>{user}</FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType>{kind}</MsgType>{more}"
            f"<AgentID>{self.agent_id}</AgentID></xml>"
        )

    def call(self, xml: str, times: int = 1) -> list[int]:
        """Each repeat is signed anew; one that fails or takes more than five seconds is sent again, three times in all."""
        statuses = []
        for _ in range(times):
            for _ in range(_TRIES):
                try:
                    status = self.post(xml.encode()).status_code
                except httpx.HTTPError:
                    status = 0
                statuses.append(status)
                if status == 200:
                    break
        return statuses

    def post(self, message: bytes) -> httpx.Response:
        timestamp, nonce = str(int(time.time())), secrets.token_hex(5)
        sealed = self.sealed(message)
        envelope = (
            f"<xml><ToUserName><![CDATA[{self.corp_id}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt>"
            f"<AgentID><![CDATA[{self.agent_id}]]></AgentID></xml>"
        )
        query = {"msg_signature": self.signature(timestamp, nonce, sealed), "timestamp": timestamp, "nonce": nonce}
        return httpx.post(self.callback_url, params=query, content=envelope.encode(), timeout=self.patience)

    def verify(self) -> str:
        """What an administrator's click on 保存 does: the callback must answer with what was sealed, within a second."""
        word = str(secrets.randbelow(10**18))
        timestamp, nonce = str(int(time.time())), secrets.token_hex(5)
        sealed = self.sealed(word.encode())
        query = {"msg_signature": self.signature(timestamp, nonce, sealed), "timestamp": timestamp, "nonce": nonce}
        try:
            answer = httpx.get(self.callback_url, params={**query, "echostr": sealed}, timeout=1.0)
        except httpx.HTTPError as error:
            return f"no answer: {type(error).__name__}"
        return "ok" if answer.status_code == 200 and answer.text == word else f"{answer.status_code} {answer.text}"

    def signature(self, timestamp: str, nonce: str, sealed: str) -> str:
        return hashlib.sha1("".join(sorted((self.token, timestamp, nonce, sealed))).encode()).hexdigest()

    def sealed(self, message: bytes, receive_id: str | None = None) -> str:
        """Written from the documentation, not with our own code: the two must understand each other."""
        key = base64.b64decode(self.aes_key + "=")
        whom = (self.corp_id if receive_id is None else receive_id).encode()
        plain = secrets.token_bytes(16) + struct.pack("!I", len(message)) + message + whom
        pad = 32 - len(plain) % 32
        encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([pad] * pad)) + encryptor.finalize()).decode()


class _Faults:
    """Puts the faults that wait for a path in place of its answers."""

    def __init__(self, app: ASGIApp, answer_next: dict[str, deque[dict[str, Any] | int]]) -> None:
        self._app, self._answer_next = app, answer_next

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        waiting = self._answer_next[scope["path"]] if scope["type"] == "http" else None
        if not waiting:
            await self._app(scope, receive, send)
            return
        fault = waiting.popleft()
        await (Response(status_code=fault) if isinstance(fault, int) else JSONResponse(fault))(scope, receive, send)


_NOT_TRUSTED = {
    "errcode": 60020,
    "errmsg": "not allow to access from your ip, hint: [1], from ip: 203.0.113.9, more info at …",
}


def _error(code: int, said: str) -> dict[str, Any]:
    return {"errcode": code, "errmsg": said}
