"""What is said in a group and goes on alone with the bot."""

from __future__ import annotations

import pytest

from connectors.port import Received
from service.apart import alone


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("转人工", ""),
        ("帮我转人工吧", ""),
        ("我的工单", ""),
        ("FW20261122-0001 怎么样了", ""),
        ("催一下", ""),
        ("2", "handoff"),
        ("1", "ticket:FW20261122-0001"),
        ("重新打开", "reopen:FW20261122-0001"),
        ("", "my_tickets"),
    ],
)
def test_tickets_and_people_are_for_the_single_chat(text: str, choice: str) -> None:
    moved = alone(Received("text", "E1001", text, group="g"), choice, text)
    assert moved and moved.group == "" and moved.sender == "E1001"
    assert (moved.kind, moved.choice) == (("choice", choice) if choice else ("text", ""))


@pytest.mark.parametrize(
    ("text", "choice"),
    [("出差住宿费能报多少？", ""), ("1", "entry:t-1"), ("都不是", "none"), ("", "greet"), ("工单多久能处理完？", "")],
)
def test_questions_stay_in_the_group(text: str, choice: str) -> None:
    assert alone(Received("text", "E1001", text, group="g"), choice, text) is None
