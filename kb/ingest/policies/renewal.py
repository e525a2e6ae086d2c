"""Which stored table of a policy a table of its new version renews, although its title or its article is another now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from core.errors import InvalidInput
from kb.ingest.policies.heads import CROSS
from kb.ingest.policies.standards import UNNAMED, Found, Setting, standard_of
from kb.ingest.policies.units import head_unit, measure_of

_MOST = 0.6
"""Tables are one where so large a share of their places is the same."""
_COMMON = re.compile(r"标准|限额|等级|一览|明细|费用?|额|表|[\s《》“”（）()]")
"""What titles of tables share that have nothing else in common."""

Places = dict[frozenset[str], Any]


def renewals(found: Sequence[Found], stored: Sequence[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """For every found table the body of the stored one that it renews; None for a new one, or where two are as likely.

    A title that says what the table is about decides; else its places do, such as 西藏 and 初级, with what stands at them.
    """
    pairs: dict[tuple[int, int], tuple[float, ...]] = {}
    for n, one in enumerate(found):
        for k, body in enumerate(stored):
            if rank := _rank(one, body):
                pairs[n, k] = rank
    taken: dict[int, int] = {}
    for (n, k), rank in sorted(pairs.items(), key=lambda pair: pair[1], reverse=True):
        rivals = [pair for pair, other in pairs.items() if other == rank and (pair[0] == n) != (pair[1] == k)]
        free = [pair for pair in rivals if pair[0] not in taken and pair[1] not in taken.values()]
        if n not in taken and k not in taken.values() and not free:
            taken[n] = k
    return [stored[taken[n]] if n in taken else None for n in range(len(found))]


def renewed(one: Found, before: dict[str, Any]) -> Setting:
    """The proposal with the stored table's id and title, and with its names of the dimensions that hold the same values."""
    proposal = one.proposal
    # The stored unit may not go over to a table whose columns or cells have units of their own.
    told = any(map(head_unit, one.header)) or any(
        (found := measure_of(cell)) and found.unit for row in one.rows for cell in row
    )
    unit = proposal.unit or ("" if told else str(before.get("unit") or ""))
    kept = replace(proposal, id=before["id"], title=before["title"], unit=unit)
    names = [_name_before(dimension, before) for dimension in _made(one)["dimensions"]]
    if not all(names) or len(set(names)) < len(names):
        return kept
    first = len(proposal.dimensions)
    dimensions = tuple(replace(one, name=name) for one, name in zip(proposal.dimensions, names, strict=False))
    return replace(kept, dimensions=dimensions, value_dimension=CROSS.join(names[first:]))


def _name_before(dimension: dict[str, Any], before: dict[str, Any]) -> str:
    """The stored dimension that has most of a dimension's values, `""` when none has any."""

    def shared(one: dict[str, Any]) -> int:
        return len(set(map(str, one["values"])) & set(dimension["values"]))

    best = max(before.get("dimensions") or (), key=shared, default=None)
    return best["name"] if best and shared(best) and CROSS not in best["name"] else ""


def _rank(one: Found, before: dict[str, Any]) -> tuple[float, ...] | None:
    """How likely a found table renews a stored one; None when it does not."""
    named = not UNNAMED.search(one.proposal.title) and not UNNAMED.search(before["title"])
    same_title = named and one.proposal.title == before["title"]
    now, was = _places(_made(one)), _places(before)
    both = now.keys() & was.keys()
    alike = 2 * len(both) / (len(now) + len(was)) if now and was else 0.0
    kept = sum(str(now[place]) == str(was[place]) for place in both) / len(both) if both else 0.0
    near = _likeness(one.proposal.title, before["title"]) if named else 0.0
    units = {one.proposal.unit, str(before.get("unit") or "")} - {""}
    if same_title or (alike >= _MOST and len(units) < 2 and (not named or near >= 0.5 or kept >= 0.5)):
        return same_title, alike, kept, near
    return None


def _made(one: Found) -> dict[str, Any]:
    """The table that the proposal makes, without rows where it makes none."""
    try:
        return standard_of({**one.proposal.as_dict(), "id": "x", "title": "x"}, one.header, one.rows)
    except InvalidInput:
        return {"dimensions": [], "rows": []}


def _places(table: dict[str, Any]) -> Places:
    """What stands at the values of the dimensions, whatever these are called and in which order they come."""
    names = [one["name"] for one in table.get("dimensions") or ()]
    return {
        frozenset(re.sub(r"\s+", "", str(row.get(name, ""))) for name in names): row.get("value")
        for row in table.get("rows") or ()
    }


def _likeness(first: str, second: str) -> float:
    return SequenceMatcher(None, _COMMON.sub("", first), _COMMON.sub("", second), autojunk=False).ratio()
