"""Growth as a picture: lines over sizes, both axes logarithmic, written as SVG by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 360, 70, 170, 40, 50
_LINE = 15
_COLOURS = ("#1d4ed8", "#6b7280", "#60a5fa", "#9ca3af")


def growth(path: Path, title: str, across: str, up: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Draw `lines`, each a name with its (size, value) points, all above zero."""
    sizes = [x for points in lines.values() for x, _ in points]
    values = [y for points in lines.values() for _, y in points]
    x_of = _scale(min(sizes), max(sizes), _LEFT, _WIDTH - _RIGHT)
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
    y_of = _scale(low, high, _HEIGHT - _BOTTOM, _TOP)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{title}</text>',
        f'<text x="{_LEFT}" y="{_HEIGHT - 10}">{across}</text>',
        f'<text x="14" y="{_HEIGHT - _BOTTOM}" transform="rotate(-90 14 {_HEIGHT - _BOTTOM})">{up}</text>',
    ]
    for exponent in range(round(math.log10(low)), round(math.log10(high)) + 1):
        y = y_of(10**exponent)
        drawn.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#e5e7eb"/>')
        drawn.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10**exponent:,g}</text>')
    for size in sorted(set(sizes)):
        drawn.append(f'<text x="{x_of(size):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{size:,g}</text>')
    labels: list[tuple[float, str, str]] = []
    for (name, points), colour in zip(lines.items(), _COLOURS, strict=False):
        places = [(x_of(x), y_of(y)) for x, y in points]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        drawn.append(f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        labels.append((places[-1][1], name, colour))
    y = -math.inf
    for wanted, name, colour in sorted(labels):
        y = max(wanted, y + _LINE)
        drawn.append(f'<text x="{_WIDTH - _RIGHT + 8}" y="{y + 4:.1f}" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*drawn, "</svg>"]) + "\n", encoding="utf-8")


def _scale(low: float, high: float, begin: float, end: float):
    width = math.log(high / low) or 1.0
    return lambda value: begin + (end - begin) * math.log(value / low) / width
