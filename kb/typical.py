"""What a knowledge base starts from, learnt from the starter knowledge: `python -m kb.typical`, after features have changed.

The starter knowledge plays bases of all kinds: with no, one, two or five similar questions an entry, whole and one half of the entries at a
time; whole, with its pages; all of these without its answers as well; and as policies and answers without any question. Half of what is asked there are the similar questions
left out, which often ask for something beside what the standard question says; half are the questions of `typical/asked.tsv`, two for each
entry, in the words of somebody who wants to know just that. Besides, it is asked in English (`typical/foreign.tsv`), for a matcher of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.settings import Settings
from core.text import normalize
from kb.encoder import Encoder, load_encoder
from kb.entries import Entry
from kb.evaluation.remembering import Remembering
from kb.features import CIRCUMSTANCES, FEATURES, Probe
from kb.files import Knowledge, read_knowledge
from kb.fitting import FOLDS, cross_fitted, fitted, folds, held_out
from kb.index import Index
from kb.lessons import Asked, Lesson, about_passages, asked_lessons, lessons
from kb.matcher import KNOTS, TYPICAL, Matcher
from kb.passages import passages_of
from kb.thresholds import RICHNESS, SILENT, HeldOut

_LOYALTY = 5.0
_MOST_ASKED = 900
_OF_ANSWERS = "answer"
"""What the names of the features begin with that come from an entry's answer."""
_STARTER = Path(__file__).with_name("starter")
_ASKED, FOREIGN = TYPICAL / "asked.tsv", TYPICAL / "foreign.tsv"


def typical_of(
    knowledge: Knowledge,
    asked: Sequence[tuple[str, str]],
    foreign: Sequence[tuple[str, str]],
    encoder: Encoder,
    seed: int = 0,
) -> tuple[Matcher, dict[str, HeldOut]]:
    """The matcher of all these kinds of bases, drawn to flat curves, and the held-out questions of each kind. `asked` are
    (text, entry id), and so are those in another language, `foreign`: without an id, out of scope."""
    entries = knowledge.entries
    position = {entry.id: i for i, entry in enumerate(entries)}
    own = [(normalize(text), position[entry_id]) for text, entry_id in asked]
    kinds = {str(similar): _with_similar(entries, own, similar, encoder, seed) for similar in RICHNESS}
    whole = lessons(Index.encoded(entries, encoder), encoder.encode_queries, seed)
    matcher, judged = _of_kinds(kinds, whole, seed)
    mute = {SILENT + kind: _silenced(taught) for kind, taught in kinds.items()}
    silent, told = _of_kinds(mute, _silenced(whole), seed)
    judged |= told
    passages, judged["passages"] = cross_fitted(_about_texts(knowledge, own, encoder, seed), flat(), _LOYALTY, seed)
    abroad, judged["foreign"] = cross_fitted(_in_english(entries, foreign, encoder, seed), flat(), _LOYALTY, seed)
    return replace(matcher, passages=passages, foreign=abroad, silent=silent), judged


def _of_kinds(kinds: dict[str, list[Lesson]], whole: list[Lesson], seed: int) -> tuple[Matcher, dict[str, HeldOut]]:
    matcher = fitted([*whole, *(lesson for taught in kinds.values() for lesson in taught)], flat(), _LOYALTY)
    return matcher, _judged(kinds, whole, matcher, seed)


def _silenced(taught: Sequence[Lesson]) -> list[Lesson]:
    """The same of a base whose entries have no answers."""
    heard = np.array([not name.startswith(_OF_ANSWERS) for name in FEATURES], float)
    return [replace(one, evidence=replace(one.evidence, features=one.evidence.features * heard)) for one in taught]


def flat() -> Matcher:
    """A matcher that knows nothing."""
    rises = [np.zeros(sum(len(KNOTS[name]) - 1 for name in names)) for names in (FEATURES, CIRCUMSTANCES)]
    return Matcher(rises[0], rises[1], 0.0)


