"""The flow as one SVG, drawn from the table of steps: a lane for each part, in columns what can only run later.

What a longer way names already is left out, as in the explorer. The picture follows the reader's light or dark
setting and needs no script; `docs/images/flow.svg` is this, and a test compares it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from regrow.engine.present import DEFAULT_PARAMS
from regrow.engine.step import Step
from regrow.evidence.ledger import Ledger
from regrow.publish.explorer.layout import GAP_X, layout
from regrow.recipe import table

WIDTH, HEIGHT, GAP, ROW, FOOT, LANE = 94, 40, 18, 10, 10, 26
"""of a node, beside it, between two of a column, below the last of a lane, and between two lanes; pixels"""
MARGIN, LEFT, HEAD = 8, 34, 26
"""around the picture; before the first column and above the first node of a lane"""
TRACK, BEND = 7, 5
"""between two ways side by side, and the radius of their corners"""
LONG = 13
"""characters of a name that fit in a line"""
TITLES = {
    "data": "Text",
    "base": "Base model",
    "post": "Post-training",
    "results": "Of every checkpoint and data set",
}
"""what a part of the flow is called; another part keeps its own name"""

STYLE = """
.flow { --ink: #1f2328; --soft: #59636e; --line: #8c959f; --lane: #f6f8fa; --node: #ffffff; --trained: #ddf4ff; --edge: #0969da; }
@media (prefers-color-scheme: dark) {
  .flow { --ink: #e6edf3; --soft: #9198a1; --line: #656c76; --lane: #161b22; --node: #0d1117; --trained: #0c2d4d; --edge: #4493f8; }
}
.flow text { font: 11.5px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink); text-anchor: middle; }
.flow .title { font-weight: 600; font-size: 12px; text-anchor: start; }
.flow .note { font-size: 10px; fill: var(--soft); }
.flow .lane { fill: var(--lane); }
.flow .node { fill: var(--node); stroke: var(--line); }
.flow .trained { fill: var(--trained); stroke: var(--edge); }
.flow .edge { fill: none; stroke: var(--line); stroke-width: 1.3; }
.flow marker path { fill: var(--line); }
"""


def of_records(root: Path) -> str:
    """The picture of the run whose records are committed in a tree, by its default params file."""
    ledger = Ledger.load(root)
    steps = table.recipe(table.load(root / DEFAULT_PARAMS).model_dump(mode="json"))
    counts: dict[str, Mapping[str, Any]] = {}
    for step in steps:
        made = [r for r in ledger.records if r.step == step.name]
        if step.group == "main" and made:
            counts[step.name] = {"times": len(made)} if _named(step) else made[-1].raw["counts"]
    return picture(steps, counts)


def picture(steps: Iterable[Step], counts: Mapping[str, Mapping[str, Any]]) -> str:
    """The SVG of those steps that have counts (of the record of their last instance), by name."""
    shown = [step for step in steps if step.name in counts]
    edges = _needed(shown)
    part = {step.name: step.part for step in shown}
    lanes: dict[str, list[Step]] = {}
    for step in shown:
        lanes.setdefault(step.part, []).append(step)
    corners: dict[str, tuple[int, int]] = {}
    frames: dict[str, tuple[int, int]] = {}
    ways: list[str] = []
    top = MARGIN
    for name, members in lanes.items():
        drawn, within, foot = _lane(members, edges, top + HEAD)
        corners |= drawn
        ways += within
        frames[name] = (top, foot + FOOT)
        top = foot + FOOT + LANE
    across = sorted((a, b) for a, b in edges if part[a] != part[b])
    ways += _between(across, corners, {name: frames[lane] for name, lane in part.items()})
    wide = max(x for x, _ in corners.values()) + WIDTH + 2 * MARGIN
    tall = top - LANE + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}" '
        'role="img" aria-labelledby="flow-title">',
        '<title id="flow-title">The flow, from the crawl to the release of every checkpoint</title>',
        f"<style>{STYLE}</style>",
        '<defs><marker id="flow-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker></defs>',
    ]
    for name, (y, foot) in frames.items():
        parts.append(
            f'<rect class="lane" x="{MARGIN}" y="{y}" width="{wide - 2 * MARGIN}" height="{foot - y}" rx="8"/>'
            f'<text class="title" x="{LEFT}" y="{y + 17}">{escape(TITLES.get(name, name))}</text>'
        )
    parts += [f'<path class="edge" d="{d}" marker-end="url(#flow-head)"/>' for d in ways]
    parts += [_node(step, corners[step.name], counts[step.name]) for step in shown]
    return "\n".join(parts) + "\n</svg>\n"


def _needed(steps: list[Step]) -> set[tuple[str, str]]:
    """Producer and reader, without what a longer way between the two says already."""
    part = {step.name: step.part for step in steps}
    reads = {
        step.name: {
            given.step
            for given in step.inputs
            if given.kind == "data" and given.instance != "inherited" and given.step != step.name
            if not _named(step) or part.get(given.step) == step.part
        }
        for step in steps
    }
    known = {name: {p for p in producers if p in reads} for name, producers in reads.items()}

    def above(name: str) -> set[str]:
        return {a for p in known[name] for a in {p, *above(p)}}

    return {
        (producer, reader)
        for reader, producers in known.items()
        for producer in producers
        if not any(producer in above(other) for other in producers - {producer})
    }


def _named(step: Step) -> bool:
    """Whether it reads whatever its instance names: any checkpoint, any data set."""
    return any(given.instance == "named" for given in step.inputs)


def _lane(
    members: list[Step], edges: set[tuple[str, str]], top: int
) -> tuple[dict[str, tuple[int, int]], list[str], int]:
    """Corners of the nodes of one lane from `top` on, the ways between them, and where the last node ends."""
    number = {step.name: n for n, step in enumerate(members)}
    within = [(number[a], number[b]) for a, b in sorted(edges) if a in number and b in number]
    # The explorer's layout falls from top to bottom; this one is read from left to right.
    less = GAP_X - ROW
    turned = layout(len(members), within, HEIGHT - less)
    corners = {
        step.name: (LEFT + place.layer * (WIDTH + GAP), top + place.x)
        for step, place in zip(members, turned.places, strict=True)
    }
    ways = []
    for (producer, _), way in sorted(turned.ways.items()):
        x, y = corners[members[producer].name][0] + WIDTH, top + way[0] + less // 2
        d = f"M{x} {y:g}"
        for number_of_layer, below in enumerate(way[1:]):
            if number_of_layer:  # past the nodes of a column between
                d += f"H{x + WIDTH}"
                x += WIDTH
            to, bend = top + below + less // 2, x + GAP // 2
            d += f"C{bend} {y:g} {bend} {to:g} {x + GAP} {to:g}"
            x, y = x + GAP, to
        ways.append(d)
    return corners, ways, max(y for _, y in corners.values()) + HEIGHT


def _between(
    edges: Iterable[tuple[str, str]],
    corners: Mapping[str, tuple[int, int]],
    frames: Mapping[str, tuple[int, int]],
) -> list[str]:
    """Ways from lane to lane: out at the foot, along the gap below the lane, in from the left.

    Every producer has a track of its own, so that two ways side by side never look like one. A way that passes a lane
    goes down in front of its first column.
    """
    tracks: dict[str, int] = {}
    found = []
    for producer, reader in edges:
        track = tracks.setdefault(producer, sum(frames[p] == frames[producer] for p in tracks))
        (x, y), (to_x, to_y) = corners[producer], corners[reader]
        gap = frames[producer][1] + LANE // 2 + (track - 1) * TRACK
        in_front = to_x - GAP // 2 - (track * TRACK if to_x == LEFT else 0)
        if frames[reader][0] - LANE > frames[producer][1]:
            in_front = LEFT - GAP // 2 - track * TRACK
        points = [(x + WIDTH // 2, y + HEIGHT), (x + WIDTH // 2, gap), (in_front, gap)]
        points += [(in_front, to_y + HEIGHT // 2), (to_x, to_y + HEIGHT // 2)]
        found.append(_rounded(points))
    return found


def _rounded(points: list[tuple[int, int]]) -> str:
    """A way of straight pieces with round corners."""
    d = f"M{points[0][0]} {points[0][1]}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into, out = (_towards(corner, other) for other in (before, after))
        d += f"L{into[0]} {into[1]}Q{corner[0]} {corner[1]} {out[0]} {out[1]}"
    return f"{d}L{points[-1][0]} {points[-1][1]}"


def _towards(corner: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    def step(a: int, b: int) -> int:
        return a + max(-BEND, min(BEND, b - a))

    return step(corner[0], other[0]), step(corner[1], other[1])


def _node(step: Step, corner: tuple[int, int], counts: Mapping[str, Any]) -> str:
    x, y = corner
    kind = "node trained" if step.resumable else "node"
    lines = [step.name] if len(step.name) <= LONG else step.name.split("_", 1)
    note = _note({**counts, "step": None} if not step.resumable else counts)
    rows = [("name", text) for text in lines] + [("note", note)] * bool(note)
    first = y + HEIGHT / 2 + 4 - 5.5 * (len(rows) - 1)
    texts = "".join(
        f'<text class="{kind_of_text}" x="{x + WIDTH // 2}" y="{first + 11.5 * n:g}">{escape(text)}</text>'
        for n, (kind_of_text, text) in enumerate(rows)
    )
    return f'<g><rect class="{kind}" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>{texts}</g>'


def _note(counts: Mapping[str, Any]) -> str:
    """The one count that says most: steps of training, else what was kept, else tokens."""
    for name, unit in (
        ("step", "steps"),
        ("kept", "kept"),
        ("pages", "pages"),
        ("tokens", "tokens"),
        ("times", "times"),
    ):
        value = counts.get(name)
        if isinstance(value, int):
            return f"{_short(value)} {unit}"
    return ""


def _short(value: int) -> str:
    return f"{value:,}" if value < 100_000 else f"{value / 1e6:.2f} M"
