"""Questions with known right answers, made from the curated entries alone: what a matcher is fitted to and judged by.

A curated question is asked as if an employee had asked it: while it is hidden from the index, and every other time also
its nearest wordings (its entry is the right answer by its other questions), or while its whole entry is hidden (no entry
is right, though its neighbours are there: the near miss). Sentences far from finance have no right entry either. Two
kinds are learnt from without being judged by: a curated question without the words that the page says already, and a single
word that many entries share, which is asked of all of them, as nobody can tell which one its author wants.

While a question is asked, every other entry lacks one similar question too, and its own is left no more of them than an
entry drawn at random has: no entry is at an advantage, and a base in which few entries have similar questions is judged
by what most of its entries are.

What is drawn is drawn by the question's own words and entry, not by its place among the others: from one release to the next a question is
asked in the same way, so that what changes in its judgement is the knowledge.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from kb.entries import Entry
from kb.features import FEATURES, Evidence, Probe, gather
from kb.index import Index
from kb.reviewed import Reviewed
from kb.words import bare, words

Encode = Callable[[list[str]], np.ndarray]

OUT_OF_SCOPE = Path(__file__).with_name("out_of_scope.txt")

NEAR_SHARE = 0.04
"""How many of the questions without a right entry are near misses: a knowledge base in use answers most of its field."""
WORD_SHARE = 0.02
ELLIPSIS_SHARE = 0.1
SCENE_KNOWN = 0.5
SCENE_RIGHT = 0.8
SCENE_EXACT = 0.6
"""How often it is known where a question was asked, how often this is a page of its entry, and then the very node."""

_MOST_QUESTIONS = 1000
_MOST_WORDS = 60
_MOST_ELLIPSES = 150
_SAME_WORDING = 0.8
_WHOLE_WORDING = 0.5
"""How often what its entry holds of nearly the same wording is hidden with a question."""
_SHARED_BY = 3
_CURATED = 0.6
"""A sentence this much like a curated question is in the scope of this knowledge base after all."""
_HIDDEN = 1
_NEAR, _FAR, _REVIEWED, _SAMPLED = "near", "far", "reviewed", "sampled"


@dataclass(frozen=True)
class Lesson:
    """`right` (candidates,) adds up to one, or to zero where no candidate is right, be it that none can be (`answerable`
    is False) or that the right one was not found. Lessons of one `group` are alike: learnt or held out together.
    `counted` are those that thresholds are judged by; `near` are near misses; `question` is the `identity` of what was
    asked, and of how many questions its entry was left."""

    evidence: Evidence
    right: np.ndarray
    weight: float
    group: int
    answerable: bool
    question: int
    counted: bool = True
    near: bool = False


@dataclass(frozen=True)
class Asked:
    """A question from outside the index and the positions of the entries that are right."""

    probe: Probe
    right: frozenset[int]


@cache
def out_of_scope() -> tuple[str, ...]:
    """Sentences of our own, one a line, that no finance desk answers."""
    return tuple(line for line in OUT_OF_SCOPE.read_text(encoding="utf-8").splitlines() if line)


def identity(*names: str) -> int:
    """A number of 64 bits that is these names' own, whatever else there is."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(names).encode(), digest_size=8).digest(), "big")


def shared_words(entries: Sequence[Entry]) -> list[str]:
    """Words of two and more characters that at least three entries use in their questions; the commonest first."""
    held = Counter(
        word for entry in entries for word in {w for q in entry.questions for w in words(q)} if len(word) > 1
    )
    return [word for word, count in held.most_common(_MOST_WORDS) if count >= _SHARED_BY]


