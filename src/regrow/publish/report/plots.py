"""Charts of several series, and intervals side by side, as SVG coloured by the style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from regrow.evidence.pages.chart import Axes, nice
from regrow.evidence.pages.series import Series
from regrow.publish.report.results import Figure

ROW = 30
"""height of an interval's row"""
LABEL = 168
"""width of its label"""
PER_CHARACTER = 6.4


def lines(
    series: Sequence[Series],
    *,
    title: str,
    size: tuple[int, int] = (520, 250),
    marks: Sequence[float] = (),
    unit: str = "step",
    colours: Sequence[int] = (0, 1, 2, 3),
) -> str:
    """Several series over steps, bands where they have them; at least one, none without steps.

    `marks`: steps marked by a vertical line; `colours`: series i has the class s<colours[i]>.
    """
    values = [v for line in series for v in (*line.values, *line.low, *line.high)]
    ticks = nice(min(values), max(values), 4)
    first = min(line.steps[0] for line in series)
    last = max(line.steps[-1] for line in series)

    axes = Axes(size, (first, last), (ticks[0], ticks[-1]))
    x, y = axes.x, axes.y
    parts = axes.frame(title, ticks)
    for mark in marks:
        parts.append(
            f'<line class="mark-line" x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="{axes.top}" y2="{axes.floor}"/>'
        )
    for number, line in zip(colours, series, strict=False):
        if line.low:
            edge = [*zip(line.steps, line.high, strict=True)]
            edge += [*zip(line.steps, line.low, strict=True)][::-1]
            band = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in edge)
            parts.append(f'<polygon class="band s{number}" points="{band}"/>')
    for number, line in zip(colours, series, strict=False):
        points = [*zip(line.steps, line.values, strict=True)]
        path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
        parts.append(
            f'<polyline class="line s{number}" points="{path}"><title>{escape(line.name)}</title></polyline>'
        )
        if len(points) <= 12:
            parts += [
                f'<circle class="dot s{number}" cx="{x(step):.1f}" cy="{y(value):.1f}" r="3">'
                f"<title>{escape(line.name)}, {unit} {step:g}: {value:.3f}</title></circle>"
                for step, value in points
            ]
    return "".join(parts) + "</svg>"


def smooth(line: Series, window: int) -> Series:
    """The running mean of up to `window` steps around each."""
    half = window // 2
    values = []
    for i in range(len(line.values)):
        part = line.values[max(0, i - half) : i + half + 1]
        values.append(sum(part) / len(part))
    return Series(line.name, line.steps, values)


def forest(
    rows: Sequence[tuple[str, Figure, str]],
    *,
    title: str,
    span: tuple[float, float] | None = None,
    width: int = 520,
) -> str:
    """Intervals one below the other: (label, figure, class of the colour)."""
    low = min(figure.low for _, figure, _ in rows)
    high = max(figure.high for _, figure, _ in rows)
    ticks = nice(*(span or (low, high)), 4)
    lowest, highest = ticks[0], ticks[-1]
    left = LABEL
    longest = max(len(label) for label, _, _ in rows)
    left = int(min(LABEL, longest * PER_CHARACTER + 14))
    right, height = 56, ROW * len(rows) + 30

    def x(value: float) -> float:
        share = (value - lowest) / ((highest - lowest) or 1)
        return left + min(max(share, 0.0), 1.0) * (width - left - right)

    parts = [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" class="chart forest">',
        f"<title>{escape(title)}</title>",
    ]
    for tick in ticks:
        parts.append(
            f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="4" y2="{height - 26}"/>'
            f'<text class="tick" x="{x(tick):.1f}" y="{height - 10}" text-anchor="middle">{tick:g}</text>'
        )
    for number, (label, figure, css) in enumerate(rows):
        at = ROW * number + ROW / 2 + 2
        about = f"{label}: {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
        parts.append(
            f'<g class="{css}"><title>{escape(about)}</title>'
            f'<text class="label" x="{left - 10}" y="{at + 4:.1f}" text-anchor="end">{escape(label)}</text>'
            f'<line class="whisker" x1="{x(figure.low):.1f}" x2="{x(figure.high):.1f}" y1="{at}" y2="{at}"/>'
            f'<circle class="point" cx="{x(figure.value):.1f}" cy="{at}" r="4.5"/>'
            f'<text class="value" x="{width - 4}" y="{at + 4:.1f}" text-anchor="end">{figure.value:.3f}</text></g>'
        )
    return "".join(parts) + "</svg>"
