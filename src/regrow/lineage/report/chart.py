"""Line charts as SVG. Colours come from the page's style sheet, so dark mode reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from regrow.lineage.report.series import Series

MARGIN = (12, 14, 30, 46)
"""top, right, bottom, left"""


def line_chart(
    series: Series,
    *,
    title: str,
    size: tuple[int, int] = (520, 260),
    span: tuple[float, float] | None = None,
    dots: bool = False,
    marks: Sequence[int] = (),
) -> str:
    """One series over steps, with its interval as a band where it has one.

    Args:
        series: what to draw (at least one point).
        title: what a screen reader says.
        size: width and height in SVG units.
        span: lowest and highest value of the axis; default: those of the series.
        dots: mark each point.
        marks: steps marked on the axis (skipped ones).
    """
    width, height = size
    top, right, bottom, left = MARGIN
    values = [*series.values, *series.low, *series.high]
    lowest, highest = span or (min(values), max(values))
    ticks = nice(lowest, highest, 4)
    lowest, highest = min(lowest, ticks[0]), max(highest, ticks[-1])
    first, last = series.steps[0], series.steps[-1]

    def x(step: float) -> float:
        return left + (step - first) / max(last - first, 1) * (width - left - right)

    def y(value: float) -> float:
        share = (value - lowest) / ((highest - lowest) or 1)
        return height - bottom - share * (height - top - bottom)

    parts = [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" class="chart">',
        f"<title>{escape(title)}</title>",
    ]
    for tick in ticks:
        parts.append(
            f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
            f'<text class="tick" x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    for step in [tick for tick in nice(first, last, 5) if first <= tick <= last]:
        anchor = "end" if x(step) > width - right - 12 else "middle"
        parts.append(
            f'<text class="tick" x="{x(step):.1f}" y="{height - 10}" text-anchor="{anchor}">{step:g}</text>'
        )
    if series.low:
        edge = [*zip(series.steps, series.high, strict=True)]
        edge += [*zip(series.steps, series.low, strict=True)][::-1]
        band = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in edge)
        parts.append(f'<polygon class="band" points="{band}"/>')
    points = [*zip(series.steps, series.values, strict=True)]
    path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
    parts.append(f'<polyline class="line" points="{path}"/>')
    if dots:
        parts += [
            f'<circle class="dot" cx="{x(step):.1f}" cy="{y(value):.1f}" r="3">'
            f"<title>step {step}: {value:.3f}</title></circle>"
            for step, value in points
        ]
    parts += [
        f'<circle class="mark" cx="{x(step):.1f}" cy="{height - bottom}" r="3">'
        f"<title>step {step} was skipped</title></circle>"
        for step in marks
    ]
    return "".join(parts) + "</svg>"


def nice(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers that span low .. high, the first at or below low."""
    if high <= low:
        high = low + (abs(low) or 1)
    raw = (high - low) / count
    unit = 10.0 ** _floor_log10(raw)
    step = next((unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= raw), unit * 10)
    start = int(low // step)
    ticks = [round(start * step, 10)]
    while ticks[-1] < high - step * 1e-9:
        ticks.append(round((start + len(ticks)) * step, 10))
    return ticks


def _floor_log10(value: float) -> int:
    return int(f"{value:e}".split("e")[1])
