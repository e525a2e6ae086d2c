"""What became of every message of a channel, as the database has it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import func, select

from connectors.arrivals import ArrivalRow
from core.database import Database
from core.outbox import DeliveryRow
from core.transcript import Conversation, Message


def judged(url: str, texts: dict[str, str], channel: str = "wecom") -> dict[str, Any]:
    """`texts` by the platform's message id, each different: stored, taken in once, in the order in which each person's were stored,
    and answered. Everything but `messages`, `stored` and `deliveries` should be 0."""
    keys = {hashlib.sha256(f"m:{number}".encode()).hexdigest(): text for number, text in texts.items()}
    database = Database(url)
    with database.read() as session:
        stored = session.execute(
            select(ArrivalRow.sender, ArrivalRow.key).where(ArrivalRow.channel == channel).order_by(ArrivalRow.id)
        ).all()
        rows = session.execute(
            select(Conversation.employee_no, Message.sender, Message.text, Message.turn_id)
            .join(Message, Message.conversation_id == Conversation.id)
            .where(Conversation.channel == channel)
            .order_by(Message.conversation_id, Message.seq)
        ).all()
        states = (
            select(DeliveryRow.state, func.count()).where(DeliveryRow.channel == channel).group_by(DeliveryRow.state)
        )
        deliveries = {state: number for state, number in session.execute(states)}
        failed = session.scalar(select(func.count()).where(ArrivalRow.state == "failed"))
    database.close()
    expected: dict[str, list[str]] = defaultdict(list)
    heard: dict[str, list[str]] = defaultdict(list)
    ours = set(texts.values())
    for sender, key in stored:
        if key in keys:
            expected[sender].append(keys[key])
    turns, answered = set(), set()
    for person, sender, text, turn in rows:
        if sender == "user" and text in ours:
            heard[str(person).lower()].append(text)
            turns.add(turn)
        elif sender == "bot" and turn:
            answered.add(turn)
    counted = Counter(text for one in heard.values() for text in one)
    return {
        "messages": len(texts),
        "stored": sum(map(len, expected.values())),
        "not_taken_in": sum(not counted[text] for text in ours),
        "taken_in_twice": sum(number > 1 for number in counted.values()),
        "people_out_of_order": sum(heard[person] != expected[person] for person in expected),
        "without_an_answer": len(turns - answered),
        "arrivals_given_up": failed,
        "deliveries": deliveries,
    }
