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
from kb.passages import PIECE, passages_of, pieces

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
    assert all(head.strip() in piece for piece in cut) and all(len(piece) <= PIECE for piece in cut)
    joined = "\n".join(cut)
    assert [joined.count(row.strip()) for row in rows] == [1] * 60


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


@given(st.text(alphabet=st.sampled_from("甲乙丙1 。；！，、\n）”|-a"), max_size=900), st.integers(5, 60))
def test_no_character_is_lost_or_told_twice(text: str, most: int):
    text = text.replace("|", "")
    cut = pieces(text, most)
    assert bare("".join(cut)) == bare(text)
    assert all(0 < len(piece) <= most for piece in cut)


@given(st.text(max_size=1500))
def test_any_text_at_all(text: str):
    text = re.sub(r"(?m)^\|", "", text)
    assert bare("".join(pieces(text))) == bare(text)
