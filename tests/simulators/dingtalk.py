"""DingTalk's servers as their documentation describes them: token, directory, sending, session webhooks, callbacks signed like
theirs, and the stream gateway over WebSocket.

What a caller does wrong is refused as they would, and kept in `violations`. Faults are put in by hand: `answer_next`, and the
attributes below it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse, Response

from service.supervisor import free_port
from tests.simulators.dingtalk_gateway import Gateway
from tests.simulators.dingtalk_rules import wrong_with_reply, wrong_with_template

HTML = "html"
"""As a fault: the page that whoever calls too often gets."""
_A_SECOND = 20
_PATIENCE = 10.0


@dataclass
class DingtalkSimulator:
    """`start()` serves on the loopback at `url`; `say` brings a message over HTTP to `callback_url`, or over the stream.

    `answer_next[path]` holds faults for calls to come: a status, a JSON body, or HTML. `messages_left` and `calls_left` are
    what is left of a month's quota. `gateway` is the stream's.
    """

    callback_url: str = ""
    mode: str = "http"
    client_id: str = "dingsimulated0001"
    client_secret: str = "the-robots-secret"
    corp_id: str = "dingcorp0001"
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    departments: dict[int, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=lambda: {"cidGroupOne==": "财务共享答疑群"})
    sent: list[dict[str, Any]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    url: str = ""
    answer_next: dict[str, deque[dict[str, Any] | int | str]] = field(default_factory=lambda: defaultdict(deque))
    token_seconds: int = 7200
    session_seconds: int = 5400
    messages_left: int | None = None
    calls_left: int | None = None
    controlled: set[str] = field(default_factory=set)
    tokens_given: int = 0

    def __post_init__(self) -> None:
        self._tokens: dict[str, float] = {}
        self._sessions: dict[str, dict[str, Any]] = {}
        self._second: dict[tuple[str, int], int] = defaultdict(int)
        self.gateway = Gateway(self.violations)
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def robot_code(self) -> str:
        return self.client_id

    def start(self) -> DingtalkSimulator:
        port = free_port()
        config = uvicorn.Config(self.app(), host="127.0.0.1", port=port, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self.gateway.serve(self._server)), daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{port}"
        return self

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.should_exit = self._server.force_exit = True
            self._thread.join(10)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a product whose robot this is."""
        return {
            "FSSC_DINGTALK_CLIENT_ID": self.client_id,
            "FSSC_DINGTALK_CLIENT_SECRET": self.client_secret,
            "FSSC_DINGTALK_CORP_ID": self.corp_id,
            "FSSC_DINGTALK_MODE": self.mode,
            "FSSC_DINGTALK_URL": self.url,
        }

    def expire_tokens(self) -> None:
        """Early, as happens."""
        self._tokens.clear()

    def expire_sessions(self) -> None:
        for session in self._sessions.values():
            session["until"] = 0.0

    # What they are asked for.

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.middleware("http")
        async def faults(request: Request, call_next) -> Response:
            waiting = self.answer_next[request.url.path]
            if waiting:
                fault = waiting.popleft()
                if fault == HTML:
                    return HTMLResponse("<html><body>x5 punish deny</body></html>")
                if isinstance(fault, int):
                    return JSONResponse({"code": "system.error", "message": "未知的系统错误"}, fault)
                status = int(fault.pop("_status", 400 if "code" in fault else 200)) if isinstance(fault, dict) else 200
                return JSONResponse(fault, status)
            if self._too_fast(request.url.path):
                return _refused("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "qps limit", 403)
            return await call_next(request)

        @app.post("/v1.0/oauth2/accessToken")
        async def token(request: Request) -> Response:
            body = await request.json()
            if (body.get("appKey"), body.get("appSecret")) != (self.client_id, self.client_secret):
                return _refused("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
            with self._lock:
                current = next((one for one, until in self._tokens.items() if until > time.time()), None)
                if current is None:
                    current = secrets.token_hex(16)
                self._tokens = {current: time.time() + self.token_seconds}
                self.tokens_given += 1
            return JSONResponse({"accessToken": current, "expireIn": self.token_seconds})

        @app.post("/v1.0/robot/oToMessages/batchSend")
        async def single(request: Request) -> Response:
            return await self._template(request, self._to_people)

        @app.post("/v1.0/robot/groupMessages/send")
        async def group(request: Request) -> Response:
            return await self._template(request, self._to_group)

        @app.post("/robot/sendBySession")
        async def by_session(request: Request, session: str = "") -> dict[str, Any]:
            return self._reply(session, await request.body())

        @app.post("/topapi/v2/user/get")
        async def user_get(request: Request, access_token: str = "") -> dict[str, Any]:
            if not self._valid(access_token):
                return {"errcode": 40014, "errmsg": "不合法的access_token"}
            user = (await request.json()).get("userid", "")
            member = self.members.get(user)
            if member is None:
                return {"errcode": 60121, "errmsg": "找不到该用户"}
            return {"errcode": 0, "errmsg": "ok", "result": {"userid": user, **member}}

        @app.post("/topapi/v2/department/get")
        async def department_get(request: Request, access_token: str = "") -> dict[str, Any]:
            if not self._valid(access_token):
                return {"errcode": 40014, "errmsg": "不合法的access_token"}
            number = (await request.json()).get("dept_id")
            found = {"name": "集团", "parent_id": 0} if number == 1 else self.departments.get(number)
            if found is None:
                return {"errcode": 60003, "errmsg": "部门不存在"}
            return {"errcode": 0, "errmsg": "ok", "result": {"dept_id": number, **found}}

        @app.post("/v1.0/gateway/connections/open")
        async def connections_open(request: Request) -> Response:
            body = await request.json()
            if (body.get("clientId"), body.get("clientSecret")) != (self.client_id, self.client_secret):
                return _refused("invalidClientIdOrSecret", "无效的clientId或者clientSecret", 401)
            ticket = self.gateway.ticket(request.headers.get("accept", ""), body)
            return JSONResponse({"endpoint": self.url.replace("http", "ws") + "/connect", "ticket": ticket})

        @app.websocket("/connect")
        async def connect(socket: WebSocket, ticket: str = "") -> None:
            await self.gateway.connected(socket, ticket)

        return app

    def _too_fast(self, path: str) -> bool:
        if not path.startswith(("/v1.0/robot", "/topapi")):
            return False
        with self._lock:
            key = path, int(time.time())
            self._second[key] += 1
            return self._second[key] > _A_SECOND

    def _valid(self, token: str) -> bool:
        return self._tokens.get(token, 0.0) > time.time()

    async def _template(self, request: Request, bring) -> Response:
        if not self._valid(request.headers.get("x-acs-dingtalk-access-token", "")):
            return _refused("InvalidAuthentication", "不合法的access_token")
        body = await request.json()
        if self.calls_left is not None:
            if self.calls_left <= 0:
                return _refused("Forbidden.AccessDenied.ApiCountLimitForOrg", "本月调用量已用完", 403)
            self.calls_left -= 1
        if body.get("robotCode") != self.robot_code:
            return _refused("invalidParameter.robotCode.notExsit", "机器人不存在")
        code, wrong = wrong_with_template(body)
        if wrong:
            self.violations.append(wrong)
            return _refused(code, wrong)
        return bring(body, json.loads(body["msgParam"]))

    def _to_people(self, body: dict[str, Any], said: dict[str, str]) -> Response:
        users = body.get("userIds")
        if not isinstance(users, list) or not 0 < len(users) <= 20:
            self.violations.append(f"userIds {users!r}")
            return _refused("invalidParameter.userIds.empty", "用户userId列表为空")
        invalid = [user for user in users if user not in self.members]
        held = [user for user in users if user in self.controlled]
        for user in users:
            if user not in invalid and user not in held:
                self._arrive("api", user, "", said, body)
        key = secrets.token_hex(12)
        return JSONResponse({"processQueryKey": key, "invalidStaffIdList": invalid, "flowControlledStaffIdList": held})

    def _to_group(self, body: dict[str, Any], said: dict[str, str]) -> Response:
        group = body.get("openConversationId", "")
        if group not in self.groups:
            return _refused("invalidParameter.openConversationId.invalid", "无效的会话")
        self._arrive("api", "", group, said, body)
        return JSONResponse({"processQueryKey": secrets.token_hex(12)})

    def _reply(self, session: str, raw: bytes) -> dict[str, Any]:
        found = self._sessions.get(session)
        if found is None or found["until"] < time.time():
            return {"errcode": 300001, "errmsg": "token is not exist"}
        wrong, said = wrong_with_reply(raw)
        if wrong:
            self.violations.append(wrong)
            return {"errcode": 400002, "errmsg": wrong}
        if said:
            user = "" if found["group"] else found["user"]
            self._arrive("session", user, found["group"], said, json.loads(raw))
        return {"errcode": 0, "errmsg": "ok"}

    def _arrive(self, by: str, user: str, group: str, said: dict[str, str], body: dict[str, Any]) -> None:
        text = said.get("text") or said.get("content") or ""
        with self._lock:
            self.sent.append({"by": by, "user": user, "group": group, "text": text, "card": said, "body": body})

    def heard_by(self, user: str) -> list[str]:
        """What somebody read in the single chat."""
        return [one["text"] for one in self.sent if one["user"] == user]

    def heard_in(self, group: str) -> list[str]:
        return [one["text"] for one in self.sent if one["group"] == group]

    def sent_to(self, user: str) -> list[dict[str, Any]]:
        return [one for one in self.sent if one["user"] == user]

    # What they call back with.

    def say(self, user: str, text: str, *, group: str = "", message_id: str = "", times: int = 1) -> list[int]:
        """A member writes; the statuses that were answered, 200 for an acknowledged frame. `times` over 1 are repeats."""
        return self.bring(self.message(user, text, group=group, message_id=message_id), times)

    def message(
        self, user: str, text: str = "", *, group: str = "", message_id: str = "", **more: Any
    ) -> dict[str, Any]:
        """The body of a message, with a session webhook of its own."""
        session, moment = secrets.token_hex(16), int(time.time() * 1000)
        self._sessions[session] = {"user": user, "group": group, "until": time.time() + self.session_seconds}
        where: dict[str, Any] = {"conversationId": f"cidSingle{user}==", "conversationType": "1"}
        if group:
            where = {
                "conversationId": group,
                "conversationType": "2",
                "conversationTitle": self.groups.get(group, ""),
                "isInAtList": True,
                "atUsers": [{"dingtalkId": "$:LWCP_v1:$robot"}],
            }
        said = {"msgtype": "text", "text": {"content": f" {text}" if group else text}}
        if self.messages_left is not None:
            self.messages_left -= 1
            if self.messages_left < 0:
                said = {"msgtype": "text", "errorCode": "20001", "errorMessage": "受调用量超量影响，消息服务已经暂停"}
        return {
            **where,
            "chatbotCorpId": self.corp_id,
            "chatbotUserId": "$:LWCP_v1:$robot",
            "msgId": message_id or f"msg{secrets.token_hex(8)}==",
            "senderNick": self.members.get(user, {}).get("name", user),
            "isAdmin": False,
            "senderStaffId": user,
            "senderCorpId": self.corp_id,
            "senderId": f"$:LWCP_v1:${user}",
            "sessionWebhook": f"{self.url}/robot/sendBySession?session={session}",
            "sessionWebhookExpiredTime": moment + self.session_seconds * 1000,
            "createAt": moment,
            "robotCode": self.robot_code,
            **said,
            **more,
        }

    def bring(self, body: dict[str, Any], times: int = 1) -> list[int]:
        """Over HTTP, or as frames of the stream, each repeat with a frame id of its own."""
        if self.mode == "stream":
            frames = [self.gateway.send(json.dumps(body, ensure_ascii=False)) for _ in range(times)]
            return [200 if frame.acknowledged.wait(_PATIENCE) else 0 for frame in frames]
        return [self.post(json.dumps(body, ensure_ascii=False).encode()).status_code for _ in range(times)]

    def post(self, body: bytes, timestamp: str = "", sign: str = "") -> httpx.Response:
        timestamp = timestamp or str(int(time.time() * 1000))
        headers = {
            "timestamp": timestamp,
            "sign": sign or self.signature(timestamp),
            "Content-Type": "application/json",
        }
        return httpx.post(self.callback_url, content=body, headers=headers, timeout=_PATIENCE)

    def signature(self, timestamp: str) -> str:
        """Written from the documentation, not with our own code: the two must understand each other."""
        said = f"{timestamp}\n{self.client_secret}".encode()
        return base64.b64encode(hmac.new(self.client_secret.encode(), said, hashlib.sha256).digest()).decode()


def _refused(code: str, said: str, status: int = 400) -> JSONResponse:
    return JSONResponse({"requestid": secrets.token_hex(8), "code": code, "message": said}, status)
