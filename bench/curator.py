"""A scripted curator: works through the workbench's list like a person, through the routes that the console calls.

A person who reads a question knows what is meant; that much of the truth the script is given, and one decision in twenty is
taken for something else. All the rest it takes from what the workbench shows.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from bench.employees import GAP, MISSING, NOT_OURS, Intent
from bench.simulated_desk import SimulatedDesk
from core.errors import Conflict, FSSCError
from kb.care import drafts
from kb.care.drafts import SUBMITTED, DraftRow
from kb.curation import gaps
from kb.curation.store import GapRow
from kb.curation.wording import plain
from kb.store import EntryRow, entry_from_dict
from service.api import curation as api
from service.api.entry_body import EntryBody

_ERROR = 0.05
_MIXED = 0.25
"""A cluster is split where so many of its questions mean something else."""
_MOST_TEXTS = 12
_OWNER = timedelta(days=14)
"""A policy's owner answers a gap after so long."""


class Curator:
    """`did` counts what was decided, and what the product refused, by the error's code."""

    def __init__(self, desk: SimulatedDesk, seed: int) -> None:
        self._desk = desk
        self._rng = random.Random(f"curator {seed}")
        self._user: Any = SimpleNamespace(username="curator", name="策展", roles=["editor"])
        self._answered: set[str] = set()
        """Gaps whose owner has said how it is."""
        self._mistakes: list[tuple[str, list[str]]] = []
        self.did: Counter[str] = Counter()

    def work(self, budget: int) -> None:
        """Decide about the `budget` clusters that the most people ask."""
        listed = api.get_clusters(self._desk.api, self._user, page_size=budget, page=1)["items"]
        for one in listed:
            try:
                self._decide(one["id"])
            except FSSCError as error:
                self.did[f"refused: {error.code}"] += 1
                self._aside(one["id"], 14)

    def review(self) -> None:
        """A second person reads what was drafted: one in fifty goes back."""
        with self._desk.database.read() as session:
            waiting = list(session.scalars(select(DraftRow.entry_id).where(DraftRow.state == SUBMITTED)))
        for entry_id in waiting:
            with self._desk.database.write() as session:
                if self._rng.random() < 0.02:
                    drafts.reject(session, entry_id, "reviewer", "表述再核对一下")
                    self.did["rejected"] += 1
                else:
                    drafts.approve(session, entry_id, "reviewer")
                    self.did["approved"] += 1

    def look_again(self) -> int:
        """What the gate refused is read once more: four of five mistakes are found and taken out; how many."""
        found = [one for one in self._mistakes if self._rng.random() < 0.8]
        for entry_id, texts in found:
            self._mistakes.remove((entry_id, texts))
            with self._desk.database.write() as session:
                row = session.get(EntryRow, entry_id)
                if row is None or session.get(DraftRow, entry_id) is not None:
                    continue
                entry = entry_from_dict(row.body)
                kept = tuple(text for text in entry.similar if text not in texts)
                drafts.propose(session, replace(entry, similar=kept), "curator")
                drafts.submit(session, entry_id, "curator")
                drafts.approve(session, entry_id, "reviewer")
            self.did["mended"] += 1
        return len(found)

    def owners(self, moment: datetime) -> None:
        """Owners of policies answer what lies with them long enough."""
        with self._desk.database.read() as session:
            due = [row.id for row in gaps.find(session) if row.opened_at < moment - _OWNER]
        for gap in due:
            with self._desk.database.write() as session:
                row = session.get_one(GapRow, gap)
                self._answered.add(row.missing)
                gaps.close(session, gap, "explained", "已发布口径，请写入知识库。", "owner", may_any=True)
            self.did["gap answered"] += 1

    def _decide(self, cluster: int) -> None:
        seen = api.get_cluster(self._desk.api, self._user, cluster)
        still = [one for one in seen["members"] if one["closed_as"] is None] or seen["members"]
        read = {one["id"]: self._desk.meant[one["conversation_id"]] for one in still}
        counted = Counter(read.values()).most_common()
        meant = self._desk.population.by_id[counted[0][0]]
        if len(counted) > 1 and counted[1][1] >= max(2, _MIXED * len(read)):
            odd = [one for one, intent in read.items() if intent == counted[1][0]]
            body = api.Split(version=seen["version"], questions=odd)
            api.post_split(self._desk.api, self._user, cluster, body)
            self.did["split"] += 1
            seen = api.get_cluster(self._desk.api, self._user, cluster)
        texts = [one["text"] for one in still if read[one["id"]] == meant.id and _clean(one["text"])]
        if self._rng.random() < _ERROR and seen["nearest"]:
            self.did["mistaken"] += 1
            wrong = seen["nearest"][0]["entry_id"]
            if self._desk.written.get(wrong, wrong) != meant.id:
                self._mistakes.append((wrong, [plain(text) for text in texts]))
            self._similar(seen, wrong, texts)
        elif meant.kind == NOT_OURS:
            body = api.Reason(version=seen["version"], reason="不归财务共享中心答，请找人力或行政")
            api.post_dismiss(self._desk.api, self._user, cluster, body)
            self.did["dismiss"] += 1
        elif meant.kind == GAP and meant.id not in self._answered:
            body = api.Gap(version=seen["version"], missing=meant.id, owner="制度组")
            api.post_gap(self._desk.api, self._user, cluster, body)
            self.did["gap"] += 1
        elif entry_id := self._entry_of(meant):
            self._similar(seen, entry_id, texts)
        else:
            self._write(seen, meant, texts)

    def _similar(self, seen: dict[str, Any], entry_id: str, texts: list[str]) -> None:
        some = list(dict.fromkeys(texts))[:_MOST_TEXTS]
        if not some or "#" in entry_id:
            self._aside(seen["id"], 14)
            return
        body = api.Similar(version=seen["version"], entry_id=entry_id, texts=some)
        api.post_similar(self._desk.api, self._user, seen["id"], body)
        self.did["similar"] += 1
        self.did["questions"] += len(some)

    def _write(self, seen: dict[str, Any], meant: Intent, texts: list[str]) -> None:
        """A new entry: the workbench's draft with the answer that the centre gives."""
        assert meant.entry is not None
        found = api.get_proposal(self._desk.api, self._user, seen["id"])
        proposed = found["body"]
        asked = list(dict.fromkeys(plain(text) for text in texts))[:_MOST_TEXTS] or [meant.entry.question]
        told = meant.entry.answer
        body = EntryBody(
            question=asked[0],
            similar=asked[1:],
            answer=told,
            business_type=proposed.get("business_type") or meant.entry.business_type,
            scenes=list(proposed.get("scenes") or ()),
            owner=proposed.get("owner") or meant.entry.owner,
            sources=proposed.get("sources") or [],
        )
        self.did["drafted from a reply"] += bool(proposed["answer"]) and proposed["answer"][:20] in told
        tickets = [found["from_ticket"]] if found["from_ticket"] else []
        new = api.NewEntry(version=seen["version"], body=body, from_tickets=tickets)
        after = api.post_entry(self._desk.api, self._user, seen["id"], new)
        self._desk.written[after["decisions"][0]["entry_id"]] = meant.id
        self.did["entry"] += 1

    def _entry_of(self, meant: Intent) -> str | None:
        """The entry that answers it, live or one's own draft: what a person finds with the search box."""
        wanted = [one for one, intent in self._desk.written.items() if intent == meant.id]
        wanted += [meant.id] if meant.kind not in (MISSING, GAP) else []
        with self._desk.database.read() as session:
            return next((one for one in wanted if session.get(EntryRow, one) or session.get(DraftRow, one)), None)

    def _aside(self, cluster: int, days: int) -> None:
        try:
            seen = api.get_cluster(self._desk.api, self._user, cluster)
            api.post_snooze(self._desk.api, self._user, cluster, api.Snooze(version=seen["version"], days=days))
            self.did["snooze"] += 1
        except Conflict as error:
            self.did[f"refused: {error.code}"] += 1


def _clean(text: str) -> bool:
    """Nothing of what it says was masked."""
    return "某某" not in plain(text) and "*" not in plain(text)
