"""Weeks as a picture: lines over a year, one panel under the other, written as SVG by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_WIDTH, _PANEL, _LEFT, _RIGHT, _TOP, _GAP = 720, 190, 60, 190, 44, 44
_LINE = 15
_COLOURS = ("#1d4ed8", "#9ca3af", "#b45309", "#6b7280")


@dataclass(frozen=True)
class Panel:
    """`lines` are names with a value a week, None where there is none; `unit` is `%` for shares of one."""

    title: str
    lines: Mapping[str, Sequence[float | None]]
    unit: str = "%"
    most: float | None = None


def weekly(path: Path, title: str, panels: Sequence[Panel]) -> None:
    """Draw `panels` over the same weeks."""
    height = _TOP + len(panels) * (_PANEL + _GAP)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{title}</text>',
    ]
    for n, panel in enumerate(panels):
        drawn += _panel(panel, _TOP + n * (_PANEL + _GAP))
    path.write_text("\n".join([*drawn, "</svg>"]) + "\n", encoding="utf-8")


def _panel(panel: Panel, top: float) -> list[str]:
    values = [value for line in panel.lines.values() for value in line if value is not None]
    high = panel.most or (max(values, default=1) * 1.1 or 1)
    weeks = max(len(line) for line in panel.lines.values())
    base = top + _PANEL

    def x_of(week: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * week / max(weeks - 1, 1)

    def y_of(value: float) -> float:
        return base - (_PANEL - 18) * min(value / high, 1)

    drawn = [f'<text x="{_LEFT}" y="{top + 8}" font-weight="bold">{panel.title}</text>']
    for step in range(5):
        value = high * step / 4
        told = f"{value:.0%}" if panel.unit == "%" else f"{value:,.0f}"
        drawn.append(f'<path d="M{_LEFT} {y_of(value):.1f}H{_WIDTH - _RIGHT}" stroke="#e5e7eb"/>')
        drawn.append(f'<text x="{_LEFT - 6}" y="{y_of(value) + 4:.1f}" text-anchor="end">{told}</text>')
    step = 13 if weeks > 26 else 4 if weeks > 8 else 1
    for week in range(0, weeks, step):
        drawn.append(f'<text x="{x_of(week):.1f}" y="{base + 16}" text-anchor="middle">week {week + 1}</text>')
    labels = []
    for (name, line), colour in zip(panel.lines.items(), _COLOURS, strict=False):
        points = [(x_of(week), y_of(value)) for week, value in enumerate(line) if value is not None]
        if not points:
            continue
        told = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        drawn.append(f'<path d="M{told}" fill="none" stroke="{colour}" stroke-width="2"/>')
        labels.append((points[-1][1], name, colour))
    y = 0.0
    for wanted, name, colour in sorted(labels):
        y = max(wanted, y + _LINE)
        drawn.append(f'<text x="{_WIDTH - _RIGHT + 8}" y="{y + 4:.1f}" fill="{colour}">{name}</text>')
    return drawn
