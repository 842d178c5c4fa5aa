"""The comparison as a picture: a panel per figure, a dot and its interval per checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from regrow.ask.evals.compare import blocks
from regrow.ask.evals.read import Evaluation
from regrow.evidence.pages.chart import nice

ROW, HEAD, FOOT = 20, 30, 26
WIDTH, LEFT, RIGHT = 480, 190, 16
GAP = 18
COLUMNS = 2

STYLE = """
svg { background: #fff; font: 12px system-ui, sans-serif; }
.title { font-weight: 600; fill: #1a1a1a; } .name, .tick { fill: #444; } .tick { font-size: 10px; }
.grid { stroke: #ddd; } .whisker { stroke: #2563ab; stroke-width: 2; } .dot { fill: #2563ab; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; } .title { fill: #eee; } .name, .tick { fill: #bbb; }
  .grid { stroke: #333; } .whisker { stroke: #6aa9e9; } .dot { fill: #6aa9e9; }
}
"""


def svg(evaluations: Sequence[Evaluation]) -> str:
    """The picture as an SVG file with its own style."""
    panels = []
    for _, columns, rows in blocks(evaluations):
        for i, column in enumerate(columns):
            points = [(e.name, f[i]) for e, f in rows if f[i] is not None]
            arrow = {"higher": " (higher is better)", "lower": " (lower is better)"}
            panels.append(_panel(column.heading + arrow.get(column.better, ""), points))
    lines, y, total = [], GAP, 0
    for first in range(0, len(panels), COLUMNS):
        pair = panels[first : first + COLUMNS]
        for i, (_, body) in enumerate(pair):
            lines.append(f'<g transform="translate({GAP + i * (WIDTH + GAP)} {y})">{body}</g>')
        y += max(height for height, _ in pair) + GAP
        total = y
    width = GAP + COLUMNS * (WIDTH + GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" role="img">'
    title = "<title>Evaluations with 95 % intervals</title>"
    return f"{head}<style>{STYLE}</style>{title}{''.join(lines)}</svg>\n"


def html(evaluations: Sequence[Evaluation]) -> str:
    """The picture in a page."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Regrow: evaluations</title>'
        '<meta name="viewport" content="width=device-width">'
        f'<body style="margin:0">{svg(evaluations)}</body></html>\n'
    )


def _panel(title: str, points: Sequence[tuple[str, Mapping[str, Any] | None]]) -> tuple[int, str]:
    """Height and content of a panel."""
    known = [(name, point) for name, point in points if point is not None]
    ticks = nice(min(p["low"] for _, p in known), max(p["high"] for _, p in known), 4)
    low, high = ticks[0], ticks[-1]
    bottom = HEAD + ROW * len(known)

    def x(value: float) -> float:
        return LEFT + (value - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT)

    parts = [f'<text class="title" x="0" y="14">{escape(title)}</text>']
    for tick in ticks:
        parts.append(
            f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{HEAD - 4}" y2="{bottom}"/>'
            f'<text class="tick" x="{x(tick):.1f}" y="{bottom + 14}" text-anchor="middle">{tick:g}</text>'
        )
    for i, (name, p) in enumerate(known):
        y = HEAD + ROW * i + ROW // 2
        about = f"{name}: {p['value']:.3f} [{p['low']:.3f}, {p['high']:.3f}], {p['items']} items"
        parts.append(
            f'<g><title>{escape(about)}</title><text class="name" x="{LEFT - 10}" y="{y + 4}" '
            f'text-anchor="end">{escape(name)}</text><line class="whisker" x1="{x(p["low"]):.1f}" '
            f'x2="{x(p["high"]):.1f}" y1="{y}" y2="{y}"/><circle class="dot" '
            f'cx="{x(p["value"]):.1f}" cy="{y}" r="4"/></g>'
        )
    return bottom + FOOT, "".join(parts)
