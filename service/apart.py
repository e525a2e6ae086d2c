"""What somebody says in a group and should go on alone with the bot: their tickets are nobody else's business."""

from __future__ import annotations

from dataclasses import replace

from bot.orders import pressed, spoken
from bot.ticket_form import asks_for_tickets, wants_person
from connectors.port import Received

SAID = "工单和转人工涉及您的个人信息，已在单聊里继续，请打开与我的单聊查看。"
_CHOICES = ("handoff", "file", "my_tickets", "ticket")
_LONGEST = 40
"""Characters of a sentence that asks for a person and for nothing else."""


def alone(received: Received, choice: str, text: str) -> Received | None:
    """The same as if it had been said in the single chat, where it is about a ticket or asks for a person; None where it may
    stay. `choice` is what the words meant as a number or a label of a list that was shown in the group."""
    if choice:
        moves = choice.partition(":")[0] in _CHOICES or pressed(choice) is not None
    else:
        asks = len(text) <= _LONGEST and wants_person(text)
        moves = asks or asks_for_tickets(text) or spoken(text, held=False) is not None
    if not moves:
        return None
    return replace(received, kind="choice" if choice else received.kind, choice=choice, group="")
