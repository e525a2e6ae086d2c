"""A center's records made up at random, and figures counted from them the slow way."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import SHANGHAI
from core.transcript import Conversation, Message, Turn
from handoff.tickets import TicketEventRow, TicketRow
from kb.store import FeedbackRow
from service.insight.asking import SUMMED

COMPANIES = {"华晟销售公司": ["销售一部", "销售二部"], "华晟制造公司": ["生产部"], "": [""]}
PAGES = ["expense.list", "travel.form", ""]
ENTRIES = {"E1": "差旅报销", "E2": "发票", "E3": "税务"}
START = datetime(2026, 3, 2, 0, 0, tzinfo=SHANGHAI)


REFUSED = "refused"
"""Given as a turn's band: the employee said 都不是."""


@dataclass
class Center:
    """Writes conversations, turns, ratings and tickets as the bot and the desk do."""

    session: Session
    random: Random
    ticket: int = 0
    conversations: list[Conversation] = field(default_factory=list)

    def converse(self, employee: str | None) -> Conversation:
        company = self.random.choice(sorted(COMPANIES))
        row = Conversation(
            id=str(uuid.UUID(int=self.random.getrandbits(128))),
            channel=self.random.choice(["widget", "wecom"]),
            employee_no=employee,
            identity={
                "employee_no": employee,
                "company": company or None,
                "department": self.random.choice(COMPANIES[company]) or None,
                "groups": [],
            },
            mode="bot",
            read_seq=0,
            created_at=START,
            last_at=START,
        )
        self.session.add(row)
        self.session.flush()
        self.conversations.append(row)
        return row

    def turn(self, conversation: Conversation, at: datetime, band: str | None, entry: str = "", **changes: Any) -> Turn:
        shown = (
            [{"entry_id": entry, "question": entry, "probability": 0.9, "business_type": ENTRIES[entry]}]
            if entry
            else []
        )
        outcome = {
            "band": band,
            "entry_id": entry if band == "answer" else None,
            "probability": 0.9,
            "release": 1,
            "question": f"{entry}怎么办",
            "shown": shown if band else [],
            "unresolved": None,
        }
        row = Turn(
            id=str(uuid.UUID(int=self.random.getrandbits(128))),
            conversation_id=conversation.id,
            owner=conversation.employee_no or conversation.id,
            client_message_id=str(uuid.UUID(int=self.random.getrandbits(128))),
            fingerprint="",
            body={"text": "", "choice": "", "said": "", "place": {"page": self.random.choice(PAGES), "node": ""}},
            state="done",
            outcome=_refused(outcome) if band == REFUSED else outcome if band else {**outcome, "entry_id": None},
            at=at,
            took_ms=self.random.uniform(5, 900),
        )
        for name, value in changes.items():
            setattr(row, name, value)
        self.session.add(row)
        self.session.flush()
        return row

    def rate(self, turn: Turn, helpful: bool, at: datetime) -> None:
        message = Message(
            id=str(uuid.uuid4()),
            conversation_id=turn.conversation_id,
            turn_id=turn.id,
            seq=self.random.getrandbits(30),
            sender="bot",
            type="answer",
            text="答案",
            body={"entry_id": (turn.outcome or {}).get("entry_id")},
            at=turn.at,
        )
        self.session.add(message)
        self.session.flush()
        self.session.add(
            FeedbackRow(
                message_id=message.id,
                conversation_id=turn.conversation_id,
                entry_id=message.body["entry_id"],
                helpful=helpful,
                reason=None if helpful else "incorrect",
                at=at,
            )
        )

    def file(self, conversation: Conversation, at: datetime) -> TicketRow:
        self.ticket += 1
        row = TicketRow(
            number=f"FW{at.astimezone(SHANGHAI):%Y%m%d}-{self.ticket:04d}",
            idempotency_key=str(uuid.uuid4()),
            status="new",
            business_type="税务",
            description="",
            urgency="一般",
            employee_no=conversation.employee_no,
            requester=conversation.identity,
            channel=conversation.channel,
            page="",
            node="",
            reason="customer_request",
            conversation_id=conversation.id,
            tried=[],
            created_at=at,
            updated_at=at,
            company=conversation.identity["company"],
            department=conversation.identity["department"],
        )
        self.session.add(row)
        self.session.flush()
        event = TicketEventRow(ticket=row.number, kind="filed", actor="", text="", at=at, public=True, detail={})
        self.session.add(event)
        return row

    def days(self, count: int, turns: int) -> None:
        """So many days with so many turns, by a few people who come back often, so that everything happens."""
        people = [self.converse(f"E{n}") for n in range(14)] + [self.converse(None) for _ in range(2)]
        people += [self.converse("E0")]
        for _ in range(turns):
            conversation = self.random.choice(people)
            at = START + timedelta(seconds=self.random.randrange(count * 86_400))
            for _ in range(self.random.choice([1, 1, 2, 3])):
                band = self.random.choice(["answer", "answer", "clarify", "none", REFUSED, None])
                entry = self.random.choice(sorted(ENTRIES)) if band and self.random.random() < 0.9 else ""
                turn = self.turn(conversation, at, band, entry if band != "answer" else entry or "E1")
                if band == "answer" and self.random.random() < 0.2:
                    self.rate(turn, self.random.random() < 0.5, at + timedelta(hours=1))
                if self.random.random() < 0.05:
                    self.file(conversation, at + timedelta(minutes=self.random.choice([2, 50, 1500])))
                at += timedelta(minutes=self.random.choice([1, 29, 30, 31, 300]))


