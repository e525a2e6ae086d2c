"""A question falls into words that finance people use, and into quantities that compare."""

from __future__ import annotations

import pytest

from kb.words import bare, characters, is_chinese, numbers, syllables, words


def test_finance_words_stay_whole_and_their_parts_are_found_too() -> None:
    assert {"住宿费", "超标", "报销"} <= set(words("住宿费超标了怎么报销？"))
    assert {"发票", "增值税", "增值税专用发票"} <= set(words("增值税专用发票"))
    assert "数电票" in words("数电票怎么下载")


def test_punctuation_and_emoji_are_no_words() -> None:
    assert words("？！……😀 ，") == []
    assert words("") == []


def test_writing_systems_do_not_matter() -> None:
    assert words("差旅費報銷") == words("差旅费报销")
    assert words("ＯＦＤ發票") == words("OFD发票")
    assert words("ofd") == words("OFD")


def test_characters_come_alone_and_in_pairs_latin_and_numbers_whole() -> None:
    assert characters("OFD发票3.5张") == ["ofd", "发", "票", "发票", "3.5", "张"]


@pytest.mark.parametrize(
    ("text", "quantities"),
    [
        ("两千块", {"2000元"}),
        ("2千元", {"2000元"}),
        ("２０００元", {"2000元"}),
        ("5万元以上", {"50000元"}),
        ("十二个月", {"12个月"}),
        ("三天内，不超过3%", {"3天", "3%"}),
        ("第一次报销", set()),
        ("一线城市", set()),
    ],
)
def test_the_same_quantity_has_one_spelling(text: str, quantities: set[str]) -> None:
    assert numbers(text) == quantities


def test_a_bare_question_has_no_punctuation_no_blanks_no_case() -> None:
    assert bare(" OFD 发票，怎么报？") == bare("ofd发票怎么报") == "ofd发票怎么报"


def test_a_homophone_sounds_like_the_right_word() -> None:
    assert syllables("报消流程") == syllables("报销流程")
    assert syllables("發票") == syllables("发票") == ["fa piao"]
    assert syllables("行") == ["xing"]
    assert syllables("OFD 3.5") == []


def test_what_is_chinese() -> None:
    assert is_chinese("OFD票") and not is_chinese("how to reimburse?")
