"""What each part of retrieval is worth: the table of docs/retrieval.md.

    .venv/bin/python -m bench.ablation --entries E.tsv --queries Q.tsv [--out-of-scope O.txt] [--limit N] [--json FILE]

The files are those of `fssc kb eval`. A part is taken away by setting what it says to zero before the matcher is fitted,
thresholds are chosen and the questions are asked, so each row is what a product without that part would be.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import kb.lessons
import kb.search
from core.errors import FSSCError
from kb.encoder import Encoder, load_encoder
from kb.evaluate import evaluate
from kb.evaluation.baselines import baselines
from kb.evaluation.questions import Questions, read_questions
from kb.evaluation.remembering import Remembering
from kb.features import CIRCUMSTANCES, FEATURES, Evidence, Probe, gather
from kb.fitting import fit, is_silent, typical_for
from kb.index import Index
from kb.matcher import Matcher
from kb.search import Searcher
from kb.thresholds import TYPICAL, Thresholds, choose

PARTS = {
    "kernel estimate": ("kriging", "novelty"),
    "nearest question": ("similarity", "consensus"),
    "words and characters": ("characters", "asked", "told", "unknown"),
    "sound (pinyin)": ("sound",),
    "answer": ("answer",),
    "numbers": ("numbers",),
    "scene": ("scene",),
    "length": ("brevity",),
}
"""Parts by the beginnings of their features' names, `best_` aside; the order is that in which the table adds them. A
feature that is in none of them is a part of its own."""

_SHOWN = ("top1", "top5", "coverage", "wrong_rate_half", "out_of_scope_refused", "ece")


def part_of(name: str) -> str:
    bare = name.removeprefix("best_")
    return next((part for part, begins in PARTS.items() if bare.startswith(begins)), name)


class Ablation:
    """Rows of the table, each gathered evidence kept from row to row."""

    def __init__(self, questions: Questions, encoder: Remembering, wrong_rate: float) -> None:
        self._questions = questions
        self._encoder = encoder
        self._wrong_rate = wrong_rate
        encoder.encode_queries(questions.texts)
        self._index = Index.encoded(questions.entries, encoder)
        self._gathered: dict[tuple, Evidence] = {}
        names = dict.fromkeys(part_of(name) for name in (*FEATURES, *CIRCUMSTANCES))
        self.parts = [part for part in dict.fromkeys([*PARTS, *names]) if part in names]

    def without(self, parts: Sequence[str]) -> dict[str, Any]:
        """The figures when these parts say nothing."""
        with self._silent(parts):
            fitted = fit(self._questions.entries, self._index.vectors, self._encoder.encode_queries, index=self._index)
            return self._figures(fitted.matcher, choose(fitted.held_out, self._wrong_rate))

    def unfitted(self) -> dict[str, Any]:
        """The matcher that a small knowledge base begins with, its probabilities taken at their word."""
        with self._silent(()):
            return self._figures(typical_for(is_silent(self._questions.entries)), TYPICAL)

    def at_its_word(self) -> dict[str, Any]:
        """Fitted, but answered outright from a fixed probability: one less the accepted rate."""
        with self._silent(()):
            fitted = fit(self._questions.entries, self._index.vectors, self._encoder.encode_queries, index=self._index)
            return self._figures(fitted.matcher, Thresholds(1 - self._wrong_rate, TYPICAL.clarify, self._wrong_rate))

    def _figures(self, matcher: Matcher, thresholds: Thresholds) -> dict[str, Any]:
        searcher = Searcher.of(self._index, matcher, thresholds, self._encoder.encode_queries, 1)
        return asdict(evaluate(searcher, self._questions.queries, self._questions.out_of_scope, date.today()))

    @contextmanager
    def _silent(self, parts: Sequence[str]) -> Iterator[None]:
        features = np.array([part_of(name) not in parts for name in FEATURES], float)
        circumstances = np.array([part_of(name) not in parts for name in CIRCUMSTANCES], float)

        def heard(
            index: Index, probe: Probe, allowed: np.ndarray, without: Sequence[int] = (), **wording: Any
        ) -> Evidence:
            key = (probe.text, probe.page, probe.node, np.packbits(allowed).tobytes(), str(without))
            if key not in self._gathered:
                self._gathered[key] = gather(index, probe, allowed, without, **wording)
            found = self._gathered[key]
            return replace(found, features=found.features * features, circumstances=found.circumstances * circumstances)

        modules = [module for module in (kb.lessons, kb.search) if hasattr(module, "gather")]
        for module in modules:
            module.gather = heard
        try:
            yield
        finally:
            for module in modules:
                module.gather = gather


def table(questions: Questions, encoder: Encoder, wrong_rate: float, told: Callable[[str], None]) -> dict[str, Any]:
    """Figures by the name of the row, in the table's order."""
    ablation = Ablation(questions, Remembering(encoder), wrong_rate)
    rows: dict[str, Any] = {}

    def row(name: str, figures: dict[str, Any]) -> None:
        rows[name] = figures
        told(name)

    labels = {"encoder": "encoder alone", "bm25": "BM25 alone", "rrf": "both merged (RRF)"}
    for name, figures in baselines(questions, Remembering(encoder.plain), wrong_rate, lambda *_: None).items():
        row(labels[name], figures)
    silent = list(ablation.parts)
    for part in ablation.parts[:-1]:
        silent.remove(part)
        row(f"{'+ ' if rows.keys() - labels.values() else ''}{part}", ablation.without(silent))
    row("**all parts**", ablation.without(()))
    for part in ablation.parts:
        row(f"all without: {part}", ablation.without([part]))
    row("all, answered from a fixed probability", ablation.at_its_word())
    row("all, matcher not fitted to these entries", ablation.unfitted())
    return rows


def markdown(rows: dict[str, Any]) -> str:
    lines = [
        "| | top-1 | top-5 | coverage | wrong, half out of scope | refused | ECE |",
        "| --- |" + " ---: |" * len(_SHOWN),
    ]
    for name, figures in rows.items():
        shown = ("–" if figures[key] is None else f"{figures[key]:.3f}".lstrip("0") for key in _SHOWN)
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--out-of-scope", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--wrong-rate", type=float, default=0.03)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    try:
        questions = read_questions(options.entries, options.queries, options.out_of_scope)
    except FSSCError as error:
        sys.exit(f"✗ {error.message}")
    if options.limit:
        questions = questions.limited(options.limit)
    encoder = load_encoder(None, Path(os.environ.get("FSSC_HOME", "var")))
    rows = table(questions, encoder, options.wrong_rate, lambda name: print(f"▸ {name}", file=sys.stderr, flush=True))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    print(markdown(rows))


if __name__ == "__main__":
    main()
