"""The permission matrix, cell by cell: role × how they stand to the ticket × verb."""

from __future__ import annotations

import pytest

from core.clock import now
from core.identity import ANONYMOUS, Identity
from handoff.actors import SYSTEM, Actor, employee
from handoff.permissions import VERBS, granted, may, verbs
from handoff.tickets import TicketRow

LETTERS = {
    "r": "read",
    "n": "note",
    "s": "seen",
    "y": "reply",
    "f": "attach",
    "v": "resolve",
    "b": "give_back",
    "t": "transfer",
    "e": "escalate",
    "i": "invite",
    "d": "dismiss",
    "c": "change",
    "x": "cancel",
    "m": "merge",
    "l": "link",
    "u": "unlink",
    "o": "reopen",
    "C": "claim",
    "A": "accept",
    "a": "assign",
    "k": "close",
    "S": "say_to_ticket",
    "U": "urge",
}
WORK = "rnsyfvbteidcxmluo"
POOL = "rnsyfvteidcxmluoC"
LEAD = "rnsyfvbteidcxmluoCak"
HELP = "rns"
GUEST = "rnsyf"

RELATIONS = {
    "own": {"group_id": "tax", "assignee": "me"},
    "pool": {"group_id": "tax"},
    "colleague": {"group_id": "tax", "assignee": "other"},
    "unrouted": {"group_id": None},
    "elsewhere": {"group_id": "expense", "assignee": "other"},
    "elsewhere_pool": {"group_id": "expense"},
    "own_elsewhere": {"group_id": "expense", "assignee": "me"},
    "invited": {"group_id": "expense", "assignee": "other", "experts": ["me"]},
    "led": {"group_id": "led", "assignee": "other"},
    "tier3_pool": {"group_id": "experts", "tier": 3},
    "tier3_colleague": {"group_id": "experts", "tier": 3, "assignee": "other"},
    "tier2_of_experts": {"group_id": "experts", "tier": 2},
}
NOTHING = dict.fromkeys(RELATIONS, "")
AGENT = NOTHING | {
    "own": WORK + "A",
    "pool": POOL,
    "colleague": HELP,
    "unrouted": POOL,
    "own_elsewhere": WORK + "A",
    "invited": GUEST,
}
EVERYTHING = dict.fromkeys(RELATIONS, LEAD) | {"own": LEAD + "A", "own_elsewhere": LEAD + "A"}
MATRIX: dict[str, dict[str, str]] = {
    "agent": AGENT,
    "leader": AGENT | {"led": LEAD},
    "expert": NOTHING
    | {
        "own": WORK + "A",
        "own_elsewhere": WORK + "A",
        "invited": GUEST,
        "tier3_pool": POOL,
        "tier3_colleague": HELP,
    },
    "supervisor": EVERYTHING,
    "admin": EVERYTHING,
    "inspector": dict.fromkeys(RELATIONS, "r"),
    "auditor": dict.fromkeys(RELATIONS, "r"),
    "editor": NOTHING,
    "reviewer": NOTHING,
    "publisher": NOTHING,
}
GROUPS = {"expert": frozenset({"experts"})}
STAFF_CELLS = [(role, relation) for role in MATRIX for relation in RELATIONS]


def ticket(**changes: object) -> TicketRow:
    values = {
        "number": "FW20261122-0001",
        "status": "in_progress",
        "group_id": None,
        "assignee": None,
        "experts": [],
        "tier": 2,
        "employee_no": "E1001",
        "conversation_id": "c1",
        "resolved_at": now(),
    }
    return TicketRow(**{**values, **changes})


def somebody(role: str) -> Actor:
    return Actor("staff", "me", "我", frozenset({role}), GROUPS.get(role, frozenset({"tax"})), frozenset({"led"}))


@pytest.mark.parametrize(("role", "relation"), STAFF_CELLS)
def test_staff(role: str, relation: str) -> None:
    expected = {LETTERS[letter] for letter in MATRIX[role][relation]}
    actor, row = somebody(role), ticket(**RELATIONS[relation])
    for verb in LETTERS.values():
        assert may(actor, verb, row) == (verb in expected), verb


def test_the_matrix_has_every_verb() -> None:
    assert set(LETTERS.values()) == VERBS | {"read"}


OWN = {"read", "say_to_ticket", "urge", "reopen", "cancel", "close", "attach"}
LI, WANG = Identity("E1001", "李晓雯"), Identity("E1002", "王建国")


@pytest.mark.parametrize(
    ("who", "row", "expected"),
    [
        pytest.param(employee(LI, "c9"), ticket(), OWN, id="their own, from another conversation"),
        pytest.param(employee(WANG, "c1"), ticket(), set(), id="a colleague's, though in the same conversation"),
        pytest.param(employee(ANONYMOUS, "c1"), ticket(), set(), id="an employee's, by whoever knows the conversation"),
        pytest.param(employee(ANONYMOUS, "c1"), ticket(employee_no=None), OWN, id="an anonymous visitor's own"),
        pytest.param(employee(ANONYMOUS, "c2"), ticket(employee_no=None), set(), id="another visitor's"),
        pytest.param(employee(LI, "c1"), ticket(employee_no=None), set(), id="signed in after an anonymous one"),
        pytest.param(SYSTEM, ticket(), {*VERBS, "read"}, id="the desk itself"),
    ],
)
def test_employees_and_the_desk_itself(who: Actor, row: TicketRow, expected: set[str]) -> None:
    assert granted(who, row) == expected


def test_roles_add_up() -> None:
    both = Actor("staff", "me", "我", frozenset({"agent", "auditor"}), frozenset({"tax"}))
    assert granted(both, ticket(group_id="expense")) == {"read"}
    assert "claim" in granted(both, ticket(group_id="tax"))


def test_a_leader_of_no_group_leads_nobody() -> None:
    leader = Actor("staff", "me", "我", frozenset({"leader"}))
    assert granted(leader, ticket(group_id="tax")) == set()


def test_leading_takes_the_role_too() -> None:
    agent = Actor("staff", "me", "我", frozenset({"agent"}), frozenset(), frozenset({"tax"}))
    assert granted(agent, ticket(group_id="tax")) == set()


def test_what_is_offered_is_allowed_and_possible() -> None:
    admin = somebody("admin")
    assert verbs(admin, ticket(status="new")) == [
        "assign",
        "attach",
        "cancel",
        "change",
        "claim",
        "dismiss",
        "escalate",
        "invite",
        "link",
        "merge",
        "note",
        "reply",
        "seen",
        "transfer",
        "unlink",
    ]
    assert verbs(admin, ticket(status="merged")) == ["link", "note", "seen", "unlink"]
    assert verbs(somebody("auditor"), ticket(status="new")) == []
    assert verbs(employee(LI, "c1"), ticket(status="resolved")) == ["attach", "close", "reopen", "say_to_ticket"]
