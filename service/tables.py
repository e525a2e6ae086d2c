"""Every table of every room, imported so that migrations and tests see the whole database."""

from connectors import api_clients, webhooks
from core import events, outbox, transcript
from handoff import notices, staff, tickets
from kb import contents, policies, preview, releases, store, vectors
from kb.care import drafts, flags
from kb.ingest import imports
from service import users

ROOMS = (
    events,
    transcript,
    outbox,
    tickets,
    staff,
    notices,
    policies,
    releases,
    contents,
    vectors,
    preview,
    store,
    drafts,
    flags,
    imports,
    users,
    api_clients,
    webhooks,
)
