"""Insight over a year of a large center on PostgreSQL: how long counting takes, and how fast every page opens.

    .venv/bin/python -m bench.insight [--conversations 3000000] [--by-worker] [--at URL] [--measure]

A tenth of the conversations file a ticket. Records are made in the database (`bench.insight_center`). Facts are made there too and checked
against the worker's own counting of days and tickets drawn at random, or, with `--by-worker`, counted by it all, as on the day when it is
installed beside an old database; roll-ups are the worker's own. Then every request that a page makes is made through the
application's routes: without filter, with each filter, with each pair of filters, and some three, on the largest company, department,
channel, business type and page; for the last 30 days, the last quarter and the year; and every list of records behind
a figure. The time is that of the whole request without the network; of those over 200 ms median and worst of three more.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from types import SimpleNamespace

from sqlalchemy import text
from starlette.testclient import TestClient

from bench.insight_center import DAYS, differing, fill
from bench.postgres import server
from core.clock import now, today
from core.database import Database
from core.settings import Settings
from service.app import create_app
from service.insight.calendar import each_day
from service.insight.keeping import keep
from service.insight.lists import LISTS
from service.insight.records import RATINGS, TICKETS, VISITS
from service.insight.rollups import roll_day
from service.migrate import migrate
from service.users import SessionRow, UserRow

PROMISED_MS = 1000
TURNS, LOOKED_AT_MS = 3, 200
SHOWN = 25

Query = dict[str, str]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--conversations", type=int, default=3_000_000)
    options.add_argument("--by-worker", action="store_true", help="let the worker count everything")
    options.add_argument("--at", default="", help="an empty PostgreSQL database; else a server is started for it")
    options.add_argument("--measure", action="store_true", help="the database at --at is filled and counted already")
    chosen = options.parse_args()
    with server(chosen.at) as url:
        url = Settings(DATABASE_URL=url).database
        database = Database(url)
        try:
            if not chosen.measure:
                migrate(url)
                build(database, url, chosen.conversations, by_worker=chosen.by_worker)
            sizes(database)
            slowest = measure(database)
        finally:
            database.close()
    print(f"\nslowest median: {slowest:.0f} ms; promised: {PROMISED_MS} ms")


def build(database: Database, url: str, conversations: int, *, by_worker: bool) -> None:
    """Fill and count, as far as that was not done before."""
    started = time.perf_counter()

    def said(what: str) -> None:
        print(f"{time.perf_counter() - started:>6.0f} s  {what}", flush=True)

    with database.read() as session:
        filled = session.scalar(text("SELECT count(*) FROM (SELECT 1 FROM conversation LIMIT 1) one"))
    if not filled:
        fill(url, conversations, facts=not by_worker, said=said)
    if by_worker:
        done = keep(database)
        said(f"counted {done['days']} days")
    else:
        different = differing(database)
        assert not different, "\n".join(different[:20])
        said("the worker counts days and tickets alike")
        roll(database, said)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    said("vacuum")
    done = keep(database, wrong_rate=0.03)
    said(f"counted again: {done['days']} days, and made {done['reports']} reports")


def roll(database: Database, said: Callable[[str], None]) -> None:
    """The worker's roll-ups of every day that has none."""
    with database.read() as session:
        rolled = set(session.scalars(text("SELECT DISTINCT day FROM insight_day WHERE by = ''")))
    last = today() - timedelta(days=1)
    for number, day in enumerate(each_day(last - timedelta(days=DAYS), last)):
        if day not in rolled:
            with database.write() as session:
                roll_day(session, day)
        if number % 30 == 29:
            said(f"rolled up to {day}")


def sizes(database: Database) -> None:
    """Rows and bytes of what was counted and of what it was counted from."""
    names = ("conversation", "turn", "ticket", "insight_visit", "insight_question", "insight_ticket", "insight_day")
    with database.read() as session:
        for name in (*names, "insight_entry_day"):
            rows = session.scalar(text(f"SELECT count(*) FROM {name}"))
            size = session.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0
            print(f"{name:20} {rows:>12,} rows {size / 1e6:>8,.0f} MB")


