"""What a list may show is what may be read: the condition and the permission never differ."""

from __future__ import annotations

import itertools

from sqlalchemy import select

from core.database import Database
from core.identity import ANONYMOUS
from handoff.actors import SYSTEM, Actor, employee
from handoff.permissions import may, visible
from handoff.tickets import TicketExpertRow, TicketRow
from service.users import ROLES
from tests.tickets import LI, WANG, filed, open_desk


def test_lists_show_exactly_what_may_be_read(database: Database) -> None:
    open_desk(database)
    with database.write() as session:
        places = itertools.product((None, "tax", "expense", "experts"), (None, "me", "other"), (False, True))
        for number, (group, assignee, invited) in enumerate(places):
            requester = (LI, WANG, ANONYMOUS)[number % 3]
            ticket = filed(session, requester=requester, group=group)
            ticket.assignee = assignee
            if invited:
                ticket.experts = ["me"]
                session.add(TicketExpertRow(username="me", ticket=ticket.number))
        tier2 = filed(session, group="experts")
        tier2.tier = 2
    with database.read() as session:
        tickets = session.scalars(select(TicketRow)).all()
        anonymous = next(one.conversation_id for one in tickets if one.employee_no is None)
        actors = [
            Actor("staff", "me", "我", frozenset(roles), frozenset(groups), frozenset(leads))
            for roles in [*itertools.combinations(ROLES, 1), *itertools.combinations(ROLES, 2), ()]
            for groups in ((), ("tax",), ("experts",))
            for leads in ((), ("expense",))
        ]
        actors += [SYSTEM, employee(LI, "x"), employee(WANG, "x"), employee(ANONYMOUS, anonymous)]
        for actor in actors:
            listed = set(session.scalars(select(TicketRow.number).where(visible(actor))))
            readable = {one.number for one in tickets if may(actor, "read", one)}
            assert listed == readable, actor
