"""Errors as HTTP: `{"error": {"code", "message"}}`, in Chinese, never with a stack trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import FSSCError

log = structlog.get_logger()

_HTTP = {
    401: ("not_signed_in", "请先登录。"),
    404: ("not_found", "没有找到这个地址，请检查链接。"),
    405: ("method_not_allowed", "这个地址不支持该操作。"),
    413: ("too_large", ""),
}
_OF_ENTRY = {
    "id": "编号",
    "question": "标准问",
    "similar": "相似问",
    "answer": "答案",
    "business_type": "业务类型",
    "scenes": "适用场景",
    "companies": "可见公司",
    "groups": "可见人员组",
    "audience": "可见范围",
    "sources": "依据",
    "label": "依据",
    "quote": "依据的原文",
    "effective_from": "生效日期",
    "effective_to": "失效日期",
    "related": "后续问题",
    "owner": "负责组",
    "title": "标题",
    "review_on": "复核日期",
    "extra": "其他信息",
}
_FIELDS = {
    "text": "消息内容",
    "choice": "选项",
    "client_message_id": "消息编号",
    "conversation_id": "会话编号",
    "message_id": "消息编号",
    "username": "用户名",
    "password": "密码",
    "q": "查询内容",
}


def problem(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def install_problem_handlers(app: FastAPI) -> None:
    @app.exception_handler(FSSCError)
    async def ours(request: Request, error: FSSCError) -> JSONResponse:
        if error.status >= 500:
            log.error("request_failed", path=request.url.path, code=error.code, error=error.message)
            return problem(error.status, error.code, "服务暂时不可用，请稍后重试。")
        answer = problem(error.status, error.code, error.message)
        if error.status == 429:
            answer.headers["Retry-After"] = "60"
        return answer

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return problem(400, "malformed_json", "请求格式不正确，请检查 JSON 格式后重试。")
        name = _name(first["loc"])
        if first["type"] == "missing":
            text = f"缺少{name}，请补充后重试。"
        elif first["type"] == "string_too_long":
            text = f"{name}最长 {first['ctx']['max_length']} 字，请精简后重新发送。"
        elif first["type"] == "too_long":
            text = f"{name}最多 {first['ctx']['max_length']} 项，请精简后重新发送。"
        elif first["type"] == "value_error":
            text = str(first["ctx"]["error"])
        else:
            text = f"{name}不符合要求，请修改后重试。"
        return problem(400, "invalid_input", text)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code, message = _HTTP.get(error.status_code, ("error", "请求无法处理，请稍后重试。"))
        if error.status_code == 413:
            message = error.detail
        return problem(error.status_code, code, message)

    @app.exception_handler(TimeoutError)
    async def busy(request: Request, error: TimeoutError) -> JSONResponse:
        return problem(409, "in_progress", "上一条消息正在处理，请稍候再发。")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.exception("unexpected", path=request.url.path, exc_info=error)
        return problem(500, "internal", "服务出了点问题，我们已记录。请稍后重试。")


def _name(place: Sequence[int | str]) -> str:
    """What people call the field at a place of a request; in an entry, the item of a list too: 其他信息第 2 项."""
    names = _FIELDS | _OF_ENTRY if tuple(place[:2]) == ("body", "body") else _FIELDS
    known = [n for n, one in enumerate(place) if one in names]
    at = known[-1] if known else max(n for n, one in enumerate(place) if n == 0 or isinstance(one, str))
    item = next((one for one in place[at + 1 :] if isinstance(one, int)), None)
    return names.get(str(place[at]), str(place[at])) + (f"第 {item + 1} 项" if item is not None else "")


class BodyLimit:
    """Refuses a body of more than `limit` bytes, by its header or as it arrives; `larger` names paths with limits of their own;
    one that ends in a slash stands for all below it."""

    def __init__(self, app: ASGIApp, limit: int, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/engine/"):
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await problem(413, "too_large", _too_large(limit))(scope, receive, send)
            return
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, _too_large(limit))
            return message

        await self._app(scope, limited, send)

    def _limit_of(self, path: str) -> int:
        for name, limit in self._larger.items():
            if path == name.rstrip("/") or (name.endswith("/") and path.startswith(name)):
                return limit
        return self._limit


def _too_large(limit: int) -> str:
    if limit < 2**20:
        return "内容太大，请精简后重新发送。"
    return f"文件或内容超过 {limit // 2**20} MB，请拆分成几份，或删去图片后重新发送。"
