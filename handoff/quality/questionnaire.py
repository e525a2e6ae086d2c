"""Questionnaires: scores, choices and words; what may be asked, what may be answered, what came out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import InvalidInput
from core.privacy import mask
from handoff.quality.wording import written

KINDS = ("score", "choice", "text")
MOST_QUESTIONS = 20
MOST_WORDS = 500
_ID = re.compile(r"[a-z][a-z0-9_]{0,29}")


def checked_questionnaire(body: Mapping[str, Any]) -> dict[str, Any]:
    """`{title, intro, questions}` as stored. Raises InvalidInput for one that nobody could answer."""
    title, intro = written(body.get("title"), 61), written(body.get("intro"), 301)
    if not 0 < len(title) <= 60 or len(intro) > 300:
        raise InvalidInput("问卷要有 60 字以内的标题，开场白不超过 300 字。", code="questionnaire")
    questions = [_question(one) for one in body.get("questions") or []]
    if not 1 <= len(questions) <= MOST_QUESTIONS:
        raise InvalidInput(f"问卷要有 1 到 {MOST_QUESTIONS} 道题。", code="questionnaire")
    if len({one["id"] for one in questions}) != len(questions):
        raise InvalidInput("题目的编号不能重复。", code="questionnaire")
    return {"title": title, "intro": intro, "questions": questions}


def _question(one: Mapping[str, Any]) -> dict[str, Any]:
    text = written(one.get("text"), 201)
    if not _ID.fullmatch(str(one.get("id") or "")) or one.get("kind") not in KINDS or not 0 < len(text) <= 200:
        raise InvalidInput("每道题要有编号、题型（打分、选择或文字）和 200 字以内的题目。", code="questionnaire")
    options = []
    if one["kind"] == "choice":
        options = [written(option, 61) for option in one.get("options") or []]
        if (
            not 2 <= len(options) <= 20
            or len(set(options)) != len(options)
            or not all(0 < len(o) <= 60 for o in options)
        ):
            raise InvalidInput(f"“{text}”要有 2 到 20 个互不相同的选项，每个不超过 60 字。", code="questionnaire")
    return {
        "id": one["id"],
        "kind": one["kind"],
        "text": text,
        "options": options,
        "many": bool(one.get("many")) and one["kind"] == "choice",
        "required": bool(one.get("required")),
    }


def checked_answers(questions: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers by question id: 1 to 5, an option (a list of them where many may be chosen), or words, masked.

    Raises InvalidInput naming the question that is missing or answered with what was not offered.
    """
    kept = {}
    for question in questions:
        value = answers.get(question["id"])
        if value in (None, "", []):
            if question["required"]:
                raise InvalidInput(f"请回答：{question['text']}", code="answer_missing")
            continue
        kept[question["id"]] = _answer(question, value)
    if set(answers) - {question["id"] for question in questions}:
        raise InvalidInput("问卷里没有这道题，请刷新后重试。", code="answer_unknown")
    return kept


def _answer(question: Mapping[str, Any], value: Any) -> Any:
    wrong = InvalidInput(f"请重新回答：{question['text']}", code="answer_invalid")
    if question["kind"] == "score":
        if isinstance(value, bool) or value not in (1, 2, 3, 4, 5) or not isinstance(value, int):
            raise wrong
        return value
    if question["kind"] == "text":
        if not isinstance(value, str):
            raise wrong
        return mask(written(value, MOST_WORDS))
    chosen = value if question["many"] else [value]
    if not isinstance(chosen, list) or any(one not in question["options"] for one in chosen):
        raise wrong
    ordered = [option for option in question["options"] if option in chosen]
    return ordered if question["many"] else ordered[0]


def results(questions: Sequence[Mapping[str, Any]], answers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each question `{id, kind, text, answered, counts, mean, words}`: counts by score or option, the mean score, words."""
    given = list(answers)
    found = []
    for question in questions:
        values = [one[question["id"]] for one in given if question["id"] in one]
        result: dict[str, Any] = {
            "id": question["id"],
            "kind": question["kind"],
            "text": question["text"],
            "answered": len(values),
            "counts": [],
            "mean": None,
            "words": [],
        }
        if question["kind"] == "text":
            result["words"] = values
        else:
            offered = [5, 4, 3, 2, 1] if question["kind"] == "score" else question["options"]
            counted = Counter(one for value in values for one in (value if isinstance(value, list) else [value]))
            result["counts"] = [{"option": str(option), "count": counted[option]} for option in offered]
            if question["kind"] == "score" and values:
                result["mean"] = round(sum(values) / len(values), 2)
        found.append(result)
    return found
