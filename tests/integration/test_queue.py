"""The queue on both databases: views, filters, search in Chinese, counts, and who sees what."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.database import Database
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.identity import Identity
from core.transcript import open_conversation, say
from handoff import canned, search, views
from handoff.actors import Actor
from handoff.permissions import may
from handoff.queue import Asked, Found, counts, find
from handoff.similar import similar_solved
from handoff.tickets import Reason, Status, TicketEventRow, TicketExpertRow, TicketRow

LI = Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")
SUPERVISOR = Actor("staff", "boss", "主管", frozenset({"supervisor"}))
AGENT = Actor("staff", "wang", "王芳", frozenset({"agent"}), frozenset({"tax"}))
LEADER = Actor("staff", "zhao", "赵组长", frozenset({"leader"}), frozenset(), frozenset({"payable"}))
EXPERT = Actor("staff", "qian", "钱专家", frozenset({"expert"}), frozenset({"experts"}))
EDITOR = Actor("staff", "edit", "编辑", frozenset({"editor"}))
_numbers = itertools.count(1)


def ticket(session: Session, description: str = "发票验真一直失败", **changes: Any) -> TicketRow:
    """A ticket as it lies in the store, with what can be found of it."""
    number = f"FW20261121-{next(_numbers):04d}"
    at = changes.pop("created_at", now())
    row = TicketRow(
        **{
            "number": number,
            "idempotency_key": number,
            "status": Status.NEW,
            "business_type": "发票",
            "description": description,
            "urgency": "一般",
            "employee_no": LI.employee_no,
            "requester": LI.to_dict(),
            "channel": "widget",
            "page": "",
            "node": "",
            "reason": Reason.CUSTOMER_REQUEST,
            "conversation_id": changes.pop("conversation_id", None) or open_conversation(session, "widget", LI).id,
            "tried": [],
            "risk_words": [],
            "experts": [],
            "created_at": at,
            "updated_at": at,
        }
        | changes
    )
    session.add(row)
    session.flush()
    session.add_all(TicketExpertRow(ticket=row.number, username=one) for one in row.experts)
    search.follow(session, row)
    return row


def found(session: Session, actor: Actor = SUPERVISOR, page: int = 1, **asked: Any) -> list[str]:
    return [row.description for row in find(session, actor, Asked(**asked), page).rows]


def total(session: Session, **asked: Any) -> int:
    return find(session, SUPERVISOR, Asked(**asked)).total


def test_words_are_found_in_number_people_document_description_and_what_was_said(database: Database) -> None:
    with database.write() as session:
        where = open_conversation(session, "widget", LI).id
        say(session, where, "user", "text", "滴滴行程单和发票金额对不上")
        said = ticket(session, "金额不符", conversation_id=where, document_no="BX20261103-0042")
        session.add(
            TicketEventRow(ticket=said.number, kind="noted", actor="wang", text="已联系供应商核实税号", at=now())
        )
        search.follow(session, said)
        ticket(session, "个税申报表导不出来_100%", business_type="税务", resolution="重新登录即可")
        ticket(session, "ＶＰＮ　登錄失敗", business_type="系统操作")
    with database.read() as session:
        for typed in (
            "行程单",
            "滴滴 金额",
            "bx20261103-0042",
            "20261103-00",
            "0042",
            said.number,
            "供应商核实",
            "税号",
        ):
            assert found(session, text=typed) == ["金额不符"], typed
        for typed in ("申报表", "_100%", "个税 导不出", "重新登录", "100%"):
            assert found(session, text=typed) == ["个税申报表导不出来_100%"], typed
        assert found(session, text="vpn 登录失败") == ["ＶＰＮ　登錄失敗"]
        assert total(session, text="李晓雯") == total(session, text="e1001") == total(session, text="销售一") == 3
        assert total(session, text="e1 晓雯") == total(session, text="e10") == total(session, text="001 一部") == 3
        for typed in ("报申", "登陆失败", "%%", "__", "'' | ''", "\\\\", "e1001x", ":*"):
            assert total(session, text=typed) == 0, typed
        with pytest.raises(InvalidInput, match="两个字"):
            found(session, text="税")
        assert total(session, text="税 申报") == 1


def test_what_is_said_later_is_found_too(database: Database) -> None:
    with database.write() as session:
        row = ticket(session, "差旅单被退回")
        assert total(session, text="补传住宿水单") == 0
        say(session, row.conversation_id, "user", "text", "已补传住宿水单")
        search.follow(session, row)
    with database.read() as session:
        assert found(session, text="补传住宿水单") == ["差旅单被退回"]


def test_searching_equals_reading_everything(database: Database) -> None:
    """Random tickets over nine years, in every state; filters, words and viewers against a walk through all."""
    dice = random.Random(4)
    parts = ("发票验真", "差旅报销", "银行退票", "个税申报", "BX2026", "账号被改", "重复付款", "附件")
    with database.write() as session:
        for _ in range(150):
            ticket(
                session,
                "".join(dice.sample(parts, 3)),
                status=dice.choice(list(Status)),
                business_type=dice.choice(("发票", "税务")),
                urgency=dice.choice(("一般", "特急")),
                group_id=dice.choice((None, "tax", "payable", "experts")),
                tier=dice.choice((2, 3)),
                assignee=dice.choice((None, "wang", "sun")),
                experts=dice.choice(([], ["qian"])),
                emergency=dice.random() < 0.2,
                unread=dice.random() < 0.2,
                created_at=now()
                - timedelta(days=dice.choice((0, 3, 9, 40, 200, 900, 3300)), seconds=dice.random() * 9e4),
            )
    with database.read() as session:
        everything = list(session.scalars(select(TicketRow).order_by(TicketRow.created_at.desc())))
        for actor in (SUPERVISOR, AGENT, LEADER, EXPERT, EDITOR):
            for asked in (
                Asked(),
                Asked(text="发票验真"),
                Asked(text="bx2026 申报", urgency=("特急",)),
                Asked(status=("closed", "merged"), business_type=("税务",)),
                Asked(group=("tax", "-")),
                Asked(assignee=("wang",), tier=("3",)),
                Asked(emergency=True, status=("cancelled", "new")),
                Asked(text="付款", status=("new", "waiting")),
                Asked(view="unread", text="附件"),
            ):
                expected = [
                    row.number
                    for row in everything
                    if may(actor, "read", row)
                    and all(word in row.description.lower() for word in asked.text.split())
                    and (not asked.status or row.status in asked.status)
                    and (not asked.urgency or row.urgency in asked.urgency)
                    and (not asked.business_type or row.business_type in asked.business_type)
                    and (not asked.group or (row.group_id or "-") in asked.group)
                    and (not asked.assignee or (row.assignee or "-") in asked.assignee)
                    and (not asked.tier or str(row.tier) in asked.tier)
                    and (not asked.emergency or row.emergency)
                    and (asked.view != "unread" or row.unread)
                ]
                got = find(session, actor, asked, 1, 200)
                assert got.total == len(expected), (actor.id, asked)
                if asked.view == "all":
                    assert [row.number for row in got.rows] == expected, (actor.id, asked)


def test_views_hold_whose_turn_it_is_and_are_counted(database: Database) -> None:
    soon, later = now() + timedelta(minutes=30), now() + timedelta(hours=5)
    with database.write() as session:
        ticket(session, "我的", status=Status.IN_PROGRESS, assignee="wang", group_id="tax", due_at=later)
        ticket(session, "我的急", status=Status.IN_PROGRESS, assignee="wang", group_id="tax", due_at=soon)
        ticket(session, "受邀", status=Status.IN_PROGRESS, assignee="sun", group_id="payable", experts=["wang"])
        ticket(session, "池中", group_id="tax", due_at=later)
        ticket(session, "池中紧急", group_id="tax", due_at=None, emergency=True)
        ticket(session, "等员工", status=Status.WAITING, assignee="sun", group_id="tax")
        ticket(session, "别组", group_id="payable", due_at=soon)
        ticket(session, "完了", status=Status.CLOSED, assignee="wang", group_id="tax", unread=True, breached=True)
    with database.read() as session:
        assert found(session, AGENT, view="mine") == ["我的急", "我的", "受邀"]
        assert found(session, AGENT, view="pool") == ["池中紧急", "池中"]
        assert set(found(session, AGENT, view="group")) == {"我的急", "我的", "池中", "池中紧急", "等员工"}
        assert found(session, AGENT, view="waiting") == ["等员工"]
        assert found(session, AGENT, view="breaching") == ["我的急"]
        assert found(session, AGENT, view="unread") == ["完了"]
        assert found(session, AGENT, view="mine", sort="newest") == ["受邀", "我的急", "我的"]
        assert counts(session, AGENT) == {
            "mine": 3, "pool": 2, "group": 5, "waiting": 1, "breaching": 1, "unread": 1
        }  # fmt: skip
        assert counts(session, SUPERVISOR)["group"] == 7 and counts(session, SUPERVISOR)["breaching"] == 2
        assert counts(session, EDITOR)["group"] == 0
        with pytest.raises(InvalidInput):
            find(session, AGENT, Asked(view="nothing"))


def test_there_is_an_end_to_counting_and_paging(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handoff.queue.MOST", 60)
    with database.write() as session:
        where, at = open_conversation(session, "widget", LI).id, now()
        for n in range(65):
            ticket(session, f"重复付款 {n}", conversation_id=where, created_at=at - timedelta(hours=n))
    with database.read() as session:
        for asked in (Asked(), Asked(text="重复付款"), Asked(text="重复", urgency=("一般",))):
            page = find(session, SUPERVISOR, asked, 2, 20)
            assert (page.total, page.more) == (60, True)
            assert [row.description for row in page.rows] == [f"重复付款 {n}" for n in range(20, 40)]
            assert find(session, SUPERVISOR, asked, 4, 20) == Found([], 60, True)


def test_solved_tickets_that_are_alike_are_found_best_first(database: Database) -> None:
    with database.write() as session:
        new = ticket(session, "开票时提示税号校验不通过怎么办")
        for description in ("税号校验不通过，开票失败", "纸质发票丢了怎么办", "发票验真一直失败"):
            ticket(session, description, status=Status.CLOSED, resolution=f"答：{description}")
        ticket(session, "开票时提示税号校验不通过", status=Status.NEW)
        ticket(session, "税号校验不通过，开票失败", status=Status.CLOSED, resolution="别组", group_id="payable")
    with database.read() as session:
        alike = similar_solved(session, AGENT, new)
        assert alike[0].resolution == "答：税号校验不通过，开票失败" and 0.25 < alike[0].likeness <= 1
        assert [one.likeness for one in alike] == sorted((one.likeness for one in alike), reverse=True)
        assert "别组" not in [one.resolution for one in alike]
        assert "别组" in [one.resolution for one in similar_solved(session, SUPERVISOR, new)]


def test_tickets_of_before_there_was_a_search_are_caught_up(database: Database) -> None:
    with database.write() as session:
        ticket(session, "很久以前的工单")
        session.query(search.TicketSearchRow).delete()
    assert search.catch_up(database, batch=1) == 1 and search.catch_up(database) == 0
    with database.read() as session:
        assert found(session, text="很久以前") == ["很久以前的工单"]


def test_views_and_replies_are_ones_own_or_shared_by_leaders(database: Database) -> None:
    with database.write() as session:
        mine = views.save_view(session, AGENT, " 我的 发票 ", {"view": "mine", "business_type": "发票"}, False)
        assert mine.name == "我的 发票"
        assert views.save_view(session, AGENT, "我的 发票", {"view": "pool"}, False).id == mine.id
        with pytest.raises(Forbidden):
            views.save_view(session, AGENT, "大家的", {}, True)
        shared = views.save_view(session, LEADER, "大家的", {"view": "all"}, True)
        assert [row.name for row in views.views_of(session, AGENT)] == ["我的 发票", "大家的"]
        assert [row.name for row in views.views_of(session, EXPERT)] == ["大家的"]
        with pytest.raises(Forbidden):
            views.remove_view(session, AGENT, shared.id)
        with pytest.raises(NotFound):
            views.remove_view(session, EXPERT, mine.id)
        for n in range(views.MOST_OWN - 1):
            views.save_view(session, AGENT, f"视图{n}", {}, False)
        with pytest.raises(Conflict):
            views.save_view(session, AGENT, "再一个", {}, False)

        canned.seed(session)
        canned.seed(session)
        assert len(canned.replies_for(session, AGENT)) == len(canned.STARTER)
        own = canned.save_reply(session, AGENT, None, "我的话", "您好 {员工姓名}", "", False)
        canned.count_use(session, AGENT, own.id)
        assert canned.replies_for(session, AGENT)[0].title == "我的话"
        with pytest.raises(NotFound):
            canned.save_reply(session, EXPERT, own.id, "改", "改", "", False)
        with pytest.raises(Forbidden):
            canned.remove_reply(session, AGENT, canned.replies_for(session, EXPERT)[0].id)
        assert canned.save_reply(session, LEADER, None, "共享", "话", "发票", True).shared


def test_facets_are_never_taken_for_words() -> None:
    assert all(len(piece) <= 4 for piece in search.grams_of("==s:new 发票abcdef抬头 a"))
    assert search.grams_of("发票ab抬") == {"发票", "票a", "b抬", "ab"}
    assert search.grams_of("bx1042") == {"bx10", "x104", "1042", "042", "42"}
    assert len(search.facet("t", 2)) > 4
    assert search.week_of(datetime.fromisoformat("2026-11-23T00:00:00+00:00")) == 1 + search.week_of(
        datetime.fromisoformat("2026-11-22T23:59:00+00:00")
    )
