"""Which entries rest on an article or a table, and what they are told when it changes.

An entry is told of what has become of its articles since they were last looked at: since the version from which an open flag of it
counts, else since the newest version before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.clock import today
from kb.articles import path_of
from kb.care.flags import SOURCE_CHANGED, flag, flags_beginning, put_down
from kb.files import article_label
from kb.ingest.policies.compare import Change, compare
from kb.ingest.policies.references import citing, counted_by, followed, names, renamed, rewrite
from kb.policies import policy_versions, version_name
from kb.store import DocumentRow, EntryRow


@dataclass(frozen=True)
class Concern:
    """What the new version of a policy means for an entry that cites it.

    `base` is the version that its flag counts from, `reasons` what has become of its articles since, empty where nothing has;
    `flags` are its open flags about this policy, `back` its sources, by their places, whose article was gone and is there again.
    """

    entry_id: str
    question: str
    base: dict[str, Any]
    reasons: str
    flags: dict[int, str]
    back: dict[int, dict[str, Any]]


def flag_articles(session: Session, policy: dict[str, Any], concerns: Sequence[Concern], by: str) -> int:
    """Flag the entries whose article changed or went with the new version `policy`; return how many.

    Flags that hold no longer are put down in the name of `by`, and references are linked again whose article is back.
    """
    flagged = 0
    for one in concerns:
        if one.back and (row := session.get(EntryRow, one.entry_id, with_for_update=True, populate_existing=True)):
            rewrite(session, row, [one.back.get(k, source) for k, source in enumerate(row.body["sources"])], by)
        ending = f"：{one.reasons}。请核对答案和依据。"
        if one.reasons and any(detail.endswith(ending) for detail in one.flags.values()):
            continue
        put_down(session, list(one.flags), by)
        if one.reasons:
            told = f"{_intro(one.base)}{version_name(policy) or '—'}{_since(policy)}{ending}"
            flag(session, one.entry_id, SOURCE_CHANGED, told)
            flagged += 1
    return flagged


def table_citations(session: Session, table_id: str) -> list[tuple[str, str]]:
    """The live entries that cite a table, as `(id, question)`, by id."""
    return [(row.id, row.question) for row, _ in citing(session, "table", table_id)]


def flag_table(session: Session, table_id: str, told: str) -> int:
    """Flag the entries that cite a table whose values changed; `told` says how. Return how many."""
    found = table_citations(session, table_id)
    for entry_id, _ in found:
        flag(session, entry_id, SOURCE_CHANGED, f"{told}，请核对答案里的金额和等级。")
    return len(found)


def concerns_of(session: Session, policy: dict[str, Any]) -> list[Concern]:
    """What a version means, about to be stored as the newest, for every entry that cites the policy, by id."""
    if session.get(DocumentRow, ("policy", policy["id"])) is None:
        return []
    stored = {row.version: row.body for row in policy_versions(session, policy["id"])}
    stored.pop(version_name(policy), None)
    now = stored.get(counted_by(session, policy["id"]))
    if now is None:
        return []
    flags: dict[str, dict[int, str]] = {}
    since: dict[str, str] = {}
    for version, body in stored.items():
        for one in flags_beginning(session, SOURCE_CHANGED, _intro(body)):
            flags.setdefault(one.entry_id, {})[one.id] = one.detail
            since[one.entry_id] = version
    last = compare(now["articles"], policy["articles"])
    paths = {
        version: _Path(
            stored[version],
            compare(stored[version]["articles"], now["articles"]),
            compare(stored[version]["articles"], policy["articles"]),
            last,
            (policy.get("effective_from") or "") <= today().isoformat(),
        )
        for version in {version_name(now), *since.values()}
    }
    return [
        _concern(row, paths[since.get(row.id, version_name(now))], policy["id"], flags.get(row.id, {}))
        for row, _ in citing(session, "policy", policy["id"], also=list(since))
    ]


@dataclass(frozen=True)
class _Path:
    """From a version to the one by which references count (`before`), from there to the new one (`last`), and all the way."""

    base: dict[str, Any]
    before: list[Change]
    whole: list[Change]
    last: list[Change]
    in_force: bool


def _concern(row: EntryRow, path: _Path, policy_id: str, flags: dict[int, str]) -> Concern:
    reasons: dict[str, None] = {}
    back: dict[int, dict[str, Any]] = {}
    for place, source in enumerate(row.body.get("sources", ())):
        if source.get("policy") == policy_id and (number := source.get("article")) is not None:
            was = next((one.before for one in path.before if one.after and one.after["number"] == number), None)
            change = _from(path.whole, was["number"]) if was else _from(path.last, number)
        elif (lost := _lost(source, path.base, flags)) is not None:
            change = _from(path.whole, lost)
            if change and change.kind == "unchanged" and path.in_force:
                back[place] = followed({**source, "policy": policy_id, "article": lost}, policy_id, [change])
            elif change and change.before:
                change = Change("removed", change.before, None)
        else:
            continue
        if change and (told := _told(change, row, source)):
            reasons[told] = None
    return Concern(row.id, row.question, path.base, "；".join(reasons), flags, back)


def _from(changes: Sequence[Change], number: int) -> Change | None:
    return next((one for one in changes if one.before and one.before["number"] == number), None)


def _lost(source: dict[str, Any], base: dict[str, Any], flags: dict[int, str]) -> int | None:
    """The article that a source, which is words alone by now, was linked to before flags told that it was removed."""
    if source.get("policy") or source.get("table") or f"《{base['title']}》" not in source["label"]:
        return None
    gone = [one for one in base["articles"] if any(f"{_name(one)}已删除" in detail for detail in flags.values())]
    found = [one["number"] for one in gone if names(source["label"], one.get("label") or "")]
    return found[0] if len(found) == 1 else None


def _told(change: Change, row: EntryRow, source: dict[str, Any]) -> str:
    assert change.before is not None
    name, label = _name(change.before), change.before.get("label") or ""
    if change.kind == "removed":
        return f"{name}已删除"
    if change.after is None:
        return ""
    moved = f"，现为{_name(change.after)}" if change.renumbered else ""
    if change.kind == "changed":
        return f"{name}已修改{moved}"
    if not moved:
        return ""
    kept = names(source["label"], label) and renamed(source["label"], change) is None
    left = [*(["依据"] if kept else []), *(["答案"] if _speaks_of(row.body.get("answer") or "", label) else [])]
    return f"{name}的条号变了{moved}，{'和'.join(left)}里写的还是{label}" if left else ""


def _speaks_of(text: str, label: str) -> bool:
    """Whether an answer speaks of 第…条; other labels are too short to tell."""
    return label.endswith("条") and names(text, label)


def _intro(base: dict[str, Any]) -> str:
    """How every flag begins that counts from a version."""
    return f"《{base['title']}》从版本 {version_name(base) or '—'} 更新到版本 "


def _since(policy: dict[str, Any]) -> str:
    return f"（{policy['effective_from']} 起施行）" if policy.get("effective_from") else ""


def _name(article: dict[str, Any]) -> str:
    label = article.get("label") or ""
    again = label and "".join(label.split()) not in (article_label(article["number"]), f"第{article['number']}条")
    chapter = "".join(found[0] for found in path_of(article)) if again else ""
    return f"{chapter}{label}{article.get('title') or ''}"[:40] or f"第{article['number']}部分"
