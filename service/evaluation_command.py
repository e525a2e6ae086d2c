"""`fssc kb eval` as people see it: checked, told step by step, shown as a table, written as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from core.errors import InvalidInput
from core.settings import Settings
from kb.evaluation.questions import read_questions
from service.evaluation import measure
from service.progress import Steps

_STDOUT = Path("-")
_METHODS = {"encoder": "encoder", "bm25": "BM25", "rrf": "both, RRF"}
_ROWS = {
    "top1": "top-1",
    "top5": "top-5",
    "mrr10": "MRR@10",
    "coverage": "coverage: answered outright and right",
    "coverage_hindsight": "  with the best threshold for these questions",
    "coverage_hindsight_margin": "  and the margin weighed best",
    "wrong_rate": "wrong among all answered outright",
    "wrong_rate_half": "  the same, half out of scope",
    "out_of_scope_refused": "out of scope, refused",
    "ece": "calibration error",
    "search_ms_p50": "search, p50 ms",
    "search_ms_p95": "search, p95 ms",
}


def run_evaluation(
    settings: Settings,
    entries: Path,
    queries: Path,
    out_of_scope: Path | None,
    wrong_rate: float,
    limit: int | None,
    baselines: bool,
    target: Path | None,
    console: Console,
    talk: Console,
) -> None:
    """Measure and report; `talk` hears everything but the figures. Raises FSSCError with one line about what is wrong."""
    if not 0 < wrong_rate < 1:
        raise InvalidInput(f"--wrong-rate is a share between 0 and 1, such as 0.03; not {wrong_rate:g}")
    if target and target != _STDOUT and not target.resolve().parent.is_dir():
        raise InvalidInput(f"--json: there is no directory {target.resolve().parent}")
    questions = read_questions(entries, queries, out_of_scope)
    if limit:
        questions = questions.limited(limit)
    with Steps(talk) as progress:
        report = measure(settings, questions, wrong_rate, baselines, progress)
    text = json.dumps(report, ensure_ascii=False, indent=1)
    if target == _STDOUT:
        print(text)
        return
    if target:
        target.write_text(text + "\n", encoding="utf-8")
    _show(report, console)


def _show(report: dict[str, Any], console: Console) -> None:
    console.print(
        f"{report['entries']} entries, {report['queries']} queries, {report['out_of_scope']} out of scope; "
        f"built in {report['build_s']:.1f} s; answered outright from {report['answer_threshold']:.3f}, "
        f"for at most {report['accepted_wrong_rate']:.1%} wrong"
    )
    methods = {"FSSC Desk": report, **{_METHODS[name]: one for name, one in report.get("baselines", {}).items()}}
    table = Table("", *methods)
    for key, label in _ROWS.items():
        table.add_row(label, *(_figure(key, one.get(key)) for one in methods.values()))
    console.print(table)


def _figure(key: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if key.endswith(("p50", "p95")) else f"{value:.3f}"