def lessons(index: Index, encode: Encode, seed: int) -> list[Lesson]:
    """Lessons about the entries that have questions, those with a right entry weighing as much in sum as those without;
    the same for the same seed."""
    scenes = _Scenes(index.entries)
    hiding = _Hiding(index)
    right: list[Lesson] = []
    near: list[Lesson] = []
    for row in _sample(index, seed):
        owner = int(index.owner[row])
        entry, text = index.entries[owner].id, index.texts[row]
        question = identity(entry, text, str(seed))
        random = np.random.default_rng(question)
        probe = Probe(text, index.vectors[row], *scenes.of(owner, random))
        siblings = index.rows(owner)
        if len(siblings) > 1:
            hidden = _wording(index, row) if random.random() < _WHOLE_WORDING else [row]
            allowed = hiding.but(owner, hidden, question)
            left = str(allowed[siblings].sum())
            right.append(
                _lesson(gather(index, probe, allowed, hidden), {owner}, identity(entry), identity(entry, text, left))
            )
        if len(index.entries) > 1:
            evidence = gather(index, probe, hiding.whole(siblings), siblings)
            near.append(_lesson(evidence, set(), identity(entry), identity(entry, text, _NEAR)))
    single = []
    for text, vector in _encoded(shared_words(index.entries), encode):
        evidence = gather(index, Probe(text, vector), ~index.passage)
        holds = np.array([any(text in q for q in index.entries[p].questions) for p in evidence.entries], float)
        if holds.sum() > 1:
            word = identity(text)
            single.append(Lesson(evidence, holds / holds.sum(), 1.0, word, True, word, counted=False))
    elliptic = []
    for (row, page), (text, vector) in _ellipses(index, encode, np.random.default_rng(seed)):
        owner = int(index.owner[row])
        entry = index.entries[owner].id
        hidden = _wording(index, row)
        question = identity(entry, text, page, str(seed))
        probe = Probe(text, vector, page, scenes.node_of(owner, page, np.random.default_rng(question)))
        evidence = gather(index, probe, hiding.but(owner, hidden, question), hidden)
        elliptic.append(replace(_lesson(evidence, {owner}, identity(entry), question), counted=False))
    scale = float(max(len(right), 1))
    return [
        *_weighing(right, scale),
        *_weighing(single, scale * WORD_SHARE),
        *_weighing(elliptic, scale * ELLIPSIS_SHARE),
        *_without_right(near, _far(index, ~index.passage, encode, scenes), scale),
    ]


def asked_lessons(
    index: Index, allowed: np.ndarray, asked: Sequence[Asked], encode: Encode, strangers: Sequence[str] = ()
) -> list[Lesson]:
    """Lessons from questions that are not in the index, put to the `allowed` texts ((texts,) bool), and from `strangers`, our
    own sentences out of scope by default."""
    right, near = [], []
    for one in asked:
        text, group = one.probe.text, identity(index.entries[min(one.right)].id)
        right.append(_lesson(gather(index, one.probe, allowed), one.right, group, identity(text)))
        hidden = [row for position in one.right for row in index.rows(position)]
        evidence = gather(index, one.probe, _without(allowed, hidden), hidden)
        near.append(_lesson(evidence, set(), group, identity(text, _NEAR)))
    scale = float(max(len(right), 1))
    return [*_weighing(right, scale), *_without_right(near, _far(index, allowed, encode, strangers=strangers), scale)]


def reviewed_lessons(index: Index, reviewed: Sequence[Reviewed], encode: Encode) -> list[Lesson]:
    """Lessons from what employees said of answers: the entry was right, or what was shown was not. A curated question, or
    one whose entry has gone, teaches nothing; nor does a wrong answer where another entry is nearer now: nobody has
    said that that one is wrong."""
    told = [one for one in reviewed if one.entry_id in index.position and not index.equal(one.text)]
    taught = []
    for one, (text, vector) in zip(told, _encoded([one.text for one in told], encode), strict=True):
        owner = index.position[one.entry_id]
        evidence = gather(index, Probe(text, vector), ~index.passage)
        if not one.right and owner not in evidence.entries[:1]:
            continue
        group = identity(one.entry_id)
        taught.append(_lesson(evidence, {owner} if one.right else (), group, identity(one.entry_id, text, _REVIEWED)))
    return taught


