"""Buttons: what a pressed one means to the dialogue engine, and what stood on it."""

from __future__ import annotations

import json
import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import ratings
from bot.answering import Answering
from bot.inbox import Inbound
from bot.turns import TurnContext
from core.errors import InvalidInput
from core.transcript import Message

_CHOICE = re.compile(
    r"(?P<kind>entry|ticket|say):(?P<value>.{1,300})|(?P<order>none|handoff|file|my_tickets|greet)", re.S
)
_ID = {"entry": re.compile(r'[^\s"{}\\]{1,150}'), "ticket": re.compile(r"[A-Za-z0-9_.-]{1,64}")}

_ORDERS = {
    "none": "none_of_these",
    "handoff": "handoff",
    "file": "file_ticket",
    "my_tickets": "my_tickets",
    "greet": "greet",
}


def engine_text(inbound: Inbound) -> str:
    """What the engine is told: plain text, or an intent payload for a button.

    Rasa reads a text that starts with a slash as a payload, so nobody may type one. Raises InvalidInput.
    """
    if not inbound.choice:
        return inbound.text.lstrip("/ ") or "?"
    match = _CHOICE.fullmatch(inbound.choice)
    if not match:
        raise InvalidInput("这个选项无法识别，请直接输入您的问题。", code="unknown_choice")
    if order := match["order"]:
        return f"/{_ORDERS[order]}"
    value = match["value"]
    if match["kind"] == "say":
        return value.lstrip("/ ") or "?"
    if not _ID[match["kind"]].fullmatch(value):
        raise InvalidInput("这个选项无法识别，请直接输入您的问题。", code="unknown_choice")
    intent, entity = {"entry": ("open_entry", "entry_id"), "ticket": ("ticket_status", "ticket_number")}[match["kind"]]
    return f"/{intent}{json.dumps({entity: value})}"


def label_of(session: Session, answering: Answering, context: TurnContext, choice: str) -> str:
    """What stood on the button that was pressed."""
    recent = session.scalars(
        select(Message.body)
        .where(Message.conversation_id == context.conversation_id, Message.sender == "bot")
        .order_by(Message.seq.desc())
        .limit(20)
    )
    for body in recent:
        for option in body.get("options", []):
            if option["choice"] == choice:
                return option["label"]
    kind, _, value = choice.partition(":")
    if kind == "entry":
        return answering.title(value, context) or value
    return {
        "handoff": "转人工",
        "file": "提交工单",
        "my_tickets": "我的工单",
        "none": "都不是",
        "greet": "你好",
        "bot": "回到机器人",
        "talk": "和人工说",
        "urge": "催办",
        "reopen": "重新打开",
        "cancel": "撤销工单",
        "confirm": "问题已解决",
        "add": "补充说明",
        "rate": ratings.label(value),
    }.get(kind, value)
