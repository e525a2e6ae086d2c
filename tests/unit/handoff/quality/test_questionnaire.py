"""Questionnaires: what may be asked, what may be answered, what came out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import SHANGHAI
from core.errors import InvalidInput
from handoff.quality.defaults import QUESTIONNAIRE
from handoff.quality.periods import bounds, week_of
from handoff.quality.questionnaire import checked_answers, checked_questionnaire, results

ASKED = QUESTIONNAIRE["questions"]
GOOD = {"overall": 5, "solved": "完全解决"}


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"overall": 5}, "您的问题解决了吗"),
        ({**GOOD, "overall": 6}, "重新回答"),
        ({**GOOD, "overall": True}, "重新回答"),
        ({**GOOD, "overall": "5"}, "重新回答"),
        ({**GOOD, "solved": "大概吧"}, "重新回答"),
        ({**GOOD, "solved": ["完全解决"]}, "重新回答"),
        ({**GOOD, "better": "更快回复"}, "重新回答"),
        ({**GOOD, "words": ["x"]}, "重新回答"),
        ({**GOOD, "other": 1}, "没有这道题"),
    ],
)
def test_what_was_not_asked_is_no_answer(answers: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        checked_answers(ASKED, answers)


def test_answers_are_kept_in_order_and_masked() -> None:
    kept = checked_answers(ASKED, {**GOOD, "better": ["系统更好用", "更快回复"], "words": " 打 13812345678 "})
    assert kept == {**GOOD, "better": ["更快回复", "系统更好用"], "words": "打 138****5678"}
    assert checked_answers(ASKED, {**GOOD, "better": [], "words": ""}) == GOOD


@given(st.lists(st.fixed_dictionaries({"overall": st.integers(1, 5)}, optional={"better": st.just(["更快回复"])})))
@settings(max_examples=40, deadline=None)
def test_counts_add_up_to_who_answered(given_answers: list[dict[str, Any]]) -> None:
    found = {one["id"]: one for one in results(ASKED, given_answers)}
    assert sum(one["count"] for one in found["overall"]["counts"]) == found["overall"]["answered"] == len(given_answers)
    scores = [one["overall"] for one in given_answers]
    assert found["overall"]["mean"] == (round(sum(scores) / len(scores), 2) if scores else None)
    assert found["better"]["answered"] == sum("better" in one for one in given_answers)


@pytest.mark.parametrize(
    "broken",
    [
        {"title": " "},
        {"questions": []},
        {"questions": [{**ASKED[0]}, {**ASKED[0]}]},
        {"questions": [{**ASKED[0], "kind": "date"}]},
        {"questions": [{**ASKED[1], "options": ["一", "一"]}]},
        {"questions": [{**ASKED[1], "options": ["一", " "]}]},
        {"questions": [{**ASKED[0], "text": ""}]},
    ],
)
def test_a_questionnaire_that_nobody_could_answer_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        checked_questionnaire({**QUESTIONNAIRE, **broken})


@given(st.datetimes(datetime(2004, 1, 1), datetime(2040, 1, 1)))
@settings(max_examples=60, deadline=None)
def test_every_moment_lies_in_its_own_week(moment: datetime) -> None:
    moment = moment.replace(tzinfo=SHANGHAI)
    start, end = bounds(week_of(moment))
    assert start <= moment < end and (end - start).days == 7 and start.weekday() == 0


def test_months_and_what_is_no_period() -> None:
    start, end = bounds("2026-12")
    assert (start.date(), end.date()) == (date(2026, 12, 1), date(2027, 1, 1))
    for wrong in ("2026-13", "2026-W54", "2026", "2026-W00"):
        with pytest.raises(InvalidInput):
            bounds(wrong)
