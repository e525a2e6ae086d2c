"""The import of a policy: read it, show what it changes, keep it after a reviewer's yes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from core.clock import today
from core.errors import Conflict, InvalidInput, NotFound
from kb.ingest.imports import DONE, ImportRow
from kb.ingest.jobs import Preview, Task
from kb.ingest.policies.about import about_of, namesake, next_version, policy_id, same_policy
from kb.ingest.policies.citations import Concern, concerns_of, flag_articles
from kb.ingest.policies.compare import Change, compare
from kb.ingest.policies.editions import Renewal, save_table, table_renewals
from kb.ingest.policies.reader import read_document
from kb.ingest.policies.references import counted_by, follow
from kb.ingest.policies.remarks import notes_of, passed_over, several, vanishing, why_notice, why_secret
from kb.ingest.policies.renewal import renewals, renewed
from kb.ingest.policies.splitter import split
from kb.ingest.policies.standards import Found, find_standards, problem_of, setting_of
from kb.ingest.policies.withdrawal import settle_withdrawal
from kb.policies import check_version, policy_version, policy_versions, same_text, save_policy, version_name
from kb.store import DocumentRow, documents

_ID = re.compile(r"^[a-z0-9][a-z0-9-]{0,39}$")
_MOST_ARTICLES = 5000
_DETAILS = ("id", "title", "number", "version", "effective_from", "effective_to", "owner", "audience")
_EMPTY: dict[str, Any] = {"effective_from": None, "effective_to": None, "audience": {"companies": [], "groups": []}}


class PolicyIngester:
    """Policies; see `kb.ingest.jobs.Ingester`."""

    kind = "policy"

    def read(self, task: Task) -> Preview:
        document = read_document(task.path, task.about.format, task.progress)
        found = split(document.blocks)
        if len(found.articles) > _MOST_ARTICLES:
            raise InvalidInput(
                f"这份文件分出了 {len(found.articles)} 条，超过上限 {_MOST_ARTICLES}，请拆分成几份文件后再导入。"
            )
        articles = [article.as_dict() for article in found.articles]
        details = about_of(document, found, task.about.file_name)
        with task.database.read() as session:
            policy = _details(session, details, articles, task.about.policy_id, document.about.get("id"))
            tables = _tables(session, find_standards(document.blocks, articles, policy["title"]), policy["id"])
            body = {
                "policy": policy,
                "front": "\n".join(found.front),
                "articles": articles,
                "tables": tables,
                "notes": [
                    *several(found),
                    *document.notes,
                    *passed_over(found),
                    *_out_of_use(session, policy["id"]),
                    *_come_again(session, policy, articles),
                    *details["notes"],
                ],
                "undated": details["note"],
                "notice": {"title": details["title"], "text": details["notice"]} if details["notice"] else None,
                "secrecy": details["secrecy"],
                "namesake": None if task.about.policy_id else namesake(details["title"], _titles(session)),
            }
            counts, summary = _figures(session, body)
        return Preview(counts, summary, {**body, "vanishing": vanishing(counts, summary)})

    def check(self, session: Session, row: ImportRow) -> None:
        if not row.approve:
            raise Conflict("制度没有草稿，需要有审核权限的人打开这次导入并确认。", code="needs_review")
        policy = row.body["policy"]
        if not policy["title"] or not policy["version"]:
            raise Conflict("请先填写制度的名称和版本。", code="policy_incomplete")
        if notice := why_notice(row.body):
            raise Conflict(notice, code="policy_notice")
        if secret := why_secret(row.body):
            raise Conflict(secret, code="policy_secret")
        check_version(session, _body(row))
        if any(one["confirmed"] and _problem(one) for one in row.body["tables"]):
            raise Conflict("有表格的设置不能使用，请先修改，或选择不使用这张表。", code="table_problem")

    def prepare(self, task: Task) -> None:
        return None

    def apply(self, session: Session, row: ImportRow, plan: None) -> dict[str, int]:
        body = _body(row)
        before = _stored(session, body["id"])
        changes = compare(before["articles"] if before else [], body["articles"])
        by = row.applied_by or row.author
        concerns = concerns_of(session, body) if before and not _earlier(body, before) else []
        counts_by = counted_by(session, body["id"]) if before else None
        renewed = [one for one in table_renewals(session, body, row.body["tables"]) if one.confirmed]
        newest = save_policy(session, body, by)
        if newest and before and before.get("withdrawn"):
            settle_withdrawal(session, "policy", before, by)
        moved = follow(session, body["id"], by, counts_by)
        flagged = flag_articles(session, body, concerns, by) if newest else 0
        historic = _historic(session, body)
        made = 0
        for one in row.body["tables"]:
            if not historic and one["confirmed"] and one["proposal"]["use"]:
                flagged += save_table(session, body, one)
                made += 1
        told = {
            "against": _version_of(before),
            "historic": historic,
            "affected": _affected(concerns, [] if historic else renewed),
        }
        row.body = {**row.body, **told}
        return {**_counts(changes, row.body["tables"]), "flagged": flagged, "moved": moved, "tables_made": made}


def preview(session: Session, row: ImportRow) -> dict[str, Any]:
    """What a person decides upon: details, every article beside the stored version, tables, entries to look at again."""
    body = _of_policy(row)
    policy = body["policy"]
    before = _against(session, row)
    changes = compare(before["articles"] if before else [], body["articles"])
    newest = not (before and _earlier(policy, before))
    concerns = concerns_of(session, body["policy"] | {"articles": body["articles"]}) if before and newest else []
    historic = body["historic"] if row.state == DONE and "historic" in body else _historic(session, policy)
    renewals = [] if historic else table_renewals(session, policy, body["tables"])
    stored = {one["id"]: one["title"] for one in documents(session, "table")}
    return {
        "policy": policy,
        "front": body["front"],
        "against": _version_of(before),
        "historic": historic,
        "known": _titles(session),
        "notes": [*notes_of(body), *(f"{one.told}。" for one in renewals if one.to_come)],
        "articles": [change.as_dict() for change in changes],
        "tables": [_shown(one, stored) for one in body["tables"]],
        "affected_entries": body["affected"]
        if row.state == DONE and "affected" in body
        else _affected(concerns, [one for one in renewals if one.confirmed]),
    }


def _affected(concerns: Sequence[Concern], renewed: Sequence[Renewal]) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    by_tables = [(*cited, renewal.told) for renewal in renewed for cited in renewal.concerned]
    by_articles = [(one.entry_id, one.question, one.reasons) for one in concerns if one.reasons]
    for entry_id, question, reason in (*by_articles, *by_tables):
        known = found.setdefault(entry_id, {"id": entry_id, "question": question, "reason": ""})
        known["reason"] = "；".join(filter(None, (known["reason"], reason)))
    return list(found.values())


def change_details(session: Session, row: ImportRow, data: dict[str, Any]) -> None:
    """Put a person's title, number, version, dates, owner and audience in place of the guesses. Raises InvalidInput."""
    body = _of_policy(row)
    policy = {**body["policy"], **{key: data[key] for key in _DETAILS if key in data}}
    for key in ("id", "title", "number", "version", "owner"):
        policy[key] = str(policy[key] or "").strip()
    if not _ID.match(policy["id"]) and not session.get(DocumentRow, ("policy", policy["id"])):
        raise InvalidInput("制度编号请用小写字母、数字和连字符，最多 40 个字符，如 travel。")
    if not policy["title"] or not policy["version"]:
        raise InvalidInput("请填写制度的名称和版本。")
    ends, starts = policy.get("effective_to"), policy.get("effective_from")
    if ends and starts and ends < starts:
        raise InvalidInput("失效日期早于施行日期，请修改。")
    changed = {**body, "policy": policy}
    row.counts, row.summary = _figures(session, changed)
    row.body = {**changed, "vanishing": vanishing(row.counts, row.summary)}


