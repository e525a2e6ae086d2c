"""Template cards: choices, tickets, ratings and notices as things to press, within WeChat Work's limits.

Source of the limits: the documentation's page 90236, 模板卡片消息. Lengths of words count characters (建议不超过), keys and ids bytes.
What does not fit is no card: it is said as text, with choices by number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from connectors.plain_text import plain
from connectors.port import Notice
from core.clock import local

MOST_TITLE, MOST_DESC, MOST_SUBTITLE = 36, 44, 160
MOST_BUTTONS, MOST_BUTTON, MOST_KEY = 6, 10, 1024
MOST_ROWS, MOST_ROW_NAME, MOST_ROW = 6, 5, 30
MOST_OPTIONS, MOST_OPTION, MOST_OPTION_ID = 20, 17, 128
MOST_SELECTS, MOST_SELECT_OPTIONS, MOST_SELECT_OPTION = 3, 10, 16
MOST_TASK_ID, MOST_URL = 128, 2048
SUBMIT = "submit"
"""The key of 提交: what was chosen are the options that come with it."""
CLICKED = ("button_interaction", "vote_interaction", "multiple_interaction")

Card = dict[str, Any]
Option = dict[str, Any]

_TITLES = {"answer": "您可能还想问", "choices": "请选择", "ticket": "工单", "reasons": "可以选几个原因"}
_BLUE, _WHITE = 1, 2


def task_id(key: str, part: int) -> str:
    """A card's name: the same for every attempt to send it, so that a repeat is refused instead of shown twice."""
    return f"fssc-{hashlib.sha256(f'{key}:{part}'.encode()).hexdigest()[:40]}"


def card_of(message: dict[str, Any], task: str) -> tuple[Card, bool] | None:
    """A message with choices as a card, and whether the card says all of it; None where it does not fit into one."""
    options = message.get("options") or []
    if not options or not all(_fits(option) for option in options):
        return None
    if message.get("type") == "reasons":
        found = _vote(message, options, task, mode=1)
        return (found, _head(message)[1]) if found else None
    return _buttons(message, options, task) or _listed(message, options, task)


def notice_card(notice: Notice, task: str) -> Card | None:
    """A notice to a member of the desk that opens the console; with buttons where something can be done at once."""
    title, text = notice.title, plain(notice.text)
    if not notice.url or len(notice.url.encode()) > MOST_URL or len(title) > MOST_TITLE:
        return None
    card: Card = {
        "card_type": "text_notice",
        "source": {"desc": "财务服务台", "desc_color": 2 if notice.urgent else 0},
        "main_title": {"title": title},
        "sub_title_text": _short(text, MOST_SUBTITLE),
        "card_action": {"type": 1, "url": notice.url},
    }
    actions = [{"label": label, "choice": choice} for label, choice in notice.actions]
    if not actions:
        return {**card, "jump_list": [{"type": 1, "title": "打开查看", "url": notice.url}]}
    if len(actions) >= MOST_BUTTONS or not all(_fits(one) and len(one["label"]) <= MOST_BUTTON for one in actions):
        return None
    opens = {"type": 1, "text": "打开查看", "style": _WHITE, "url": notice.url}
    buttons = [*(_button(one["label"], one["choice"], n == 0) for n, one in enumerate(actions)), opens]
    return {**card, "card_type": "button_interaction", "task_id": task, "button_list": buttons}


def chosen(key: str, selected: Sequence[tuple[str, Sequence[str]]]) -> str:
    """The choice behind a click: the button's, or the options that came with 提交. Of several that differ only in their last part,
    as reasons do, the parts in one: `rate:FW…:2:时效:回复太慢|流程:被转来转去`."""
    if key != SUBMIT:
        return key
    options = [one for _, found in selected for one in found]
    if len(options) < 2:
        return options[0] if options else ""
    stem = ":".join(options[0].split(":")[:3]) + ":"
    if not all(one.startswith(stem) for one in options):
        return options[0]
    return stem + "|".join(one.removeprefix(stem) for one in options)


def _fits(option: Option) -> bool:
    return 0 < len(str(option.get("choice") or "").encode()) <= MOST_KEY and bool(
        str(option.get("label") or "").strip()
    )


