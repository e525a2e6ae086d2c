"""What WeChat Work takes as a template card, and what its reader sees and presses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

_TASK = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
_KINDS = ("text_notice", "button_interaction", "vote_interaction", "multiple_interaction")
_FIELDS = {
    "card_type", "source", "main_title", "sub_title_text", "horizontal_content_list", "jump_list", "card_action", "task_id",
    "button_list", "checkbox", "submit_button", "select_list", "quote_area", "emphasis_content", "action_menu",
}  # fmt: skip


def wrong_with(card: Any) -> str:
    """What the original would refuse or cut, "" for a good card."""
    if not isinstance(card, dict) or card.get("card_type") not in _KINDS:
        return f"no card type: {card!r:.80}"
    if unknown := set(card) - _FIELDS:
        return f"unknown fields {sorted(unknown)}"
    kind, title = card["card_type"], card.get("main_title") or {}
    checks = [
        (_TASK.fullmatch(str(card.get("task_id", ""))) or kind == "text_notice", "task_id"),
        (title.get("title") or card.get("sub_title_text"), "neither title nor subtitle"),
        (len(title.get("title", "")) <= 36, "title over 36 characters"),
        (len(title.get("desc", "")) <= 44, "description over 44 characters"),
        (len(card.get("sub_title_text", "")) <= 160, "subtitle over 160 characters"),
        (len(card.get("horizontal_content_list", [])) <= 6, "more than 6 rows"),
        (len(card.get("jump_list", [])) <= 3, "more than 3 jumps"),
    ]
    checks += [
        (row.get("keyname") and len(row["keyname"]) <= 5 and len(row.get("value", "")) <= 30, f"row {row}")
        for row in card.get("horizontal_content_list", [])
    ]
    if kind == "text_notice":
        checks.append((_address(card.get("card_action") or {}), "a text_notice opens something"))
    if kind == "button_interaction":
        buttons = card.get("button_list", [])
        keys = [one.get("key") for one in buttons if not one.get("type")]
        checks += [(1 <= len(buttons) <= 6, "1 to 6 buttons"), (len(set(keys)) == len(keys), "keys twice")]
        checks += [
            (
                0 < len(one["text"]) <= 10 and (_address(one) if one.get("type") else _key(one.get("key"))),
                f"button {one}",
            )
            for one in buttons
        ]
    if kind == "vote_interaction":
        box = card.get("checkbox") or {}
        checks += [
            (_key(box.get("question_key")) and box.get("mode") in (0, 1), "question_key and mode"),
            *_options(box.get("option_list", []), 20, 17),
            _submit(card),
        ]
    if kind == "multiple_interaction":
        selects = card.get("select_list", [])
        checks += [(1 <= len(selects) <= 3, "1 to 3 selects"), _submit(card)]
        for one in selects:
            checks += [(_key(one.get("question_key")), "question_key"), *_options(one.get("option_list", []), 10, 16)]
    return next((f"{kind}: {what}" for good, what in checks if not good), "")


def seen(card: dict[str, Any]) -> str:
    """Everything that stands on a card, one thing a line."""
    title = card.get("main_title") or {}
    lines = [title.get("title", ""), title.get("desc", ""), card.get("sub_title_text", "")]
    lines += [f"{row['keyname']} {row.get('value', '')}" for row in card.get("horizontal_content_list", [])]
    lines += [f"[{one['text']}]" for one in card.get("button_list", [])]
    lines += [f"( ) {one['text']}" for one in (card.get("checkbox") or {}).get("option_list", [])]
    return "\n".join(line for line in lines if line)


def labels(card: dict[str, Any]) -> list[str]:
    """What can be pressed."""
    if card["card_type"] == "vote_interaction":
        return [one["text"] for one in card["checkbox"]["option_list"]]
    return [one["text"] for one in card.get("button_list", []) if not one.get("type")]


def clicked(card: dict[str, Any], pressed: Sequence[str]) -> str:
    """The fields of the event when a button, or options and 提交, are pressed. Raises KeyError for what is not on the card."""
    if card["card_type"] == "button_interaction":
        keys = {one["text"]: one["key"] for one in card["button_list"] if not one.get("type")}
        return f"<EventKey>{escape(keys[pressed[0]])}</EventKey>"
    box = card["checkbox"]
    ids = {one["text"]: one["id"] for one in box["option_list"]}
    options = "".join(f"<OptionId>{escape(ids[one])}</OptionId>" for one in pressed)
    return (
        f"<EventKey>{escape(card['submit_button']['key'])}</EventKey><SelectedItems><SelectedItem>"
        f"<QuestionKey>{escape(box['question_key'])}</QuestionKey><OptionIds>{options}</OptionIds>"
        "</SelectedItem></SelectedItems>"
    )


def _key(key: Any) -> bool:
    return isinstance(key, str) and 0 < len(key.encode()) <= 1024


def _address(target: dict[str, Any]) -> bool:
    url = str(target.get("url", ""))
    return target.get("type") == 1 and url.startswith(("http://", "https://")) and len(url.encode()) <= 2048


def _submit(card: dict[str, Any]) -> tuple[bool, str]:
    button = card.get("submit_button") or {}
    return 0 < len(button.get("text", "")) <= 10 and _key(button.get("key")), "submit_button"


def _options(options: list[dict[str, Any]], most: int, longest: int) -> list[tuple[bool, str]]:
    ids = [str(one.get("id", "")) for one in options]
    return [
        (1 <= len(options) <= most, f"1 to {most} options"),
        (len(set(ids)) == len(ids) and all(0 < len(one.encode()) <= 128 for one in ids), "ids of options"),
        (all(0 < len(one.get("text", "")) <= longest for one in options), f"options over {longest} characters"),
    ]
