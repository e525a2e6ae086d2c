"""Insight over a year of a large center on PostgreSQL: how long counting takes, and how fast every page opens.

    .venv/bin/python -m bench.insight [--conversations 3000000] [--at URL]

A tenth of the conversations file a ticket. Conversations, turns, ratings, tickets, clocks and timelines are made in the database; facts and
roll-ups are then counted from them by the product's own worker code, as on the day when it is installed beside an old
database. Every page is asked for through the application's routes for the whole year with several filters; the time is that
of the whole request without the network, median and worst of five.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace

import psycopg
from psycopg.types.json import Json
from sqlalchemy import text
from starlette.testclient import TestClient

from core.clock import SHANGHAI, now, today
from core.database import Database
from core.settings import Settings
from handoff.tickets import BUSINESS_TYPES
from service.app import create_app
from service.insight.keeping import keep
from service.migrate import migrate
from service.users import SessionRow, UserRow

PROMISED_MS = 1000
TURNS = 5
ENTRIES, POLICIES, ARTICLES = 1000, 20, 50
COMPANY = "华晟第7公司"

_CONVERSATIONS = """
INSERT INTO conversation (id, channel, employee_no, identity, mode, read_seq, created_at, last_at)
SELECT md5(n::text)::uuid::text,
       (ARRAY['widget','widget','widget','wecom','wecom','dingtalk'])[1 + floor(who * 6)::int %% 6],
       'E' || e,
       jsonb_build_object('employee_no', 'E' || e, 'name', '员工' || e, 'company', '华晟第' || e %% 40 || '公司',
                          'department', '部门' || (e / 40) %% 8, 'groups', '[]'::jsonb),
       'bot', 0, at, at
FROM (
    SELECT n, who, floor(power(who, 1.3) * 100000)::int AS e,
           %(start)s::timestamptz + make_interval(days => floor(d * 365)::int)
           + make_interval(secs => 3600 * (8 + 10 * (h1 + h2) / 2)) AS at
    FROM (SELECT n, random() AS who, random() AS d, random() AS h1, random() AS h2
          FROM generate_series(1, %(count)s) n) r
) c
"""

_TURNS = """
INSERT INTO turn (id, conversation_id, owner, client_message_id, fingerprint, body, state, outcome, degraded, at, took_ms)
SELECT md5(c.id || k)::uuid::text, c.id, c.employee_no, md5(c.id || k), '',
       jsonb_build_object('text', '', 'choice', '', 'said', '', 'place',
                          jsonb_build_object('page', 'page.' || floor(15 * p)::int, 'node', '', 'document_no', '')),
       'done',
       jsonb_build_object(
           'band', band, 'probability', 0.9, 'release', 1 + floor(12 * progress)::int, 'question', e.question, 'unresolved', null,
           'entry_id', CASE WHEN band = 'answer' THEN e.id END,
           'shown', jsonb_build_array(jsonb_build_object('entry_id', e.id, 'question', e.question, 'probability', 0.9,
                                                         'business_type', e.business_type))),
       false, c.created_at + make_interval(mins => 2 * k), 5 + 60 * (-ln(1 - t))
FROM (
    SELECT c.id, c.employee_no, c.created_at, k, progress, p, t, floor(%(entries)s * power(x, 3))::int AS entry,
           CASE WHEN b < 0.5 + 0.25 * progress THEN 'answer' WHEN b < 0.8 THEN 'clarify' ELSE 'none' END AS band
    FROM (SELECT c.*, k, random() AS b, random() AS x, random() AS p, random() AS t,
                 extract(epoch FROM c.created_at - %(start)s::timestamptz) / (366 * 86400.0) AS progress
          FROM conversation c CROSS JOIN LATERAL generate_series(0, (('x' || left(md5(c.id), 2))::bit(8)::int < 90)::int) k) c
) c JOIN kb_entry e ON e.id = 'K' || c.entry
"""

_RATED = """
INSERT INTO message (id, conversation_id, turn_id, seq, sender, type, text, body, at)
SELECT md5(id || 'm')::uuid::text, conversation_id, id, 2 + extract(minute FROM at)::int, 'bot', 'answer', '答案',
       jsonb_build_object('entry_id', outcome->>'entry_id'), at
FROM turn WHERE outcome->>'band' = 'answer' AND left(md5(id), 2) < '14'
"""

_FEEDBACK = """
INSERT INTO kb_feedback (message_id, conversation_id, entry_id, helpful, reason, at)
SELECT id, conversation_id, body->>'entry_id', left(md5(id), 1) > '2', NULL, at + interval '1 minute' FROM message
"""

_TICKETS = """
INSERT INTO ticket (number, idempotency_key, status, business_type, description, urgency, employee_no, requester, channel, page,
                    node, reason, conversation_id, tried, created_at, updated_at, subtype, company, department,
                    service_tier, tier, priority, risk_words, emergency, group_id, assignee, experts, version, reopenings, unread,
                    resolution, first_response_at, resolved_at, sla_policy, breached, rating)
