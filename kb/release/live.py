"""The release that serves: held in memory, swapped whole when another one becomes current."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from anyio import to_thread

from core.clock import today
from core.database import Database
from core.errors import Unavailable
from kb.encoder import Encoder
from kb.entries import Entry, Viewer
from kb.release.loading import Loaded, keep, load
from kb.release.narrowing import Narrowing
from kb.release.releases import current_number
from kb.search import Query, Searcher
from kb.store import documents, hot_entries
from kb.tables import edition

log = structlog.get_logger()

_HOT_DAYS = 30
_HOT_KEPT_S = 30.0
_SUGGESTIONS = 5
_FIRST_QUESTION = "差旅费怎么报销"
"""Asked of each release before it serves: what is read or made on the first question, nobody waits for."""


@dataclass(frozen=True)
class _Live:
    """A release, the places of the host system by page, and which entries belong where; swapped together.

    `searcher` is the release's, with less to be seen where that was decided since. `by_page` holds each page's entries, `by_business` those of each business type; passages are in neither. `tables` are the policy tables by id, `articles` the
    passages of each policy.
    """

    loaded: Loaded
    searcher: Searcher
    narrowing: Narrowing
    scenes: dict[str, tuple[str, dict[str, str]]]
    by_page: dict[str, list[Entry]]
    by_business: list[list[Entry]]
    tables: dict[str, dict[str, Any]]
    articles: dict[str, list[str]]


class LiveKnowledge:
    """Safe for many threads: readers take the searcher once and keep it for their turn."""

    def __init__(self, database: Database, home: Path, encoder: Encoder) -> None:
        self._database = database
        self._home = home
        self._encoder = encoder
        self._live: _Live | None = None
        self._loading = threading.Lock()
        self._hot: dict[tuple[str, str], tuple[float, list[str]]] = {}

    @property
    def searcher(self) -> Searcher:
        """The current release. Raises Unavailable before the first one is published."""
        live = self._live
        if live is None:
            raise Unavailable("no release is published yet")
        return live.searcher

    @property
    def loaded(self) -> Loaded:
        """The current release with its contents and what it judges by. Raises Unavailable before the first one."""
        if self._live is None:
            raise Unavailable("no release is published yet")
        return self._live.loaded

    def refresh(self) -> None:
        """Take up the current release if it is another than the one in memory: built aside, then swapped whole. What was
        taken away from it since takes effect too."""
        with self._loading:
            with self._database.read() as session:
                number = current_number(session)
            live = self._live
            if number is None:
                return
            if live is not None and live.loaded.row.number == number:
                with self._database.read() as session:
                    if live.narrowing.read(session):
                        searcher = live.loaded.searcher.limited(live.narrowing.limits)
                        self._live = replace(live, searcher=searcher)
                        log.info("release_narrowed", release=number, entries=len(live.narrowing.limits))
                return
            started = time.perf_counter()
            loaded = load(self._database, self._home, self._encoder, number, before=live.loaded if live else None)
            narrowing = Narrowing(loaded.row, loaded.contents)
            with self._database.read() as session:
                found: list[dict[str, Any]] = documents(session, "scenes")
                tables = {table["id"]: table for table in documents(session, "table")}
                narrowing.read(session)
            scenes = {
                page["page"]: (page["label"], {node["node"]: node["label"] for node in page.get("nodes", ())})
                for document in found
                for page in document["pages"]
            }
            searcher = loaded.searcher.limited(narrowing.limits)
            searcher.search(Query(_FIRST_QUESTION, today()))
            self._live = _Live(
                loaded, searcher, narrowing, scenes, *_grouped(searcher.entries), tables, _articles(searcher.entries)
            )
            self._hot.clear()
            took = round(time.perf_counter() - started, 2)
            log.info("release_live", release=number, entries=len(loaded.searcher.entries), took_s=took)
            keep(self._home, self._encoder, loaded)

    async def refresh_async(self) -> None:
        await to_thread.run_sync(self.refresh)

    def place_label(self, page: str, node: str) -> str:
        """`差旅报销单填写 · 关联发票与附件`; empty for a page that nobody described."""
        return " · ".join(filter(None, self.place_labels(page, node)))

    def place_labels(self, page: str, node: str) -> tuple[str, str]:
        """The page's and the node's label; empty where nobody described them."""
        label, nodes = self._places.get(page, ("", {}))
        return label, nodes.get(node, "")

    @property
    def scenes(self) -> list[dict[str, Any]]:
        return [
            {"page": page, "label": label, "nodes": [{"node": n, "label": text} for n, text in nodes.items()]}
            for page, (label, nodes) in self._places.items()
        ]

    @property
    def _places(self) -> dict[str, tuple[str, dict[str, str]]]:
        live = self._live
        return live.scenes if live else {}

    def tables(self, entry: Entry, viewer: Viewer) -> list[dict[str, Any]]:
        """The policy tables in force that an entry cites, as they were when its release began to serve here; without those of a
        policy of which this viewer may see nothing today."""
        live = self._live
        if live is None:
            return []
        cited = dict.fromkeys(source.table for source in entry.sources if source.table)
        found = (edition(live.tables[one], today()) for one in cited if one in live.tables)
        return [table for table in found if table is not None and _shown(live, table, viewer)]

    def suggestions(self, page: str, node: str, viewer: Viewer) -> tuple[str, list[Entry]]:
        """A greeting for the place and its hot questions: what answered most there lately, then what belongs there."""
        live, day = self._live, today()
        if live is None:
            raise Unavailable("no release is published yet")
        searcher = live.searcher
        label = self.place_label(page, node)
        found = (searcher.get(one, viewer, day) for one in self._hottest(page if label else "", node))
        chosen = [entry for entry in found if entry and not entry.is_passage]
        if label:
            visible = [entry for entry in live.by_page.get(page, ()) if searcher.get(entry.id, viewer, day)]
            chosen += [entry for entry in visible if node and f"{page}/{node}" in entry.scenes] + visible
        else:
            firsts = (
                next((one for one in some if searcher.get(one.id, viewer, day)), None) for some in live.by_business
            )
            chosen += filter(None, firsts)
        chosen = list({entry.id: entry for entry in chosen}.values())[:_SUGGESTIONS]
        greeting = (
            f"您好，我是财务共享智能客服。您正在“{label}”，有问题直接问我就行。"
            if label
            else "您好，我是财务共享智能客服。报销、借款、发票、付款、税务和系统操作的问题都可以问我。"
        )
        return greeting, chosen

    def _hottest(self, page: str, node: str) -> list[str]:
        kept = self._hot.get((page, node))
        if kept and time.monotonic() - kept[0] < _HOT_KEPT_S:
            return kept[1]
        with self._database.read() as session:
            found = hot_entries(session, page, node, today() - timedelta(days=_HOT_DAYS))
        if len(self._hot) > 1000:
            self._hot.clear()
        self._hot[page, node] = (time.monotonic(), found)
        return found


def _shown(live: _Live, table: dict[str, Any], viewer: Viewer) -> bool:
    policy = (table.get("source") or {}).get("policy")
    return policy is None or any(live.searcher.get(one, viewer, today()) for one in live.articles.get(policy, ()))


def _articles(entries: Sequence[Entry]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in entries:
        if entry.is_passage and entry.sources and entry.sources[0].policy:
            found.setdefault(entry.sources[0].policy, []).append(entry.id)
    return found


def _grouped(entries: Sequence[Entry]) -> tuple[dict[str, list[Entry]], list[list[Entry]]]:
    by_page: dict[str, list[Entry]] = {}
    by_business: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.is_passage:
            continue
        by_business.setdefault(entry.business_type, []).append(entry)
        for page in dict.fromkeys(scene.partition("/")[0] for scene in entry.scenes):
            by_page.setdefault(page, []).append(entry)
    return by_page, list(by_business.values())
