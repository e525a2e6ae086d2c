"""What is found about an entry before it is saved, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kb.care.amounts import amounts_of_table, contradictions
from kb.care.checks import ALIKE, Finding, findings, known_of
from kb.entries import Audience, Entry, Source
from kb.tables import with_edition

TODAY = date(2026, 11, 21)
POLICY: dict[str, Any] = {
    "id": "travel",
    "title": "差旅费管理办法",
    "effective_from": "2026-01-01",
    "articles": [
        {"number": 1, "title": "报销期限", "text": "应在返回后30日内提交。"},
        {"number": 2, "title": "补助", "text": "每天100元，预借不超过80%。"},
    ],
}
LODGING: dict[str, Any] = {
    "id": "lodging",
    "title": "住宿费限额标准表",
    "unit": "元/人·天",
    "dimensions": [{"name": "city"}, {"name": "level"}, {"name": "season"}],
    "rows": [
        {"city": city, "level": level, "season": season, "value": value, "months": [7, 8]}
        for city, level, season, value in (
            ("北京", "部门负责人", "平季", 650),
            ("北京", "其他人员", "平季", 500),
            ("上海", "其他人员", "平季", 500),
            ("上海", "其他人员", "旺季", 600),
        )
    ],
    "notes": ["同城连住超过30日的，减半执行。"],
}
SCENES = {"pages": [{"page": "expense", "nodes": [{"node": "fill"}]}]}
OTHER = Entry("o-1", "发票丢了怎么办？", "补开。", similar=("发票遗失",))
GOOD = Entry(
    "g-1",
    "差旅报销要多久提交？",
    "返回后30日内提交。",
    scenes=("expense/fill",),
    sources=(Source("《差旅费管理办法》第一条", policy="travel", article=1),),
    related=("o-1",),
)


def found(entry: Entry, near=None, drafts: tuple[Entry, ...] = (), **documents: Any) -> list[Finding]:
    documents = {"policies": [POLICY], "tables": [LODGING], "scenes": [SCENES]} | documents
    return findings(entry, known_of([OTHER, GOOD], drafts=drafts, **documents), TODAY, near)


def kinds(entry: Entry, **more: Any) -> list[tuple[str, str]]:
    return [(finding["kind"], finding["severity"]) for finding in found(entry, **more)]


def test_nothing_is_found_about_a_good_entry() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("changes", "kind", "severity"),
    [
        ({"question": "？！"}, "missing_question", "error"),
        ({"answer": " \n"}, "missing_answer", "error"),
        ({"answer": "同上"}, "placeholder_answer", "error"),
        ({"answer": "待补充。"}, "placeholder_answer", "error"),
        ({"answer": "/"}, "placeholder_answer", "error"),
        ({"answer": '=DISPIMG("ID_0A",1)'}, "placeholder_answer", "error"),
        ({"effective_from": date(2026, 2, 1), "effective_to": date(2026, 1, 31)}, "invalid_dates", "error"),
        ({"effective_to": date(2026, 11, 20)}, "expired", "warning"),
        ({"similar": ("差旅报销要多久提交",)}, "repeated", "warning"),
        ({"sources": ()}, "missing_source", "warning"),
        ({"sources": (Source("旧办法", policy="gone", article=1),)}, "missing_source", "error"),
        ({"sources": (Source("办法", policy="travel", article=9),)}, "missing_source", "error"),
        ({"sources": (Source("表", table="gone"),)}, "missing_source", "error"),
        ({"scenes": ("expense/none",)}, "unknown_scene", "warning"),
        ({"related": ("nobody",)}, "missing_related", "warning"),
        ({"related": ("g-1",)}, "missing_related", "warning"),
        ({"answer": "返回后30日内提交。<img src=x onerror=alert(1)>"}, "unsafe", "error"),
        ({"answer": "返回后30日内提交。<b onclick='x()'>点我</b>"}, "unsafe", "error"),
        ({"answer": "返回后30日内提交，[点我](javascript:alert(1))"}, "unsafe", "error"),
        ({"answer": "返回后30日内提交，[点我](//evil.example)"}, "unsafe", "error"),
        ({"answer": "返回后30日内提交，[点我](  data:text/html,x)"}, "unsafe", "error"),
        ({"answer": "30日内。\n\n[x]: javascript:alert(1)"}, "unsafe", "error"),
        ({"answer": "返回后40日内提交。"}, "amount", "warning"),
        ({"answer": "返回后30日内提交，预借80%。"}, "amount", "warning"),
    ],
)
def test_one_thing_wrong_is_one_finding(changes: dict[str, Any], kind: str, severity: str) -> None:
    assert kinds(replace(GOOD, **changes)) == [(kind, severity)]


NEXT_YEAR = date(2027, 1, 1)


def test_an_answer_that_goes_before_the_next_one_begins_is_told() -> None:
    [finding] = found(replace(GOOD, effective_from=NEXT_YEAR))
    assert (finding["kind"], finding["severity"]) == ("gap", "warning")
    assert "到 2027-01-01 之前没有答案" in finding["message"] and "失效日期改为 2026-12-31" in finding["message"]


@pytest.mark.parametrize(
    ("stored", "begins"),
    [
        ({}, TODAY),
        ({}, None),
        ({"effective_from": date(2026, 12, 1)}, NEXT_YEAR),
        ({"effective_to": date(2026, 11, 20)}, NEXT_YEAR),
    ],
)
def test_nothing_is_told_where_nothing_that_is_answered_today_goes(stored: dict[str, Any], begins: date | None) -> None:
    known = known_of([OTHER, replace(GOOD, **stored)], [POLICY], [LODGING], [SCENES])
    assert findings(replace(GOOD, effective_from=begins), known, TODAY) == []


def test_the_entry_for_the_next_period_is_no_duplicate() -> None:
    ended = replace(GOOD, effective_to=date(2026, 12, 31))
    known = known_of([OTHER, ended], [POLICY], [LODGING], [SCENES])
    later = replace(GOOD, id="g-2", effective_from=NEXT_YEAR)

    def near(questions):
        return [("g-1", GOOD.question, 1.0)]

    assert findings(later, known, TODAY, near) == []
    assert [one["kind"] for one in findings(replace(later, effective_from=None), known, TODAY, near)] == ["duplicate"]


@pytest.mark.parametrize(
    "answer",
    [
        "30日内，见[制度](https://a.example/x?y=1)",
        "30日内，金额 < 上限 > 下限",
        "30日内，见[表](/files/a.xlsx)",
        "30日内 a<b",
    ],
)
def test_honest_text_is_no_markup(answer: str) -> None:
    assert kinds(replace(GOOD, answer=answer)) == []


def test_a_source_out_of_force_is_told() -> None:
    assert kinds(GOOD, policies=[{**POLICY, "effective_to": "2026-11-20"}]) == [("expired_source", "warning")]
    assert kinds(GOOD, policies=[{**POLICY, "effective_from": "2027-01-01"}]) == [("future_source", "warning")]
    assert kinds(GOOD, policies=[{**POLICY, "effective_to": "2026-11-21"}]) == []


def test_an_entry_is_held_against_the_version_that_is_in_force_when_it_begins() -> None:
    article = {"number": 1, "title": "报销期限", "text": "应在返回后15日内提交。"}
    old = {**POLICY, "effective_to": "2026-12-31"}
    new = {**POLICY, "effective_from": "2027-01-01", "articles": [article]}
    assert kinds(GOOD, policies=[new, old]) == []
    prepared = replace(GOOD, answer="返回后15日内提交。")
    assert kinds(prepared, policies=[new, old]) == [("amount", "warning")]
    later = replace(prepared, effective_from=NEXT_YEAR)
    assert kinds(later, policies=[new, old]) == [("gap", "warning")]
    later = replace(GOOD, effective_from=NEXT_YEAR)
    assert kinds(later, policies=[new, old]) == [("gap", "warning"), ("amount", "warning")]


def test_an_entry_is_held_against_the_edition_of_a_table_that_is_in_force_when_it_begins() -> None:
    old = {**LODGING, "rows": [{"city": "北京", "level": "其他人员", "season": "平季", "value": 500}]}
    rows = [{**old["rows"][0], "value": 550}]
    table = with_edition(old, {**old, "rows": rows, "effective_from": "2027-01-01", "version": "2"}, TODAY)
    entry = replace(GOOD, answer="北京其他人员平季500元。", sources=(Source("表", table="lodging"),))
    assert kinds(entry, tables=[table]) == []
    assert kinds(replace(entry, answer="北京其他人员平季550元。"), tables=[table]) == [("amount", "warning")]
    later = replace(entry, id="g-2", question="明年的标准", effective_from=NEXT_YEAR)
    assert kinds(later, tables=[table]) == [("amount", "warning")]
    assert kinds(replace(later, answer="北京其他人员平季550元。"), tables=[table]) == []


def test_a_change_of_the_source_that_nobody_has_settled_is_told() -> None:
    known = replace(known_of([OTHER, GOOD], [POLICY], [LODGING], [SCENES]), changed={"g-1": ["第一条已修改"]})
    assert [(f["kind"], f["detail"]) for f in findings(GOOD, known, TODAY)] == [("source_changed", "第一条已修改")]


def test_amounts_are_not_judged_where_no_source_can_be_read() -> None:
    assert kinds(replace(GOOD, answer="99元。", sources=(Source("口头通知"),))) == [("unlinked_source", "warning")]
    quoted = Source("某公告", regulation="某公告", quote="不超过99元。")
    assert kinds(replace(GOOD, answer="99元。", sources=(quoted,))) == []
    assert kinds(replace(GOOD, answer="98元。", sources=(quoted,))) == [("amount", "warning")]


def test_the_same_question_twice_is_an_error_only_where_the_same_people_read_both() -> None:
    twin = replace(GOOD, id="n-1", question="发票 丢了怎么办!", similar=("新的问法",), related=())
    told = found(twin)
    assert [(f["kind"], f["severity"], f["entry_id"], f["question"]) for f in told] == [
        ("duplicate", "error", "o-1", "发票丢了怎么办？")
    ]
    assert kinds(replace(twin, audience=Audience(groups=frozenset({"finance"})))) == [("duplicate", "warning")]
    later = replace(twin, effective_from=date(2027, 1, 1))
    assert kinds(later) == [("duplicate", "error")]
    assert kinds(replace(twin, question="全新的问题", similar=("发票遗失！",))) == [("duplicate", "error")]


def test_entries_that_nobody_reads_together_are_no_duplicates() -> None:
    south = replace(OTHER, id="d-1", question="食堂几点开", similar=(), audience=Audience(frozenset({"南方"})))
    north = replace(GOOD, id="n-1", question="食堂几点开", related=(), audience=Audience(frozenset({"北方"})))
    assert kinds(north, drafts=(south,)) == []
    assert kinds(replace(north, audience=Audience()), drafts=(south,)) == [("duplicate", "warning")]
    old = replace(south, audience=Audience(), effective_to=date(2025, 12, 31))
    new = replace(north, audience=Audience(), effective_from=date(2026, 1, 1))
    assert kinds(new, drafts=(old,)) == []


def test_another_editors_draft_is_told_and_does_not_block() -> None:
    theirs = replace(OTHER, id="d-1", question="高铁能坐一等座吗", similar=())
    mine = replace(GOOD, id="n-1", question="高铁能坐一等座吗？", related=())
    assert kinds(mine, drafts=(theirs,)) == [("duplicate", "warning")]
    assert kinds(theirs, drafts=(theirs,)) == [("missing_source", "warning")]


def test_nearly_the_same_question_is_told_once_an_entry_and_never_of_itself() -> None:
    def near(questions):
        assert questions == GOOD.questions
        return [("g-1", "x", 1.0), ("o-1", "发票遗失", ALIKE), ("o-1", "发票丢了", 0.99), ("o-2", "别的", ALIKE - 0.01)]

    assert [(f["kind"], f["severity"], f["entry_id"]) for f in found(GOOD, near)] == [("duplicate", "warning", "o-1")]


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("北京：部门负责人650元，其他人员500元。", []),
        ("北京：部门负责人650元，其他人员550元。", [("北京、其他人员", "550元", "500元")]),
        ("北京、上海其他人员500元。", []),
        ("北京、上海其他人员600元。", [("北京、其他人员", "600元", "500元")]),
        ("上海其他人员旺季600元，平季480元", [("上海、其他人员、平季", "480元", "500元")]),
        ("上海其他人员 0.05万元以内", []),
        ("北京房费发票丢了要交50元工本费", []),
        ("部门负责人审批5000元以上的单据", []),
        ("北京的部门负责人：须在3天内提交", []),
        ("北京：650元；\n上海其他人员每晚1,500元", [("上海、其他人员", "1500元", "500元或600元")]),
    ],
)
def test_an_amount_that_contradicts_the_policy_table_is_found(answer: str, wrong: list[tuple[str, str, str]]) -> None:
    assert list(contradictions(answer, LODGING)) == wrong


def test_amounts_in_words_and_in_digits_are_the_same() -> None:
    policy = {
        **POLICY,
        "articles": [
            {"number": 1, "title": "限额", "text": "伍佰元（含）以下免附合同，三日内付清，逾期按百分之三点五加收。"}
        ],
    }
    entry = replace(GOOD, answer="500元以内不用合同，3日内付清，逾期加收3.5%。")
    assert found(entry, policies=[policy]) == []
    wrong = replace(GOOD, answer="六百元以内不用合同，十五日内付清，逾期加收百分之四。")
    assert [one["detail"] for one in found(wrong, policies=[policy])] == ["15日、4%、600元"]
    assert list(contradictions("北京部门负责人六百元", LODGING)) == [("北京、部门负责人", "600元", "650元")]
    assert list(contradictions("北京部门负责人六百五十元，其他人员五百元", LODGING)) == []


def test_an_amount_that_no_cited_source_names_is_told_though_another_table_knows_better() -> None:
    stay = replace(GOOD, answer="30日内提交；北京其他人员550元、部门负责人650元。")
    by_article = found(stay)
    assert [one["detail"] for one in by_article] == ["550元", "650元"], "each once"
    assert "《住宿费限额标准表》里是 500元，550元 在所列依据里也找不到：请核对数字和依据" in by_article[0]["message"]
    assert by_article[1]["message"] == "650元 在所列依据里找不到：请核对数字，或补上它的依据。"

    by_table = found(replace(stay, sources=(*GOOD.sources, Source("住宿费限额标准表", table="lodging"))))
    assert [one["message"] for one in by_table] == [
        "答案里“北京、其他人员”是 550元，《住宿费限额标准表》里是 500元：请核对。"
    ]
    quoted = Source("会议纪要", regulation="会议纪要", quote="北京其他人员550元，部门负责人650元。")
    by_quote = found(replace(stay, sources=(*GOOD.sources, quoted)))
    assert [one["detail"] for one in by_quote] == ["550元"] and "依据" not in by_quote[0]["message"]


def test_an_appendix_is_found_by_its_name_in_whatever_version_is_in_force() -> None:
    def version(since: str, *texts: str) -> dict[str, Any]:
        labels = [*(f"第{'一二三四'[n]}条" for n in range(len(texts) - 1)), "附件1"]
        articles = [
            {"number": n, "label": label, "title": "", "text": text}
            for n, (label, text) in enumerate(zip(labels, texts, strict=True), 1)
        ]
        return {**POLICY, "effective_from": since, "articles": articles}

    new = version("2027-01-01", "甲。", "乙。", "每月300元。")
    old = {**version("2026-01-01", "甲。", "每月200元。"), "effective_to": "2026-12-31"}
    entry = replace(
        GOOD, answer="每月200元。", sources=(Source("《差旅费管理办法》附件1", policy="travel", article=3),)
    )
    assert kinds(entry, policies=[new, old]) == []
    later = replace(entry, effective_from=NEXT_YEAR)
    assert kinds(later, policies=[new, old]) == [("gap", "warning"), ("amount", "warning")]
    by_number = replace(entry, sources=(Source("《差旅费管理办法》第一条", policy="travel", article=2),))
    assert kinds(by_number, policies=[new, old]) == [], "a printed number counts, whatever the words beside it"


def test_a_table_is_read_whatever_its_columns_are_called() -> None:
    table = {
        "id": "t",
        "title": "补助表",
        "unit": "元/天",
        "dimensions": [{"name": "地区"}],
        "rows": [
            {"地区": "西藏", "伙食": 120, "交通": 80.5, "checked": False},
            {"地区": "其他", "伙食": "据实", "交通": 80},
        ],
    }
    assert amounts_of_table(table) == {"120元", "80.5元", "80元"}
    assert list(contradictions("西藏每天120元", table)) == []
    assert list(contradictions("西藏每天130元", table)) == [("西藏", "130元", "120元或80.5元")]
