"""Taking a policy or a table out of use, and bringing it back.

The mark `withdrawn: {on, by, reason}` stands in the body, of a policy in that of every version. What is published leaves within seconds
(see `kb.policies.policies_to_publish` and `kb.release.live`). A version or table imported anew has no mark: it is in use.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.clock import today
from core.errors import Conflict, InvalidInput, NotFound
from kb.care.flags import SOURCE_CHANGED, flag, flags_beginning, put_down
from kb.ingest.policies.references import citing
from kb.policies import PolicyVersionRow
from kb.store import DocumentRow, save_document

Kind = Literal["policy", "table"]
_NAMES = {"policy": "制度", "table": "标准表"}


def withdraw(session: Session, kind: Kind, identity: str, by: str, reason: str) -> int:
    """Take a policy or a table out of use; the entries that cite it are flagged. Returns how many were.

    Raises NotFound, Conflict `withdrawn` where it is out of use already, InvalidInput without a reason.
    """
    body = _stored(session, kind, identity)
    if body.get("withdrawn"):
        raise Conflict(f"《{body['title']}》已经停用，请刷新页面。", code="withdrawn")
    if not reason.strip():
        raise InvalidInput("请写明停用的原因。")
    mark = {"on": today().isoformat(), "by": by, "reason": reason.strip()[:200]}
    _mark(session, kind, body, {"withdrawn": mark})
    flagged = sum(flag(session, row.id, SOURCE_CHANGED, _told(body)) for row, _ in citing(session, kind, identity))
    audit.append(session, by, f"{kind}.stopped", f"{kind}:{identity}", {"reason": mark["reason"], "flagged": flagged})
    return flagged


def bring_back(session: Session, kind: Kind, identity: str, by: str) -> None:
    """Put it to use again; what its withdrawal flagged is settled. Raises NotFound, or Conflict `in_use` where it is in use."""
    body = _stored(session, kind, identity)
    if not body.get("withdrawn"):
        raise Conflict(f"《{body['title']}》没有停用，请刷新页面。", code="in_use")
    _mark(session, kind, body, {})
    settle_withdrawal(session, kind, body, by)
    audit.append(session, by, f"{kind}.resumed", f"{kind}:{identity}", {})


def settle_withdrawal(session: Session, kind: Kind, body: dict[str, Any], by: str) -> None:
    """Put down what the withdrawal of a policy or table flagged, now that it is in use again."""
    cited = {row.id for row, _ in citing(session, kind, body["id"])}
    flags = flags_beginning(session, SOURCE_CHANGED, _told(body))
    put_down(session, [one.id for one in flags if one.entry_id in cited], by)


def _told(body: dict[str, Any]) -> str:
    return f"依据《{body['title'][:200]}》已停用，请核对答案，更换依据，或停用这条知识。"


def _stored(session: Session, kind: Kind, identity: str) -> dict[str, Any]:
    row = session.get(DocumentRow, (kind, identity), with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"没有编号为 {identity} 的{_NAMES[kind]}，请从列表中选择。")
    return row.body


def _mark(session: Session, kind: Kind, body: dict[str, Any], mark: dict[str, Any]) -> None:
    def marked(one: dict[str, Any]) -> dict[str, Any]:
        return {**{key: value for key, value in one.items() if key != "withdrawn"}, **mark}

    if kind == "policy":
        query = select(PolicyVersionRow).where(PolicyVersionRow.policy_id == body["id"])
        for row in session.scalars(query.with_for_update()):
            row.body = marked(row.body)
    save_document(session, kind, marked(body))
    session.flush()
