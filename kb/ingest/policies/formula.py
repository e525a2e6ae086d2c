"""Word's equations (Office Math) as one line of text: (a+b)/c, x^2, √(y)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
ROOTS = {f"{_MATH}oMath", f"{_MATH}oMathPara"}


def linear(element: Any, left_out: Callable[[Any], bool]) -> str:
    """The text of an equation or a part of it. Nothing of what `left_out` says yes to is read."""
    if not isinstance(element.tag, str) or element.tag.endswith("Pr") or left_out(element):
        return ""
    if element.tag == f"{_MATH}t":
        return element.text or ""

    def part(name: str) -> str:
        return "".join(linear(one, left_out) for one in element.findall(_MATH + name))

    kind = element.tag.removeprefix(_MATH)
    if kind == "f":
        return f"{_grouped(part('num'))}/{_grouped(part('den'))}"
    if kind in ("sSub", "sSup", "sSubSup"):
        return part("e") + _script("_", part("sub")) + _script("^", part("sup"))
    if kind == "rad":
        return f"{part('deg')}√({part('e')})"
    if kind == "nary":
        return _property(element, "chr", "∫") + _script("_", part("sub")) + _script("^", part("sup")) + part("e")
    if kind == "d":
        inner = _property(element, "sepChr", "|").join(linear(one, left_out) for one in element.findall(f"{_MATH}e"))
        return _property(element, "begChr", "(") + inner + _property(element, "endChr", ")")
    if kind in ("eqArr", "m", "mr"):
        rows = (linear(one, left_out) for one in element if one.tag in (f"{_MATH}e", f"{_MATH}mr"))
        return ("；" if kind == "eqArr" else " ").join(rows)
    return "".join(linear(one, left_out) for one in element)


def _grouped(text: str) -> str:
    """In brackets where a sign stands in it: without them (a+b)/c would read as a+b/c."""
    return text if all(c.isalnum() or c in ".%％" for c in text) else f"({text})"


def _script(sign: str, text: str) -> str:
    return sign + _grouped(text) if text else ""


def _property(element: Any, name: str, otherwise: str) -> str:
    """A sign that an equation's part names; empty where it names none on purpose."""
    found = element.find(f"{_MATH}{element.tag.removeprefix(_MATH)}Pr/{_MATH}{name}")
    return found.get(f"{_MATH}val", "") if found is not None else otherwise