def recount(session: Session) -> list[dict[str, Any]]:
    """Every visit, straight from every record there is, by the words of docs/insight.md."""
    turns = sorted(
        session.execute(select(Turn, Conversation).join(Conversation)).all(), key=lambda one: (one[0].at, one[0].id)
    )
    tickets = list(session.scalars(select(TicketRow)))
    useless = set(
        session.scalars(
            select(Message.turn_id).join(FeedbackRow, FeedbackRow.message_id == Message.id).where(~FeedbackRow.helpful)
        )
    )
    visits: list[list[Any]] = []
    for turn, conversation in turns:
        mine = [visit for visit in visits if visit[0][1].id == conversation.id]
        last = mine[-1][-1][0] if mine else None
        local = turn.at.astimezone(SHANGHAI)
        if last and turn.at - last.at <= timedelta(minutes=30) and last.at.astimezone(SHANGHAI).date() == local.date():
            mine[-1].append((turn, conversation))
        else:
            visits.append([(turn, conversation)])
    return [_judged(visit, visits, tickets, useless) for visit in visits]


def added(visits: list[dict[str, Any]], **wanted: Any) -> dict[str, int]:
    """The sums of the visits with these values."""
    chosen = [one for one in visits if all(one[name] == value for name, value in wanted.items())]
    return {name: sum(one[name] for one in chosen) for name in SUMMED}


def _refused(outcome: dict[str, Any]) -> dict[str, Any]:
    """As the bot keeps 都不是: with the question before, and without a release."""
    return {**outcome, "band": "none", "entry_id": None, "release": None, "unresolved": "none_of_these"}


def _question(turn: Turn) -> bool:
    return bool(turn.outcome["band"]) and turn.outcome["unresolved"] is None


def _person(conversation: Conversation) -> str:
    return conversation.employee_no or conversation.id


def _top(turn: Turn) -> str:
    outcome = turn.outcome or {}
    return outcome["entry_id"] or (outcome["shown"][0]["entry_id"] if outcome["shown"] else "")


def _judged(visit: list[Any], visits: list[Any], tickets: list[TicketRow], useless: set[str]) -> dict[str, Any]:
    conversation, begin, end = visit[0][1], visit[0][0].at, visit[-1][0].at
    asked = [turn for turn, _ in visit if _question(turn)]
    bands = [turn.outcome["band"] for turn in asked]
    refused = asked and any(turn.at > asked[-1].at and turn.outcome["unresolved"] for turn, _ in visit)
    answered = bool(asked) and bands[-1] == "answer" and not refused
    filed = [
        one
        for one in tickets
        if one.conversation_id == conversation.id and begin <= one.created_at <= end + timedelta(minutes=30)
    ]
    handed = bool(filed) or any(
        (one.employee_no or one.conversation_id) == _person(conversation)
        and begin <= one.created_at <= end + timedelta(hours=24)
        for one in tickets
    )
    again = answered and any(
        _question(turn) and _top(turn) == _top(asked[-1])
        for other in visits
        if _person(other[0][1]) == _person(conversation) and begin < other[0][0].at <= end + timedelta(hours=24)
        for turn, _ in other
    )
    bad = any(turn.id in useless for turn, _ in visit)
    places = [turn.body["place"]["page"] for turn in asked] or [turn.body["place"]["page"] for turn, _ in visit]
    before = [turn.body["place"]["page"] for turn, _ in visit if not asked or turn.at < asked[0].at]
    page = next((one for one in (*reversed(places), *reversed(before)) if one), "")
    kind = ENTRIES.get(_top(asked[-1]), "") if asked else (filed[-1].business_type if filed else "")
    return {
        "visits": 1,
        "matter": int(bool(asked or filed)),
        "involved": int(bool(asked)),
        "answered": int(answered),
        "filed": int(bool(filed)),
        "handed": int(bool(asked) and handed),
        "again": int(again),
        "bad": int(bool(asked) and bad),
        "resolved": int(answered and not handed and not again and not bad),
        "questions": len(bands),
        "answers": bands.count("answer"),
        "clarified": bands.count("clarify"),
        "nones": bands.count("none"),
        "day": begin.astimezone(SHANGHAI).date(),
        "person": _person(conversation),
        "company": conversation.identity["company"] or "",
        "department": conversation.identity["department"] or "",
        "channel": conversation.channel,
        "page": page,
        "business_type": kind,
    }