def change_table(session: Session, row: ImportRow, n: int, data: dict[str, Any]) -> dict[str, Any]:
    """A person's settings for table `n` (from 1), which also confirms it. Raises InvalidInput when it cannot be used so."""
    body = _of_policy(row)
    if not 1 <= n <= len(body["tables"]):
        raise NotFound("没有这张表格，请刷新页面。")
    setting = setting_of({**body["tables"][n - 1]["proposal"], **data})
    one = {**body["tables"][n - 1], "proposal": setting.as_dict(), "confirmed": True}
    if setting.use:
        if not _ID.match(setting.id) and not session.get(DocumentRow, ("table", setting.id)):
            raise InvalidInput("表格编号请用小写字母、数字和连字符，最多 40 个字符，如 lodging。")
        if not setting.title:
            raise InvalidInput("请填写表格的名称。")
        others = (other["proposal"] for other in body["tables"] if other["n"] != n and other["confirmed"])
        if any(other["use"] and other["id"] == setting.id for other in others):
            raise InvalidInput("这次导入里已有一张表格用了这个编号，请换一个。")
        if problem := _problem(one):
            raise InvalidInput(problem)
    tables = [one if other["n"] == n else other for other in body["tables"]]
    row.body = {**body, "tables": tables}
    row.counts, row.summary = _figures(session, row.body)
    return _shown(one, {table["id"]: table["title"] for table in documents(session, "table")})


