"""Policies in the database: every version is kept; the newest is the document that the console shows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now, today
from core.database import Base, Json, Moment
from core.errors import Conflict, NotFound
from kb.store import DocumentRow, documents, save_document


class PolicyVersionRow(Base):
    """One version of a policy, whole. `version` is the manager's own name for it, such as 2026.1."""

    __tablename__ = "kb_policy_version"

    policy_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(40), primary_key=True)
    effective_from: Mapped[date | None]
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment)


def save_policy(session: Session, body: dict[str, Any], author: str) -> bool:
    """Keep `body` as a version; return whether it is the newest now, which is the one that takes effect last.

    The same text under the same version's name corrects that version's details. Raises Conflict for another text.
    """
    policy_id = body["id"]
    check_version(session, body)
    current = _current(session, policy_id)
    if current is not None:
        _adopt(session, current)
    row = session.get(PolicyVersionRow, (policy_id, version_name(body)))
    changed = row is None or row.body != body
    if row is None:
        session.add(_row(body, author))
    else:
        row.body, row.effective_from = body, _effective(body)
    session.flush()
    newest = max(_rows(session, policy_id), key=_order)
    if changed or newest.body != current:  # Whoever waits for changes looks at the document's time alone.
        save_document(session, "policy", newest.body)
    return newest.version == version_name(body)


def check_version(session: Session, body: dict[str, Any]) -> None:
    """Raises Conflict when another text is already stored under this version's name."""
    current = _current(session, body["id"])
    row = session.get(PolicyVersionRow, (body["id"], version_name(body)))
    stored = (
        current if current is not None and version_name(current) == version_name(body) else row.body if row else None
    )
    if stored is not None and not same_text(stored["articles"], body["articles"]):
        raise Conflict(
            f"《{body['title']}》已有版本 {version_name(body)}，内容与这次不同。请把“版本”改成新的版本号后再确认。",
            code="version_exists",
        )


def same_text(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> bool:
    """Whether two lists of articles say the same under the same numbers; blanks do not count."""

    def words(articles: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
        return [
            (one["number"], one.get("label") or "", "".join(f"{one.get('title') or ''}{one['text']}".split()))
            for one in articles
        ]

    return words(first) == words(second)


def policy_versions(session: Session, policy_id: str) -> list[PolicyVersionRow]:
    """Every version, the one that takes effect last first. Raises NotFound when there is no such policy."""
    rows = {row.version: row for row in _rows(session, policy_id)}
    current = _current(session, policy_id)
    if current is None:
        raise NotFound("没有这份制度，请从制度列表中选择。")
    if version_name(current) not in rows or rows[version_name(current)].body != current:
        rows[version_name(current)] = _row(current, "")
    return sorted(rows.values(), key=_order, reverse=True)


def policy_version(session: Session, policy_id: str, version: str | None = None) -> dict[str, Any]:
    """The body of one version, the newest without `version`. Raises NotFound."""
    rows = policy_versions(session, policy_id)
    for row in rows:
        if version is None or row.version == version:
            return row.body
    raise NotFound(f"这份制度没有版本 {version}，请从版本列表中选择。")


def policies_to_publish(session: Session, day: date | None = None) -> list[dict[str, Any]]:
    """What a release made on `day` holds: of each policy the version in force and those still to come.

    Each ends on the day before the next begins; one that is still to come has a `scope`, by which its passages have ids of
    their own.
    """
    day = day or today()
    found: list[dict[str, Any]] = []
    for newest in documents(session, "policy"):
        later: dict[str, Any] | None = None
        versions = [newest]
        if _since(newest) > day:
            versions += [row.body for row in policy_versions(session, newest["id"]) if row.body != newest]
        for body in versions:
            ends = body.get("effective_to")
            if later is not None:
                before = (_since(later) - timedelta(days=1)).isoformat()
                ends = min(ends, before) if ends else before
            to_come = _since(body) > day and body is not versions[-1]
            if not ends or ends >= _since(body).isoformat():
                found.append({**body, "effective_to": ends, "scope": f"@{version_name(body)}" if to_come else ""})
            if _since(body) <= day:
                break
            later = body
    return found


def version_name(body: dict[str, Any]) -> str:
    return str(body.get("version") or "")


def _rows(session: Session, policy_id: str) -> list[PolicyVersionRow]:
    return list(session.scalars(select(PolicyVersionRow).where(PolicyVersionRow.policy_id == policy_id)))


def _order(row: PolicyVersionRow) -> tuple[date, datetime]:
    return _since(row.body), row.at


def _current(session: Session, policy_id: str) -> dict[str, Any] | None:
    row = session.get(DocumentRow, ("policy", policy_id))
    return row.body if row else None


def _adopt(session: Session, body: dict[str, Any]) -> None:
    """A policy that was loaded from files has no version row until the next version comes."""
    row = session.get(PolicyVersionRow, (body["id"], version_name(body)))
    if row is None:
        session.add(_row(body, ""))
    elif row.body != body:
        row.body, row.effective_from = body, _effective(body)
    session.flush()


def _row(body: dict[str, Any], author: str) -> PolicyVersionRow:
    return PolicyVersionRow(
        policy_id=body["id"],
        version=version_name(body),
        effective_from=_effective(body),
        body=body,
        author=author,
        at=now(),
    )


def _effective(body: dict[str, Any]) -> date | None:
    value = body.get("effective_from")
    return date.fromisoformat(value) if value else None


def _since(body: dict[str, Any]) -> date:
    return _effective(body) or date.min
