"""What an entry rests on, as people write it: a policy with its articles, a table, or words that we hold nothing for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from kb.ingest.policies.labels import value_of
from kb.ingest.values import line_of
from kb.words import bare

_NUMERAL = r"[〇零一二三四五六七八九十百千\d]+"
_TITLE = re.compile(r"《([^《》]+)》")
_ARTICLE = re.compile(rf"第\s*({_NUMERAL})\s*条(?:\s*之\s*({_NUMERAL}))?")
_FIRST = re.compile(rf"\s*({_NUMERAL})\s*条")
_LISTED = re.compile(rf"第\s*({_NUMERAL}(?:\s*[、,，和及与至到~～—-]\s*{_NUMERAL})+)\s*条(?!\s*之)")
_RANGE = re.compile(r"[\s]*[至到~～—-]+[\s]*")
_BETWEEN = "、，,；;和及与至到~～—- "
_MOST_IN_RANGE = 50

_Key = tuple[int | None, int | None]


class SourceReader:
    """Turns 《差旅费管理办法》第十二条 into a reference to the policy that we hold.

    `policies` and `tables` are the documents' bodies.
    """

    def __init__(self, policies: Iterable[dict[str, Any]], tables: Iterable[dict[str, Any]]) -> None:
        self._policies = {
            bare(policy["title"]): (policy["id"], _by_key(policy.get("articles", ()))) for policy in policies
        }
        self._tables = {bare(table["title"]): table["id"] for table in tables}

    def read(self, text: str, details: str = "") -> list[dict[str, Any]]:
        """Sources, one a line; `details` is what an export wrote beside them and counts where the label is the same.

        A line that names several articles is a source for each of them.
        """
        known = _details(details)
        labels = [label for line in text.split("\n") if (label := line_of(line))]
        found: list[dict[str, Any]] = []
        for label in labels:
            taken = _taken(known, label)
            found += [taken] if taken else self._linked(label)
        return found

    def _linked(self, label: str) -> list[dict[str, Any]]:
        found = list(self._named(label))
        linked = [source for source in found if source["policy"] or source["table"]]
        if len(linked) > 1:
            return found
        if linked:
            return [linked[0] | {"label": label}]
        return [_source(label, table=self._tables.get(bare(label)))]

    def _named(self, label: str) -> Iterator[dict[str, Any]]:
        """A source for everything that a label names, with the part of the label that names it."""
        titles = list(_TITLE.finditer(label))
        for at, title in enumerate(titles):
            end = titles[at + 1].start() if at + 1 < len(titles) else len(label)
            said = _spelled_out(label[title.end() : end])
            policy, articles = self._policies.get(bare(title[1]), (None, {}))
            named = list(_ARTICLE.finditer(said))
            if not named:
                yield _source(title[0] + said.rstrip(_BETWEEN), table=self._tables.get(bare(title[1])))
                continue
            for one, after in zip(named, [*named[1:], None], strict=True):
                part = said[one.start() : after.start() if after else len(said)]
                yield _cited(title[0] + part.rstrip(_BETWEEN), policy, articles.get(_key(one)))
                if after and _RANGE.fullmatch(said[one.end() : after.start()]):
                    for number, name in _between(articles, _key(one), _key(after)):
                        yield _cited(title[0] + name, policy, (number, name))


def _by_key(articles: Iterable[dict[str, Any]]) -> dict[_Key, tuple[int, str]]:
    """Number and label of the articles that are 第…条 or 第…条之…; an appendix that begins again comes after them."""
    found: dict[_Key, tuple[int, str]] = {}
    for article in articles:
        if label := _ARTICLE.fullmatch(article.get("label", "")):
            found.setdefault(_key(label), (article["number"], article["label"]))
    return found


def _key(found: re.Match[str]) -> _Key:
    return value_of(found[1]), value_of(found[2]) if found[2] else None


def _between(articles: dict[_Key, tuple[int, str]], first: _Key, last: _Key) -> list[tuple[int, str]]:
    """The articles that 第七条至第九条 means but does not name, those with 之 among them."""
    if first[0] is None or last[0] is None or last[0] - first[0] > _MOST_IN_RANGE:
        return []
    order = {key: (key[0] or 0, key[1] or 0) for key in articles}
    low, high = (first[0], first[1] or 0), (last[0], last[1] or 0)
    return [articles[key] for key in sorted(articles, key=order.__getitem__) if low < order[key] < high]


def _spelled_out(said: str) -> str:
    """`said` with 第七、八条 as 第七条、第八条, and with the 第 that may be missing after a title."""
    said = _FIRST.sub(r"第\1条", said, count=1) if _FIRST.match(said) else said
    return _LISTED.sub(lambda found: re.sub(_NUMERAL, lambda numeral: f"第{numeral[0]}条", found[1]), said)


def _cited(label: str, policy: str | None, article: tuple[int, str] | None) -> dict[str, Any]:
    return _source(label, policy=policy, article=article[0]) if policy and article else _source(label)


def _source(label: str, **more: Any) -> dict[str, Any]:
    return {"label": label, **dict.fromkeys(_SOURCE_FIELDS[1:]), **more}


def _taken(known: list[dict[str, Any]], label: str) -> dict[str, Any] | None:
    at = next((n for n, source in enumerate(known) if line_of(source["label"]) == label), None)
    return None if at is None else {**known.pop(at), "label": label}


_SOURCE_FIELDS = ("label", "policy", "article", "table", "regulation", "quote")


def _details(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text) if text else []
    except ValueError:
        return []
    if not isinstance(found, list):
        return []
    return [
        {name: source.get(name) for name in _SOURCE_FIELDS}
        for source in found
        if isinstance(source, dict)
        and isinstance(source.get("label"), str)
        and set(source) <= set(_SOURCE_FIELDS)
        and all(value is None or isinstance(value, int if name == "article" else str) for name, value in source.items())
    ]