def _of_policy(row: ImportRow) -> dict[str, Any]:
    if row.kind != PolicyIngester.kind:
        raise Conflict("这次导入的不是制度文件。", code="not_a_policy")
    if "policy" not in row.body:
        raise Conflict("文件还没有读完或没有读成，请稍后刷新。", code="not_in_preview")
    return row.body


def _out_of_use(session: Session, policy_id: str) -> list[str]:
    before = _stored(session, policy_id)
    if not before or not before.get("withdrawn"):
        return []
    return [f"已入库的《{before['title']}》已停用；确认后，这次导入的版本会投入使用，其余版本仍然停用。"]


def _details(
    session: Session, told: dict[str, Any], articles: list[dict[str, Any]], wanted: str | None, named: str | None
) -> dict[str, Any]:
    """The document's own details, completed from the stored policy that it is a new version of.

    The text of a stored version keeps that version's details: the file has come again, for its tables say.
    """
    known = _titles(session)
    identity = wanted or same_policy(told["title"], known)
    if identity is None:
        free = named and _ID.match(named)
        identity = named if free and named else policy_id(told["title"], (one["id"] for one in known))
    before = _stored(session, identity)
    same = _same(session, identity, articles)
    if same is not None and (same == before or told["effective_from"] in (None, same.get("effective_from"))):
        return {key: same.get(key) or _EMPTY.get(key, "") for key in _DETAILS}
    version = str(told["version"])[:30]
    taken = _versions(session, identity)
    if version in taken:
        year = re.match(r"(?:19|20)\d{2}", version)
        version = next_version(int(year[0]) if year else today().year, taken)
    return {
        "id": identity,
        "title": told["title"],
        "number": told["number"][:60],
        "version": version,
        "effective_from": told["effective_from"],
        "effective_to": told["effective_to"],
        "owner": told["owner"] or (before or {}).get("owner") or "",
        "audience": (before or {}).get("audience") or _EMPTY["audience"],
    }


