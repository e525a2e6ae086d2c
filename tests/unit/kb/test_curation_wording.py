"""Questions without what people put around them."""

from __future__ import annotations

import pytest

from kb.curation.wording import plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("我是某某,手机136****9195,你好,打印封面呢", "打印封面呢"),
        ("打印封面呢,谢谢", "打印封面呢"),
        ("身份证3201********1234,个税申报不上", "个税申报不上"),
        ("请问一下,年假还剩几天,急急", "年假还剩几天"),
        ("在外地出差加班,餐费能报吗", "在外地出差加班,餐费能报吗"),
        ("感谢信能报销吗", "感谢信能报销吗"),
        ("急用钱怎么借款", "急用钱怎么借款"),
        ("你好", "你好"),
    ],
)
def test_only_what_is_around_a_question_goes(text: str, said: str) -> None:
    assert plain(text) == said
