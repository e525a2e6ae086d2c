"""A year of a large center, made inside PostgreSQL: its records, and the facts that counting them would give.

Records: conversations with one or two turns, ratings, a ticket for every tenth with clocks, timeline and rating. Companies and
pages are of uneven size: the largest company has a tenth of the conversations, the busiest page a sixth. Facts are made by SQL,
since the worker's own counting of three million conversations takes the better part of an hour; `differing` counts days and
tickets again by the worker's code and says what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import psycopg
from psycopg.types.json import Json
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from core.clock import SHANGHAI, today
from core.database import Database
from handoff.tickets import BUSINESS_TYPES
from service.insight.names import Names
from service.insight.store import QuestionRow, TicketFactRow, VisitRow
from service.insight.tickets import make_tickets
from service.insight.visits import make_day

ENTRIES, POLICIES, ARTICLES = 1000, 20, 50
DAYS = 365

_CONVERSATIONS = """
INSERT INTO conversation (id, channel, employee_no, identity, mode, read_seq, created_at, last_at)
SELECT md5(n::text)::uuid::text,
       (ARRAY['widget','widget','widget','wecom','wecom','dingtalk'])[1 + floor(who * 6)::int %% 6],
       'E' || e,
       jsonb_build_object('employee_no', 'E' || e, 'name', '员工' || e, 'company', '华晟第' || floor(40 * power(e * 7919 %% 100000 / 100000.0, 1.6))::int || '公司',
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
                          jsonb_build_object('page', 'page.' || floor(15 * power(p, 1.5))::int, 'node', '', 'document_no', '')),
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

_GROUPS = """
INSERT INTO staff_group SELECT 'group' || g, '第' || g || '组', 2, '[]', 'pool', null, true, '{}' FROM generate_series(0, 5) g
"""

_NAMED = """
INSERT INTO insight_person (key) SELECT DISTINCT employee_no FROM conversation;
INSERT INTO insight_origin (company, department, channel, page)
SELECT DISTINCT company, department, channel, 'page.' || page
FROM (SELECT DISTINCT identity->>'company' AS company, identity->>'department' AS department, channel FROM conversation) c
CROSS JOIN generate_series(0, 14) page;
ANALYZE insight_person; ANALYZE insight_origin;
"""

_ASKED = """
CREATE UNLOGGED TABLE bench_asked AS
SELECT t.id AS turn_id, first_value(t.id) OVER w AS visit_id, t.conversation_id, t.owner, c.channel,
       c.identity->>'company' AS company, c.identity->>'department' AS department, t.body#>>'{place,page}' AS page,
       t.at, min(t.at) OVER w AS started_at, t.took_ms, row_number() OVER w AS place, count(*) OVER w AS turns,
       t.outcome->>'band' AS band, coalesce(t.outcome->>'entry_id', '') AS entry_id,
       t.outcome#>>'{shown,0,entry_id}' AS top, t.outcome#>>'{shown,0,business_type}' AS business_type,
       (t.outcome->>'release')::int AS release, (b.turn_id IS NOT NULL)::int AS bad
FROM turn t JOIN conversation c ON c.id = t.conversation_id
LEFT JOIN (SELECT m.turn_id FROM message m JOIN kb_feedback f ON f.message_id = m.id WHERE NOT f.helpful) b ON b.turn_id = t.id
WINDOW w AS (PARTITION BY t.conversation_id ORDER BY t.at, t.id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);
CREATE UNLOGGED TABLE bench_visit AS
SELECT visit_id, max(conversation_id) AS conversation_id, max(owner) AS owner, min(at) AS started_at, max(at) AS ended_at,
       max(channel) AS channel, max(company) AS company, max(department) AS department,
       max(page) FILTER (WHERE place = turns) AS page, max(business_type) FILTER (WHERE place = turns) AS business_type,
       max(entry_id) FILTER (WHERE place = turns) AS entry_id, max(top) FILTER (WHERE place = turns) AS top,
       max((band = 'answer')::int) FILTER (WHERE place = turns) AS answered,
       max(took_ms) FILTER (WHERE place = 1) AS took_ms, max(bad) AS bad, count(*) AS questions,
       count(*) FILTER (WHERE band = 'answer') AS answers, count(*) FILTER (WHERE band = 'clarify') AS clarified,
       count(*) FILTER (WHERE band = 'none') AS nones
FROM bench_asked GROUP BY visit_id;
ANALYZE bench_asked;
ANALYZE bench_visit;
"""