def largest(database: Database) -> dict[str, Query]:
    """The filter of each dimension that leaves most; a department stands with its company."""
    with database.read() as session:

        def most(by: str) -> Query:
            a, b = session.execute(
                text(
                    "SELECT a, b FROM insight_day WHERE by = :by GROUP BY a, b ORDER BY sum(visits) DESC, a, b LIMIT 1"
                ),
                {"by": by},
            ).one()
            return dict(zip(by.split("+"), (a, b), strict=False))

        return {name.partition("+")[2] or name: most(name) for name in
                ("company", "company+department", "channel", "business_type", "page")}  # fmt: skip


def filters(single: dict[str, Query]) -> dict[str, Query]:
    """Without any, each, each pair, and three."""
    names = [*single]
    chosen: dict[str, Query] = {"": {}}
    for size in (1, 2, 3):
        for some in combinations(names, size):
            if {"company", "department"} <= {*some} or (size == 3 and some[0] == "department"):
                continue
            chosen[", ".join(some)] = {key: value for one in some for key, value in single[one].items()}
    return chosen


def requests(database: Database) -> list[tuple[str, str, Query]]:
    """Page, words for its filter, and query of every request."""
    last = today() - timedelta(days=1)
    periods = {"month": 30, "quarter": 91, "year": DAYS}
    asked: list[tuple[str, str, Query]] = []
    chosen = filters(largest(database))
    for period, days in periods.items():
        span = {"since": str(last - timedelta(days=days - 1)), "until": str(last)}
        for name, query in chosen.items():
            pages = ("service", "desk", "knowledge", "policy")
            asked += [(page, f"{period} {name}", {**span, **query}) for page in pages]
            if name.count(",") > 1 or period == "quarter":
                continue
            few = ("visits", "again", "bad", "cited", "filed", "low")
            lists = few if "," in name else (*VISITS, *TICKETS, *RATINGS, *LISTS)
            asked += [("records", f"{which}, {period} {name}", {**span, **query, "which": which}) for which in lists]
            for entries in ("K0", "K7", "K990", "K0,K1,K2,K20,K40", "nothing"):
                asked.append(
                    (
                        "records",
                        f"of {entries}, {period} {name}",
                        {**span, **query, "which": "visits", "entry_ids": entries},
                    )
                )
        for closer in (
            {"which": "nones", "release": "3"},
            {"which": "filed", "group": "group1"},
            {"which": "late_first", "sla": "policy1"},
        ):
            asked.append(("records", f"{closer}, {period}", {**span, **closer}))
        asked.append(("records", f"visits, page 5, {period}", {**span, "which": "visits", "page_number": "5"}))
    month = f"{last.replace(day=1) - timedelta(days=1):%Y-%m}"
    return [
        *asked,
        ("statement", "a month", {"month": month}),
        ("samples", "", {}),
        ("reports", "", {}),
        ("filters", "", {}),
        ("prices", "", {}),
    ]


def measure(database: Database) -> float:
    """The slowest median, in milliseconds; prints the slowest requests and each page's."""
    client = _signed_in(database)
    found: list[tuple[float, float, str, str]] = []
    for page, name, query in requests(database):
        times = [_took(client, page, query)]
        if times[0] > LOOKED_AT_MS:
            times = [_took(client, page, query) for _ in range(TURNS)]
        found.append((statistics.median(times), max(times), page, name))
    found.sort(reverse=True)
    print(f"\n{len(found)} requests; the slowest, by page and of all:")
    slowest = {page: one for one in reversed(found) for page in (one[2],)}
    print(f"{'page':10} {'period and filter':44} {'median':>8} {'worst':>8} ms")
    for middle, worst, page, name in (*slowest.values(), *found[:SHOWN]):
        print(f"{page:10} {name:44} {middle:>8.0f} {worst:>8.0f}")
    return found[0][0]


def _took(client: TestClient, page: str, query: Query) -> float:
    started = time.perf_counter()
    answer = client.get(f"/{page}", params=query)
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - started) * 1000


def _signed_in(database: Database) -> TestClient:
    settings = Settings(widget_secret="a" * 40)
    app = create_app(settings)
    app.state.desk = SimpleNamespace(database=database, settings=settings)
    with database.write() as session:
        session.merge(UserRow(username="boss", name="主管", password_hash="", roles=["supervisor"], created_at=now()))
        session.flush()
        token = hashlib.sha256(b"boss").hexdigest()
        session.merge(SessionRow(token_hash=token, username="boss", expires_at=now() + timedelta(days=1)))
    return TestClient(app, base_url="http://desk/api/v1/console/insight", cookies={"fssc_session": "boss"})


if __name__ == "__main__":
    main()