def _buttons(message: dict[str, Any], options: Sequence[Option], task: str) -> tuple[Card, bool] | None:
    """Up to six buttons. Labels that are too long for one stand above them in rows, and the buttons bear their numbers."""
    labels = [str(option["label"]) for option in options]
    if len(options) > MOST_BUTTONS or len({option["choice"] for option in options}) < len(options):
        return None
    rows = _facts(message)
    buttons = [_button(label, option["choice"]) for label, option in zip(labels, options, strict=True)]
    if any(len(label) > MOST_BUTTON for label in labels):
        if rows or any(len(label) > MOST_ROW for label in labels):
            return None
        rows = [{"keyname": f"{n}", "value": label} for n, label in enumerate(labels, 1)]
        buttons = [_button(f"{n}", option["choice"]) for n, option in enumerate(options, 1)]
    head, whole = _head(message)
    card = {"card_type": "button_interaction", **head, "task_id": task, "button_list": buttons}
    return ({**card, "horizontal_content_list": rows} if rows else card), whole


def _listed(message: dict[str, Any], options: Sequence[Option], task: str) -> tuple[Card, bool] | None:
    """More choices than buttons: one of a list."""
    found, (head, whole) = _vote(message, options, task, mode=0), _head(message)
    return (found, whole and "sub_title_text" not in head) if found else None


def _vote(message: dict[str, Any], options: Sequence[Option], task: str, mode: int) -> Card | None:
    ids = [str(option["choice"]) for option in options]
    if len(options) > MOST_OPTIONS or len(set(ids)) < len(ids) or any(len(i.encode()) > MOST_OPTION_ID for i in ids):
        return None
    if any(len(str(option["label"])) > MOST_OPTION for option in options):
        return None
    head, _ = _head(message)
    return {
        "card_type": "vote_interaction",
        "main_title": head["main_title"],
        "task_id": task,
        "checkbox": {
            "question_key": str(message.get("type") or "choices"),
            "mode": mode,
            "option_list": [
                {"id": one, "text": str(option["label"]), "is_checked": False}
                for one, option in zip(ids, options, strict=True)
            ],
        },
        "submit_button": {"text": "提交", "key": SUBMIT},
    }


def _head(message: dict[str, Any]) -> tuple[Card, bool]:
    """Title and subtitle, and whether they say everything that the message says."""
    kind, raw = str(message.get("type") or ""), str(message.get("text") or "")
    text = plain(raw)
    title = _TITLES.get(kind, "请选择")
    by_agent, linked = message.get("from") == "agent", "](" in raw or message.get("sources")
    if kind == "ticket" and message.get("number"):
        title = f"工单 {message['number']}"
    # Whether a card shows line breaks is not documented.
    if kind == "answer" or by_agent or linked or "\n" in text or len(text) > MOST_SUBTITLE:
        return {"main_title": {"title": title}}, False
    if kind == "rating":
        title = "请您评价"
    elif not text:
        return {"main_title": {"title": title}}, True
    elif len(text) <= MOST_TITLE and kind != "ticket":
        return {"main_title": {"title": text}}, True
    return {"main_title": {"title": title}, "sub_title_text": text}, True


def _facts(message: dict[str, Any]) -> list[dict[str, str]]:
    """What a ticket card shows of the ticket."""
    if message.get("type") != "ticket":
        return []
    named = {
        "状态": message.get("status_label"),
        "业务": message.get("business_type"),
        "紧急程度": message.get("urgency"),
        "单据号": message.get("document_no"),
        "提交": _day(message.get("created_at")),
        "问题": " ".join(plain(str(message.get("description") or "")).split()),
    }
    return [{"keyname": name, "value": _short(str(value), MOST_ROW)} for name, value in named.items() if value]


def _button(label: str, choice: str, first: bool = False) -> dict[str, Any]:
    return {"type": 0, "text": label, "style": _BLUE if first else _WHITE, "key": choice}


def _day(moment: Any) -> str:
    return local(datetime.fromisoformat(moment)) if moment else ""


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