_VISITS = """
INSERT INTO insight_visit (id, conversation_id, person, day, started_at, hour, origin, business_type, entry_id, wait, matter, involved,
                           answered, filed, handed, again, bad, resolved, questions, answers, clarified, nones)
SELECT visit_id, conversation_id, person, day, started_at, hour, origin, business_type, entry_id, wait, 1, 1,
       answered, filed, handed, again, bad, (answered = 1 AND handed + again + bad = 0)::int, questions, answers, clarified, nones
FROM (
    SELECT v.*, p.id AS person, o.id AS origin, (v.started_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
           extract(hour FROM v.started_at AT TIME ZONE 'Asia/Shanghai') AS hour,
           least(floor(ln(greatest(v.took_ms, 1)) / ln(1.1::float8)), 180) AS wait,
           (f.visit_id IS NOT NULL)::int AS filed, (h.visit_id IS NOT NULL)::int AS handed,
           (v.answered = 1 AND a.visit_id IS NOT NULL)::int AS again
    FROM bench_visit v
    JOIN insight_person p ON p.key = v.owner
    JOIN insight_origin o USING (company, department, channel, page)
    LEFT JOIN (SELECT DISTINCT visit_id FROM bench_visit v JOIN ticket t USING (conversation_id)
               WHERE t.created_at BETWEEN v.started_at AND v.ended_at + interval '30 minutes') f USING (visit_id)
    LEFT JOIN (SELECT DISTINCT visit_id FROM bench_visit v JOIN ticket t ON t.employee_no = v.owner
               WHERE t.created_at BETWEEN v.started_at AND v.ended_at + interval '24 hours') h USING (visit_id)
    LEFT JOIN (SELECT DISTINCT v.visit_id FROM bench_visit v JOIN bench_asked q USING (owner, top)
               WHERE q.started_at > v.started_at AND q.started_at <= v.ended_at + interval '24 hours') a USING (visit_id)
) v ORDER BY started_at
"""

_QUESTIONS = """
INSERT INTO insight_question (turn_id, visit_id, day, origin, business_type, band, entry_id, release, outright, bad)
SELECT q.turn_id, q.visit_id, v.day, v.origin, q.business_type, q.band, q.entry_id, q.release, 1, q.bad
FROM bench_asked q JOIN insight_visit v ON v.id = q.visit_id ORDER BY q.started_at
"""

_TICKET_FACTS = """
INSERT INTO insight_ticket (number, status, filed_day, solved_day, left_day, origin, business_type, group_id, policy, first_kept,
                            resolve_kept, first_min, resolve_min, escalated, reopened, once, score, reasons, quality)
SELECT t.number, t.status, (t.created_at AT TIME ZONE 'Asia/Shanghai')::date, solved, solved, o.id, t.business_type, t.group_id,
       t.sla_policy, CASE WHEN f.breached_at IS NOT NULL THEN 0 WHEN f.stopped_at IS NOT NULL THEN 1 END,
       CASE WHEN r.breached_at IS NOT NULL THEN 0 WHEN r.stopped_at IS NOT NULL THEN 1 END, f.actual_min, r.actual_min,
       coalesce(e.escalated, 0), t.reopenings, (solved IS NOT NULL AND e.ticket IS NULL)::int, s.score, coalesce(s.reasons, '[]'), NULL
FROM (SELECT *, CASE WHEN status = 'closed' THEN (resolved_at AT TIME ZONE 'Asia/Shanghai')::date END AS solved FROM ticket) t
JOIN insight_origin o ON (o.company, o.department, o.channel, o.page) = (t.company, t.department, t.channel, t.page)
JOIN clock f ON f.ticket = t.number AND f.kind = 'first_response' JOIN clock r ON r.ticket = t.number AND r.kind = 'resolution'
LEFT JOIN (SELECT ticket, max((kind = 'escalated')::int) AS escalated FROM ticket_event WHERE kind IN ('escalated', 'reopened')
           GROUP BY ticket) e ON e.ticket = t.number
LEFT JOIN satisfaction s ON s.ticket = t.number
"""

# `made` is `service.insight.store.MADE`.
_COUNTED = """
DROP TABLE bench_asked, bench_visit;
INSERT INTO insight_state (name, body, at) SELECT 'tickets', jsonb_build_object('event', max(id), 'made', 2), now() FROM ticket_event;
INSERT INTO insight_state (name, body, at) VALUES ('visits', '{"days": 365, "took": 0, "made": 2}', now()),
    ('counting', jsonb_build_object('day', (SELECT max(day) FROM insight_visit), 'made', 2), now() - interval '1 hour')
"""

