"""The verbs of a ticket: who may use them, when, and what follows. Nothing else changes a ticket.

Every verb locks the ticket, refuses a version that is no longer the newest (Conflict `version_conflict`), checks the
permission (Forbidden) and the state (Conflict `wrong_state`), and puts one event on the timeline.
"""

from handoff.lifecycle.employee import say_to_ticket, urge, urged
from handoff.lifecycle.ending import any_due, cancel, close, close_due, reopen, resolve
from handoff.lifecycle.handing import accept, assign, claim, dismiss, escalate, give_back, invite, transfer
from handoff.lifecycle.joining import link, linked, merge, survivor, unlink
from handoff.lifecycle.working import change, note, reply, seen
from handoff.timeline import record

__all__ = [
    "accept",
    "any_due",
    "assign",
    "cancel",
    "change",
    "claim",
    "close",
    "close_due",
    "dismiss",
    "escalate",
    "give_back",
    "invite",
    "link",
    "linked",
    "merge",
    "note",
    "record",
    "reopen",
    "reply",
    "resolve",
    "say_to_ticket",
    "seen",
    "survivor",
    "transfer",
    "unlink",
    "urge",
    "urged",
]
