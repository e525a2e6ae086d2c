"""Two versions of a policy: what stayed, changed, moved, came and went."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kb.ingest.policies.compare import compare, difference
from kb.ingest.policies.labels import chinese


def articles(*texts: str, first: int = 1, titles: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [
        {
            "number": n,
            "label": f"第{chinese(n)}条",
            "title": titles[n - first] if titles else "",
            "chapter": "",
            "text": text,
        }
        for n, text in enumerate(texts, first)
    ]


LODGING = "住宿费在限额标准内凭发票据实报销，超过限额的部分由个人承担。"
MEALS = "伙食补助费每人每天100元，按出差自然天数包干使用，不需要发票。"
TRAFFIC = "市内交通费每人每天80元，包干使用，不再报销出租车发票。"
ADVANCE = "出差前可以申请差旅借款，返回后五个工作日内办理冲销手续。"


def kinds(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[tuple[str, int | None, int | None]]:
    return [
        (one.kind, one.before and one.before["number"], one.after and one.after["number"]) for one in compare(old, new)
    ]


def test_an_article_put_in_between_renumbers_the_rest():
    old, new = articles(LODGING, MEALS, TRAFFIC), articles(LODGING, ADVANCE, MEALS, TRAFFIC.replace("80", "100"))
    assert kinds(old, new) == [("unchanged", 1, 1), ("added", None, 2), ("unchanged", 2, 3), ("changed", 3, 4)]
    assert [one.renumbered for one in compare(old, new)] == [False, False, True, True]
    assert compare(old, new)[2].as_dict()["was"] == {"number": 2, "label": "第二条", "title": ""}


def test_an_article_taken_out_is_told_where_it_stood():
    assert kinds(articles(LODGING, MEALS, TRAFFIC), articles(LODGING, TRAFFIC)) == [
        ("unchanged", 1, 1), ("removed", 2, None), ("unchanged", 3, 2),
    ]  # fmt: skip


def test_a_number_given_to_another_subject_is_told_as_one_gone_and_one_new():
    old, new = articles(LODGING, MEALS, titles=("住宿", "伙食")), articles(LODGING, ADVANCE, titles=("住宿", "借款"))
    assert kinds(old, new) == [("unchanged", 1, 1), ("added", None, 2), ("removed", 2, None)]
    assert kinds(articles(LODGING, MEALS), articles(LODGING, ADVANCE))[1] == ("changed", 2, 2), "no title says so"


def test_the_same_number_and_title_stay_one_article_however_much_is_rewritten():
    old = articles("按限额报销。", titles=("住宿费",))
    new = articles("自本年度起一律通过商旅平台统一预订并结算", titles=("住宿费",))
    assert kinds(old, new) == [("changed", 1, 1)]


def test_blanks_and_the_form_of_a_table_are_no_change():
    old = articles("限额如下：\n\n| 城市 | 金额 |\n| --- | --- |\n| 北京 | 500 |")
    assert kinds(old, articles("限额如下：\n|城市|金额|\n|-----|-----|\n|北京|500|")) == [("unchanged", 1, 1)]


def test_a_merged_row_that_was_told_for_each_column_is_no_change():
    head = "| 城市 | 限额 | 说明 |\n| --- | --- | --- |\n"
    old = articles(f"{head}| 国内 | 国内 | 国内 |\n| 北京 | 500 | 500 |\n| 注：含税。 | 注：含税。 | 注：含税。 |")
    new = f"{head}| 国内 |  |  |\n| 北京 | 500 | 500 |\n\n注：含税。"
    assert kinds(old, articles(new)) == [("unchanged", 1, 1)]
    assert kinds(old, articles(new.replace("500 | 500", "500 |  "))) == [("changed", 1, 1)]


def test_the_difference_is_told_by_sentences():
    assert difference("第一句。第二句！\n第三句", "第一句。第二句改了！第三句\n第四句") == [
        {"op": " ", "text": "第一句。"}, {"op": "-", "text": "第二句！"}, {"op": "+", "text": "第二句改了！"},
        {"op": " ", "text": "第三句"}, {"op": "+", "text": "第四句"},
    ]  # fmt: skip


def test_a_thousand_rewritten_articles_are_compared_in_seconds():
    old = articles(*(f"第{k}号业务按照标准{k * 7}元执行，由{chinese(k)}组审核。" for k in range(1, 600)))
    new = articles(*(f"第{k}号业务应当按照标准{k * 7}元执行，由{chinese(k)}组负责审核。" for k in range(1, 600)))
    assert [one.kind for one in compare(old, new)] == ["changed"] * 599


TEXTS = st.lists(st.text(alphabet="甲乙丙丁。1", max_size=12), max_size=8)


@given(TEXTS, TEXTS)
def test_every_article_of_both_is_told_once(first: list[str], second: list[str]):
    old, new = articles(*first), articles(*second)
    found = compare(old, new)
    assert sorted(one.before["number"] for one in found if one.before) == [one["number"] for one in old]
    assert [one.after["number"] for one in found if one.after] == [one["number"] for one in new]
    for one in found:
        data = one.as_dict()
        if one.kind == "changed":
            for op, side in (("-", "before"), ("+", "after")):
                told = "".join(line["text"] for line in data["lines"] if line["op"] in (" ", op))
                assert told.replace("\n", "") == data[side].replace("\n", "")


@given(TEXTS)
def test_a_version_beside_itself_is_unchanged(texts: list[str]):
    assert all(one.kind == "unchanged" and not one.renumbered for one in compare(articles(*texts), articles(*texts)))