_LARGE = (
    "conversation",
    "turn",
    "message",
    "ticket",
    "ticket_event",
    "clock",
    "insight_visit",
    "insight_question",
    "insight_ticket",
)


def fill(url: str, conversations: int, *, facts: bool, said: Callable[[str], None]) -> None:
    """A year of records up to yesterday; with `facts`, what counting them would give, except the sums by day."""
    end = datetime.combine(today(), datetime.min.time(), SHANGHAI)
    start = end - timedelta(days=DAYS)
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        for setting in ("fsync = off", "max_wal_size = '8GB'", "checkpoint_timeout = '30min'"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("conversations", _CONVERSATIONS, {"start": start, "count": conversations}),
        ("turns", _TURNS, {"start": start, "entries": ENTRIES}),
        ("messages", _RATED, {}),
        ("ratings", _FEEDBACK, {}),
        ("tickets", _TICKETS, {"end": end, "types": list(BUSINESS_TYPES)}),
        ("timelines", _EVENTS, {}),
        ("clocks", _CLOCKS, {}),
        ("satisfaction", _RATINGS, {}),
        ("groups", _GROUPS, {}),
    ]
    made = (("names", _NAMED), ("questions asked", _ASKED), ("visits", _VISITS), ("questions", _QUESTIONS),
            ("ticket facts", _TICKET_FACTS), ("state", _COUNTED))  # fmt: skip
    with psycopg.connect(plain, autocommit=True) as connection:
        for setting in ("session_replication_role = replica", "work_mem = '512MB'", "maintenance_work_mem = '512MB'"):
            connection.execute(f"SET {setting}")
        connection.execute("SELECT setseed(0.4)")
        _knowledge(connection)
        with _bare(connection, said):
            for name, statement, values in steps:
                connection.execute(statement, values or None)
                said(name)
            connection.execute("ANALYZE conversation, turn, message, kb_feedback, ticket, ticket_event, clock")
            for name, statement in made if facts else ():
                for one in statement.split(";\n"):
                    if one.strip():
                        connection.execute(one)
                said(name)
        connection.execute("VACUUM ANALYZE")
        said("vacuum")


@contextmanager
def _bare(connection: psycopg.Connection, said: Callable[[str], None]) -> Iterator[None]:
    """Large tables have no indexes but their keys' until the end: building them once is faster than row by row."""
    rows = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname LIKE 'ix_%%'",
        [list(_LARGE)],
    ).fetchall()
    for name, _ in rows:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, definition in rows:
        connection.execute(definition)
    said("indexes")


def differing(database: Database, days: int = 2, tickets: int = 300) -> list[str]:
    """What the worker's own counting makes otherwise, of so many days and tickets drawn at random: none where all is well."""
    random, found = Random(1), []
    last = today() - timedelta(days=1)
    with database.write() as session:
        for day in (last - timedelta(days=random.randrange(DAYS)) for _ in range(days)):
            before = _facts(session, day)
            make_day(session, day, Names(session))
            session.expire_all()
            after = _facts(session, day)
            found += [f"{day} {key}: {before.get(key)} {after.get(key)}" for key in before.keys() | after.keys()
                      if before.get(key) != after.get(key)]  # fmt: skip
        numbers = random.sample(sorted(session.scalars(select(TicketFactRow.number))), tickets)
        rows = select(TicketFactRow).where(TicketFactRow.number.in_(numbers))
        before = {row.number: _values(row) for row in session.scalars(rows)}
        make_tickets(session, numbers, Names(session))
        session.expire_all()
        after = {row.number: _values(row) for row in session.scalars(rows)}
        found += [f"{key}: {before[key]} {after.get(key)}" for key in before if before[key] != after.get(key)]
        session.rollback()
    return found


def _facts(session: Session, day: date) -> dict[str, dict[str, Any]]:
    visits = {row.id: _values(row) for row in session.scalars(select(VisitRow).where(VisitRow.day == day))}
    questions = session.scalars(select(QuestionRow).where(QuestionRow.day == day))
    return visits | {f"question {row.turn_id}": _values(row) for row in questions}


def _values(row: Any) -> dict[str, Any]:
    return {one.key: getattr(row, one.key) for one in inspect(row).mapper.column_attrs}


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
