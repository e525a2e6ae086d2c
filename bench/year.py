"""A simulated year: employees ask, a part of what they want is missing, curation closes it; and the same year without.

    .venv/bin/python -m bench.year [--days 364] [--visits 30] [--intents 200] [--missing 0.3] [--budget 8] [--plot FILE]

Everything but the people is the product: its store, encoder, matcher, search, transcript, tickets, signals, nightly clustering,
the console's routes, publishing with its gate, asking again, and insight's counting, from which the self-service rate is read. The people
are scripts (`bench.employees`, `bench.curator`), and what they meant says which answers were wrong. Time is set, not waited for.
The dialogue engine is left out: every question goes straight to `bot.answering`. Ctrl-C ends a year early; the weeks that are done
are reported.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import tempfile
import time
from collections import Counter
from contextlib import suppress
from datetime import date, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from typing import Any

import structlog
from sklearn.metrics import homogeneity_completeness_v_measure
from sqlalchemy import func, select

from bench.simulated_time import CLOCK  # isort: skip  (before anything of the product)
from bench.curator import Curator
from bench.employees import DAY, KNOWN, MISSING, NOT_OURS, Population, workday
from bench.simulated_desk import SimulatedDesk
from bench.weekly import Panel, weekly
from core.clock import SHANGHAI
from kb.curation import figures
from kb.curation.store import CLOSED, OPEN, ClusterRow, OpenQuestionRow
from kb.encoder import load_encoder
from kb.evaluation.remembering import Remembering
from kb.store import EntryRow
from service.insight import keeping, service_page
from service.insight.asking import Filter

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "year.json"
START = date(2026, 3, 2)
"""A Monday."""
_PUBLISHED = 0
"""Weekday of the weekly release."""


class Year:
    """One year of one desk; `weeks` says what came of it."""

    def __init__(self, desk: SimulatedDesk, curator: Curator | None, options: argparse.Namespace, name: str) -> None:
        self._desk, self._curator, self._options, self._name = desk, curator, options, name
        self.weeks: list[dict[str, Any]] = []
        self._took: Counter[str] = Counter()
        self._refused: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        began = time.perf_counter()
        with suppress(KeyboardInterrupt):
            for day in range(self._options.days):
                on = START + day * DAY
                self._day(day, on)
                if day % 7 == 6:
                    self._week(day // 7, on)
        self._finish()
        return {
            "weeks": self.weeks,
            "did": dict(self._curator.did) if self._curator else {},
            "refused": self._refused,
            "clusters": self._clusters(),
            "seconds": round(time.perf_counter() - began),
            "spent": {name: round(spent, 1) for name, spent in self._took.items()},
        }

    def _day(self, day: int, on: date) -> None:
        desk, curator = self._desk, self._curator
        if curator:
            self._at(on, 2)
            self._timed("nights", desk.curating.run_waiting)
        if workday(self._at(on, 9)):
            self._timed("tickets", lambda: desk.answer_tickets(CLOCK.moment))
        for visit in desk.population.visits(day, on, self._options.visits):
            self._timed("visits", lambda visit=visit: desk.visit(visit))
        if curator and workday(self._at(on, 21)):
            self._timed("curator", lambda: curator.work(self._options.budget))
            self._timed("curator", curator.review)
            curator.owners(CLOCK.moment)
            desk.hear()
            if on.weekday() == _PUBLISHED:
                self._publish(on)
            self._timed("asked again", desk.curating.follow)

    def _publish(self, on: date) -> None:
        new, reasons = self._timed("releases", self._desk.publish)
        if reasons and self._curator and self._curator.look_again():
            new, reasons = self._timed("releases", self._desk.publish)
        if reasons:
            self._refused.append({"on": on.isoformat(), "live": new, "reasons": reasons})

    def _week(self, week: int, on: date) -> None:
        desk = self._desk
        moment = self._at(on + DAY, 1)
        self._timed("insight", lambda: keeping.refresh(desk.database, moment))
        counted, desk.counted = desk.counted, Counter()
        with desk.database.read() as session:
            states = figures.by_state(session)
            open_ = session.scalar(select(func.count()).where(OpenQuestionRow.closed_as.is_(None))) or 0
            bodies = session.scalars(select(EntryRow.body).where(EntryRow.deleted.is_(False))).all()
        self.weeks.append(
            {
                "week": week + 1,
                "from": (on - 6 * DAY).isoformat(),
                **_shares(counted),
                "tickets": counted["tickets"],
                "clusters": {"open": states.get(OPEN, 0), "closed": states.get(CLOSED, 0), "all": sum(states.values())},
                "open_questions": open_,
                "entries": len(bodies),
                "similar": sum(len(body.get("similar") or ()) for body in bodies),
                "spent": {name: round(spent, 2) for name, spent in self._took.items()},
            }
        )
        one = self.weeks[-1]
        print(
            f"{self._name} week {week + 1}: right {_told(one['right'])} (missing {_told(one['right_missing'])}), wrong "
            f"{_told(one['wrong'])}, {one['tickets']} tickets, open clusters {one['clusters']['open']} of "
            f"{one['clusters']['all']}, {one['entries']} entries, {sum(self._took.values()):.0f} s",
            flush=True,
        )

    def _finish(self) -> None:
        """What is known of a week only when some time has gone by: the product's own figures of it."""
        desk = self._desk
        for one in self.weeks:
            since = date.fromisoformat(one["from"])
            start = datetime.combine(since, day_time(0), SHANGHAI)
            with desk.database.read() as session:
                page = service_page.page(session, Filter(since, since + 6 * DAY))
                closed = figures.closed_within(session, start, start + 7 * DAY)
            found = {figure["id"]: figure["value"] for figure in page["figures"]}
            one |= {name: found[name] for name in ("visits", "involvement", "resolution", "automation", "none_share")}
            one["reasons"] = {reason["id"]: reason["count"] for reason in page["reasons"]}
            one["came_up"], one["closed_7d"] = closed.volume, closed.share

    def _clusters(self) -> dict[str, Any]:
        """How well the machine's groups are the intents: pure, whole, and how many clusters an intent lies in."""
        desk = self._desk
        with desk.database.read() as session:
            rows = session.execute(
                select(OpenQuestionRow.cluster, OpenQuestionRow.conversation_id, OpenQuestionRow.closed_as).where(
                    OpenQuestionRow.cluster.is_not(None)
                )
            ).all()
            back = session.scalar(select(func.sum(ClusterRow.came_back))) or 0
        rows = [row for row in rows if row.conversation_id in desk.meant]
        if not rows:
            return {}
        meant = [desk.meant[row.conversation_id] for row in rows]
        pure, whole, _ = homogeneity_completeness_v_measure(meant, [row.cluster for row in rows])
        spread: dict[str, set[int]] = {}
        for intent, row in zip(meant, rows, strict=True):
            spread.setdefault(intent, set()).add(row.cluster)
        left = Counter(
            desk.population.by_id[intent].kind for intent, row in zip(meant, rows, strict=True) if row.closed_as is None
        )
        return {
            "questions": len(rows),
            "pure": round(pure, 3),
            "whole": round(whole, 3),
            "per_intent": round(sum(len(some) for some in spread.values()) / len(spread), 1),
            "came_back": back,
            "open_by_kind": dict(left),
        }

    def _at(self, on: date, hour: int) -> datetime:
        CLOCK.moment = max(CLOCK.moment, datetime.combine(on, day_time(hour), SHANGHAI))
        return CLOCK.moment

    def _timed(self, name: str, call: Any) -> Any:
        began = time.perf_counter()
        try:
            return call()
        finally:
            self._took[name] += time.perf_counter() - began


