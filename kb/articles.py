"""What an article of a policy is called: by its label, and by its chapter too where another article has the same label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from kb.ingest.policies.labels import NUMERAL, value_of

HEADING = re.compile(rf"第\s*({NUMERAL}+)\s*([编篇部章节])(?:(?<=部)分)?|附\s*([件录表])\s*({NUMERAL}*)")
"""第二章, 附件1: what stands before the number of an article where numbers begin anew."""

Heading = tuple[str, int | None]


def headings(text: str) -> list[Heading]:
    """The chapters and appendices that a text names, as `(kind, number)`, such as `("章", 2)`."""
    return [
        (found[2] or f"附{found[3]}", value_of(found[1] or found[4]) if found[1] or found[4] else None)
        for found in HEADING.finditer(text)
    ]


def path_of(article: dict[str, Any]) -> list[re.Match[str]]:
    """The numbers of the headings above an article, outermost first."""
    above = article.get("heading_path") or [article.get("chapter") or ""]
    own = article.get("label") or ""
    return [found for one in above if (found := HEADING.match(one)) and "".join(found[0].split()) != own]


def within(article: dict[str, Any], named: Iterable[Heading]) -> bool:
    """Whether an article stands under all of these headings."""
    above = {one for found in path_of(article) for one in headings(found[0])}
    return above.issuperset(named)


def names_of(articles: Sequence[dict[str, Any]]) -> dict[int, str]:
    """What each article is called, by its number: 第二条, or 第二章第二条 where there are several; `""` without a label."""
    times = Counter(one.get("label") or "" for one in articles)
    return {
        one["number"]: "".join("".join(found[0].split()) for found in (path_of(one) if times[label] > 1 else ()))
        + label
        if (label := one.get("label") or "")
        else ""
        for one in articles
    }
