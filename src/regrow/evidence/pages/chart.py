"""Line charts as SVG. Colours come from the page's style sheet, so dark mode reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from regrow.evidence.pages.series import Series

MARGIN = (12, 14, 30, 46)
"""top, right, bottom, left"""


class Axes:
    """Where steps and values are in a drawing of `size`, and its frame."""

    def __init__(
        self, size: tuple[int, int], steps: tuple[int, int], values: tuple[float, float]
    ) -> None:
        self.width, self.height = size
        self.first, self.last = steps
        self.lowest, self.highest = values
        self.top, self.right, self.bottom, self.left = MARGIN
        self.floor = self.height - self.bottom

    def x(self, step: float) -> float:
        """The abscissa of a step."""
        room = self.width - self.left - self.right
        return self.left + (step - self.first) / max(self.last - self.first, 1) * room

    def y(self, value: float) -> float:
        """The ordinate of a value."""
        share = (value - self.lowest) / ((self.highest - self.lowest) or 1)
        return self.floor - share * (self.floor - self.top)

    def frame(self, title: str, ticks: Sequence[float]) -> list[str]:
        """The opening tag, the title, a grid line for each tick, and the steps below."""
        width, height = self.width, self.height
        parts = [
            f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" class="chart">',
            f"<title>{escape(title)}</title>",
        ]
        for tick in ticks:
            at = self.y(tick)
            parts.append(
                f'<line class="grid" x1="{self.left}" x2="{width - self.right}" y1="{at:.1f}" y2="{at:.1f}"/>'
                f'<text class="tick" x="{self.left - 6}" y="{at + 4:.1f}" text-anchor="end">{tick:g}</text>'
            )
        for step in nice(self.first, self.last, 5):
            if self.first <= step <= self.last:
                at = self.x(step)
                anchor = "end" if at > width - self.right - 12 else "middle"
                parts.append(
                    f'<text class="tick" x="{at:.1f}" y="{height - 10}" text-anchor="{anchor}">{step:g}</text>'
                )
        return parts


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
    values = [*series.values, *series.low, *series.high]
    lowest, highest = span or (min(values), max(values))
    ticks = nice(lowest, highest, 4)
    lowest, highest = min(lowest, ticks[0]), max(highest, ticks[-1])
    axes = Axes(size, (series.steps[0], series.steps[-1]), (lowest, highest))
    x, y = axes.x, axes.y
    parts = axes.frame(title, ticks)
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
        f'<circle class="mark" cx="{x(step):.1f}" cy="{axes.floor}" r="3">'
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