def _same(session: Session, identity: str, articles: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The stored version that has this very text; the one that takes effect last where several have."""
    if _stored(session, identity) is None:
        return None
    bodies = (row.body for row in policy_versions(session, identity))
    return next((body for body in bodies if same_text(body["articles"], articles)), None)


def _come_again(session: Session, policy: dict[str, Any], articles: list[dict[str, Any]]) -> list[str]:
    """What to tell of a file whose text is that of a version before the newest."""
    same = _same(session, policy["id"], articles)
    if same is None or same == _stored(session, policy["id"]):
        return []
    since = f"（{same['effective_from']} 起施行）" if same.get("effective_from") else ""
    told = f"这份文件的内容与第 {version_name(same)} 版{since}相同"
    if version_name(policy) == version_name(same):
        return [f"{told}，不是现行版本；确认后不会新增版本。要让它重新施行，请填写新的版本号和施行日期。"]
    return [f"{told}，只有施行日期不同；确认后作为新版本保存，请核对是不是旧文件。"]


def _tables(session: Session, found: Sequence[Found], policy: str) -> list[dict[str, Any]]:
    stored = documents(session, "table")
    own = [one for one in stored if (one.get("source") or {}).get("policy") == policy]
    taken = {one["id"] for one in stored}
    tables = []
    for n, (one, before) in enumerate(zip(found, renewals(found, own), strict=True), 1):
        named = replace(one.proposal, id=policy_id(one.proposal.title, taken))
        proposal = renewed(one, before) if before else named
        taken.add(proposal.id)
        tables.append(
            {
                "n": n,
                "header": list(one.header),
                "rows": [list(row) for row in one.rows],
                "page": one.page,
                "article": one.article,
                "proposal": proposal.as_dict(),
                "confirmed": False,
            }
        )
    return tables


def _shown(one: dict[str, Any], stored: dict[str, str]) -> dict[str, Any]:
    identity = one["proposal"]["id"]
    replaces = {"id": identity, "title": stored[identity]} if identity in stored else None
    return {**one, "title": one["proposal"]["title"], "problem": _problem(one), "replaces": replaces}


def _problem(one: dict[str, Any]) -> str | None:
    setting = setting_of(one["proposal"])
    return problem_of(setting, one["header"], one["rows"]) if setting.use else None


def _body(row: ImportRow) -> dict[str, Any]:
    """The policy as it is stored."""
    body = _of_policy(row)
    policy = {key: value for key, value in body["policy"].items() if key != "effective_to" or value}
    return {**policy, "front": body["front"], "articles": body["articles"]}


def _titles(session: Session) -> list[dict[str, Any]]:
    """`{id, title}` of every stored policy."""
    return [{"id": one["id"], "title": one["title"]} for one in documents(session, "policy")]


def _stored(session: Session, identity: str) -> dict[str, Any] | None:
    row = session.get(DocumentRow, ("policy", identity))
    return row.body if row else None


def _versions(session: Session, identity: str) -> set[str]:
    try:
        return {version_name(row.body) for row in policy_versions(session, identity)}
    except NotFound:
        return set()


def _against(session: Session, row: ImportRow) -> dict[str, Any] | None:
    """The version that this import is compared with: the newest, or once it is applied the newest before it."""
    policy = row.body["policy"]
    if row.state != DONE:
        return _stored(session, policy["id"])
    before = row.body.get("against")
    return policy_version(session, policy["id"], before["version"]) if before else None


def _earlier(policy: dict[str, Any], before: dict[str, Any]) -> bool:
    return (policy.get("effective_from") or "") < (before.get("effective_from") or "")


def _historic(session: Session, policy: dict[str, Any]) -> bool:
    """Whether a stored version that began later is in force already: no release will hold this one."""
    if _stored(session, policy["id"]) is None:
        return False
    rows = [row for row in policy_versions(session, policy["id"]) if row.version != version_name(policy)]
    begun = [row.body for row in rows if (row.body.get("effective_from") or "") <= today().isoformat()]
    return any(_earlier(policy, body) for body in begun)


def _version_of(body: dict[str, Any] | None) -> dict[str, Any] | None:
    if body is None:
        return None
    return {
        "version": str(body.get("version") or ""),
        "effective_from": body.get("effective_from"),
        "title": body["title"],
    }


def _figures(session: Session, body: dict[str, Any]) -> tuple[dict[str, int], dict[str, Any]]:
    """Counts and summary for lists."""
    policy = body["policy"]
    before = _stored(session, policy["id"])
    changes = compare(before["articles"] if before else [], body["articles"])
    summary = {key: policy[key] for key in ("id", "title", "version", "effective_from")}
    summary |= {"against": _version_of(before), "historic": _historic(session, policy)}
    return _counts(changes, body["tables"]), summary


def _counts(changes: Sequence[Change], tables: Sequence[dict[str, Any]]) -> dict[str, int]:
    kinds = [change.kind for change in changes]
    return {
        "articles": sum(change.after is not None for change in changes),
        **{kind: kinds.count(kind) for kind in ("unchanged", "changed", "added", "removed")},
        "renumbered": sum(change.renumbered for change in changes),
        "tables": len(tables),
        "tables_open": sum(not one["confirmed"] for one in tables),
    }