def _shares(counted: Counter[str]) -> dict[str, Any]:
    def share(part: str, whole: str) -> float | None:
        return round(counted[part] / counted[whole], 4) if counted[whole] else None

    def right(kind: str) -> float | None:
        asked = counted[f"asked {kind}"]
        return round((counted[f"answered {kind}"] - counted[f"wrong {kind}"]) / asked, 4) if asked else None

    asked = counted["asked"]
    return {
        "asked": asked,
        "answered": share("answered", "asked"),
        "right": round((counted["answered"] - counted["wrong"]) / asked, 4) if asked else None,
        "wrong": share("wrong", "answered"),
        "wrong_foreign": share(f"wrong {NOT_OURS}", f"asked {NOT_OURS}"),
        "right_known": right(KNOWN),
        "right_missing": right(MISSING),
    }


def _told(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def _live(options: argparse.Namespace, encoder: Remembering, curated: bool) -> dict[str, Any]:
    population = Population(options.seed, options.missing, options.intents, options.days)
    start = datetime.combine(START - timedelta(days=1), day_time(20), SHANGHAI)
    with tempfile.TemporaryDirectory(prefix="fssc-year-") as place:
        home = Path(options.keep) if options.keep and curated else Path(place)
        home.mkdir(parents=True, exist_ok=True)
        url = options.database if options.database and curated else f"sqlite:///{home / 'db.sqlite3'}"
        desk = SimulatedDesk(home, url, encoder, population, start)
        curator = Curator(desk, options.seed) if curated else None
        try:
            return Year(desk, curator, options, "curated" if curated else "left alone").run()
        finally:
            desk.close()


def draw(path: Path, found: dict[str, Any]) -> None:
    """The curated year, beside the one that was left alone if there is one."""
    years = {
        name: found[key]["weeks"]
        for name, key in (("curated", "curated"), ("left alone", "left_alone"))
        if key in found
    }

    def lines(measure: str) -> dict[str, list[float | None]]:
        return {name: [week[measure] for week in weeks] for name, weeks in years.items()}

    curated = years["curated"]
    weekly(
        path,
        f"{len(curated)} simulated weeks, with curation",
        [
            Panel("Self-service (自助率, as insight counts it)", lines("automation"), most=1.0),
            Panel("Wrong among outright answers (by what was meant)", lines("wrong"), most=0.2),
            Panel(
                "Open questions closed within 7 days", {"curated": [week["closed_7d"] for week in curated]}, most=1.0
            ),
            Panel("Open clusters", {"curated": [week["clusters"]["open"] for week in curated]}, unit=""),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=364)
    parser.add_argument("--visits", type=int, default=30, help="on a workday; a tenth of it at weekends")
    parser.add_argument("--intents", type=int, default=200)
    parser.add_argument("--missing", type=float, default=0.3, help="share of the entries that the first release lacks")
    parser.add_argument("--budget", type=int, default=8, help="clusters that the curator decides about a workday")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="a PostgreSQL URL of an empty database for the curated year")
    parser.add_argument("--only", default="", choices=("curated", "left_alone"), help="the other one is in the file")
    parser.add_argument("--keep", default="", help="a directory that keeps the curated year")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    found: dict[str, Any] = {
        name: getattr(options, name) for name in ("days", "visits", "intents", "missing", "budget")
    }
    encoder = Remembering(load_encoder(None, Path(os.environ.get("FSSC_HOME", "var"))))
    options.out.parent.mkdir(exist_ok=True)
    if options.only and options.out.exists():
        found |= {name: one for name, one in json.loads(options.out.read_text()).items() if isinstance(one, dict)}
    for name, curated in (("curated", True), ("left_alone", False)):
        if options.only not in ("", name):
            continue
        one = found[name] = _live(options, encoder, curated)
        options.out.write_text(json.dumps(found, indent=1, ensure_ascii=False))
        print(
            name,
            {key: one[key] for key in ("did", "clusters", "seconds", "spent")},
            "gate refused",
            len(one["refused"]),
            flush=True,
        )
    if options.plot and "curated" in found:
        draw(options.plot, found)


if __name__ == "__main__":
    main()
