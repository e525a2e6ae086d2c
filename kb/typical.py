"""What a knowledge base starts from, learnt from the starter knowledge: `python -m kb.typical`, after features have changed.

The starter knowledge plays bases of all kinds: with no, one, two or five similar questions an entry, the others being the
employees' questions; whole, with its pages; and as policies and answers without any question.
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
from kb.features import CIRCUMSTANCES, FEATURES, Probe
from kb.files import Knowledge, read_knowledge
from kb.fitting import FOLDS, cross_fitted, fitted, held_out
from kb.index import Index, texts
from kb.lessons import Asked, Lesson, about_passages, asked_lessons, lessons
from kb.matcher import KNOTS, TYPICAL, Matcher
from kb.passages import passages_of
from kb.thresholds import RICHNESS, HeldOut

_LOYALTY = 5.0
_MOST_ASKED = 900
_STARTER = Path(__file__).with_name("starter")


def typical_of(knowledge: Knowledge, encoder: Encoder, seed: int = 0) -> tuple[Matcher, dict[str, HeldOut]]:
    """The matcher of all these kinds of bases, drawn to flat curves, and the held-out questions of each kind."""
    entries = knowledge.entries
    kinds = {str(similar): _with_similar(entries, similar, encoder, seed) for similar in RICHNESS}
    whole = lessons(Index(entries, encoder.encode_queries(texts(entries))), encoder.encode_queries, seed)
    matcher = fitted([*whole, *(lesson for taught in kinds.values() for lesson in taught)], flat(), _LOYALTY)
    judged = _judged(kinds, whole, matcher, seed)
    passages, judged["passages"] = cross_fitted(_about_texts(knowledge, encoder, seed), flat(), _LOYALTY, seed)
    return replace(matcher, passages=passages), judged


def flat() -> Matcher:
    """A matcher that knows nothing."""
    rises = [np.zeros(sum(len(KNOTS[name]) - 1 for name in names)) for names in (FEATURES, CIRCUMSTANCES)]
    return Matcher(rises[0], rises[1], 0.0)


def _with_similar(entries: Sequence[Entry], similar: int, encoder: Encoder, seed: int) -> list[Lesson]:
    random = np.random.default_rng(seed)
    kept, others = [], []
    for position, entry in enumerate(entries):
        order = random.permutation(len(entry.similar))
        kept.append(replace(entry, similar=tuple(entry.similar[i] for i in sorted(order[:similar]))))
        others += [(normalize(entry.similar[i]), position) for i in order[similar:]]
    chosen = [others[i] for i in sorted(random.permutation(len(others))[:_MOST_ASKED].tolist())]
    vectors = encoder.encode_queries([text for text, _ in chosen])
    asked = [
        Asked(Probe(text, vector), frozenset([position]))
        for (text, position), vector in zip(chosen, vectors, strict=True)
    ]
    index = Index(kept, encoder.encode_queries(texts(kept)))
    return asked_lessons(index, ~index.passage, asked, encoder.encode_queries, seed)


def _judged(kinds: dict[str, list[Lesson]], whole: list[Lesson], begin: Matcher, seed: int) -> dict[str, HeldOut]:
    """The lessons of each kind, judged by matchers fitted to the other folds of all of them."""
    everything = [*whole, *(lesson for taught in kinds.values() for lesson in taught)]
    fold = np.random.default_rng(seed).permutation(max(lesson.group for lesson in everything) + 1) % FOLDS
    matchers = [
        fitted([lesson for lesson in everything if fold[lesson.group] != held], flat(), _LOYALTY, begin)
        for held in range(FOLDS)
    ]
    return {
        kind: held_out(taught, [matchers[fold[lesson.group]].probabilities(lesson.evidence) for lesson in taught])
        for kind, taught in kinds.items()
    }


def _about_texts(knowledge: Knowledge, encoder: Encoder, seed: int) -> list[Lesson]:
    """Policies without the entries that cite them, and answers without their questions."""
    policies = [passage for policy in knowledge.policies for passage in passages_of(policy)]
    both = [*knowledge.entries, *policies]
    questions = encoder.encode_queries(texts(knowledge.entries))
    index = Index(both, np.concatenate([questions, encoder.encode_passages(texts(policies))]))
    about_policies = about_passages(index, encoder.encode_queries, seed)

    answers = [Entry(entry.id, "", answer=entry.answer) for entry in knowledge.entries]
    random = np.random.default_rng(seed)
    rows = sorted(random.permutation(len(questions))[:_MOST_ASKED].tolist())
    asked = [Asked(Probe(index.texts[row], index.vectors[row]), frozenset([int(index.owner[row])])) for row in rows]
    alone = Index(answers, encoder.encode_passages(texts(answers)))
    return [*about_policies, *asked_lessons(alone, alone.passage, asked, encoder.encode_queries, seed)]


def save(matcher: Matcher, judged: dict[str, HeldOut], directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    matcher.save(directory)
    for kind, questions in judged.items():
        (directory / kind).mkdir(exist_ok=True)
        questions.save(directory / kind)


if __name__ == "__main__":
    settings = Settings()
    save(*typical_of(read_knowledge(_STARTER), load_encoder(settings.encoder, settings.home)), TYPICAL)