def _with_similar(
    entries: Sequence[Entry], own: Sequence[tuple[str, int]], similar: int, encoder: Encoder, seed: int
) -> list[Lesson]:
    taught: list[Lesson] = []
    half = np.random.default_rng(seed).permutation(len(entries)) % 2 == 0
    bases = (np.ones(len(entries), bool), half, ~half)
    for draw, there in enumerate(bases):
        random = np.random.default_rng(seed + draw)
        kept, left = [], []
        for position, entry in enumerate(entries):
            order = random.permutation(len(entry.similar))
            kept.append(replace(entry, similar=tuple(entry.similar[i] for i in sorted(order[:similar]))))
            left += [(normalize(entry.similar[i]), position) for i in order[similar:]]
        index = Index.encoded(kept, encoder)
        words = [one for one in own if there[one[1]] and not index.equal(one[0])]
        beside = [one for one in left if there[one[1]] and not index.equal(one[0])]
        beside = [beside[i] for i in sorted(random.permutation(len(beside))[: len(words)].tolist())]
        put = _put([*words, *beside], encoder)
        found = asked_lessons(index, ~index.passage & there[index.owner], put, encoder.encode_queries)
        share = _MOST_ASKED / len(bases) / len(put)
        taught += [replace(lesson, weight=lesson.weight * share) for lesson in found]
    return taught


def _in_english(
    entries: Sequence[Entry], foreign: Sequence[tuple[str, str]], encoder: Encoder, seed: int
) -> list[Lesson]:
    """Asked of bases with few similar questions and with all."""
    position = {entry.id: i for i, entry in enumerate(entries)}
    put = _put([(normalize(text), position[entry_id]) for text, entry_id in foreign if entry_id], encoder)
    strangers = [normalize(text) for text, entry_id in foreign if not entry_id]
    taught: list[Lesson] = []
    for similar in (0, 2, max(len(entry.similar) for entry in entries)):
        order = np.random.default_rng(seed)
        kept = [
            replace(
                entry, similar=tuple(np.array(entry.similar)[order.permutation(len(entry.similar))[:similar]].tolist())
            )
            for entry in entries
        ]
        index = Index.encoded(kept, encoder)
        taught += asked_lessons(index, ~index.passage, put, encoder.encode_queries, strangers)
    return taught


def _put(questions: Sequence[tuple[str, int]], encoder: Encoder) -> list[Asked]:
    vectors = encoder.encode_queries([text for text, _ in questions])
    return [
        Asked(Probe(text, vector), frozenset([position]))
        for (text, position), vector in zip(questions, vectors, strict=True)
    ]


def _judged(kinds: dict[str, list[Lesson]], whole: list[Lesson], begin: Matcher, seed: int) -> dict[str, HeldOut]:
    """The lessons of each kind, judged by matchers fitted to the other folds of all of them."""
    everything = [*whole, *(lesson for taught in kinds.values() for lesson in taught)]
    fold = folds(everything, seed)
    matchers = [
        fitted([lesson for lesson, own in zip(everything, fold, strict=True) if own != held], flat(), _LOYALTY, begin)
        for held in range(FOLDS)
    ]

    def judged(taught: list[Lesson]) -> HeldOut:
        own = zip(taught, folds(taught, seed), strict=True)
        return held_out(taught, [matchers[fold].probabilities(lesson.evidence) for lesson, fold in own])

    return {kind: judged(taught) for kind, taught in kinds.items()}


def _about_texts(knowledge: Knowledge, own: Sequence[tuple[str, int]], encoder: Encoder, seed: int) -> list[Lesson]:
    """Policies without the entries that cite them, and answers without their questions."""
    policies = [passage for policy in knowledge.policies for passage in passages_of(policy)]
    both = [*knowledge.entries, *policies]
    index = Index.encoded(both, encoder)
    about_policies = about_passages(index, encoder.encode_queries, seed)

    answers = [Entry(entry.id, "", answer=entry.answer) for entry in knowledge.entries]
    curated = [(index.texts[row], int(index.owner[row])) for row in np.flatnonzero(~index.passage).tolist()]
    random = np.random.default_rng(seed)
    curated = [curated[i] for i in sorted(random.permutation(len(curated))[: len(own)].tolist())]
    alone = Index.encoded(answers, encoder)
    asked = _put([*own, *curated], encoder)
    return [*about_policies, *asked_lessons(alone, alone.passage, asked, encoder.encode_queries)]


def save(matcher: Matcher, judged: dict[str, HeldOut], directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    matcher.save(directory)
    for kind, questions in judged.items():
        (directory / kind).mkdir(exist_ok=True)
        questions.save(directory / kind)


def read_asked(path: Path = _ASKED) -> list[tuple[str, str]]:
    """Questions in employees' words and the ids of their entries: (text, entry id), one a line below the names of the columns;
    no id where no entry answers."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return [(text, entry_id) for text, entry_id in rows]


if __name__ == "__main__":
    settings = Settings()
    encoder = Remembering(load_encoder(settings.encoder, settings.home))
    save(*typical_of(read_knowledge(_STARTER), read_asked(), read_asked(FOREIGN), encoder), TYPICAL)
