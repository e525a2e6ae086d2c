"""Rows that are one entry together: more similar questions, or more answers, below a question that is merged over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kb import limits
from kb.ingest.columns import LABELS
from kb.ingest.fields import Line
from kb.ingest.values import distinct
from kb.words import bare

_COUNTING = {"序号", "序", "行号", "项次", "no", "num", "number"}
_ADDED = ("similar", "answer", "sources", "aside")


def folded(lines: Iterator[Line]) -> Iterator[Line]:
    """Rows that only add to the row above become part of it, as sheets with merged cells have them.

    Where they add answers and cannot be one entry, all of them say why and stay out: none is the whole answer.
    """
    group: list[Line] = []
    for line in lines:
        if group:
            held = group[0]
            if _continues(held, line):
                held.fields["similar"] = [*held.fields["similar"], *line.fields["similar"]]
                held.notes += line.notes
                held.last_line = line.line
                continue
            if _below(held, line):
                group.append(line)
                continue
            if _unasked(group[-1], line):
                held.notes.append(f"第 {line.line} 行没有标准问，它的答案可能是接着这一条的，请核对")
            yield from _joined(group)
        group = [line]
    if group:
        yield from _joined(group)


def _continues(held: Line, line: Line) -> bool:
    if held.problems or line.problems or not line.fields.get("similar"):
        return False
    if any(
        not _blank(value) and value != held.fields.get(name) for name, value in line.fields.items() if name != "similar"
    ):
        return False
    known = {bare(one) for one in held.fields["similar"]}
    return any(bare(one) not in known for one in line.fields["similar"])


def _below(held: Line, line: Line) -> bool:
    """Whether a row answers on to the question that is merged over it, for whoever may see the row above."""
    merged = line.below and line.sheet == held.sheet and line.question == held.question
    return (
        merged
        and line.fields.get("answer", "") not in ("", held.fields.get("answer"))
        and not any(line.fields.get(name) not in (None, [], held.fields.get(name)) for name in ("companies", "groups"))
    )


def _unasked(last: Line, line: Line) -> bool:
    """Whether a row without a question answers right below another row."""
    next_ = max(last.line, last.last_line) + 1
    return (
        bool(line.fields.get("answer"))
        and not (line.question or line.id)
        and (line.sheet, line.line) == (last.sheet, next_)
    )


def _joined(group: list[Line]) -> list[Line]:
    held, last = group[0], group[-1]
    if len(group) == 1:
        if held.last_line > held.line:
            held.notes.append(f"第 {held.line}–{held.last_line} 行合为一条，相似问归到一起")
        return group
    answer = "\n".join(distinct(line.fields.get("answer", "") for line in group))
    if why := _apart(group) or ("合起来的答案太长" if len(answer) > limits.ANSWER else ""):
        for line in group:
            line.problems.append(
                f"标准问跨第 {held.line}–{last.line} 行合并，{why}，合不成一条完整的答案；"
                "请把答案写进一格，或取消合并、每行写成单独的问题后重新导入"
            )
        return group
    held.fields["answer"] = answer
    for name in ("similar", "sources"):
        if found := [one for line in group for one in line.fields.get(name, ())]:
            held.fields[name] = [one for n, one in enumerate(found) if one not in found[:n]]
    held.notes += [note for line in group[1:] for note in line.notes]
    held.notes.append(f"第 {held.line}–{last.line} 行合为一条，答案接在一起")
    held.last_line = last.line
    return [held]


def _apart(group: list[Line]) -> str:
    """Why rows below one question are not one entry; "" where they are."""
    held = group[0]
    if wrong := next((line for line in group if line.problems), None):
        return f"第 {wrong.line} 行不能导入"
    for line in group[1:]:
        for name, value in line.fields.items():
            if name not in _ADDED and not _blank(value) and value != held.fields.get(name):
                return f"“{LABELS.get(name, name)}”各行不同"
        for (name, value), (_, first) in zip(line.fields.get("aside", ()), held.fields.get("aside", ()), strict=False):
            if value and value != first and bare(name) not in _COUNTING:
                return f"“{name}”各行不同"
    return ""


def _blank(value: Any) -> bool:
    return not value or (isinstance(value, list) and all(isinstance(one, list) and not one[-1] for one in value))
