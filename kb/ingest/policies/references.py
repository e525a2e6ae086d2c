"""References of entries to articles: they go with their article from one version of a policy to the next.

They count by the version that is in force. Where the newest is still to come, a document of kind `numbering` says by which version
they count until then; whoever makes a release lets them follow first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, select
from sqlalchemy.orm import Session

from core.clock import SHANGHAI, today
from kb.care.drafts import DraftRow
from kb.entries import Entry
from kb.ingest.policies.compare import Change, compare
from kb.ingest.policies.labels import NUMERAL, value_of
from kb.policies import PolicyVersionRow, policy_version, policy_versions
from kb.store import (
    DocumentRow,
    EntryRow,
    EntryVersionRow,
    documents,
    entry_from_dict,
    entry_to_dict,
    save_document,
    save_entry,
)
from kb.words import bare

_NUMBERING = "numbering"
_ARTICLE = re.compile(rf"(?<!第)(?<!{NUMERAL})第?\s*({NUMERAL}+)\s*条(?:\s*之\s*({NUMERAL}+))?")

Source = dict[str, Any]


def counted_by(session: Session, policy_id: str) -> str:
    """The version of a policy by whose numbers references to it count. Raises NotFound."""
    row = session.get(DocumentRow, (_NUMBERING, policy_id))
    return row.body["version"] if row else policy_versions(session, policy_id)[0].version


def counted(session: Session) -> list[dict[str, Any]]:
    """Every policy in use, in the version by whose numbers references to it count."""
    return [
        policy_version(session, body["id"], counted_by(session, body["id"]))
        for body in documents(session, "policy")
        if not body.get("withdrawn")
    ]


def follow_due(session: Session, by: str) -> int:
    """Let the references follow to versions that have come into force since; return how many entries have a new version."""
    return sum(follow(session, one["id"], by) for one in documents(session, _NUMBERING))


def due(session: Session) -> bool:
    """Whether `follow_due` has something to do."""
    return any(_newest_in_force(session, one["id"]) != one["version"] for one in documents(session, _NUMBERING))


def follow(session: Session, policy_id: str, by: str, since: str | None = None) -> int:
    """Let the references of entries and drafts follow to the version of a policy that is in force; return how many entries
    have a new version, in the name of `by`. `since` is the version by which they count where nothing else is known."""
    rows = policy_versions(session, policy_id)
    names = [row.version for row in rows]
    kept = session.get(DocumentRow, (_NUMBERING, policy_id))
    known = kept.body["version"] if kept else since
    count = known if known in names else names[0]
    goal = _in_force(rows, today()).version
    made = 0
    if names.index(goal) < names.index(count):
        made = _move(session, policy_id, compare(_articles(rows, count), _articles(rows, goal)), by)
        count = goal
    if count != names[0]:
        save_document(session, _NUMBERING, {"id": policy_id, "title": rows[0].body["title"][:200], "version": count})
    elif kept is not None:
        session.delete(kept)
    session.flush()
    return made


def as_of(session: Session, entry: Entry, at: datetime) -> Entry:
    """An entry that was written at `at`, its references in the numbers that count now; one that has no article now is words."""
    body = entry_to_dict(entry)
    for policy_id in {source["policy"] for source in body["sources"] if source["policy"]}:
        if session.get(DocumentRow, ("policy", policy_id)) is None:
            continue
        rows = policy_versions(session, policy_id)
        stored = [row for row in rows if row.at <= at] or [min(rows, key=lambda row: row.at)]
        then = _in_force(stored, at.astimezone(SHANGHAI).date()).version
        now = counted_by(session, policy_id)
        if then != now:
            was = _articles(rows, then)
            labels = {one["number"]: one.get("label") or "" for one in was}
            changes = compare(was, _articles(rows, now))
            body["sources"] = [
                followed(source, policy_id, changes)
                if labels.get(source["article"]) and names(source["label"], labels[source["article"]])
                else source
                for source in body["sources"]
            ]
    return entry_from_dict(body)


def followed(source: Source, policy_id: str, changes: Iterable[Change]) -> Source:
    """A reference in the numbers and labels after `changes`; words alone where its article was removed."""
    if source.get("policy") != policy_id or source.get("article") is None:
        return source
    change = next((one for one in changes if one.before and one.before["number"] == source["article"]), None)
    if change is None or change.before is None:
        return source
    if change.after is None:
        return {**source, "policy": None, "article": None}
    label = renamed(source["label"], change) if change.renumbered else source["label"]
    return {**source, "article": change.after["number"], "label": label or source["label"]}


def renamed(label: str, change: Change) -> str | None:
    """What a reference to a renumbered article is called now; None where its label does not plainly name the article."""
    assert change.before is not None and change.after is not None
    before, after = change.before.get("label") or "", change.after.get("label") or ""
    if not before or not after:
        return None
    head, mark, tail = label.rpartition("》")
    if re.search(r"第[^》]*章", tail) and change.before.get("chapter") != change.after.get("chapter"):
        return None
    places = [(found.start(), found.end()) for found in _named(tail, before)]
    if not places and _ARTICLE.fullmatch(before) is None and tail.strip().startswith(before):
        at = tail.index(before)
        places = [(at, at + len(before))]
    if len(places) != 1:
        return None
    start, end = places[0]
    return f"{head}{mark}{tail[:start]}{after}{tail[end:]}"


def names(text: str, label: str) -> bool:
    """Whether a text speaks of an article by its label, in whatever digits."""
    if _ARTICLE.fullmatch(label):
        return bool(_named(text, label))
    return bool(bare(label)) and bare(text.rpartition("》")[2]).startswith(bare(label))


def citing(
    session: Session, key: str, identity: str, *, lock: bool = False, also: Sequence[str] = ()
) -> list[tuple[EntryRow, list[Source]]]:
    """The live entries that cite a policy or a table (`key`), by id, with those sources; `also` are ids of entries that are wanted
    in any case."""
    query = select(EntryRow).where(EntryRow.deleted.is_(False), _rough(EntryRow.body, key, identity))
    if also:
        query = select(EntryRow).where(
            EntryRow.deleted.is_(False), _rough(EntryRow.body, key, identity) | EntryRow.id.in_(also)
        )
    query = query.order_by(EntryRow.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = []
    for row in session.scalars(query):
        sources = [one for one in row.body.get("sources", ()) if one.get(key) == identity]
        if sources or row.id in also:
            found.append((row, sources))
    return found


def rewrite(session: Session, row: EntryRow, sources: Sequence[Source], by: str) -> bool:
    """Put other sources into an entry, in the name of `by`; return whether that made a new version of it.

    Where only our own number of an article moved, as that of 附件1, what the entry says does not change, and it is the same version.
    """
    body = {**row.body, "sources": list(sources)}
    if body == row.body:
        return False
    before = row.body.get("sources", ())
    if [_said(one) for one in before] == [_said(one) for one in sources]:
        row.body = body
        if stored := session.get(EntryVersionRow, (row.id, row.version)):
            stored.body = body
        session.flush()
        return False
    was = row.version
    save_entry(session, entry_from_dict(body), by, by)
    session.refresh(row)
    draft = session.get(DraftRow, row.id, with_for_update=True, populate_existing=True)
    if draft is not None and draft.base_version == was:
        draft.base_version, draft.body = row.version, {**draft.body, "version": row.version}
        session.flush()
    return True


def _move(session: Session, policy_id: str, changes: Sequence[Change], by: str) -> int:
    made = 0
    for row, _ in citing(session, "policy", policy_id, lock=True):
        made += rewrite(session, row, [followed(one, policy_id, changes) for one in row.body["sources"]], by)
    drafts = select(DraftRow).where(_rough(DraftRow.body, "policy", policy_id)).order_by(DraftRow.entry_id)
    for draft in session.scalars(drafts.with_for_update()):
        sources = [followed(one, policy_id, changes) for one in draft.body.get("sources", ())]
        draft.body = {**draft.body, "sources": sources}
    session.flush()
    return made


def _said(source: Source) -> tuple[Any, ...]:
    return source["label"], source.get("policy"), source.get("table"), source.get("article") is None


def _rough(body: Any, key: str, identity: str) -> ColumnElement[bool]:
    """Whether the JSON of an entry names a policy or a table; rough, by its text."""
    return cast(body, Text).contains(f'"{key}": {json.dumps(identity)}', autoescape=True)


def _named(text: str, label: str) -> list[re.Match[str]]:
    wanted = _ARTICLE.fullmatch(label)
    return [found for found in _ARTICLE.finditer(text) if _key(found) == _key(wanted)] if wanted else []


def _key(found: re.Match[str]) -> tuple[int | None, int | None]:
    return value_of(found[1]), value_of(found[2]) if found[2] else None


def _newest_in_force(session: Session, policy_id: str) -> str:
    return _in_force(policy_versions(session, policy_id), today()).version


def _in_force(rows: Sequence[PolicyVersionRow], day: date) -> PolicyVersionRow:
    """Of the versions, newest first, the one in force; the first of all where none is yet."""
    return next((row for row in rows if (row.body.get("effective_from") or "") <= day.isoformat()), rows[-1])


def _articles(rows: Sequence[PolicyVersionRow], version: str) -> list[dict[str, Any]]:
    return next(row.body["articles"] for row in rows if row.version == version)
