"""The texts of a workbook with what they look like: struck out, raised, lowered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

_NS = f"{{{SHEET_MAIN_NS}}}"
_SIGNS = "0123456789+-=()n"
_RAISED = dict(zip(_SIGNS, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ", strict=True))
_LOWERED = dict(zip(_SIGNS[:-1], "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", strict=True))


class Run(NamedTuple):
    """A piece of a text; `struck` is None where it looks as its cell does, `place` is superscript, subscript or empty."""

    text: str
    struck: bool | None
    place: str


class Styled(str):
    """A text of several runs."""

    runs: tuple[Run, ...]

    def __new__(cls, runs: tuple[Run, ...]) -> Styled:
        text = super().__new__(cls, "".join(run.text for run in runs))
        text.runs = runs
        return text


def shared_strings(source: IO[bytes]) -> Iterator[str]:
    """The table of texts that the cells of a workbook share."""
    for _, element in iterparse(source):
        if element.tag == f"{_NS}si":
            yield string_of(element)
            element.clear()


def string_of(element: Any) -> str:
    """The text of a `si` or `is`."""
    plain = element.findtext(f"{_NS}t") or ""
    runs = tuple(map(_run, element.findall(f"{_NS}r")))
    return Styled((*((Run(_decoded(plain), None, ""),) if plain else ()), *runs)) if runs else _decoded(plain)


def seen(text: str, struck: bool) -> tuple[str, list[str]]:
    """What of a text is not struck out, in a cell that is `struck` or not, and what a person should be told of it.

    Raised and lowered figures stay apart from those before them: 800元¹.
    """
    runs = text.runs if isinstance(text, Styled) else (Run(text, None, ""),)
    left = [run for run in runs if not (struck if run.struck is None else run.struck)]
    notes = []
    if any(run.text.strip() for run in runs if run not in left):
        notes.append("带删除线的文字没有读取；如仍然有效，请去掉删除线后再导入")
    if marks := [run.text.strip() for run in left if run.place and run.text.strip()]:
        notes.append(f"有上标或下标“{'、'.join(marks)[:30]}”；如果是注释的序号，请把注释写进答案")
    return "".join(map(_placed, left)), notes


def _run(element: Any) -> Run:
    look = element.find(f"{_NS}rPr")
    text = _decoded(element.findtext(f"{_NS}t") or "")
    if look is None:
        return Run(text, None, "")
    strike, place = look.find(f"{_NS}strike"), look.find(f"{_NS}vertAlign")
    struck = strike is not None and strike.get("val", "1") not in ("0", "false")
    where = place.get("val", "") if place is not None else ""
    return Run(text, struck, where if where in ("superscript", "subscript") else "")


def _placed(run: Run) -> str:
    signs = {"superscript": _RAISED, "subscript": _LOWERED}.get(run.place, {})
    return "".join(signs[c] for c in run.text) if run.text and all(c in signs for c in run.text) else run.text


def _decoded(text: str) -> str:
    return text.replace("x005F_", "")
