"""A new version of a policy beside the old one, article by article."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

import numpy as np

Article = dict[str, Any]
Kind = Literal["unchanged", "changed", "added", "removed"]

_ALIKE = 0.55
"""Share of common letter pairs from which two articles with different numbers are the same one, renumbered."""
_STILL = 0.3
"""The same for two articles of the same number."""
_MERGED = re.compile(r"^\| ([^|\n]+) \|(?: \1 \|)+$", re.MULTILINE)
_SENTENCE = re.compile(r"[^。；！？\n]*(?:[。；！？]+[”』」）]*|\n|$)")


@dataclass(frozen=True)
class Change:
    """`before` and `after` are articles as a policy's body holds them; None where there is none."""

    kind: Kind
    before: Article | None
    after: Article | None

    @property
    def renumbered(self) -> bool:
        return bool(self.before and self.after and _name(self.before) != _name(self.after))

    def as_dict(self) -> dict[str, Any]:
        """What the console shows of it, with the sentences that stay, go and come under `lines`."""
        shown = self.after or self.before or {}
        before = self.before["text"] if self.before else ""
        after = self.after["text"] if self.after else ""
        data: dict[str, Any] = {
            "change": self.kind,
            **{key: shown.get(key) for key in ("number", "label", "title", "chapter", "page")},
            "before": before,
            "after": after,
            "lines": difference(before, after) if self.kind == "changed" else [],
        }
        if self.before and self.after and self.renumbered:
            data["was"] = {key: self.before.get(key) for key in ("number", "label", "title")}
        return data


def compare(old: Sequence[Article], new: Sequence[Article]) -> list[Change]:
    """Every article of both once: in the new order, the removed where they stood.

    Articles pair by equal text, then by label where they are still alike, then by the likeness of their texts, which finds
    those that were renumbered; what is left over pairs by title or label, unless titles say that the subject is another.
    """
    pairs: dict[int, int] = {}
    free_old, free_new = dict.fromkeys(range(len(old))), dict.fromkeys(range(len(new)))

    def pair(before: int, after: int) -> None:
        pairs[after] = before
        del free_old[before], free_new[after]

    for key in (lambda one: (_name(one), _plain(one)), _plain):
        waiting: dict[Any, list[int]] = {}
        for before in free_old:
            waiting.setdefault(key(old[before]), []).append(before)
        for after in list(free_new):
            if same := waiting.get(key(new[after])):
                pair(same.pop(0), after)
    names = {_name(old[before]): before for before in reversed(free_old)}
    for after in list(free_new):
        before = names.get(_name(new[after]))
        if before in free_old and _likeness(_pairs(old[before]), _pairs(new[after])) >= _ALIKE:
            pair(before, after)
    alike = _alike(old, new, list(free_old), list(free_new))
    for wanted in (
        lambda likeness, before, after: likeness >= _ALIKE,
        lambda likeness, before, after: (
            (_name(old[before]) == _name(new[after]) and not _other_subject(old[before], new[after]))
            or bool(new[after].get("title") and old[before].get("title") == new[after]["title"])
        ),
    ):
        for likeness, _, before, after in alike:
            if before in free_old and after in free_new and wanted(likeness, before, after):
                pair(before, after)
    for after in list(free_new):
        same = [k for k in free_old if _name(old[k]) == _name(new[after]) and not _other_subject(old[k], new[after])]
        if same:
            pair(same[0], after)
    return _in_order(old, new, pairs, list(free_old))


def difference(before: str, after: str) -> list[dict[str, str]]:
    """`[{op, text}]` by sentences: `" "` stays, `"-"` goes, `"+"` comes."""
    first, second = _sentences(before), _sentences(after)
    lines: list[dict[str, str]] = []
    for op, i, j, k, m in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if op == "equal":
            lines += [{"op": " ", "text": text} for text in first[i:j]]
        else:
            lines += [{"op": "-", "text": text} for text in first[i:j]]
            lines += [{"op": "+", "text": text} for text in second[k:m]]
    return lines


def _in_order(old: Sequence[Article], new: Sequence[Article], pairs: dict[int, int], gone: list[int]) -> list[Change]:
    found: list[Change] = []
    told = 0
    for after, article in enumerate(new):
        before = pairs.get(after)
        if before is not None:
            while told < len(gone) and gone[told] < before:
                found.append(Change("removed", old[gone[told]], None))
                told += 1
        if before is None:
            found.append(Change("added", None, article))
        else:
            same = _plain(old[before]) == _plain(article)
            found.append(Change("unchanged" if same else "changed", old[before], article))
    return found + [Change("removed", old[k], None) for k in gone[told:]]


def _name(article: Article) -> str:
    return str(article.get("label") or article["number"])


def _plain(article: Article) -> str:
    """What counts as the article's words: blanks and the form of a table do not, nor how often a merged row is told."""
    text = _MERGED.sub(r"\1", f"{article.get('title') or ''}{article['text']}")
    return re.sub(r"[\s|]|-{3,}", "", text)


def _other_subject(before: Article, after: Article) -> bool:
    """Two titles that differ: the number was given to something else."""
    return bool(before.get("title") and after.get("title") and before["title"] != after["title"])


def _pairs(article: Article) -> set[str]:
    text = _plain(article)
    return {text[k : k + 2] for k in range(len(text) - 1)} or {text}


def _likeness(first: set[str], second: set[str]) -> float:
    """Dice's coefficient of two articles' letter pairs."""
    return 2 * len(first & second) / (len(first) + len(second))


def _alike(
    old: Sequence[Article], new: Sequence[Article], before: list[int], after: list[int]
) -> list[tuple[float, int, int, int]]:
    """`(likeness, closeness, before, after)` of the articles that share enough letter pairs, most alike first."""
    if not before or not after:
        return []
    from scipy.sparse import csr_matrix

    known: dict[str, int] = {}

    def counted(articles: list[Article]) -> tuple[Any, np.ndarray]:
        rows = [[known.setdefault(pair, len(known)) for pair in _pairs(one)] for one in articles]
        ends = np.cumsum([0, *map(len, rows)])
        columns = np.fromiter((column for row in rows for column in row), int, ends[-1])
        return (np.ones(len(columns), np.float32), columns, ends), np.diff(ends)

    (first, many), (second, much) = counted([old[k] for k in before]), counted([new[k] for k in after])
    shared = csr_matrix(first, shape=(len(before), len(known))) @ csr_matrix(second, shape=(len(after), len(known))).T
    shared = shared.tocoo()
    likeness = 2 * shared.data / (many[shared.row] + much[shared.col])
    found = [
        (
            float(likeness[k]),
            -abs(before[shared.row[k]] - after[shared.col[k]]),
            before[shared.row[k]],
            after[shared.col[k]],
        )
        for k in np.flatnonzero(likeness >= _STILL)
    ]
    return sorted(found, reverse=True)


def _sentences(text: str) -> list[str]:
    """Sentences without the line ends between them; the rows of a table each one."""
    return [part for found in _SENTENCE.findall(text) if (part := found.strip())]
