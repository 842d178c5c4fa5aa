"""The funnel as a Sankey picture: documents from step to step, coloured by source, and what leaves them.

Drawn twice from one geometry: flowing to the right for wide screens, downwards for narrow ones; the style sheet shows
one. `along` is the direction of the flow, `across` the one in which widths are numbers of documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from regrow.engine.visible import visible
from regrow.publish.funnel.flows import REASONS, Column, Flows

BAR = 9
"""thickness of a step's bar"""
PAD = 14
"""between what goes on, what is held out and what is lost"""
LONGEST = 21
"""characters of a reason; the whole is in its title"""


@dataclass(frozen=True)
class Shape:
    """Sizes of a picture, in its own units."""

    down: bool
    across: float
    """of all documents that came in"""
    gap: float
    """from step to step"""
    turn: float
    """share of the gap after which what is dropped ends"""
    start: tuple[float, float]
    """along, across of the first bar"""
    end: float
    """along, behind the last bar"""
    room: float
    """across, behind the widest drop: for its label"""


WIDE = Shape(False, 330, 152, 0.55, (6, 44), 76, 66)
NARROW = Shape(True, 262, 136, 0.45, (34, 4), 26, 60)


def sankey(found: Flows, title: str) -> str:
    """Both pictures as SVG; "" where no document came in."""
    if not found.columns or not found.columns[0].total.met:
        return ""
    return "".join(_Picture(found, shape).svg(title) for shape in (WIDE, NARROW))


class _Picture:
    def __init__(self, found: Flows, shape: Shape) -> None:
        self.found, self.shape = found, shape
        self.scale = shape.across / max(column.total.met for column in found.columns)

    def svg(self, title: str) -> str:
        """The picture."""
        shape, columns = self.shape, self.found.columns
        along = shape.start[0] + shape.gap * (len(columns) - 1) + BAR + shape.end
        along += shape.gap * shape.turn if columns[-1].total.met > columns[-1].total.kept else 0
        across = shape.start[1] + shape.across + 2 * PAD + shape.room
        width, height = (across, along) if shape.down else (along, across)
        parts = [
            f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}" '
            f'class="sankey {"narrow" if shape.down else "wide"}" style="max-width: {1.25 * width:.0f}px">',
            f"<title>{escape(title)}</title>",
        ]
        for at, column in enumerate(columns):
            parts += self._column(at, column)
        for at, column in enumerate(columns):
            parts += self._labels(at, column)
        return "".join(parts) + "</svg>"

    def _along(self, at: int) -> float:
        return self.shape.start[0] + self.shape.gap * at

    def _column(self, at: int, column: Column) -> Iterator[str]:
        """Bars and ribbons of a step: each source's kept part goes on, the rest leaves."""
        top = self.shape.start[1]
        here, here_after = self._along(at), self._along(at) + BAR
        following = self.found.columns[at + 1] if at + 1 < len(self.found.columns) else None
        drop = here_after + self.shape.gap * self.shape.turn
        sums = column.total
        place = top
        ahead = top
        held = top + sums.kept * self.scale + PAD
        lost = held + (sums.held * self.scale + PAD if sums.held else 0)
        for number, flow in enumerate(column.flows):
            name, colour = self.found.names[number]
            about = f"{visible(name)}, {column.step}"
            size = flow.met * self.scale
            if flow.met:
                yield self._rect(
                    here, BAR, place, size, f"part c{colour}", f"{about}: {flow.met:,} documents"
                )
            part = flow.kept * self.scale
            if flow.kept and following is not None:
                yield self._ribbon(
                    (here_after, place), (self._along(at + 1), ahead), part, f"on c{colour}",
                    f"{about}: {flow.kept:,} of {flow.met:,} kept",
                )  # fmt: skip
            # The next step may have met other numbers: it starts where its own bars say.
            ahead += (following.flows[number].met if following else flow.kept) * self.scale
            place += part
            for count, words in ((flow.held, "held out"), (flow.lost, "dropped")):
                to = held if words == "held out" else lost
                part = count * self.scale
                if count > 0:
                    yield self._ribbon(
                        (here_after, place), (drop, to), part, f"off c{colour}",
                        f"{about}: {count:,} of {flow.met:,} {words}",
                    )  # fmt: skip
                place += part
                if words == "held out":
                    held += part
                else:
                    lost += part
        for count, css, to in ((sums.held, "held", held), (sums.lost, "lost", lost)):
            if count > 0:
                size = max(count * self.scale, 1.5)
                about = f"{column.step}: {count:,} {'held out for evaluation' if css == 'held' else 'dropped'}"
                yield self._rect(drop, 4, to - count * self.scale, size, css, about)

    def _labels(self, at: int, column: Column) -> Iterator[str]:
        sums, top = column.total, self.shape.start[1]
        here = self._along(at)
        if self.shape.down:
            yield self._text(top, here - 8, "step", f"{column.step} {sums.met:,}", "start")
        else:
            yield self._text(here, top - 24, "step", column.step, "start")
            yield self._text(here, top - 9, "count", f"{sums.met:,}", "start")
        lines = []
        if sums.held:
            lines.append(("held", f"{sums.held:,} held out", ""))
        if sums.lost:
            lines.append(("drop", f"−{sums.lost:,}", f"{sums.lost:,} dropped"))
            for reason, count in column.reasons[:REASONS]:
                lines.append(("reason", f"{_short(visible(reason))} {count:,}", visible(reason)))
        end = top + sums.kept * self.scale + PAD
        end += (sums.held * self.scale + PAD if sums.held else 0) + sums.lost * self.scale
        drop = here + BAR + self.shape.gap * self.shape.turn
        for number, (css, text, title) in enumerate(lines):
            if self.shape.down:
                yield self._text(
                    min(end, top + self.shape.across + 2 * PAD + self.shape.room - 4),
                    drop + 17 + 12 * number, css, text, "end" if end > 150 else "start", title,
                )  # fmt: skip
            else:
                yield self._text(drop + 2, end + 14 + 13 * number, css, text, "middle", title)

    def _text(self, x: float, y: float, css: str, text: str, anchor: str, title: str = "") -> str:
        about = f"<title>{escape(title)}</title>" if title and title not in text else ""
        return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{about}{escape(text)}</text>'

    def _rect(
        self, along: float, thick: float, across: float, size: float, css: str, title: str
    ) -> str:
        x, y, width, height = (
            (across, along, size, thick) if self.shape.down else (along, across, thick, size)
        )
        return (
            f'<rect class="{css}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}">'
            f"<title>{escape(title)}</title></rect>"
        )

    def _ribbon(
        self, start: tuple[float, float], end: tuple[float, float], size: float, css: str, title: str
    ) -> str:  # fmt: skip
        """A band of one width from (along, across) to (along, across)."""
        (a, p), (b, q) = start, end
        middle = (a + b) / 2
        corners = [(a, p), (middle, p), (middle, q), (b, q), (b, q + size), (middle, q + size),
                   (middle, p + size), (a, p + size)]  # fmt: skip
        points = [f"{y:.2f} {x:.2f}" if self.shape.down else f"{x:.2f} {y:.2f}" for x, y in corners]
        path = f"M{points[0]} C{', '.join(points[1:4])} L{points[4]} C{', '.join(points[5:8])} Z"
        return f'<path class="{css}" d="{path}"><title>{escape(title)}</title></path>'


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
