"""Every table of every room, imported so that migrations and tests see the whole database."""

from core import events, transcript
from handoff import tickets
from kb import policies, releases, store
from kb.care import drafts, flags
from kb.ingest import imports
from service import users

ROOMS = (events, transcript, tickets, policies, releases, store, drafts, flags, imports, users)
