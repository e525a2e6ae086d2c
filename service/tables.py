"""Every table of every room, imported so that migrations and tests see the whole database."""

from connectors import api_clients, arrivals, configured, staff_notices, webhooks
from connectors.dingtalk import people
from core import audit, events, outbox, transcript
from handoff import attachments, canned, notices, search, staff, tickets, timeline, views
from handoff.clocks import clock, timetable
from handoff.clocks import policies as sla_policies
from handoff.quality import documents as quality_documents
from handoff.quality import inspections, reviews, satisfaction, surveys
from handoff.routing import emergency, shifts, versions
from kb import policies, samples, store
from kb.care import drafts, flags
from kb.curation import store as curation
from kb.ingest import imports
from kb.release import contents, preview, releases, vectors
from service import users
from service.insight import store as insight_store

ROOMS = (
    audit,
    events,
    transcript,
    outbox,
    tickets,
    timeline,
    attachments,
    staff,
    timetable,
    sla_policies,
    clock,
    versions,
    shifts,
    emergency,
    notices,
    search,
    views,
    canned,
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
    curation,
    imports,
    samples,
    users,
    insight_store,
    api_clients,
    webhooks,
    arrivals,
    configured,
    people,
    staff_notices,
)
