"""DingTalk's API: one access token for all processes, each error with what to do about it.

Source: the documentation's pages obtain-the-access-token-of-an-internal-app, 0012 and 1433 (limits), 0013 (codes). There are
two generations: `api.dingtalk.com` answers errors with an HTTP status and a `code` in words, `oapi.dingtalk.com`, to which
session webhooks belong, with 200 and an `errcode`.
"""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta
from typing import Any

import httpx
import structlog
from redis import Redis
from redis.exceptions import RedisError

from connectors.delivery import Busy, NotSent, Unsure

log = structlog.get_logger()

DEFAULT_URL = "https://api.dingtalk.com"
OLD_URL = "https://oapi.dingtalk.com"
_EARLY = 300
_PATIENCE = httpx.Timeout(10, connect=4)
_A_SECOND = 18
"""Calls of one API; two less than the free edition takes: its second is not ours."""
_PAUSES = {
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi": 1,
    "Forbidden.AccessDenied.QpsLimitForApi": 4,
    "90018": 1,
    "90002": 4,
    "send.too.fast": 10,
    "send.byToken.tooFast": 10,
    "too.many.people": 30,
    "too.many.group": 30,
    "130101": 60,
    "410100": 10,
    "-1": 2,
}
_BANNED = timedelta(minutes=5)
_SECOND = timedelta(seconds=1)
_STALE = {"InvalidAuthentication", "40014", "42001", "40001", "invalidParameter.token.invalid"}

_NO_QUOTA = (
    "本月的接口调用次数已用完（标准版每月 5000 次），请在钉钉管理后台升级版本或购买调用量，恢复后会自动继续发送。"
)
_ROBOT = "RobotCode 不正确，或机器人已停用、没有发布，请在钉钉开发者后台核对。"
_KEYS = "Client ID 或 Client Secret 不正确，请在钉钉开发者后台的“凭证与基础信息”核对后更新配置。"
OPERATOR = {
    "Forbidden.AccessDenied.ApiCountLimitForOrg": _NO_QUOTA,
    "90020": _NO_QUOTA,
    "Forbidden.AccessDenied.IpNotInWhiteList": "服务器的出口 IP 不在应用的“服务器出口 IP”名单里，请在开发者后台的安全设置添加。",
    "Forbidden.AccessDenied.AccessTokenPermissionDenied":
        "应用缺少接口权限，请在开发者后台的权限管理申请“企业内机器人发送消息权限”。",
    "60011": "应用缺少通讯录权限，请在开发者后台的权限管理申请“成员信息读权限”和“通讯录部门信息读权限”。",
    "invalidClientIdOrSecret": _KEYS,
    "InvalidAuthentication": _KEYS,
    "40014": _KEYS,
}  # fmt: skip
"""Codes that only somebody who runs the product can put right, and how."""


