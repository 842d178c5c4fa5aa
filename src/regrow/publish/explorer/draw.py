"""The graph as SVG. The page's script moves it where a stage is unfolded; without script it stands."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from regrow.engine.visible import visible
from regrow.evidence.record import Record
from regrow.publish.explorer.graph import Graph, Node
from regrow.publish.explorer.layout import GAP_Y, Layout

WIDTH, HEIGHT, ROW, PAD = 166, 46, 22, 14
"""of a node, of an instance's row below it, and around the drawing; pixels"""
LONGEST = 20
"""characters of a name in a node"""


def draw(graph: Graph, layout: Layout) -> str:
    """The whole picture, stages folded."""
    tops = layout.tops([HEIGHT] * len(graph.nodes))
    wide, tall = layout.width + 2 * PAD, tops[-1] + 2 * PAD
    parts = [
        f'<svg id="graph" width="{wide}" height="{tall}" viewBox="{-PAD} {-PAD} {wide} {tall}" role="group" '
        'aria-label="Lineage graph. Arrow keys follow the edges; Enter opens what is known about a node.">',
        '<g id="edges" aria-hidden="true">',
    ]
    for number, (edge, way) in enumerate(sorted(layout.ways.items())):
        d = path(way, layout.places[edge[0]].layer, tops, [HEIGHT, *[0] * (len(way) - 1)])
        parts.append(
            f'<path class="edge" id="e{number}" data-from="{edge[0]}" data-to="{edge[1]}" d="{d}"/>'
        )
    parts.append('</g><g id="more-edges" aria-hidden="true"></g>')
    for place in sorted(range(len(graph.nodes)), key=lambda n: _reading(layout, n)):
        parts.append(_node(graph, layout, place, tops))
    return "".join(parts) + "</svg>"


def _reading(layout: Layout, number: int) -> tuple[int, int]:
    return layout.places[number].layer, layout.places[number].x


def path(way: Sequence[float], layer: int, tops: Sequence[int], heights: Sequence[int]) -> str:
    """An edge from the foot of a node in `layer` down to the head of its reader.

    `way` has its abscissa at each layer; `heights` the height of the producer (the others count nothing).
    It falls straight through a layer and bends only between two, so that it touches no node.
    """
    here = tops[layer] + heights[0]
    parts = [f"M{way[0]:g} {here}"]
    for number, x in enumerate(way[1:]):
        last = way[number]
        foot = tops[layer + number + 1] - GAP_Y
        head = tops[layer + number + 1]
        middle = (foot + head) / 2
        if foot > here:
            parts.append(f"V{foot}")
        if x == last:
            parts.append(f"V{head}")
        else:
            parts.append(f"C{last:g} {middle:g} {x:g} {middle:g} {x:g} {head}")
        here = head
    return "".join(parts)


def _node(graph: Graph, layout: Layout, number: int, tops: Sequence[int]) -> str:
    node, place = graph.nodes[number], layout.places[number]
    name, about = escape(visible(node.name)), escape(subtitle(node))
    folds = node.kind == "training" and len(node.records) > 1
    parts = [
        f'<g class="node {node.kind}" id="n{number}" data-node="{number}" tabindex="{0 if number == 0 else -1}" '
        f'role="button" aria-label="{escape(label(graph, number))}" '
        f'transform="translate({place.x} {tops[place.layer]})">'
        f"<title>{name}</title>"
        f'<rect class="box" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
        f'<text class="name" x="11" y="20">{escape(short(visible(node.name)))}</text>'
        f'<text class="sub" x="11" y="36">{about}</text>',
        _bar(node),
    ]
    if folds:
        parts.append(
            f'<g class="fold" data-fold="{number}" transform="translate({WIDTH - 24} 12)">'
            '<rect width="18" height="18" rx="4"/><path d="M5 7l4 4 4-4"/></g><g class="rows" hidden="hidden">'
        )
        for row, record in enumerate(node.records):
            parts.append(_row(record, row))
        parts.append("</g>")
    return "".join(parts) + "</g>"


def _row(record: Record, row: int) -> str:
    name = escape(visible(record.instance or record.name))
    return (
        f'<g class="row" data-record="{escape(visible(record.name))}" '
        f'transform="translate(0 {HEIGHT + row * ROW})" '
        f'tabindex="-1" role="button" aria-label="{escape(visible(record.name))}">'
        f'<rect class="cell" x="4" width="{WIDTH - 8}" height="{ROW - 2}" rx="4"/>'
        f'<text class="instance" x="14" y="14">{name}</text>'
        f'<text class="digest" x="{WIDTH - 12}" y="14" text-anchor="end">{escape(record.sha256[:8])}</text></g>'
    )


def _bar(node: Node) -> str:
    """A line at the foot: the share that the step kept of what it read."""
    counts = node.records[-1].counts if node.records else {}
    kept, read = counts.get("kept"), counts.get("in")
    if not isinstance(kept, int) or not isinstance(read, int) or not 0 <= kept <= read or not read:
        return ""
    whole = WIDTH - 22
    return (
        f'<rect class="lost" x="11" y="{HEIGHT - 6}" width="{whole}" height="2"/>'
        f'<rect class="kept" x="11" y="{HEIGHT - 6}" width="{whole * kept / read:.1f}" height="2"/>'
    )


def subtitle(node: Node) -> str:
    """The second line of a node."""
    if node.kind == "source":
        return "source, in git"
    last = node.records[-1]
    if node.kind == "training":
        times = len(node.records)
        many = f"{times} checkpoints, " if times > 1 else "checkpoint "
        return f"{many}{'to ' if times > 1 else ''}{(last.instance or '').lstrip('0') or '0'}"
    if node.kind == "data" and last.instance and len(node.records) == 1:
        return last.instance[:20]  # the name of a fork or takedown
    kept, read = last.counts.get("kept"), last.counts.get("in")
    if isinstance(kept, int) and isinstance(read, int):
        return f"kept {kept:,} of {read:,}"
    return last.sha256[:12]


def label(graph: Graph, number: int) -> str:
    """What a screen reader says of a node."""
    node = graph.nodes[number]
    above = [graph.nodes[p].name for p, reader in sorted(graph.edges) if reader == number]
    below = [graph.nodes[r].name for producer, r in sorted(graph.edges) if producer == number]
    parts = [f"{node.name}, {subtitle(node)}"]
    if above:
        parts.append(f"reads {', '.join(above)}")
    if below:
        parts.append(f"read by {', '.join(below)}")
    return visible(". ".join(parts))


def short(name: str) -> str:
    """A name that fits into a node: of a path the end stays, of another name both ends."""
    if len(name) <= LONGEST:
        return name
    end = "…/" + name.rpartition("/")[2]
    return end if "/" in name and len(end) <= LONGEST else f"{name[: LONGEST - 9]}…{name[-8:]}"
