"""The numbers and names that people write before questions and answers: `1.`, `Q3：`, `问：`, `答：`."""

from __future__ import annotations

import re

from kb.words import bare

_BEFORE_QUESTION = re.compile(
    r"\s*(?:[Qq]\s*\d{0,3}\s*[:：]|[Qq]\s*\d{0,3}\s*[.．、](?!\s*[Qq\d])|(?:标准|相似|扩展)?问题?\s*\d{0,3}\s*[:：]|"
    r"\d{1,3}\s*[.．、)）](?!\s*\d)|[（(]\s*\d{1,3}\s*[)）]|[①-⑳]|[•●▪◆■])\s*"
)
_BEFORE_ANSWER = re.compile(r"\s*(?:标准|参考)?(?:答|答案|答复|回答)\s*\d{0,3}\s*[:：]\s*|\s*[Aa]\s*\d{0,3}\s*[:：]\s*")
_CHOICES = re.compile(r"^\s*[Bb]\s*[:：]", re.M)


def question_of(text: str) -> str:
    """A question without what stands before it; `1.5倍工资怎么算` and `Q1、Q2 预算` are whole."""
    while (found := _BEFORE_QUESTION.match(text)) and bare(rest := text[found.end() :]):
        text = rest
    return text


def answer_of(text: str) -> str:
    """An answer without 答： before it; choices (A：…, B：…) keep their letters."""
    while (found := _BEFORE_ANSWER.match(text)) and bare(rest := text[found.end() :]):
        if found[0].strip()[0] in "Aa" and _CHOICES.search(rest):
            break
        text = rest
    return text