class DingtalkError(Exception):
    """An answer with an error. `advice` is for the operator, empty where there is nothing for them to do."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"{code} {said}"[:300])
        self.code = code
        self.advice = OPERATOR.get(code, "")
        if not self.advice and (code.startswith("invalidParameter.robotCode") or code.startswith("template.")):
            self.advice = _ROBOT
        elif not self.advice and code.startswith("Forbidden."):
            self.advice = f"钉钉拒绝了调用（{code}），请在开发者后台检查应用的权限、状态和可用范围。"

    @property
    def no_quota(self) -> bool:
        return self.advice == _NO_QUOTA


class DingtalkClient:
    """Calls for one app, whose `scope` keeps what is remembered of it apart from others. Raises DingtalkError for an error; NotSent, Busy and Unsure as `connectors.delivery` means them."""

    def __init__(self, client_id: str, secret: str, redis: Redis, url: str = DEFAULT_URL) -> None:
        self._client_id, self._secret, self._redis = client_id, secret, redis
        self._url = url.rstrip("/")
        self._old_url = OLD_URL if self._url == DEFAULT_URL else self._url
        self._http = httpx.Client(timeout=_PATIENCE, follow_redirects=False)
        self._key = f"fssc:dingtalk:token:{hashlib.sha256(f'{client_id}:{secret}'.encode()).hexdigest()[:24]}"
        self.scope = hashlib.sha256(f"{client_id}:{self._url}".encode()).hexdigest()[:12]

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A call of the new API."""
        self._pace(path)
        return self._twice(
            lambda token: self._asked(f"{self._url}{path}", body, headers={"x-acs-dingtalk-access-token": token})
        )

    def old(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A call of the old API; what stands under `result`. Refused as one too many in DingTalk's second, which is not ours, it is
        asked once more: who somebody is, nobody asks again later."""
        try:
            found = self._old(path, body)
        except Busy as busy:
            if busy.retry_after > _SECOND:
                raise
            time.sleep(_SECOND.total_seconds())
            found = self._old(path, body)
        result = found.get("result")
        return result if isinstance(result, dict) else {}

    def _old(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self._pace(path)
        return self._twice(
            lambda token: self._asked(f"{self._old_url}{path}", body, parameters={"access_token": token})
        )

    def webhook(self, address: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer at a session webhook, which is its own proof of who calls."""
        return self._asked(address, body)

    def gateway(self) -> dict[str, Any]:
        """A place at the stream gateway: `{endpoint, ticket}`; the ticket is for one connection."""
        topics = [{"type": "CALLBACK", "topic": "/v1.0/im/bot/messages/get"}]
        body = {"clientId": self._client_id, "clientSecret": self._secret, "subscriptions": topics, "ua": "fssc-desk"}
        return self._asked(f"{self._url}/v1.0/gateway/connections/open", {**body, "localIp": ""})

    def _twice(self, call: Any) -> dict[str, Any]:
        token = self._token()
        try:
            return call(token)
        except DingtalkError as error:
            if error.code not in _STALE:
                raise
            self._forget(token)
        return call(self._token())

    def _asked(
        self, address: str, body: dict[str, Any], *, headers: dict[str, str] | None = None,
        parameters: dict[str, str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        try:
            answer = self._http.post(
                address, json=body, params=parameters, headers={"Accept": "application/json", **(headers or {})}
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSent(f"DingTalk cannot be reached: {type(error).__name__}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unsure(f"no answer from DingTalk: {type(error).__name__}") from error
        return _understood(answer)

    def _pace(self, path: str) -> None:
        """Wait for room in this second; Busy where many wait."""
        for _ in range(3):
            moment = time.time()
            key = f"fssc:dingtalk:pace:{path}:{int(moment)}"
            try:
                with self._redis.pipeline() as pipe:
                    used, _ = pipe.incr(key).expire(key, 5).execute()
            except RedisError:
                return
            if int(used) <= _A_SECOND:
                return
            time.sleep(1.01 - moment % 1)
        raise Busy(_SECOND)

    def _token(self) -> str:
        """The cached token, fetched by one process at a time. Without Redis each process fetches its own."""
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
            log.warning("dingtalk_token_not_shared", error=type(error).__name__)
            return self._fetched()[0]

    def _fetched(self) -> tuple[str, int]:
        try:
            answer = self._asked(
                f"{self._url}/v1.0/oauth2/accessToken", {"appKey": self._client_id, "appSecret": self._secret}
            )
        except Unsure as error:
            raise NotSent(str(error)) from error
        token, seconds = answer.get("accessToken"), answer.get("expireIn", 7200)
        if not isinstance(token, str) or not token:
            raise NotSent("DingTalk gave no token")
        return token, int(seconds)

    def _forget(self, token: str) -> None:
        """Unless another process has fetched a new one already."""
        try:
            cached = self._redis.get(self._key)
            if cached and cached.decode() == token:
                self._redis.delete(self._key)
        except RedisError as error:
            log.warning("dingtalk_token_not_shared", error=type(error).__name__)

    def close(self) -> None:
        self._http.close()


def _understood(answer: httpx.Response) -> dict[str, Any]:
    """What was answered; every error by its code, in both generations."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.status_code in (502, 504):
        raise Unsure(f"HTTP {answer.status_code} before DingTalk")
    if not isinstance(found, dict) or found.get("status") == 1111:
        if answer.status_code >= 500:
            raise Unsure(f"HTTP {answer.status_code} from DingTalk")
        # A page instead of JSON: this machine's address is shut out for five minutes.
        raise Busy(_BANNED)
    code = str(found.get("code") or "") if answer.status_code != 200 else ""
    code = code or str(found.get("errcode") or "")
    if code in ("", "0") and answer.status_code == 200:
        return found
    code = str(found.get("sub_code") or "") or code or f"HTTP {answer.status_code}"
    if pause := _PAUSES.get(code):
        raise Busy(timedelta(seconds=pause))
    if answer.status_code == 429:
        raise Busy(timedelta(seconds=10))
    if answer.status_code >= 500:
        raise NotSent(f"DingTalk failed: {code}")
    raise DingtalkError(code, str(found.get("message") or found.get("sub_msg") or found.get("errmsg") or ""))
