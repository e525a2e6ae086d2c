"""What an entry rests on, as people write it: a policy with its articles, a table, or words that we hold nothing for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kb.articles import HEADING, headings, names_of, path_of, within
from kb.ingest.policies.labels import NUMERAL, value_of
from kb.ingest.values import line_of
from kb.words import bare

_NUMERAL = rf"{NUMERAL}+"
_TITLE = re.compile(r"《([^《》]+)》")
_ARTICLE = re.compile(rf"第\s*({_NUMERAL})\s*条(?:\s*之\s*({_NUMERAL}))?")
_FIRST = re.compile(rf"\s*({_NUMERAL})\s*条")
_LISTED = re.compile(rf"第\s*({_NUMERAL}(?:\s*[、,，和及与至到~～—-]\s*{_NUMERAL})+)\s*条(?!\s*之)")
_RANGE = re.compile(r"[\s]*[至到~～—-]+[\s]*")
_BETWEEN = "、，,；;和及与至到~～—- "
_AT_END = re.compile(rf"(?:[{re.escape(_BETWEEN)}\s]|{HEADING.pattern})+$")
_MOST_IN_RANGE = 50

_Key = tuple[int | None, int | None]


class SourceReader:
    """Turns 《差旅费管理办法》第十二条 into a reference to the policy that we hold.

    `policies` and `tables` are the documents' bodies.
    """

    def __init__(self, policies: Iterable[dict[str, Any]], tables: Iterable[dict[str, Any]]) -> None:
        self._policies = {bare(policy["title"]): (policy["id"], policy.get("articles", ())) for policy in policies}
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

    def doubts(self, text: str) -> list[str]:
        """In Chinese, what could not be linked because several articles may be meant, or none where it says."""
        found: list[str] = []
        for line in text.split("\n"):
            for title, said in _titled(line_of(line)):
                _, articles = self._policies.get(bare(title), (None, ()))
                named = [(one, _before(said, one)) for one in _ARTICLE.finditer(said)]
                for one, above in named:
                    everywhere = [article for article in articles if _key_of(article) == _key(one)]
                    if everywhere and _key(one) not in _by_key(articles, above):
                        listed = "、".join(names_of(articles)[article["number"]] for article in everywhere)
                        found.append(
                            f"依据“《{title}》{said.strip()}”没有关联到条款：制度里有{listed}，请写明是哪一章的哪一条。"
                        )
        return list(dict.fromkeys(found))

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
        for title, spelled in _titled(label):
            policy, articles = self._policies.get(bare(title), (None, ()))
            named = list(_ARTICLE.finditer(spelled))
            if not named:
                yield _source(f"《{title}》{spelled.rstrip(_BETWEEN)}", table=self._tables.get(bare(title)))
                continue
            for one, after in zip(named, [*named[1:], None], strict=True):
                above = _before(spelled, one)
                within_them = _by_key(articles, above)
                chapter = "".join("".join(found[0].split()) for found in above)
                part = _AT_END.sub("", spelled[one.start() : after.start() if after else len(spelled)])
                yield _cited(f"《{title}》{chapter}{part.rstrip(_BETWEEN)}", policy, within_them.get(_key(one)))
                if after and _RANGE.fullmatch(spelled[one.end() : after.start()]):
                    for number, name in _between(within_them, _key(one), _key(after)):
                        yield _cited(f"《{title}》{chapter}{name}", policy, (number, name))


def _titled(label: str) -> Iterator[tuple[str, str]]:
    """Every title that a label names, with what it says of it."""
    titles = list(_TITLE.finditer(label))
    for at, title in enumerate(titles):
        end = titles[at + 1].start() if at + 1 < len(titles) else len(label)
        yield title[1], _spelled_out(label[title.end() : end])


def _before(said: str, article: re.Match[str]) -> list[re.Match[str]]:
    """The headings under which a label names an article: the last of each kind before it, 第三节 not beyond the next 第四章."""
    above: list[re.Match[str]] = []
    for found in HEADING.finditer(said, 0, article.start()):
        kinds = [headings(one[0])[0][0] for one in above]
        kind = headings(found[0])[0][0]
        above = [*above[: kinds.index(kind)], found] if kind in kinds else [*above, found]
    return above


def _by_key(articles: Iterable[dict[str, Any]], above: Sequence[re.Match[str]]) -> dict[_Key, tuple[int, str]]:
    """Number and label of the articles that are 第…条 or 第…条之…, by that; those that could be several are left out.

    `above` are the headings that are named. Where none is, an appendix that begins again does not count beside the text itself.
    """
    named = [one for found in above for one in headings(found[0])]
    listed = [one for one in articles if _key_of(one) is not None]
    if any(path_of(one) for one in listed):
        listed = [one for one in listed if within(one, named)]
    found: dict[_Key, list[dict[str, Any]]] = {}
    for article in listed:
        found.setdefault(_key_of(article) or (None, None), []).append(article)
    for key, some in found.items():
        of_the_text = [one for one in some if not any(heading[0].startswith("附") for heading in path_of(one))]
        found[key] = of_the_text or some
    return {key: (some[0]["number"], some[0]["label"]) for key, some in found.items() if len(some) == 1}


def _key_of(article: dict[str, Any]) -> _Key | None:
    found = _ARTICLE.fullmatch(article.get("label") or "")
    return _key(found) if found else None


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
