"""The picture of a mix search: what the laws say of each proxy against what was measured, as one SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from regrow.evidence.pages.chart import nice

_SIDE, _GAP = 210, 70
"""of a panel, and between two, in SVG units"""
_TOP, _LEFT = 78, 52
_COLUMNS = 3
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.tick{fill:#777;font-size:11px}.head{font-weight:600}"
    ".frame{fill:none;stroke:#bbb}.equal{stroke:#bbb;stroke-dasharray:4 3}.fitted{fill:#9aa5b1}"
    ".held{fill:#c2410c}.natural{fill:none;stroke:#1d4ed8;stroke-width:2}"
)


def picture(found: Mapping[str, Any]) -> str:
    """An SVG with a panel per hold-out domain, and one of their weighted mean.

    `found`: the content of mixture.json.
    """
    weights = {name: one["weight"] for name, one in found["targets"].items()}
    worth = found["worth"]["held_out"]
    panels = [_panel(found, {name: 1.0}, name, worth["targets"][name]) for name in sorted(weights)]
    panels.append(_panel(found, weights, "weighted mean", worth["mean"]))
    rows = -(-len(panels) // _COLUMNS)
    width = _LEFT + min(len(panels), _COLUMNS) * (_SIDE + _GAP)
    height = _TOP + rows * (_SIDE + _GAP)
    title = "Mix search: predicted and measured bits per byte"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">',
        f"<title>{title}</title><style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20">Bits per byte on held-out text, predicted (across) and measured (up):</text>',
    ]
    legend = (("fitted", "fitted"), ("held", "held out"), ("natural", "the natural mix"))
    for place, (css, text) in enumerate(legend):
        at = _LEFT + 6 + 110 * place
        parts.append(
            f'<circle class="{css}" cx="{at}" cy="36" r="4"/><text x="{at + 10}" y="40">{text}</text>'
        )
    for place, panel in enumerate(panels):
        row, column = divmod(place, _COLUMNS)
        x, y = _LEFT + column * (_SIDE + _GAP), _TOP + 12 + row * (_SIDE + _GAP)
        parts.append(f'<g transform="translate({x} {y})">{panel}</g>')
    return "".join(parts) + "</svg>\n"


def _panel(
    found: Mapping[str, Any], weights: Mapping[str, float], name: str, worth: Mapping[str, Any]
) -> str:
    points = [
        (
            sum(w * one["predicted"][target]["log_linear"] for target, w in weights.items()),
            sum(w * one["measured"][target] for target, w in weights.items()),
            one["held_out"],
            proxy,
        )
        for proxy, one in sorted(found["proxies"].items())
    ]
    ticks = nice(min(min(p[:2]) for p in points), max(max(p[:2]) for p in points), 4)
    low, high = ticks[0], ticks[-1]
    parts = [
        f'<text class="head" y="-22">{escape(name)}</text>',
        f'<text class="tick" y="-7">{_said(worth["log_linear"])}</text>',
        f'<rect class="frame" width="{_SIDE}" height="{_SIDE}"/>',
        f'<line class="equal" x1="0" y1="{_SIDE}" x2="{_SIDE}" y2="0"/>',
    ]

    def at(value: float) -> float:
        return (value - low) / ((high - low) or 1) * _SIDE

    parts += _ticks(ticks, at)
    for predicted, measured, held_out, proxy in points:
        css = "held" if held_out else "natural" if proxy.endswith("_000") else "fitted"
        parts.append(
            f'<circle class="{css}" cx="{at(predicted):.1f}" cy="{_SIDE - at(measured):.1f}" r="4">'
            f"<title>{escape(proxy)}: {predicted:.3f} predicted, {measured:.3f} measured</title></circle>"
        )
    return "".join(parts)


def _ticks(ticks: Sequence[float], at: Any) -> list[str]:
    return [
        f'<text class="tick" x="{at(tick):.1f}" y="{_SIDE + 15}" text-anchor="middle">{tick:g}</text>'
        f'<text class="tick" x="-6" y="{_SIDE - at(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for tick in ticks
    ]


def _said(worth: Mapping[str, Any]) -> str:
    if worth["error"] is None:
        return "none held out"
    rank = "" if worth["rank"] is None else f"rank correlation {worth['rank']:.2f}, "
    return f"held out: {rank}error {worth['error']:.3f}"
