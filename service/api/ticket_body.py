"""Tickets as the console reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.clocks.policies import Kind
from handoff.staff import GroupRow, StaffRow
from handoff.tickets import Status, TicketRow
from service.bootstrap import Desk
from service.users import UserRow

DUE_LABELS = {kind.value: kind.label for kind in Kind}


def names_of(session: Session, usernames: Iterable[str | None]) -> dict[str, str]:
    """What these people of the desk are called, by username."""
    wanted = sorted({one for one in usernames if one})
    if not wanted:
        return {}
    users = session.execute(select(UserRow.username, UserRow.name).where(UserRow.username.in_(wanted)))
    staff = session.execute(select(StaffRow.username, StaffRow.name).where(StaffRow.username.in_(wanted)))
    return {**{row.username: row.name for row in users}, **{row.username: row.name for row in staff}}


def row_bodies(desk: Desk, session: Session, rows: Sequence[TicketRow]) -> list[dict[str, Any]]:
    """The rows of a list, with the names of groups and people in them."""
    groups: dict[str, str] = {}
    if any(row.group_id for row in rows):
        groups = dict(session.execute(select(GroupRow.id, GroupRow.name)).all())
    names = names_of(session, [name for row in rows for name in (row.assignee, *row.experts)])

    def person(username: str) -> dict[str, str]:
        return {"username": username, "name": names.get(username, username)}

    return [
        {
            "number": row.number,
            "status": row.status,
            "status_label": Status(row.status).staff_label,
            "business_type": row.business_type,
            "subtype": row.subtype,
            "description": row.description,
            "urgency": row.urgency,
            "requester_name": row.requester.get("name"),
            "employee_no": row.employee_no,
            "company": row.company or row.requester.get("company"),
            "department": row.department or row.requester.get("department"),
            "page": row.page,
            "node": row.node,
            "place_label": desk.knowledge.place_label(row.page, row.node),
            "document_no": row.document_no,
            "handoff_reason": row.reason,
            "channel": row.channel,
            "created_at": row.created_at.isoformat(),
            "updated_at": row.updated_at.isoformat(),
            "resolved_at": row.resolved_at.isoformat() if row.resolved_at else None,
            "service_tier": row.service_tier,
            "tier": row.tier,
            "priority": row.priority,
            "risk_words": row.risk_words,
            "emergency": row.emergency,
            "group": {"id": row.group_id, "name": groups.get(row.group_id, row.group_id)} if row.group_id else None,
            "assignee": person(row.assignee) if row.assignee else None,
            "experts": [person(one) for one in row.experts],
            "version": row.version,
            "unread": row.unread,
            "reopenings": row.reopenings,
            "due_at": row.due_at.isoformat() if row.due_at else None,
            "due_kind": row.due_kind,
            "due_label": DUE_LABELS.get(row.due_kind or "", "") or None,
            "breached": row.breached,
            "rating": row.rating,
            "merged_into": row.merged_into,
        }
        for row in rows
    ]
