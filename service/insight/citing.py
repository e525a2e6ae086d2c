"""Which articles of the policies an answer came from: those that its entry cites, or the one that it is a passage of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.store import EntryRow
from service.insight.entries import Counts, article_of

Article = tuple[str, int]


@dataclass(frozen=True)
class Citing:
    """`by_entry` has the entries that rest on any article; `passages` are those of them that are an article's own text."""

    by_entry: dict[str, set[Article]]
    passages: set[str]

    def entries(self, *, policy: str = "", article: int | None = None, verbatim: bool = False) -> list[str]:
        """Those that rest on this article, on this policy, or on any; only passages where `verbatim`."""
        return [
            entry
            for entry, articles in self.by_entry.items()
            if (not verbatim or entry in self.passages)
            and any(policy in ("", one) and article in (None, number) for one, number in articles)
        ]


@dataclass
class Asked:
    """One article: how often an answer rested on it, and the entries that gave one."""

    times: int = 0
    entries: list[str] = field(default_factory=list)


def citing(session: Session, found: Counts) -> Citing:
    """Of the entries in `found`."""
    sources = {
        row.id: [(one.get("policy"), one.get("article")) for one in row.sources or []]
        for row in session.execute(
            select(EntryRow.id, EntryRow.body["sources"].label("sources")).where(EntryRow.id.in_(found))
        )
    }
    passages = {entry for entry in found if entry not in sources and "#" in entry}
    by_entry = {
        entry: {article_of(entry)}
        if entry in passages
        else {(policy, article) for policy, article in sources.get(entry, []) if policy and article}
        for entry in found
    }
    return Citing({entry: articles for entry, articles in by_entry.items() if articles}, passages)


def articles(cited: Citing, found: Counts) -> dict[Article, Asked]:
    """Every article that was asked about, the most asked first."""
    asked: dict[Article, Asked] = defaultdict(Asked)
    for entry, them in cited.by_entry.items():
        for article in them:
            asked[article].times += found[entry][0]
            asked[article].entries.append(entry)
    return dict(sorted(asked.items(), key=lambda one: (-one[1].times, one[0])))