def about_passages(index: Index, encode: Encode, seed: int) -> list[Lesson]:
    """Lessons about the passages: curated questions whose entry cites an article that is a passage here."""
    held: dict[tuple[str, int], set[int]] = {}
    for position in np.unique(index.owner[index.passage]).tolist():
        for source in index.entries[position].sources:
            if source.policy is not None and source.article is not None:
                held.setdefault((source.policy, source.article), set()).add(position)
    asked = []
    for row in np.flatnonzero(~index.passage).tolist():
        sources = index.entries[index.owner[row]].sources
        right = frozenset().union(*(held.get((s.policy or "", s.article or 0), ()) for s in sources))
        if right:
            asked.append(Asked(Probe(index.texts[row], index.vectors[row]), right))
    random = np.random.default_rng(seed)
    chosen = sorted(random.permutation(len(asked))[:_MOST_QUESTIONS].tolist())
    return asked_lessons(index, index.passage, [asked[i] for i in chosen], encode) if asked else []


def _lesson(evidence: Evidence, right: Iterable[int], group: int, question: int) -> Lesson:
    """A question whose right entries share one; without any it cannot be answered."""
    wanted = set(right)
    found = np.array([position in wanted for position in evidence.entries.tolist()], float)
    return Lesson(evidence, found / max(found.sum(), 1), 1.0, group, bool(wanted), question)


def _far(
    index: Index, allowed: np.ndarray, encode: Encode, scenes: _Scenes | None = None, strangers: Sequence[str] = ()
) -> list[Lesson]:
    far = []
    for text, vector in _encoded(strangers or out_of_scope(), encode):
        question = identity(text, _FAR)
        place = scenes.anywhere(np.random.default_rng(question)) if scenes else ()
        evidence = gather(index, Probe(text, vector, *place), allowed)
        if evidence.features[:, FEATURES.index("characters")].max(initial=0) < _CURATED:
            far.append(_lesson(evidence, (), question, question))
    return far


def _without_right(near: list[Lesson], far: list[Lesson], scale: float) -> list[Lesson]:
    near = [replace(one, near=True) for one in near]
    return [*_weighing(near, scale * NEAR_SHARE), *_weighing(far, scale * (1 - NEAR_SHARE) if near else scale)]


class _Hiding:
    """What is left of the index while a question is asked."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._questions = ~index.passage
        self._counts = np.diff(index.starts)
        self._asked = np.flatnonzero([not entry.is_passage for entry in index.entries])
        self._ranked = np.sort(self._counts[self._asked])
        self._rich = np.flatnonzero((self._counts > 1) & np.isin(np.arange(len(self._counts)), self._asked))
        self._names = np.array([identity(index.entries[position].id) for position in self._rich], np.uint64)

    def whole(self, rows: Sequence[int]) -> np.ndarray:
        return _without(self._questions, rows)

    def but(self, owner: int, hidden: Sequence[int], question: int) -> np.ndarray:
        """Without `hidden`, which are questions of `owner`: some others of its similar ones and one of each other entry
        go too. At least one question of it is left, the standard one first."""
        left = self._questions.copy()
        random = np.random.default_rng([question, _HIDDEN])  # apart from what is drawn for its page
        others = self._rich[self._rich != owner]
        drawn_of = _mixed(self._names[self._rich != owner], question)
        left[self._index.starts[others] + 1 + drawn_of % (self._counts[others] - 1)] = False
        drawn = int(self._ranked[int(random.random() * len(self._ranked))])
        own = [row for row in self._index.rows(owner) if row not in hidden]
        extra = random.permutation(own[1:])[max(min(drawn, self._counts[owner] - 1), 1) - 1 :]
        left[[*hidden, *extra.astype(int)]] = False
        return left


def _mixed(names: np.ndarray, question: int) -> np.ndarray:
    """A number for each of the names ((names,) uint64), of theirs and the question's: (names,) int64, never negative."""
    mixed = names ^ np.uint64(question)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)  # the finalizer of SplitMix64
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


def _sample(index: Index, seed: int) -> list[int]:
    """Rows to ask: similar questions, as they are people's own words; the standard one of an entry that has no other."""
    rows = np.arange(len(index.texts))
    standard = np.isin(rows, index.starts[:-1])
    lonely = np.isin(index.owner, np.flatnonzero(np.diff(index.starts) == 1))
    rows = rows[(~standard | lonely) & ~index.passage]
    if len(rows) > _MOST_QUESTIONS:
        drawn = [identity(index.texts[row], str(seed), _SAMPLED) for row in rows.tolist()]
        rows = np.sort(rows[np.argsort(drawn, kind="stable")[:_MOST_QUESTIONS]])
    return rows.tolist()


