"""What the texts of a release are made of: normalized, cut into words and characters. Made once a text, then kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core.text import normalize
from kb.entries import Entry
from kb.terms import Terms
from kb.words import characters, syllables, words


def asked(entry: Entry) -> tuple[str, ...]:
    """The texts that an entry is found by: its questions; for a passage its title and text."""
    return entry.questions or (f"{entry.title}\n{entry.answer}".strip(),)


class Tokens:
    """Immutable. `texts` are the normalized rows of an index, entry by entry; `words`, `characters` and `syllables` hold
    theirs, `answers` the words of each entry's answer."""

    def __init__(
        self,
        texts: list[str],
        keys: np.ndarray,
        words: Terms,
        characters: Terms,
        syllables: Terms,
        answers: Terms,
        answer_keys: np.ndarray,
    ) -> None:
        self.texts = texts
        self.words = words
        self.characters = characters
        self.syllables = syllables
        self.answers = answers
        self._keys = keys
        self._answer_keys = answer_keys

    @classmethod
    def of(cls, entries: Sequence[Entry], before: Tokens | None = None) -> Tokens:
        """The tokens of these entries; what `before` holds already is not cut again."""
        before = before or _nothing()
        raw = [text for entry in entries for text in asked(entry)]
        keys, answer_keys = _digests(raw), _digests([entry.answer for entry in entries])
        kept, kept_answers = _places(keys, before._keys), _places(answer_keys, before._answer_keys)
        texts = [
            before.texts[row] if row >= 0 else normalize(text) for text, row in zip(raw, kept.tolist(), strict=True)
        ]
        new = [text for text, row in zip(texts, kept, strict=True) if row < 0]
        told = [entry.answer for entry, row in zip(entries, kept_answers, strict=True) if row < 0]
        return cls(
            texts,
            keys,
            before.words.grown(kept, map(words, new)),
            before.characters.grown(kept, map(characters, new)),
            before.syllables.grown(kept, map(syllables, new)),
            before.answers.grown(kept_answers, map(words, told)),
            answer_keys,
        )

    def save(self, directory: Path) -> None:
        """Write `texts.json`, `keys.npz` and the terms into an existing directory."""
        (directory / "texts.json").write_text(json.dumps(self.texts, ensure_ascii=False), encoding="utf-8")
        np.savez(directory / "keys.npz", rows=self._keys, answers=self._answer_keys)
        for name, terms in self._parts():
            terms.save(directory, name)

    @classmethod
    def load(cls, directory: Path) -> Tokens:
        """Read what `save` wrote. OSError, KeyError or ValueError when it is missing or damaged."""
        texts = json.loads((directory / "texts.json").read_text(encoding="utf-8"))
        with np.load(directory / "keys.npz", allow_pickle=False) as stored:
            keys, answer_keys = stored["rows"], stored["answers"]
        *rows, answers = (Terms.load(directory, name) for name in ("words", "characters", "syllables", "answers"))
        if any(len(terms) != len(texts) for terms in (keys, *rows)) or len(answer_keys) != len(answers):
            raise ValueError(f"{directory} does not hold the tokens of one release")
        return cls(texts, keys, *rows, answers, answer_keys)

    def _parts(self) -> Iterator[tuple[str, Terms]]:
        yield from (("words", self.words), ("characters", self.characters))
        yield from (("syllables", self.syllables), ("answers", self.answers))


def _nothing() -> Tokens:
    return Tokens([], _digests([]), Terms.of([]), Terms.of([]), Terms.of([]), Terms.of([]), _digests([]))


def _digests(texts: Sequence[str]) -> np.ndarray:
    made = (hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in texts)
    return np.frombuffer(b"".join(made), "V16") if texts else np.empty(0, "V16")


def _places(wanted: np.ndarray, held: np.ndarray) -> np.ndarray:
    """The row of each of the `wanted` digests among those `held`, -1 where it is new: (wanted,) int64."""
    row_of = {key: row for row, key in enumerate(held.tolist())}
    return np.array([row_of.get(key, -1) for key in wanted.tolist()], np.int64)
