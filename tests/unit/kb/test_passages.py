"""Passages: every article of a policy once, in pieces that the encoder reads whole."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.entries import PUBLIC, Source, Viewer
from kb.files import read_policy
from kb.passages import PIECE, cut, passages_of, pieces

STARTER = Path(__file__).resolve().parents[3] / "kb" / "starter" / "policies"


def policy(*texts: str, **more) -> dict:
    articles = [
        {"number": n, "label": f"第{'一二三四五六七八九'[n - 1]}条", "title": "住宿费标准", "chapter": "", "text": text}
        for n, text in enumerate(texts, 1)
    ]
    return {"id": "travel", "title": "差旅费管理办法", "articles": articles, **more}


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_an_article_is_a_passage_that_names_where_it_stands():
    [one] = passages_of(policy("住宿费在限额内据实报销。", effective_from="2026-01-01", owner="报销组"))
    assert (one.id, one.title) == ("travel#1", "《差旅费管理办法》第一条 住宿费标准")
    assert one.is_passage and one.questions == () and one.answer == "住宿费在限额内据实报销。"
    assert one.sources == (Source("《差旅费管理办法》第一条", policy="travel", article=1),)
    assert (one.effective_from, one.effective_to, one.owner) == (date(2026, 1, 1), None, "报销组")
    assert one.visible_to(PUBLIC, date(2026, 1, 1)) and not one.valid_on(date(2025, 12, 31))


@pytest.mark.parametrize(
    ("label", "chapter", "title"),
    [
        ("2.1.1", "2.0 标准 · 2.1 住宿费", "《差旅费管理办法》2.1.1（2.0 标准 · 2.1 住宿费） 总监"),
        ("国内", "住宿", "《差旅费管理办法》国内（住宿） 总监"),
        ("国内", f"{'标准' * 40} · 住宿", "《差旅费管理办法》国内（住宿） 总监"),
        ("第二条", "第二章 标准", "《差旅费管理办法》第二条 总监"),
        ("附件1", "", "《差旅费管理办法》附件1 总监"),
    ],
)
def test_an_item_is_read_under_the_headings_above_it(label: str, chapter: str, title: str):
    article = {"number": 1, "label": label, "title": "总监", "chapter": chapter, "text": "600元。"}
    [one] = passages_of({"id": "travel", "title": "差旅费管理办法", "articles": [article]})
    assert one.title == title


def test_a_passage_is_seen_by_the_audience_of_its_policy_only():
    closed = policy("内部条款。", audience={"companies": ["华晟制造公司"], "groups": []}, effective_to="2026-06-30")
    [one] = passages_of(closed)
    day = date(2026, 6, 30)
    assert not one.visible_to(PUBLIC, day) and one.visible_to(Viewer(company="华晟制造公司"), day)
    assert not one.valid_on(date(2026, 7, 1))


def test_a_long_article_is_cut_where_sentences_end():
    sentence = "出差人员应当在规定的限额标准内选择安全经济便捷的宾馆住宿并取得合规发票。"
    found = passages_of(policy(sentence * 30, "短。"))
    assert [one.id for one in found] == ["travel#1.1", "travel#1.2", "travel#1.3", "travel#2"]
    assert found[1].title == "《差旅费管理办法》第一条 住宿费标准（2/3）"
    assert all(one.answer.endswith("。") and len(one.answer) <= PIECE for one in found)
    assert "".join(one.answer for one in found[:-1]) == sentence * 30


def test_a_table_that_goes_on_tells_its_head_again():
    head = "| 城市 | 集团领导 | 其他人员 |\n| --- | --- | --- |\n"
    rows = [f"| 城市{k:03} | {800 + k} | {300 + k} |\n" for k in range(60)]
    cut = pieces("住宿费限额如下：\n\n" + head + "".join(rows) + "\n以上为含税金额。")
    assert len(cut) > 3 and cut[0].startswith("住宿费限额如下") and cut[-1].endswith("以上为含税金额。")
    assert all(piece.endswith("\n（接下文：以上为含税金额。）") for piece in cut[:-1]) and "接下文" not in cut[-1]
    assert all(head.strip() in piece for piece in cut) and all(len(piece) <= PIECE for piece in cut)
    joined = "\n".join(cut)
    assert [joined.count(row.strip()) for row in rows] == [1] * 60


ITEMS = [f"（{n}）第{n}类与经营活动没有直接关系而且没有取得合法有效凭证的各项支出；" for n in "一二三四五六七八九十"]
ITEMS += [f"（十{n}）第十{n}类与经营活动没有直接关系而且没有取得合法有效凭证的各项支出；" for n in "一二三四五六七八"]


@pytest.mark.parametrize("between", ["\n", ""])
@pytest.mark.parametrize("lead", ["下列费用一律不予报销，由个人自行承担：", "有下列情形之一的，一律不予报销。"])
def test_a_list_that_goes_on_tells_again_what_leads_it_in(lead: str, between: str):
    found = pieces(lead + between + between.join(ITEMS) + "\n前款支出经总裁批准的，可以列支。")
    assert len(found) == 2 and found[1].startswith(f"（接上文：{lead}）\n（十") and len(found[1]) <= PIECE


@pytest.mark.parametrize("between", ["\n", ""])
def test_a_list_that_is_cut_tells_beforehand_what_closes_it(between: str):
    closing = "以上费用一律不予报销，由个人承担。"
    found = pieces(
        "第一类事项另行规定。\n" + between.join(ITEMS) + between + closing + "\n前款支出经总裁批准的，可以列支。"
    )
    assert len(found) == 2 and found[0].endswith(f"；\n（接下文：{closing}）") and len(found[0]) <= PIECE
    assert found[1].count(closing) == 1 and "接下文" not in found[1]


def test_only_what_holds_some_of_a_list_tells_what_closes_it():
    other = "甲" * 390 + "。"
    found = pieces(f"{other}\n（一）礼品；\n（二）罚款；\n以上费用一律不予报销。\n{other}\n以上为一般规定。")
    assert len(found) == 3 and not any("接下文" in piece for piece in found)


def test_a_list_inside_an_item_tells_both_again_and_one_that_has_ended_neither():
    inner = "\n".join(f"{n}. 第{n}类凭证不全而且没有事先履行审批程序的各项支出；" for n in range(1, 19))
    text = (
        f"下列费用不予报销：\n（一）礼品；\n（二）境外出差的：\n{inner}\n（三）罚款。\n第二类事项另行规定，"
        + "甲" * 380
        + "。"
    )
    found = pieces(text)
    assert found[1].startswith("（接上文：下列费用不予报销： （二）境外出差的：）\n")
    assert found[-1].startswith("第二类事项") and "接上文" not in found[-1]


def test_a_table_that_goes_on_tells_its_unit_again():
    rows = "".join(f"| 第{k}矿业勘察分队 | {k} |\n" for k in range(60))
    above = "各分队经费限额如下。\n勘察分队年度经费限额表\n单位：万元\n"
    found = pieces(f"{above}| 分队 | 限额 |\n| --- | --- |\n{rows}")
    again = "（接上文：各分队经费限额如下。 勘察分队年度经费限额表 单位：万元）\n| 分队 | 限额 |\n| --- | --- |\n"
    assert len(found) > 2 and all(piece.startswith(again) for piece in found[1:])
    assert all(len(piece) <= PIECE for piece in found)


def test_a_lead_that_is_too_long_keeps_what_it_says_of_the_list():
    lead = "员工因公出差期间发生的费用，" * 30 + "属于下列情形的，一律不予报销："
    assert all(
        piece.split("）\n")[0].endswith("一律不予报销：") for piece in pieces(lead + "\n" + "\n".join(ITEMS))[2:]
    )


def test_articles_without_text_and_policies_without_articles_have_no_passage():
    assert passages_of(policy("", "  \n")) == [] and passages_of(policy()) == []


def test_a_title_names_the_chapter_where_chapters_begin_again():
    body = policy("一", "二", "三", "四")
    for article, (label, chapter) in zip(
        body["articles"],
        [("第一条", "第一章 总则"), ("第二条", "第一章 总则"), ("第一条", "第二章 付款"), ("第三条", "第二章 付款")],
        strict=True,
    ):
        article |= {"label": label, "chapter": chapter, "title": ""}
    titles = [one.title.rpartition("》")[2] for one in passages_of(body)]
    assert titles == ["第一章第一条", "第二条", "第二章第一条", "第三条"]


@pytest.mark.parametrize("path", sorted(STARTER.glob("*.md")), ids=lambda path: path.stem)
def test_the_starter_policies_lose_nothing(path: Path):
    body = read_policy(path)
    found = passages_of(body)
    assert len({one.id for one in found}) == len(found)
    told = "".join(one.answer for one in found)
    assert bare(told) == bare("".join(article["text"] for article in body["articles"]))


@given(
    st.lists(
        st.sampled_from(
            [
                *"甲乙丙1。；！，、\n）”-a：",
                "（一）",
                "（二）",
                "\n1. ",
                "\n2. ",
                "\n| 甲 | 1 |\n",
                "\n|---|---|\n",
                "\n以上：乙。",
                "\n注：上表甲",
            ]
        )
    ),
    st.integers(5, 60),
)
def test_no_character_is_lost_or_told_twice_but_what_is_marked(parts: list[str], most: int):
    text = "".join(parts) * 3
    found = cut(text, most)
    assert bare("".join(piece.own for piece in found)) == bare(text)
    assert all(0 < len(piece.printed) <= most for piece in found)
    for piece in found:
        assert not piece.again or piece.again.startswith("（接上文：")
        assert not piece.below or piece.below.startswith("\n（接下文：")
        assert bare(piece.head) in bare(text)


@given(st.text(max_size=1500))
def test_any_text_at_all(text: str):
    assert bare("".join(piece.own for piece in cut(text))) == bare(text)
