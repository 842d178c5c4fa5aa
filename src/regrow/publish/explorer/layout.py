"""Layered drawing of a graph without circles (Sugiyama, Tagawa, Toda 1981); pure and deterministic.

Layers by longest path, nodes drawn down to where they are used; order within a layer by barycentre
sweeps, the one with the fewest crossings kept; abscissae by least squares under the separations
(pool adjacent violators), so that nodes never overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

GAP_X, GAP_Y, BEND = 18, 38, 14
"""free space beside a node, between layers, and beside an edge that passes; pixels"""
SWEEPS, SETTLING = 24, 300
"""rounds of ordering, and of placing"""


@dataclass(frozen=True)
class Place:
    """Where a node stands: left edge, width, layer."""

    x: int
    width: int
    layer: int

    @property
    def middle(self) -> float:
        """The abscissa of its middle."""
        return self.x + self.width / 2


@dataclass
class Layout:
    """A drawing but for its ordinates, which follow from the heights (`tops`)."""

    places: list[Place]
    ways: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    """edge -> abscissa at each layer from the producer's to the reader's"""
    width: int = 0

    def tops(self, heights: Sequence[int]) -> list[int]:
        """The ordinate at which each layer begins, and below the last the end of the drawing."""
        count = max((place.layer for place in self.places), default=-1) + 1
        tops = [0] * (count + 1)
        for layer in range(count):
            tall = max(h for p, h in zip(self.places, heights, strict=True) if p.layer == layer)
            tops[layer + 1] = tops[layer] + tall + GAP_Y
        return tops


def layout(count: int, edges: Iterable[tuple[int, int]], width: int) -> Layout:
    """A drawing of nodes 0 .. count - 1, all `width` wide; `edges` must have no circle."""
    pairs = sorted(set(edges))
    layers = layers_of(count, pairs)
    rows, chains, links = _rows(count, pairs, layers)
    _order(rows, links)
    xs = _abscissae(rows, links, count, width)
    left = min((xs[v] - (width / 2 if v < count else 0) for row in rows for v in row), default=0)
    middle = {v: x - left for v, x in xs.items()}
    places = [Place(round(middle[v] - width / 2), width, layers[v]) for v in range(count)]
    ways = {
        pair: [
            places[v].middle if v < count else float(round(middle[v]))
            for v in (pair[0], *chains[pair], pair[1])
        ]
        for pair in pairs
    }
    ends = [place.x + width for place in places] + [int(x) + BEND for w in ways.values() for x in w]
    return Layout(places, ways, max(ends, default=0))


def layers_of(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The layer of each node: below all that it reads, and as far down as shortens the edges."""
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for producer, reader in edges:
        below[producer].append(reader)
        above[reader].append(producer)
    order: list[int] = []
    seen: set[int] = set()

    def visit(v: int) -> None:
        if v not in seen:
            seen.add(v)
            for u in above[v]:
                visit(u)
            order.append(v)

    for v in range(count):
        visit(v)
    layer = [0] * count
    for v in order:
        layer[v] = max((layer[u] + 1 for u in above[v]), default=0)
    for v in reversed(order):
        tied = sum(1 for u in above[v] if above[u])  # a root comes along
        if below[v] and len(below[v]) >= tied:
            layer[v] = min(layer[u] for u in below[v]) - 1
    used = {old: new for new, old in enumerate(sorted(set(layer)))}
    return [used[value] for value in layer]


Links = list[tuple[int, int]]


def _rows(
    count: int, pairs: Sequence[tuple[int, int]], layers: Sequence[int]
) -> tuple[list[list[int]], dict[tuple[int, int], list[int]], Links]:
    """Nodes by layer with a bend (numbered from `count`) wherever an edge passes one."""
    rows: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    for v in range(count):
        rows[layers[v]].append(v)
    chains: dict[tuple[int, int], list[int]] = {}
    links: Links = []
    following = count
    for producer, reader in pairs:
        chain = []
        for layer in range(layers[producer] + 1, layers[reader]):
            rows[layer].append(following)
            chain.append(following)
            following += 1
        chains[producer, reader] = chain
        whole = [producer, *chain, reader]
        links += list(pairwise(whole))
    return rows, chains, links


def _order(rows: list[list[int]], links: Links) -> None:
    """Reorder the rows in place so that few links cross."""
    up: dict[int, list[int]] = {}
    down: dict[int, list[int]] = {}
    for u, v in links:
        down.setdefault(u, []).append(v)
        up.setdefault(v, []).append(u)
    best = [list(row) for row in rows]
    fewest = crossings(rows, down)
    for sweep in range(SWEEPS):
        near = up if sweep % 2 == 0 else down
        for row in rows if sweep % 2 == 0 else reversed(rows):
            place = {v: i for other in rows for i, v in enumerate(other)}
            weight = {
                v: sum(place[u] for u in near[v]) / len(near[v]) if near.get(v) else place[v]
                for v in row
            }
            row.sort(key=lambda v: weight[v])
        found = crossings(rows, down)
        if found < fewest:
            fewest, best = found, [list(row) for row in rows]
    rows[:] = best


def crossings(rows: Sequence[Sequence[int]], down: dict[int, list[int]]) -> int:
    """How many pairs of links between neighbouring layers cross."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {v: i for i, v in enumerate(lower)}
        ends = [sorted(place[v] for v in down.get(u, []) if v in place) for u in upper]
        flat = [end for group in ends for end in group]
        total += sum(
            1 for i, first in enumerate(flat) for second in flat[i + 1 :] if second < first
        )
    return total


def _abscissae(
    rows: Sequence[Sequence[int]], links: Links, count: int, width: int
) -> dict[int, float]:
    """The middle of every node and bend: near its neighbours, apart from those beside it."""
    near: dict[int, list[tuple[int, int]]] = {}
    for u, v in links:
        pull = 1 + 3 * ((u >= count) + (v >= count))  # straight where an edge is long
        near.setdefault(u, []).append((v, pull))
        near.setdefault(v, []).append((u, pull))
    half = {v: width / 2 + GAP_X / 2 if v < count else BEND / 2 for row in rows for v in row}
    x: dict[int, float] = {}
    for row in rows:
        at = 0.0
        for v in row:
            x[v] = at + half[v]
            at += 2 * half[v]
    # Each turn is the exact optimum of one row, the others held: descent on a convex sum.
    weights = {v: float(sum(p for _, p in near.get(v, [])) or 1) for v in half}
    for turn in range(SETTLING):
        for row in rows if turn % 2 else list(reversed(rows)):
            wanted = [
                sum(x[u] * p for u, p in near[v]) / weights[v] if v in near else x[v] for v in row
            ]
            gaps = [half[a] + half[b] for a, b in pairwise(row)]
            x |= dict(zip(row, apart(wanted, gaps, [weights[v] for v in row]), strict=True))
    for row in rows:
        for a, b in pairwise(row):
            x[a] = float(round(x[a]))
            x[b] = max(float(round(x[b])), x[a] + half[a] + half[b])
    return x


def apart(wanted: Sequence[float], gaps: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The values nearest to `wanted` (weighted squares) of which each is `gaps` above the last."""
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    blocks: list[list[float]] = []  # mean, weight, members
    for value, offset, weight in zip(wanted, offsets, weights, strict=True):
        blocks.append([value - offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, heavy, members = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * heavy) / (last[1] + heavy)
            last[1] += heavy
            last[2] += members
    means = [mean for mean, _, members in blocks for _ in range(int(members))]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
