"""Lists, counts and searches of the desk with a million closed tickets on PostgreSQL.

    .venv/bin/python -m bench.tickets [--open 10000] [--closed 1000000] [--plans] [--at URL]

The tickets are made in the database from some thousand sentences and people: two years of closed ones, three weeks of open
ones, each with a conversation of some sentences. Every list and search goes through `handoff.queue`, as the console asks
for it; the time is that of the whole call, median and worst of seven. Beside the searches stands what reading the text of
every ticket takes. `--plans` prints how PostgreSQL answered each statement.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import psycopg
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from bench.postgres import server
from core.clock import now
from core.database import Database
from core.settings import Settings
from handoff.actors import Actor
from handoff.queue import Asked, counts, find
from handoff.routing import supervision
from handoff.routing.absence import returns
from handoff.routing.seed import first_rules
from handoff.routing.trying import try_out
from handoff.search import grams_of
from handoff.similar import similar_solved
from handoff.tickets import BUSINESS_TYPES, TicketRow
from service.migrate import migrate
from service.undelivered import undelivered

PROMISED_MS = 300
TURNS = 7
SENTENCES, PEOPLE = 4000, 5000
GROUPS = ("expense", "payable", "tax", "treasury", "system", "experts")

SUPERVISOR = Actor("staff", "boss", "主管", frozenset({"supervisor"}))
AGENT = Actor("staff", "agent7", "坐席", frozenset({"agent"}), frozenset({"tax"}))
EXPERT = Actor("staff", "agent3", "专家", frozenset({"expert"}), frozenset({"nobody"}))

_WHERE = (
    "差旅报销单",
    "付款申请",
    "借款单",
    "增值税发票",
    "电子发票",
    "付款台账",
    "个税申报表",
    "银行回单",
    "影像附件",
    "预算科目",
)
_WHAT = (
    "提交时报错",
    "被退回",
    "验真失败",
    "金额对不上",
    "审批卡住了",
    "一直没有到账",
    "找不到入口",
    "重复提交",
    "状态不更新",
    "超出标准",
)
_WHY = (
    "提示税号校验不通过",
    "提示没有权限",
    "供应商催款",
    "月底要入账",
    "附件传不上去",
    "账号被改过",
    "领导让尽快处理",
    "换过手机号",
    "部门刚调整",
    "系统升级以后",
)
_SAID = (
    "我已经试过两次了",
    "清缓存也不行",
    "请帮忙看一下",
    "单据号在上面",
    "昨天还是好的",
    "同事也遇到了",
    "发票原件在我手里",
    "已经找过组长",
    "请告诉我要补什么",
    "多谢",
)
_RARE = ("碳排放配额", "滴灌设备", "驻外补贴", "航空里程", "水土保持费", "外汇登记", "保函到期", "土地复垦")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--open", type=int, default=10_000)
    options.add_argument("--closed", type=int, default=1_000_000)
    options.add_argument("--plans", action="store_true")
    options.add_argument("--at", default="", help="an empty PostgreSQL database; else a server is started for it")
    chosen = options.parse_args()
    with server(chosen.at) as url:
        url = Settings(DATABASE_URL=url).database
        migrate(url)
        started = time.perf_counter()
        fill(url, chosen.open, chosen.closed)
        print(f"{chosen.open:,} open and {chosen.closed:,} closed tickets in {time.perf_counter() - started:.0f} s")
        database = Database(url)
        try:
            slowest = measure(database, chosen.plans)
        finally:
            database.close()
    print(f"\nslowest: {slowest:.0f} ms; promised: {PROMISED_MS} ms")


def fill(url: str, still_open: int, closed: int) -> None:
    """Make the tickets inside the database; only sentences and people are sent to it."""
    dice = random.Random(7)
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        for setting in ("fsync = off", "max_wal_size = '16GB'", "autovacuum = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    with psycopg.connect(plain, autocommit=True) as connection:
        run = connection.execute
        run("SET session_replication_role = replica")
        run("SET maintenance_work_mem = '1GB'")
        run("SET max_parallel_maintenance_workers = 2")
        run("DROP INDEX ix_ticket_search_grams")
        run("CREATE TEMP TABLE sentence (id int primary key, kind text, asked text, whole text, grams tsvector)")
        run(
            "CREATE TEMP TABLE person (id int primary key, no text, name text, department text, whole text, grams tsvector)"
        )
        _copy(connection, "sentence (id, kind, asked, whole)", _sentences(dice))
        _copy(connection, "person (id, no, name, department, whole)", _people(dice))
        run("CREATE TEMP TABLE cut (source text, id int, pieces text[])")
        for table in ("sentence", "person"):
            rows = run(f"SELECT id, whole FROM {table}").fetchall()
            _copy(connection, "cut", ((table, id, sorted(grams_of(whole))) for id, whole in rows))
            run(
                f"UPDATE {table} t SET grams = array_to_tsvector(pieces) FROM cut WHERE source = '{table}' AND cut.id = t.id"
            )
        run(
            "INSERT INTO staff_group SELECT g, g, 2, '[]', 'pool', null, true, '{}' FROM unnest(%s::text[]) g ON CONFLICT DO NOTHING",
            [list(GROUPS)],
        )
        run(
            "INSERT INTO staff (username, name, groups, leads, skills, roles, capacity, on_duty, active) "
            "SELECT 'agent' || n, '坐席' || n, jsonb_build_array((%s::text[])[1 + n %% 5]), '[]', '[]', '[\"agent\"]', 200, true, true "
            "FROM generate_series(0, 99) n",
            [list(GROUPS)],
        )
        run(
            "INSERT INTO conversation (id, channel, employee_no, identity, mode, created_at, last_at) "
            "SELECT 'c' || id, 'widget', no, '{}', 'bot', now(), now() FROM person"
        )
        run("SELECT setseed(0.4)")
        run(_TICKETS, {"open": still_open, "all": still_open + closed, "sentences": SENTENCES, "people": PEOPLE})
        run(_SEARCH)
        run(
            "CREATE INDEX ix_ticket_search_grams ON ticket_search USING gin (grams) WITH (gin_pending_list_limit = 1024)"
        )
        run("VACUUM ANALYZE ticket")
        run("VACUUM ANALYZE ticket_search")


def _copy(connection: psycopg.Connection, table: str, rows: Iterable[Iterable[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(tuple(row))


def _sentences(dice: random.Random) -> Iterator[tuple[int, str, str, str]]:
    for id in range(SENTENCES):
        asked = f"{dice.choice(_WHERE)}{dice.choice(_WHAT)}，{dice.choice(_WHY)}"
        if id < len(_RARE):
            asked += f"，涉及{_RARE[id]}"
        whole = " ".join([asked, *dice.sample(_SAID, 3)])
        yield id, BUSINESS_TYPES[id % len(BUSINESS_TYPES)], asked, whole.lower()


def _people(dice: random.Random) -> Iterator[tuple[int, str, str, str, str]]:
    family, given = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静磊强洋艳勇军杰娟涛明超秀英华慧建国文晓雯思远"
    for id in range(PEOPLE):
        name = dice.choice(family) + "".join(dice.sample(given, dice.choice((1, 2))))
        no, department = (
            f"e{10000 + id}",
            f"{dice.choice('一二三四五六七八九')}分公司{dice.choice(('采购部', '销售部', '财务部', '工程部'))}",
        )
        yield id, no.upper(), name, department, f"{name} {no} {department}"


_TICKETS = """
INSERT INTO ticket (
  number, idempotency_key, status, business_type, description, urgency, document_no, employee_no, requester, channel, page,
  node, reason, conversation_id, tried, created_at, updated_at, company, department, group_id, assignee, unread,
  resolution, due_at, due_kind, breached, emergency, tier, service_tier, priority)
