"""Figures as pages show them: what each is called, what it is, and which records are behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["count", "share", "ms", "minutes", "score"]


@dataclass(frozen=True)
class Figure:
    """`means` is the definition that the page shows; `records` names the list behind it, or is the path
    of the console's page that has it; empty where it stands on the same page. `better` says which way is good."""

    id: str
    label: str
    means: str
    unit: Unit = "count"
    records: str = ""
    better: Literal["up", "down", ""] = ""


def shown(
    figures: tuple[Figure, ...], now: dict[str, Any], before: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Each figure with its value, and the one of the period before."""
    return [{**vars(one), "value": now.get(one.id), "before": (before or {}).get(one.id)} for one in figures]


def share(part: float | None, whole: float | None) -> float | None:
    """None of nothing is no share."""
    return round(part / whole, 4) if part is not None and whole else None


def written(value: float | None, unit: str) -> str:
    """A value as people read it; a dash where there is none."""
    if value is None:
        return "—"
    match unit:
        case "share":
            return f"{value:.1%}"
        case "ms":
            return f"{value:.0f} 毫秒" if value < 1000 else f"{value / 1000:.1f} 秒"
        case "minutes":
            return f"{value:.0f} 分钟" if value < 90 else f"{value / 60:.1f} 小时"
        case "score":
            return f"{value:.2f}"
    return f"{value:,.0f}"
