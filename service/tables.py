"""Every table of every room, imported so that migrations and tests see the whole database."""

from connectors import api_clients, webhooks
from core import events, outbox, transcript
from handoff import notices, staff, tickets
from handoff.quality import documents as quality_documents
from handoff.quality import inspections, reviews, satisfaction, surveys
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
    quality_documents,
    satisfaction,
    reviews,
    inspections,
    surveys,
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