SELECT 'FW' || to_char(made.at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-' || lpad(made.i::text, 7, '0'), 'k' || made.i || '-' || s.id,
  CASE WHEN made.still THEN (ARRAY['new','assigned','in_progress','in_progress','waiting','reopened'])[1 + made.i %% 6]
       WHEN made.i %% 50 = 0 THEN 'cancelled' WHEN made.i %% 997 = 0 THEN 'merged' ELSE 'closed' END,
  s.kind, s.asked, CASE WHEN made.i %% 20 = 0 THEN '特急' WHEN made.i %% 5 = 0 THEN '紧急' ELSE '一般' END,
  CASE WHEN made.i %% 3 > 0 THEN 'BX' || to_char(made.at, 'YYYYMMDD') || '-' || lpad((made.i %% 10000)::text, 4, '0') END,
  p.no, jsonb_build_object('name', p.name, 'department', p.department), 'widget', '', '', 'customer_request', 'c' || p.id,
  '[]', made.at, made.at, '华晟集团', p.department, (ARRAY['expense','payable','tax','treasury','system'])[1 + made.i %% 5],
  CASE WHEN NOT made.still OR made.i %% 6 > 0 THEN 'agent' || made.i %% 100 END, made.still AND made.i %% 11 = 0,
  CASE WHEN made.still THEN '' ELSE '请按制度补充附件后重新提交。' END,
  CASE WHEN made.still THEN now() + (random() * 20 - 2) * interval '1 hour' END,
  CASE WHEN made.still THEN 'resolution' END, made.still AND made.i %% 13 = 0, made.i %% 1000 = 1,
  CASE WHEN made.i %% 300 = 0 THEN 3 ELSE 2 END, CASE WHEN made.i %% 40 = 0 THEN 'vip' ELSE 'standard' END, 3
FROM (
  SELECT i, i > %(all)s - %(open)s AS still, floor(random() * %(sentences)s)::int AS s, floor(random() * %(people)s)::int AS p,
    now() - CASE WHEN i > %(all)s - %(open)s THEN (%(all)s - i) * interval '21 days' / %(open)s
                 ELSE (%(all)s - i) * interval '730 days' / %(all)s END AS at
  FROM generate_series(1, %(all)s) i
) made JOIN sentence s ON s.id = made.s JOIN person p ON p.id = made.p
ORDER BY made.i
"""

_SEARCH = """
INSERT INTO ticket_search (number, created_at, text, grams)
SELECT t.number, t.created_at, lower(concat_ws(' ', t.number, t.document_no, p.whole, t.business_type, s.whole)),
  s.grams || p.grams || array_to_tsvector(
    ARRAY(SELECT substr(lower(t.number), k, 4) FROM generate_series(1, length(t.number) - 3) k)
    || ARRAY(SELECT substr(lower(t.document_no), k, 4) FROM generate_series(1, coalesce(length(t.document_no), 0) - 3) k)
    || ARRAY[right(t.number, 2), right(t.number, 3), right(coalesce(t.document_no, t.number), 3)]
    || ARRAY['==s:' || t.status, '==b:' || t.business_type, '==u:' || t.urgency, '==g:' || t.group_id,
             '==a:' || coalesce(t.assignee, '-'), '==v:' || t.service_tier, '==t:' || t.tier,
             '==w:' || week, '==m:' || week / 4, '==q:' || week / 16]
    || CASE WHEN t.emergency THEN ARRAY['==e:1'] ELSE ARRAY[]::text[] END)
FROM (SELECT *, ((created_at AT TIME ZONE 'UTC')::date - date '1970-01-05') / 7 AS week FROM ticket) t
JOIN person p ON 'c' || p.id = t.conversation_id
JOIN sentence s ON s.id = split_part(t.idempotency_key, '-', 2)::int
ORDER BY t.created_at
"""


def measure(database: Database, plans: bool) -> float:
    """Print a line for each question that the desk asks; return the slowest, in ms."""
    with database.read() as session:
        query = "SELECT number FROM ticket WHERE document_no IS NOT NULL ORDER BY number LIMIT 1 OFFSET :at"
        one = session.scalar(text(query), {"at": session.scalar(text("SELECT count(*) FROM ticket")) // 3})
        someone = session.get_one(TicketRow, one)
    lists: list[tuple[str, Callable[[Session], Any]]] = [
        ("counts of a supervisor", lambda s: counts(s, SUPERVISOR)),
        ("counts of an agent", lambda s: counts(s, AGENT)),
    ]

    def shown(name: str, actor: Actor, page: int = 1, **asked: Any) -> None:
        lists.append((name, lambda s: find(s, actor, Asked(**asked), page, 20)))

    for view in ("mine", "pool", "group", "waiting", "breaching", "unread", "all"):
        shown(f"view {view}, agent", AGENT, view=view)
        shown(f"view {view}, supervisor", SUPERVISOR, view=view)
    shown("all, page 50", SUPERVISOR, page=50)
    shown("all, closed", SUPERVISOR, status=("closed",))
    shown("all, merged (1 in 1000)", SUPERVISOR, status=("merged",))
    shown(
        "all, closed, 税务, 特急, VIP",
        SUPERVISOR,
        status=("closed",),
        business_type=("税务",),
        urgency=("特急",),
        vip=True,
    )
    shown("all, emergencies", SUPERVISOR, emergency=True)
    shown("all, by one agent", SUPERVISOR, assignee=("agent7",))
    shown("all, experts' group (none)", SUPERVISOR, group=("experts",))
    shown("all, an expert's own", EXPERT)
    shown("all, group, sorted by due", SUPERVISOR, view="group", status=("new", "assigned"), sort="due")
    searches = {
        "a common word": "发票",
        "two common words": "报销 退回",
        "five words": "发票 验真 税号 清缓存 多谢",
        "two that seldom meet": "碳排放 供应商",
        "two that never meet": "碳排放 滴灌",
        "a rare word": "水土保持费",
        "nobody's word": "量子纠缠",
        "a name": someone.requester["name"],
        "an employee number": str(someone.employee_no),
        "a ticket number": someone.number,
        "a document": str(someone.document_no),
        "a piece of a document": str(someone.document_no)[4:10],
        "two letters": "bx",
    }
    for name, words in searches.items():
        shown(f"search {name}: {words}", SUPERVISOR, text=words)
    shown("search a common word, page 50", SUPERVISOR, page=50, text="发票")
    shown("search an agent's: 发票", AGENT, text="发票")
    shown("search an expert's: 发票", EXPERT, text="发票")
    shown("search in closed, 特急: 发票 被退回", SUPERVISOR, text="发票 被退回", status=("closed",), urgency=("特急",))
    shown("search in the group's open: 发票", AGENT, view="group", text="发票")
    shown("search in all open: 发票", SUPERVISOR, view="group", text="发票")
    lists.append(("similar solved tickets", lambda s: similar_solved(s, SUPERVISOR, someone)))
    rules, moment = first_rules(), now()
    lists.append(("the supervisors' board", lambda s: supervision.view(s, moment)))
    lists.append(("a leader's board", lambda s: supervision.view(s, moment, frozenset({"tax"}))))
    lists.append(("rules tried on 30 days of tickets", lambda s: try_out(s, rules, rules, moment)))
    lists.append(("what the absent hold (every sweep)", lambda s: returns(s, moment)))
    lists.append(("what has not reached an employee", lambda s: undelivered(s, moment)))

    slowest = 0.0
    print(f"\n{'':58} {'median':>8} {'worst':>8}   found")
    for name, ask in lists:
        took = []
        for _ in range(TURNS):
            with database.read() as session:
                started = time.perf_counter()
                answer = ask(session)
                took.append((time.perf_counter() - started) * 1000)
        slowest = max(slowest, statistics.median(took))
        found = f"{answer.total}{'+' if answer.more else ''}" if hasattr(answer, "total") else ""
        print(f"{name:58.58} {statistics.median(took):6.1f} ms {max(took):6.1f} ms   {found}", flush=True)
        if plans:
            _explain(database, ask)
    for words in ("发票", "水土保持费"):
        took_ms = _reading_everything(database, words)
        print(f"{'reading every text, beside: ' + words:58.58} {took_ms:6.1f} ms")
    return slowest


def _reading_everything(database: Database, words: str) -> float:
    query = text(
        "SELECT count(*) OVER (), number FROM ticket_search WHERE text LIKE :like ORDER BY created_at DESC LIMIT 20"
    )
    with database.read() as session:
        started = time.perf_counter()
        session.execute(query, {"like": f"%{words}%"}).all()
        return (time.perf_counter() - started) * 1000


def _explain(database: Database, ask: Callable[[Session], Any]) -> None:
    asked: list[tuple[str, Any]] = []

    def keep(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", keep)
    try:
        with database.read() as session:
            ask(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", keep)
    with database.read() as session:
        for statement, parameters in asked:
            if statement.startswith("SET"):
                session.execute(text(statement))
                continue
            plan = session.connection().exec_driver_sql(
                f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) {statement}", parameters
            )
            print("\n".join(f"      {row[0][:150]}" for row in plan if not row[0].lstrip().startswith("Buckets")))


if __name__ == "__main__":
    main()
