"""The rubric: items with weights, and vetoes that make everything else count for nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from core.errors import InvalidInput
from handoff.quality.wording import written

_ID = re.compile(r"[a-z][a-z0-9_]{0,29}")
MOST_ITEMS = 20
MOST_COMMENT = 500


def checked_rubric(body: Mapping[str, Any]) -> dict[str, Any]:
    """`body` as it is stored. Raises InvalidInput unless ids differ, names are there and weights sum to 100."""
    items = [{**_named(item), "weight": _whole(item.get("weight"), 1, 100, "权重")} for item in body.get("items") or []]
    vetoes = [_named(veto) for veto in body.get("vetoes") or []]
    if not 1 <= len(items) <= MOST_ITEMS or len(vetoes) > MOST_ITEMS:
        raise InvalidInput(f"评分项要有 1 到 {MOST_ITEMS} 项，一票否决项不超过 {MOST_ITEMS} 项。", code="rubric")
    ids = [one["id"] for one in (*items, *vetoes)]
    if len(set(ids)) != len(ids):
        raise InvalidInput("评分项的编号不能重复。", code="rubric")
    if (total := sum(item["weight"] for item in items)) != 100:
        raise InvalidInput(f"各评分项的权重之和要等于 100，现在是 {total}。", code="weights")
    return {
        "pass": _whole(body.get("pass"), 1, 100, "合格分"),
        "appeal_days": _whole(body.get("appeal_days"), 1, 30, "申诉工作日"),
        "items": items,
        "vetoes": vetoes,
    }


def _named(one: Mapping[str, Any]) -> dict[str, Any]:
    name, guide = written(one.get("name"), 31), written(one.get("guide"), 301)
    if not _ID.fullmatch(str(one.get("id") or "")) or not 0 < len(name) <= 30 or len(guide) > 300:
        raise InvalidInput("每个评分项要有编号（小写字母开头）、30 字以内的名称和 300 字以内的说明。", code="rubric")
    return {"id": one["id"], "name": name, "guide": guide}


def _whole(value: Any, least: int, most: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInput(f"{what}要填 {least} 到 {most} 的整数。", code="rubric")
    return value


def checked_points(
    rubric: Mapping[str, Any], points: Mapping[str, Mapping[str, Any]], vetoes: Sequence[str], comment: str
) -> tuple[dict[str, Any], list[str]]:
    """Points for every item, and the vetoes in the rubric's order. Raises InvalidInput for a missing item, points out of 0 to
    100, or points below the pass mark or a veto without a word why."""
    given = {}
    for item in rubric["items"]:
        one = points.get(item["id"])
        if one is None:
            raise InvalidInput(f"还没有给“{item['name']}”打分。", code="points")
        value = _whole(one.get("points"), 0, 100, f"“{item['name']}”的得分")
        why = written(one.get("comment"), MOST_COMMENT)
        if value < rubric["pass"] and not why:
            raise InvalidInput(f"“{item['name']}”低于 {rubric['pass']} 分，请写明扣分理由。", code="comment")
        given[item["id"]] = {"points": value, "comment": why}
    known = [veto["id"] for veto in rubric["vetoes"]]
    if set(points) - set(given) or set(vetoes) - set(known):
        raise InvalidInput("评分标准里没有这一项，请刷新后重新评分。", code="points")
    if vetoes and not written(comment, MOST_COMMENT):
        raise InvalidInput("一票否决要写明理由。", code="comment")
    return given, [veto for veto in known if veto in vetoes]


def total_of(rubric: Mapping[str, Any], points: Mapping[str, Mapping[str, Any]], vetoes: Sequence[str]) -> float:
    """0 to 100 with one decimal: the items' points by their weights; 0 with a veto."""
    if vetoes:
        return 0.0
    weighed = sum(item["weight"] * points[item["id"]]["points"] for item in rubric["items"])
    return float((Decimal(weighed) / 100).quantize(Decimal("0.1"), ROUND_HALF_UP))