SELECT 'FW' || to_char(at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-' || lpad(n::text, 7, '0'), id,
       CASE WHEN at > %(end)s::timestamptz - interval '2 days' AND z < 0.6 THEN 'in_progress' ELSE 'closed' END,
       (%(types)s::text[])[1 + n %% 9], '差旅报销单提交时报错，提示税号校验不通过', '一般', employee_no, identity, channel,
       'page.' || n %% 15, '', 'missing_knowledge', id, '[]', at, at, '', identity->>'company', identity->>'department', 'standard', 2, 3,
       '[]', false, 'group' || n %% 6, 'agent' || n %% 60, '[]', 5, (z < 0.04)::int, false, '已处理', at + interval '20 minutes',
       CASE WHEN at > %(end)s::timestamptz - interval '2 days' AND z < 0.6 THEN NULL
            ELSE at + make_interval(secs => 3600 * 30 * z) END,
       'policy' || n %% 4, false, CASE WHEN z BETWEEN 0.3 AND 0.65 THEN 5 - (z * 1000)::int %% 5 END
FROM (SELECT c.*, created_at + interval '4 minutes' AS at, row_number() OVER () AS n, random() AS z
      FROM conversation c WHERE ('x' || right(md5(id), 4))::bit(16)::int %% 10 = 0) t
"""

_EVENTS = """
INSERT INTO ticket_event (ticket, kind, actor, text, at, public, detail, actor_kind, actor_name)
SELECT number, kind, 'agent', '', created_at, true, '{}', 'staff', ''
FROM ticket CROSS JOIN LATERAL unnest(ARRAY['filed', 'accepted', 'replied', 'resolved']
     || CASE WHEN left(md5(number), 1) = '0' THEN ARRAY['escalated'] ELSE '{}' END
     || CASE WHEN reopenings > 0 THEN ARRAY['reopened'] ELSE '{}' END) kind
"""

_CLOCKS = """
INSERT INTO clock (ticket, kind, round, policy, promised_min, started_at, stopped_at, actual_min, stage, recounts, rules, breached_at)
SELECT number, kind, 1, sla_policy, promised, created_at, resolved_at, took, 0, 0, 0, CASE WHEN took > promised THEN created_at END
FROM (SELECT number, sla_policy, created_at, resolved_at, kind, promised,
             CASE kind WHEN 'first_response' THEN 40 * random() * random() ELSE 900 * random() * random() END AS took
      FROM ticket CROSS JOIN (VALUES ('first_response', 30), ('resolution', 480)) v (kind, promised)) c
"""

_RATINGS = """
INSERT INTO satisfaction (ticket, resolution, conversation_id, agent, group_id, state, invited_at, remind_at, expires_at, score, reasons, words, rated_at)
SELECT number, reopenings + 1, conversation_id, assignee, group_id, 'rated', resolved_at, resolved_at, resolved_at, rating,
       CASE WHEN rating <= 2 THEN '["时效:回复太慢"]'::jsonb ELSE '[]'::jsonb END, '', resolved_at
FROM ticket WHERE rating IS NOT NULL AND resolved_at IS NOT NULL
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--conversations", type=int, default=3_000_000)
    options.add_argument("--at", default="", help="an empty PostgreSQL database; else a server is started for it")
    options.add_argument("--counted", action="store_true", help="the database at --at is filled and counted already")
    chosen = options.parse_args()
    with _server(chosen.at) as url:
        url = Settings(DATABASE_URL=url).database
        database = Database(url)
        try:
            if not chosen.counted:
                migrate(url)
                started = time.perf_counter()
                if not _filled(database):
                    fill(url, chosen.conversations)
                    print(f"filled in {time.perf_counter() - started:.0f} s", flush=True)
                started = time.perf_counter()
                done = keep(database)
                took = time.perf_counter() - started
                print(
                    f"counted {done['days']} days in {took:.0f} s, {took / max(1, done['days']):.2f} s a day",
                    flush=True,
                )
                with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(text("VACUUM ANALYZE"))
                started = time.perf_counter()
                done = keep(database)
                print(f"counted again: {done['days']} days in {time.perf_counter() - started:.1f} s", flush=True)
            sizes(database)
            slowest = measure(database)
        finally:
            database.close()
    print(f"\nslowest median: {slowest:.0f} ms; promised: {PROMISED_MS} ms")


@contextmanager
def _server(url: str) -> Iterator[str]:
    if url:
        yield url
        return
    import pgserver

    server = pgserver.get_server(tempfile.mkdtemp(prefix="fssc-bench-pg-"), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _filled(database: Database) -> bool:
    with database.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM (SELECT 1 FROM conversation LIMIT 1) one")))


def fill(url: str, conversations: int) -> None:
    """A year up to yesterday, made inside the database."""
    end = datetime.combine(today(), datetime.min.time(), SHANGHAI)
    start = end - timedelta(days=365)
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        for setting in ("fsync = off", "max_wal_size = '8GB'", "shared_buffers = '1GB'"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    with psycopg.connect(plain, autocommit=True) as connection:
        run = connection.execute
        run("SET session_replication_role = replica")
        run("SELECT setseed(0.4)")
        _knowledge(connection)
        run(_CONVERSATIONS, {"start": start, "count": conversations})
        run(_TURNS, {"start": start, "entries": ENTRIES})
        for statement in (_RATED, _FEEDBACK):
            run(statement)
        run(_TICKETS, {"end": end, "types": list(BUSINESS_TYPES)})
        for statement in (_EVENTS, _CLOCKS, _RATINGS):
            run(statement)
        run(
            "INSERT INTO staff_group SELECT 'group' || g, '第' || g || '组', 2, '[]', 'pool', null, true, '{}' FROM generate_series(0, 5) g"
        )
        run("ANALYZE")


def _knowledge(connection: psycopg.Connection) -> None:
    articles = [{"number": n, "label": f"第{n}条", "title": "", "text": "略"} for n in range(1, ARTICLES + 1)]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO kb_document (kind, id, title, body, updated_at) VALUES ('policy', %s, %s, %s, now())",
            [
                (f"p{n}", f"第{n}号管理办法", Json({"id": f"p{n}", "title": f"第{n}号管理办法", "articles": articles}))
                for n in range(POLICIES)
            ],
        )
        cursor.executemany(
            "INSERT INTO kb_entry (id, version, question, business_type, owner, search_text, body, deleted, updated_at) "
            "VALUES (%s, 1, %s, %s, '', '', %s, false, now())",
            [
                (
                    f"K{n}",
                    f"第{n}个问题怎么办",
                    BUSINESS_TYPES[n % 9],
                    Json(
                        {
                            "sources": [
                                {"label": "", "policy": f"p{n % POLICIES}", "article": 1 + n // POLICIES % ARTICLES}
                            ]
                        }
                    ),
                )
                for n in range(ENTRIES + 200)
            ],
        )


def sizes(database: Database) -> None:
    """Rows and bytes of what was counted and of what it was counted from."""
    with database.read() as session:
        for name in (
            "turn",
            "ticket",
            "insight_visit",
            "insight_question",
            "insight_ticket",
            "insight_day",
            "insight_entry_day",
        ):
            rows = session.scalar(text(f"SELECT count(*) FROM {name}"))
            size = session.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0
            print(f"{name:20} {rows:>12,} rows {size / 1e6:>8,.0f} MB")


def measure(database: Database) -> float:
    """The slowest median, in milliseconds."""
    client = _signed_in(database)
    last = today() - timedelta(days=1)
    year = {"since": str(last - timedelta(days=364)), "until": str(last)}
    month = {"since": str(last - timedelta(days=29)), "until": str(last)}
    filters = {
        "all": {},
        "company": {"company": COMPANY},
        "department": {"company": COMPANY, "department": "部门3"},
        "channel": {"channel": "widget"},
        "business type": {"business_type": "差旅报销"},
        "page": {"page": "page.3"},
        "channel, type": {"channel": "widget", "business_type": "差旅报销"},
        "channel, type, page": {"channel": "widget", "business_type": "差旅报销", "page": "page.3"},
        "company, channel, type": {"company": COMPANY, "channel": "widget", "business_type": "差旅报销"},
    }
    asked: list[tuple[str, str, dict[str, str]]] = []
    for page in ("service", "desk", "knowledge", "policy"):
        asked += [(page, name, {**year, **chosen}) for name, chosen in filters.items()]
        asked.append((page, "30 days", month))
        asked.append((page, "180 days", {**year, "since": str(last - timedelta(days=179))}))
    for which in ("visits", "nones", "bad", "again", "filed", "late_resolve", "low"):
        asked.append(("records", which, {**year, "which": which}))
    asked.append(("records", "one entry", {**year, "which": "visits", "entry_ids": "K7"}))
    asked.append(("records", "bad, department", {**year, **filters["department"], "which": "bad"}))
    asked += [
        ("statement", "a month", {"month": f"{last.replace(day=1) - timedelta(days=1):%Y-%m}"}),
        ("samples", "", {}),
        ("reports", "", {}),
        ("filters", "", {}),
    ]
    slowest = 0.0
    print(f"\n{'page':10} {'filter':24} {'median':>8} {'worst':>8} ms")
    for page, name, query in asked:
        times = []
        for _ in range(TURNS):
            started = time.perf_counter()
            answer = client.get(f"/{page}", params=query)
            times.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, answer.text
        middle = statistics.median(times)
        slowest = max(slowest, middle)
        print(f"{page:10} {name:24} {middle:>8.0f} {max(times):>8.0f}", flush=True)
    return slowest


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
