"""WeChat Work's API: one access token for all processes, each error code with what to do about it.

Source: the documentation's pages 91039 (token), 90236 (sending), 90313 (codes). A token may expire early, then it is fetched
anew once; fetching too often is itself limited.
"""

from __future__ import annotations

import hashlib
import re
import time
from datetime import timedelta
from typing import Any

import httpx
import structlog
from redis import Redis
from redis.exceptions import RedisError

from connectors.delivery import Busy, NotSent, Unsure

log = structlog.get_logger()

DEFAULT_URL = "https://qyapi.weixin.qq.com"
_STALE = {40001, 40014, 42001}
_BUSY, _FREQUENT = -1, {45009, 45033}
_WINDOW = timedelta(seconds=60)
_EARLY = 300
_KNOWN_S = 10.0
"""How long a process trusts the token it got last, without asking Redis; one that has expired early is noticed when it is used."""
_PATIENCE = httpx.Timeout(10, connect=4)

_NOT_TRUSTED = 60020
_FROM = re.compile(r"from ip:\s*([0-9a-fA-F.:]+)")
OPERATOR = {
    40001: "应用的 Secret 不正确，请在企业微信管理后台核对后更新配置。",
    40013: "企业 ID（CorpID）不正确，请核对配置。",
    40056: "应用的 AgentId 不正确，请核对配置。",
    48002: "应用没有调用这个接口的权限，请在企业微信管理后台检查应用权限。",
    60020: "服务器的出口 IP 不在“企业可信IP”名单里，请在应用详情页添加后等待一分钟再试。",
    301002: "这个 Secret 属于另一个应用，请使用本应用的 Secret。",
}
"""Codes that only somebody who runs the product can put right, and how."""


class WecomError(Exception):
    """An answer with an error code. `advice` is for the operator, empty where there is nothing for them to do."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"{code} {said}"[:300])
        self.code = code
        self.advice = OPERATOR.get(code, "")
        if code == _NOT_TRUSTED and (ours := _FROM.search(said)):
            self.advice += f"当前的出口 IP 是 {ours[1]}。"


class WecomClient:
    """Calls for one app. Raises WecomError for an error code; NotSent, Busy and Unsure as `connectors.delivery` means them."""

    def __init__(self, corp_id: str, secret: str, redis: Redis, url: str = DEFAULT_URL) -> None:
        self._corp_id, self._secret, self._redis = corp_id, secret, redis
        self._http = httpx.Client(base_url=url, timeout=_PATIENCE, follow_redirects=False)
        digest = hashlib.sha256(f"{corp_id}:{secret}".encode()).hexdigest()[:24]
        self._key = f"fssc:wecom:token:{digest}"
        self._lately = ("", 0.0)

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        return self._call("GET", path, parameters, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._call("POST", path, {}, body)

    def _call(self, method: str, path: str, parameters: dict[str, str], body: dict[str, Any] | None) -> dict[str, Any]:
        token = self._token()
        answer = self._asked(method, path, {**parameters, "access_token": token}, body)
        if answer["errcode"] in _STALE:
            self._forget(token)
            answer = self._asked(method, path, {**parameters, "access_token": self._token()}, body)
        code = answer["errcode"]
        if code == _BUSY:
            raise NotSent("WeChat Work is busy")
        if code in _FREQUENT:
            raise Busy(_WINDOW)
        if code:
            raise WecomError(code, str(answer.get("errmsg", "")))
        return answer

    def _asked(self, method: str, path: str, parameters: dict[str, str], body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, params=parameters, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(f"WeChat Work cannot be reached: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise Unsure(f"no answer from WeChat Work: {type(error).__name__}") from error
        try:
            found = answer.json() if answer.status_code == 200 else None
        except ValueError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("errcode"), int):
            # Also a proxy's error page: whether the message went through before it, nobody knows.
            raise Unsure(f"HTTP {answer.status_code} from WeChat Work")
        return found

    def _token(self) -> str:
        """The cached token, fetched by one process at a time. Without Redis each process fetches its own."""
        known, until = self._lately
        if known and time.monotonic() < until:
            return known
        token = self._shared()
        self._lately = token, time.monotonic() + _KNOWN_S
        return token

    def _shared(self) -> str:
        try:
            if cached := self._redis.get(self._key):
                return cached.decode()
            with self._redis.lock(self._key + ":lock", timeout=15, blocking_timeout=15):
                if cached := self._redis.get(self._key):
                    return cached.decode()
                token, seconds = self._fetched()
                self._redis.set(self._key, token, ex=max(60, seconds - _EARLY))
                return token
        except RedisError as error:
            log.warning("wecom_token_not_shared", error=str(error))
            return self._fetched()[0]

    def _fetched(self) -> tuple[str, int]:
        try:
            answer = self._asked(
                "GET", "/cgi-bin/gettoken", {"corpid": self._corp_id, "corpsecret": self._secret}, None
            )
        except Unsure as error:
            raise NotSent(str(error)) from error
        code = answer["errcode"]
        if code in (_BUSY, *_FREQUENT):
            raise Busy(_WINDOW)
        if code:
            raise WecomError(code, str(answer.get("errmsg", "")))
        return str(answer["access_token"]), int(answer.get("expires_in", 7200))

    def _forget(self, token: str) -> None:
        """Unless another process has fetched a new one already."""
        self._lately = ("", 0.0)
        try:
            cached = self._redis.get(self._key)
            if cached and cached.decode() == token:
                self._redis.delete(self._key)
        except RedisError as error:
            log.warning("wecom_token_not_shared", error=str(error))

    def close(self) -> None:
        self._http.close()