def _wording(index: Index, row: int) -> list[int]:
    """The question and what its entry holds of nearly the same wording; at least one other question is left."""
    own = np.array(index.rows(int(index.owner[row])))
    alike = index.characters.alike(own)[row - own[0]]
    order = own[np.argsort(-alike, kind="stable")]
    count = int((alike >= _SAME_WORDING).sum())
    return [row, *(int(other) for other in order[: min(count, len(own) - 1)] if other != row)]


def _ellipses(
    index: Index, encode: Encode, random: np.random.Generator
) -> list[tuple[tuple[int, str], tuple[str, np.ndarray]]]:
    """Curated questions without the words that a page of their entry says already: ((row, page), (text, vector))."""
    said = _said_by_page(index.entries)
    places = [
        (row, place.partition("/")[0])
        for row in range(len(index.texts))
        if len(index.rows(int(index.owner[row]))) > 1
        for place in index.entries[index.owner[row]].scenes
    ]
    shortened: dict[tuple[int, str], str] = {}
    for i in random.permutation(len(places)).tolist():
        row, page = places[i]
        text = index.texts[row]
        for word in sorted(said[page] & set(words(text)), key=len, reverse=True):
            text = text.replace(word, "")
        if text != index.texts[row] and len(bare(text)) > 1:
            shortened[row, page] = text
        if len(shortened) == _MOST_ELLIPSES:
            break
    return list(zip(shortened, _encoded(list(shortened.values()), encode), strict=True))


def _said_by_page(entries: Sequence[Entry]) -> dict[str, set[str]]:
    """The words of two and more characters that at least three entries of a page use, and few of other pages."""
    everywhere: Counter[str] = Counter()
    by_page: dict[str, Counter[str]] = {}
    for entry in entries:
        used = {word for question in entry.questions for word in words(question) if len(word) > 1}
        everywhere.update(used)
        for page in {place.partition("/")[0] for place in entry.scenes}:
            by_page.setdefault(page, Counter()).update(used)
    return {
        page: {word for word, count in used.items() if count >= _SHARED_BY and 2 * count > everywhere[word]}
        for page, used in by_page.items()
    }


class _Scenes:
    """Where a question may have been asked."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._nodes: dict[str, list[str]] = {}
        for page, _, node in sorted({place.partition("/") for entry in entries for place in entry.scenes}):
            self._nodes.setdefault(page, []).append(node)

    def of(self, owner: int, random: np.random.Generator) -> tuple[str | None, str | None]:
        """Often unknown, mostly a page of the entry, sometimes another one."""
        known, fitting = random.random(2)
        if known >= SCENE_KNOWN:
            return None, None
        return self._on_page_of(owner if fitting < SCENE_RIGHT else int(random.integers(len(self._entries))), random)

    def anywhere(self, random: np.random.Generator) -> tuple[str | None, str | None]:
        return self.of(int(random.integers(len(self._entries))), random)

    def _on_page_of(self, owner: int, random: np.random.Generator) -> tuple[str | None, str | None]:
        scenes = self._entries[owner].scenes
        if not scenes:
            return None, None
        page = scenes[int(random.integers(len(scenes)))].partition("/")[0]
        return page, self.node_of(owner, page, random)

    def node_of(self, owner: int, page: str, random: np.random.Generator) -> str | None:
        """A node of this page, mostly one of the entry's own."""
        nodes = self._nodes[page]
        if random.random() < SCENE_EXACT:
            nodes = [
                node for place in self._entries[owner].scenes for at, _, node in [place.partition("/")] if at == page
            ]
        return nodes[int(random.integers(len(nodes)))] or None


def _without(allowed: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    left = allowed.copy()
    left[list(rows)] = False
    return left


def _encoded(texts: Sequence[str], encode: Encode) -> list[tuple[str, np.ndarray]]:
    return list(zip(texts, np.asarray(encode(list(texts)), np.float32), strict=True)) if texts else []


def _weighing(group: list[Lesson], total: float) -> list[Lesson]:
    return [replace(one, weight=total / len(group)) for one in group]
