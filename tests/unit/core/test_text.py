"""The employee types on any keyboard; the desk reads one text."""

import pytest

from core.text import normalize


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("差旅費報銷標準", "差旅费报销标准"),
        ("後臺開發票", "后台开发票"),
        ("到帳、轉帐、帐户", "到账、转账、账户"),
        ("会议买了帐篷和蚊帐", "会议买了帐篷和蚊帐"),
        ("ＢＸ２０２６１１２１", "BX20261121"),
        ("报销　怎么\t\n填 ", "报销 怎么 填"),
        ("发\u200b票\ufeff\x07\x00丢了", "发票丢了"),
        ("１００％", "100%"),
        ("VAT invoice", "VAT invoice"),
        (" VAT  invoice ", "VAT invoice"),
        ("😀", "😀"),
        ("\ud800发票", "发票"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_one_question_reads_the_same_however_it_was_typed(typed: str, read: str) -> None:
    assert normalize(typed) == read


def test_what_is_read_is_read_again_unchanged() -> None:
    for text in ("乾隆通寶，頭髮與發票", "ﬁle №５ ㈱", "e\u0301tude", "a \u2028 b", "\U000e0041税"):
        assert normalize(normalize(text)) == normalize(text)


def test_ten_thousand_characters_are_no_trouble() -> None:
    assert normalize("報銷" * 5000) == "报销" * 5000
