"""The tables of a policy's version, kept beside those that hold until it begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.clock import today
from core.errors import InvalidInput
from kb.ingest.policies.citations import Citation, flag_table, table_citations
from kb.ingest.policies.standards import standard_of
from kb.store import DocumentRow, save_document
from kb.tables import begun, edition, with_edition


@dataclass(frozen=True)
class Renewal:
    """What a table's new values mean: `told` says since when they hold, in Chinese; `concerned` cite the table."""

    told: str
    to_come: bool
    confirmed: bool
    concerned: list[Citation]


def save_table(session: Session, policy: dict[str, Any], one: dict[str, Any]) -> int:
    """Make a confirmed table one of the knowledge base; return how many entries were flagged because it changed."""
    table = _table(policy, one)
    row = session.get(DocumentRow, ("table", table["id"]))
    before = row.body if row else None
    save_document(session, "table", with_edition(before, table, today()) if before else table)
    return flag_table(session, table["id"], _told(before, table)) if before and _changed(before, table) else 0


def table_renewals(session: Session, policy: dict[str, Any], tables: Iterable[dict[str, Any]]) -> list[Renewal]:
    """What would come of the tables that are used and that change a stored one."""
    found = []
    for one in tables:
        row = session.get(DocumentRow, ("table", one["proposal"]["id"])) if one["proposal"]["use"] else None
        try:
            table = _table(policy, one) if row else None
        except InvalidInput:
            continue
        if row and table and _changed(row.body, table):
            cited = table_citations(session, table["id"])
            found.append(Renewal(_told(row.body, table), _to_come(table), one["confirmed"], cited))
    return found


def _table(policy: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    since = policy.get("effective_from")
    source = {"name": f"《{policy['title']}》", "policy": policy["id"], "article": one["article"]}
    if since:
        source["year"] = date.fromisoformat(since).year
    more = {"version": policy.get("version") or "", "effective_from": since, "source": source}
    return standard_of(one["proposal"], one["header"], one["rows"], **more)


def _to_come(table: dict[str, Any]) -> bool:
    return (table["effective_from"] or "") > today().isoformat()


def _changed(before: dict[str, Any], table: dict[str, Any]) -> bool:
    """Whether it says otherwise than what would hold when it begins."""
    held = begun(before, date.fromisoformat(table["effective_from"]) if _to_come(table) else today())
    return held is not None and (held["rows"], held["unit"]) != (table["rows"], table["unit"])


def _told(before: dict[str, Any], table: dict[str, Any]) -> str:
    if not _to_come(table):
        return f"《{table['title']}》的标准已更新"
    kept = edition(with_edition(before, table, today()), today())
    return f"《{table['title']}》自 {table['effective_from']} 起按新标准" + ("，之前仍按现行标准" if kept else "")
