"""Random days at the desk: two tickets of one employee, in the hands of many, against a model of what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from core import audit
from core.database import Database
from core.errors import Conflict, Forbidden, FSSCError, NotFound, TooMany
from core.transcript import Conversation, messages_of
from handoff import lifecycle
from handoff.actors import Actor, employee
from handoff.filing import file_ticket
from handoff.tickets import TicketRow, events_of, ticket_of
from tests.tickets import ADMIN, CHEN, FANG, GU, LI, SUN, WANG, ZHANG, draft, open_desk, talk

OPEN = {"new", "assigned", "in_progress", "waiting", "reopened"}
SECRET = "内部判断"
GROUP_OF = {"zhang": "tax", "chen": "tax", "fang": "expense"}
STAFF = {one.id: one for one in (ZHANG, CHEN, FANG, GU, SUN, ADMIN)}

someone = st.sampled_from(("holder", "sun", "holder", "zhang", "gu", "chen", "fang"))
which = st.sampled_from((0, 1))


def any_is(*statuses: str) -> Callable[[Day], bool]:
    """Keeps a day from being spent on what cannot work anyhow; it is tried on the other ticket all the same."""
    return lambda day: any(model.status in statuses for model in day.tickets)


def not_twice(kind: str) -> Callable[[Day], bool]:
    """What is always possible is not done again and again."""
    return lambda day: not any(model.kinds[-1] == kind for model in day.tickets)


def late(day: Day) -> bool:
    """What ends a ticket for good waits until something has happened to it."""
    return sum(len(model.kinds) for model in day.tickets) >= 18


@dataclass
class Model:
    """What one ticket must be like."""

    number: str
    status: str = "new"
    group: str = "tax"
    assignee: str | None = None
    unread: bool = False
    urged: bool = False
    reopenings: int = 0
    merged_into: str | None = None
    version: int = 0
    kinds: list[str] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.status in OPEN

    def called(self, who: str) -> str:
        """Whoever has the ticket does most of what is done to it."""
        return (self.assignee or "zhang") if who == "holder" else who

    def boss(self, who: str) -> bool:
        return who in ("sun", "admin") or (who == "gu" and self.group == "tax")

    def reads(self, who: str) -> bool:
        return self.boss(who) or self.assignee == who or GROUP_OF.get(who) == self.group

    def works(self, who: str) -> bool:
        """May do the daily work: who has it, anybody of the group while nobody has, and those above."""
        return self.boss(who) or self.assignee == who or (self.reads(who) and self.assignee is None)


class Day(RuleBasedStateMachine):
    database: Database

    @initialize()
    def open(self) -> None:
        self.held: str | None = None
        with self.database.write() as session:
            self.conversation = talk(session)
            self.tickets = []
            for _ in range(2):
                row = file_ticket(session, draft(self.conversation))
                row.group_id = "tax"
                self.tickets.append(Model(row.number))
        with self.database.read() as session:
            for model in self.tickets:
                model.version = session.get_one(TicketRow, model.number).version
                model.kinds = [event.kind for event in events_of(session, model.number)]
        self.li = employee(LI, self.conversation)

    def attempt(self, verb: Callable[[Session], TicketRow], allowed: bool, possible: bool, otherwise: str = "") -> bool:
        """Try it; whether it happened. Who may not is told so before anything about states."""
        try:
            with self.database.write() as session:
                verb(session)
        except (Forbidden, NotFound) as error:
            assert not allowed, error.message
            return False
        except (Conflict, TooMany) as error:
            assert allowed and not possible, error.message
            assert error.code == (otherwise or "wrong_state"), error.message
            return False
        except FSSCError as error:
            raise AssertionError(error.message) from error
        assert allowed and possible, "it should have been refused"
        return True

    def release(self, model: Model) -> None:
        if self.held == model.number:
            self.held = None

    def did(self, model: Model, *kinds: str, remarks: int = 0) -> None:
        model.kinds += kinds
        model.version += len(kinds) - remarks

    @rule(which=which, who=someone)
    def claim(self, which: int, who: str) -> None:
        model = self.tickets[which]
        who = model.called(who)
        possible = model.status in ("new", "waiting", "reopened") and model.assignee is None
        # Whoever has a ticket may not claim it: they have it.
        allowed = model.boss(who) or (model.works(who) and model.assignee is None)
        if self.attempt(lambda session: lifecycle.claim(session, model.number, STAFF[who]), allowed, possible):
            model.assignee = who
            model.status = "waiting" if model.status == "waiting" else "in_progress"
            self.held = model.number
            self.did(model, "claimed")

    @rule(which=which, who=someone, to=st.sampled_from(("zhang", "chen", "fang")))
    def assign(self, which: int, who: str, to: str) -> None:
        model = self.tickets[which]
        who = model.called(who)
        same = model.open and model.assignee == to
        possible = model.open and not same
        reason = "already_assigned" if same else ""
        if self.attempt(
            lambda session: lifecycle.assign(session, model.number, STAFF[who], to), model.boss(who), possible, reason
        ):
            model.assignee = to
            model.status = "waiting" if model.status == "waiting" else "assigned"
            self.release(model)
            self.did(model, "assigned")

    @precondition(any_is("assigned", "reopened"))
    @rule(which=which, who=someone)
    def accept(self, which: int, who: str) -> None:
        model = self.tickets[which]
        who = model.called(who)
        allowed, possible = model.assignee == who, model.status in ("assigned", "reopened")
        if self.attempt(lambda session: lifecycle.accept(session, model.number, STAFF[who]), allowed, possible):
            model.status = "in_progress"
            self.held = model.number
            self.did(model, "accepted")

    @precondition(any_is("assigned", "in_progress", "waiting"))
    @rule(which=which, who=someone)
    def give_back(self, which: int, who: str) -> None:
        model = self.tickets[which]
        who = model.called(who)
        allowed = model.boss(who) or model.assignee == who
        possible = model.open and model.status != "new" and model.assignee is not None
        if self.attempt(
            lambda session: lifecycle.give_back(session, model.number, STAFF[who], "要开会"), allowed, possible
        ):
            model.assignee = None
            model.status = "waiting" if model.status == "waiting" else "new"
            self.release(model)
            self.did(model, "returned")

    @rule(which=which, who=someone, group=st.sampled_from(("tax", "expense")))
    def transfer(self, which: int, who: str, group: str) -> None:
        model = self.tickets[which]
        who = model.called(who)
        there = model.open and model.group == group
        if self.attempt(
            lambda session: lifecycle.transfer(session, model.number, STAFF[who], group, "不归我们"),
            model.works(who),
            model.open and not there,
            "already_there" if there else "",
        ):
            model.group, model.assignee = group, None
            model.status = "waiting" if model.status == "waiting" else "new"
            self.release(model)
            self.did(model, "transferred")

    @rule(which=which, who=someone, then=st.sampled_from(("waiting", None, "resolved", "waiting")))
    def reply(self, which: int, who: str, then: str | None) -> None:
        model = self.tickets[which]
        who = model.called(who)
        possible = model.open or (model.status == "resolved" and then is None)
        if not self.attempt(
            lambda session: lifecycle.reply(session, model.number, STAFF[who], "请看这里", then=then),
            model.works(who),
            possible,
        ):
            return
        model.unread = False
        if model.open:
            model.assignee = model.assignee or who
            if then == "waiting" or model.status == "waiting":
                model.status = "waiting"
            else:
                model.status = "in_progress"
            if then != "resolved":
                self.held = model.number
        self.did(model, "replied")
        if then == "resolved":
            self.resolved(model)

    def resolved(self, model: Model) -> None:
        model.status = "resolved"
        model.unread = False
        self.release(model)
        self.did(model, "resolved", "invited_to_rate", remarks=1)

    @precondition(any_is("in_progress", "waiting"))
    @rule(which=which, who=someone)
    def resolve(self, which: int, who: str) -> None:
        model = self.tickets[which]
        who = model.called(who)
        if self.attempt(
            lambda session: lifecycle.resolve(session, model.number, STAFF[who], "已处理"),
            model.works(who),
            model.status in ("in_progress", "waiting"),
        ):
            self.resolved(model)

    @precondition(not_twice("noted"))
    @rule(which=which, who=someone)
    def note(self, which: int, who: str) -> None:
        model = self.tickets[which]
        who = model.called(who)
        if self.attempt(
            lambda session: lifecycle.note(session, model.number, STAFF[who], SECRET), model.reads(who), True
        ):
            self.did(model, "noted")

    @precondition(any_is("resolved"))
    @rule(which=which)
    def confirm(self, which: int) -> None:
        model = self.tickets[which]
        possible = model.status == "resolved"
        if self.attempt(lambda session: lifecycle.close(session, model.number, self.li), True, possible):
            model.status = "closed"
            self.did(model, "closed")

    @precondition(any_is("resolved", "closed"))
    @rule(which=which)
    def reopen(self, which: int) -> None:
        model = self.tickets[which]
        possible = model.status in ("resolved", "closed")
        if self.attempt(lambda session: lifecycle.reopen(session, model.number, self.li, "还是不行"), True, possible):
            model.status, model.unread = "reopened", True
            model.reopenings += 1
            self.did(model, "reopened")

    @precondition(late)
    @rule(which=which, by_employee=st.booleans(), who=someone)
    def cancel(self, which: int, by_employee: bool, who: str) -> None:
        model = self.tickets[which]
        who = model.called(who)
        actor: Actor = self.li if by_employee else STAFF[who]
        if self.attempt(
            lambda session: lifecycle.cancel(session, model.number, actor, "不用了"),
            by_employee or model.works(who),
            model.open,
        ):
            model.status, model.unread = "cancelled", False
            self.release(model)
            self.did(model, "cancelled")

    @precondition(late)
    @rule(who=someone, which=which)
    def merge(self, which: int, who: str) -> None:
        model, other = self.tickets[which], self.tickets[1 - which]
        who = model.called(who)
        if self.attempt(
            lambda session: lifecycle.merge(session, model.number, STAFF[who], other.number),
            (model.works(who) and other.works(who)) if model.works(who) and model.open else model.works(who),
            model.open and other.open,
        ):
            model.status, model.merged_into, model.unread = "merged", other.number, False
            self.release(model)
            if other.assignee == who:
                self.held = other.number
            self.did(model, "merged")
            self.did(other, "absorbed")

    @precondition(lambda day: any_is("waiting")(day) or not_twice("employee_said")(day))
    @rule(which=which)
    def employee_writes(self, which: int) -> None:
        """What is written to a merged ticket reaches the survivor."""
        waiting = (one for one in self.tickets if one.status == "waiting")
        model = next(waiting, self.tickets[which])
        heard = self.tickets[1 - which] if model.merged_into else model
        possible = heard.open or heard.status == "resolved"
        if self.attempt(
            lambda session: lifecycle.say_to_ticket(session, model.number, self.li, "补充一点"), True, possible
        ):
            heard.unread = True
            if heard.status == "waiting":
                heard.status = "in_progress" if heard.assignee else "new"
            self.did(heard, "employee_said")

    @precondition(not_twice("urged"))
    @rule(which=which)
    def urge(self, which: int) -> None:
        model = self.tickets[which]
        urged = self.tickets[1 - which] if model.merged_into else model
        again = urged.open and urged.urged
        if self.attempt(
            lambda session: lifecycle.urge(session, model.number, self.li),
            True,
            urged.open and not again,
            "urged_already" if again else "",
        ):
            urged.urged = True
            self.did(urged, "urged")

    @precondition(late)
    @rule(which=which)
    def somebody_else_tries(self, which: int) -> None:
        model = self.tickets[which]
        stranger = employee(WANG, "another")
        self.attempt(lambda session: lifecycle.say_to_ticket(session, model.number, stranger, "我也要"), False, False)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "tickets"):
            return
        with self.database.read() as session:
            for model in self.tickets:
                row = ticket_of(session, model.number)
                assert row is not None
                found = (row.status, row.assignee, row.group_id, row.unread, row.reopenings, row.merged_into)
                assert found == (
                    model.status,
                    model.assignee,
                    model.group,
                    model.unread,
                    model.reopenings,
                    model.merged_into,
                )
                events = events_of(session, model.number)
                assert [event.kind for event in events] == model.kinds
                assert row.version == model.version
                assert not any(event.public for event in events if event.kind in ("noted", "transferred", "assigned"))
                assert (row.resolved_at is not None) == (row.status in ("resolved", "closed"))
            conversation = session.get_one(Conversation, self.conversation)
            assert (conversation.mode, conversation.held_by) == ("agent" if self.held else "bot", self.held)

    def teardown(self) -> None:
        with self.database.read() as session:
            assert audit.verify(session) is None
            said = [message.text for message in messages_of(session, self.conversation)]
            assert not any(SECRET in text for text in said)


def test_random_days_at_the_desk_end_as_the_model_says(database: Database) -> None:
    open_desk(database)

    class Here(Day):
        pass

    Here.database = database
    quick = database.url.startswith("sqlite")
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=15 if quick else 3,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
