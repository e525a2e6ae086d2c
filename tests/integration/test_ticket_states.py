"""The state machine by table: every verb in every state."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session, SessionTransaction

from core.database import Database
from core.errors import Conflict, Forbidden, NotFound
from handoff import lifecycle
from handoff.actors import Actor
from handoff.tickets import TicketRow, events_of
from tests.tickets import ADMIN, FANG, SUN, WANG, ZHANG, filed, open_desk, person, placed, requester_of

STATUSES = ("new", "assigned", "in_progress", "waiting", "resolved", "closed", "reopened", "cancelled", "merged")

# The state afterwards, in the order of STATUSES; `-` where the verb is refused. The ticket has an assignee, ADMIN, in all
# states but new, and in those of `claim`.
TABLE = """
                new          assigned     in_progress  waiting      resolved   closed    reopened     cancelled  merged
assign          assigned     assigned     assigned     waiting      -          -         assigned     -          -
claim           in_progress  -            -            waiting      -          -         in_progress  -          -
accept          -            in_progress  -            -            -          -         in_progress  -          -
give_back       -            new          new          waiting      -          -         new          -          -
reply           in_progress  in_progress  in_progress  waiting      resolved   -         in_progress  -          -
reply_waiting   waiting      waiting      waiting      waiting      -          -         waiting      -          -
reply_resolved  resolved     resolved     resolved     resolved     -          -         resolved     -          -
note            new          assigned     in_progress  waiting      resolved   closed    reopened     cancelled  merged
resolve         -            -            resolved     resolved     -          -         -            -          -
close           -            -            -            -            closed     -         -            -          -
reopen          -            -            -            -            reopened   reopened  -            -          -
cancel          cancelled    cancelled    cancelled    cancelled    -          -         cancelled    -          -
merge           merged       merged       merged       merged       -          -         merged       -          -
link            new          assigned     in_progress  waiting      resolved   closed    reopened     cancelled  merged
transfer        new          new          new          waiting      -          -         new          -          -
transfer_to     assigned     assigned     assigned     waiting      -          -         assigned     -          -
escalate        new          new          new          waiting      -          -         new          -          -
invite          new          assigned     in_progress  waiting      -          -         reopened     -          -
change          new          assigned     in_progress  waiting      -          -         reopened     -          -
seen            new          assigned     in_progress  waiting      resolved   closed    reopened     cancelled  merged
say_to_ticket   new          assigned     in_progress  in_progress  resolved   -         reopened     -          *
urge            new          assigned     in_progress  waiting      -          -         reopened     -          *
"""
CELLS = [
    (row.split()[0], status, after)
    for row in TABLE.strip().splitlines()[1:]
    for status, after in zip(STATUSES, row.split()[1:], strict=True)
]


def use(session: Session, verb: str, ticket: TicketRow, actor: Actor = ADMIN, **more: Any) -> TicketRow:
    """`verb` as the table calls it, with arguments that are good."""
    number = ticket.number
    calls: dict[str, Callable[[], TicketRow]] = {
        "assign": lambda: lifecycle.assign(session, number, actor, "zhang", **more),
        "claim": lambda: lifecycle.claim(session, number, actor, **more),
        "accept": lambda: lifecycle.accept(session, number, actor, **more),
        "give_back": lambda: lifecycle.give_back(session, number, actor, "要开会", **more),
        "reply": lambda: lifecycle.reply(session, number, actor, "请重新提交", **more),
        "reply_waiting": lambda: lifecycle.reply(session, number, actor, "请补发票", then="waiting", **more),
        "reply_resolved": lambda: lifecycle.reply(session, number, actor, "已处理", then="resolved", **more),
        "note": lambda: lifecycle.note(session, number, actor, "已问税务局", **more),
        "resolve": lambda: lifecycle.resolve(session, number, actor, "已处理", **more),
        "close": lambda: lifecycle.close(session, number, actor, **more),
        "reopen": lambda: lifecycle.reopen(session, number, actor, "还是不行", **more),
        "cancel": lambda: lifecycle.cancel(session, number, actor, "重复提交", **more),
        "merge": lambda: lifecycle.merge(session, number, actor, filed(session).number, **more),
        "link": lambda: lifecycle.link(session, number, actor, filed(session, requester=WANG).number, **more),
        "transfer": lambda: lifecycle.transfer(session, number, actor, "expense", "归报销组", **more),
        "transfer_to": lambda: lifecycle.transfer(session, number, actor, "expense", "归报销组", to="fang", **more),
        "escalate": lambda: lifecycle.escalate(session, number, actor, "政策不明", **more),
        "invite": lambda: lifecycle.invite(session, number, actor, "qian", "请看合同", **more),
        "change": lambda: lifecycle.change(session, number, actor, urgency="紧急", **more),
        "seen": lambda: lifecycle.seen(session, number, actor, **more),
        "say_to_ticket": lambda: lifecycle.say_to_ticket(session, number, actor, "补充一下", **more),
        "urge": lambda: lifecycle.urge(session, number, actor, **more),
    }
    return calls[verb]()


def prepared(session: Session) -> dict[tuple[str, bool], str]:
    """A ticket in every state, with and without somebody who has it."""
    return {
        (status, held): placed(session, status, ADMIN.id if held else None).number
        for status in STATUSES
        for held in (True, False)
    }


def of(verb: str, status: str) -> tuple[str, bool]:
    return status, status != "new" and verb != "claim"


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Session]:
    """A session on a desk with people and groups; what is done in it is undone."""
    database = Database(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'db.sqlite3')}")
    open_desk(database)
    with database.engine.connect() as connection:
        session = Session(connection)
        yield session
        session.rollback()
    database.close()


def undo(session: Session, savepoint: SessionTransaction) -> None:
    savepoint.rollback()
    session.expunge_all()  # Numbers are given out anew.


def test_every_verb_in_every_state(desk: Session) -> None:
    wrong = []
    tickets = prepared(desk)
    for verb, before, after in CELLS:
        with desk.begin_nested() as savepoint:
            ticket = desk.get_one(TicketRow, tickets[of(verb, before)])
            actor = requester_of(ticket) if verb in ("say_to_ticket", "urge") else ADMIN
            count, version = len(events_of(desk, ticket.number)), ticket.version
            try:
                found = str(use(desk, verb, ticket, actor).status)
            except (Conflict, Forbidden) as error:
                # What is given to nobody cannot be accepted by anybody.
                refused = error.code == "wrong_state" or (verb, before) == ("accept", "new")
                found = "-" if refused else f"{error.code}: {error.message}"
            expected = "new" if after == "*" else after
            events = [event.kind for event in events_of(desk, ticket.number)][count:]
            if found != expected:
                wrong.append(f"{verb} in {before}: {found}, expected {expected}")
            quiet = after in ("-", "*") or verb == "seen"
            if quiet != (not events) or (not quiet and ticket.version <= version):
                wrong.append(f"{verb} in {before}: events {events}, version {version} → {ticket.version}")
            undo(desk, savepoint)
    assert wrong == []


def test_a_refusal_says_what_can_be_done_instead(desk: Session) -> None:
    ticket = placed(desk, "closed", ADMIN.id)
    with pytest.raises(Conflict, match="已关闭.*7 天内可以重新打开"):
        lifecycle.reply(desk, ticket.number, ADMIN, "你好")
    merged = placed(desk, "merged", ADMIN.id)
    with pytest.raises(Conflict, match=merged.merged_into or "?"):
        lifecycle.reply(desk, merged.number, ADMIN, "你好")


@pytest.mark.parametrize("stranger", [FANG, person("ed", "editor", "reviewer", "publisher")], ids=lambda one: one.id)
def test_no_verb_lets_a_stranger_in(desk: Session, stranger: Actor) -> None:
    """A ticket that one may not read looks like one that does not exist; nothing is written."""
    for verb in {row[0] for row in CELLS}:
        with desk.begin_nested() as savepoint:
            ticket = placed(desk, "in_progress", ZHANG.id)
            count = len(events_of(desk, ticket.number))
            with pytest.raises(NotFound):
                use(desk, verb, ticket, stranger)
            assert len(events_of(desk, ticket.number)) == count, verb
            undo(desk, savepoint)


def test_no_verb_works_for_another_employee(desk: Session) -> None:
    other = requester_of(filed(desk, requester=WANG))
    for verb in {row[0] for row in CELLS}:
        with desk.begin_nested() as savepoint:
            ticket = placed(desk, "in_progress", ZHANG.id)
            with pytest.raises(Forbidden):
                use(desk, verb, ticket, other)
            undo(desk, savepoint)


def test_every_verb_refuses_an_old_version(desk: Session) -> None:
    seen = {}
    for verb, before, after in CELLS:
        if after not in ("-", "*"):
            seen[verb] = before
    tickets = prepared(desk)
    for verb, before in seen.items():
        with desk.begin_nested() as savepoint:
            ticket = desk.get_one(TicketRow, tickets[of(verb, before)])
            actor = requester_of(ticket) if verb in ("say_to_ticket", "urge") else ADMIN
            lifecycle.note(desk, ticket.number, SUN, "看一下")
            with pytest.raises(Conflict) as refused:
                use(desk, verb, ticket, actor, version=ticket.version - 1)
            assert refused.value.code == "version_conflict", verb
            use(desk, verb, ticket, actor, version=ticket.version)
            undo(desk, savepoint)
