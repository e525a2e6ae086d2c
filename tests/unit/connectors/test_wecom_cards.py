"""Whatever is said, what leaves is within the documented limits, and nothing of it is lost."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.plain_text import plain
from connectors.wecom.cards import chosen
from connectors.wecom.channel import MOST_BYTES, rendered
from tests.simulators import wecom_cards

WORDS = st.text(alphabet="报销住宿费能多少？《》a1 \n·😀|:", min_size=1, max_size=40)
OPTIONS = st.lists(
    st.fixed_dictionaries({"label": WORDS, "choice": st.text(alphabet="entry:ab1单", min_size=1, max_size=60)}),
    max_size=24,
)
MESSAGES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["text", "answer", "choices", "ticket", "rating", "reasons", "question", "summary"]),
        "from": st.sampled_from(["bot", "agent"]),
        "text": st.text(alphabet="报销住宿费能多少？\n*[](:/).a1😀", max_size=900),
        "options": OPTIONS,
        "sources": st.lists(st.fixed_dictionaries({"label": WORDS}), max_size=3),
        "number": st.just("FW20261121-0001"),
        "description": WORDS,
        "urgency": st.just("一般"),
        "agent_name": st.sampled_from(["", "赵敏"]),
    }
)


@given(MESSAGES)
@settings(max_examples=100, deadline=None)
def test_every_message_is_within_the_limits_and_says_everything(message: dict) -> None:
    said = ""
    for part in rendered(message, "message:1"):
        if part.body["msgtype"] == "template_card":
            assert wecom_cards.wrong_with(part.body["template_card"]) == ""
            said += wecom_cards.seen(part.body["template_card"])
            assert part.instead, "there are always words for it"
        else:
            said += part.body["text"]["content"]
            assert 0 < len(part.body["text"]["content"].encode()) <= MOST_BYTES
        assert all(0 < len(text.encode()) <= MOST_BYTES for text in part.instead)
    if "[" not in message["text"]:
        assert _letters(plain(message["text"])) in _letters(said)
    for option in message["options"]:
        assert _letters(option["label"]) in _letters(said)


@given(OPTIONS.filter(bool))
@settings(max_examples=60, deadline=None)
def test_what_is_pressed_comes_back_as_the_choice_it_stands_for(options: list[dict]) -> None:
    (part, *_) = rendered({"type": "choices", "text": "请选择", "options": options}, "message:2")
    card = part.body.get("template_card")
    if card is None:
        return
    for place, label in enumerate(wecom_cards.labels(card)):
        if wecom_cards.labels(card).count(label) > 1:
            continue
        pressed = wecom_cards.clicked(card, [label])
        ids = re.findall(r"<OptionId>(.*?)</OptionId>", pressed, re.S)
        key = re.findall(r"<EventKey>(.*?)</EventKey>", pressed, re.S)[0]
        assert chosen(key, [("q", ids)]) == options[place]["choice"]


def _letters(text: str) -> str:
    return re.sub(r"\s", "", text)
