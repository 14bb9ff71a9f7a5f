"""Charts as SVG, drawn with nothing but text."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

_OURS: Final = "#c2410c"
_OTHERS: Final = "#64748b"
_FLOOR: Final = "#cbd5e1"
# In pixels: a row of bars, its label and its longest bar; a panel of lines and what is within.
_ROW: Final = 20
_LABEL: Final = 190
_WIDTH: Final = 460
_PANEL: Final = 250
_HIGH: Final = 150
_MARGIN: Final = 46


def bars(groups: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Return bars on a logarithmic scale, a group for each scenario."""
    values = [value for costs in groups.values() for value in costs.values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    scale = _WIDTH / (high - low)
    parts: list[str] = []
    y = 24
    for title, costs in groups.items():
        parts.append(_text(0, y, title, "font-weight='bold'"))
        y += 8
        for name, value in sorted(costs.items(), key=lambda pair: pair[1]):
            long = (math.log10(value) - low) * scale
            parts.append(_text(_LABEL - 8, y + 13, name, "text-anchor='end'"))
            parts.append(
                f"<rect x='{_LABEL}' y='{y + 3}' width='{long:.1f}' height='13' "
                f"fill='{_color(name)}'/>"
            )
            parts.append(_text(_LABEL + long + 5, y + 13, f"{value:.4g}"))
            y += _ROW
        y += 26
    parts.append(_text(_LABEL, y, f"{unit}, on a logarithmic scale"))
    return _svg(_LABEL + _WIDTH + 70, y + 12, parts)


def lines(panels: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Return a panel for each kind of growth, both scales logarithmic; dashes are in proportion."""
    parts: list[str] = []
    for number, (title, costs) in enumerate(panels.items()):
        left = (number % 3) * _PANEL + _MARGIN
        top = (number // 3) * (_HIGH + 70) + 30
        parts += _panel(left, top, title, [(int(size), cost) for size, cost in costs.items()])
    height = math.ceil(len(panels) / 3) * (_HIGH + 70) + 30
    parts.append(_text(_MARGIN, height - 8, f"{unit}; dashed: in proportion to the size"))
    return _svg(3 * _PANEL + 20, height, parts)


def _panel(left: float, top: float, title: str, points: Sequence[tuple[int, float]]) -> list[str]:
    wide = _PANEL - _MARGIN - 20
    largest = math.log10(max(size for size, _ in points))
    first = points[0][1]
    most = max(cost for _, cost in points)
    steep = max(most, first * points[-1][0] / points[0][0])
    low, high = math.log10(min(cost for _, cost in points)), math.log10(steep)

    def place(size: float, cost: float) -> str:
        x = left + math.log10(size) / largest * wide
        return f"{x:.1f},{top + _HIGH - (math.log10(cost) - low) / (high - low) * _HIGH:.1f}"

    proportion = " ".join(place(size, first * size / points[0][0]) for size, _ in points)
    measured = " ".join(place(size, cost) for size, cost in points)
    dots = [place(size, cost).split(",") for size, cost in points]
    return [
        _text(left, top - 10, title, "font-weight='bold'"),
        f"<path d='M{left},{top} h{wide} v{_HIGH} h-{wide} z' fill='none' stroke='{_FLOOR}'/>",
        f"<polyline points='{proportion}' fill='none' stroke='{_OTHERS}' stroke-dasharray='4'/>",
        f"<polyline points='{measured}' fill='none' stroke='{_OURS}' stroke-width='2'/>",
        *(f"<circle cx='{x}' cy='{y}' r='3' fill='{_OURS}'/>" for x, y in dots),
        _text(left, top + _HIGH + 16, f"{points[0][0]} to {points[-1][0]:,}"),
        _text(left, top + _HIGH + 31, f"{first * 1e6:,.0f} to {points[-1][1] * 1e6:,.0f} us"),
    ]


def _color(name: str) -> str:
    if name.startswith("ours"):
        return _OURS
    return _FLOOR if name.startswith("floor") else _OTHERS


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' {more}>{escape(text)}</text>"


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' "
        "font-family='sans-serif' font-size='12'>\n<rect width='100%' height='100%' fill='white'/>"
    )
    return "\n".join((head, *parts, "</svg>\n"))
