"""Every table of every room, imported so that migrations and tests see the whole database."""

from core import events, transcript
from handoff import tickets
from kb import releases, store
from service import users

ROOMS = (events, transcript, tickets, releases, store, users)
