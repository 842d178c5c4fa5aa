from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.publish.explorer import draw, layout
from regrow.publish.explorer.graph import graph, reduced, sorted_out

WIDTH = 40
Edges = set[tuple[int, int]]


@st.composite
def dags(draw: st.DrawFn) -> tuple[int, Edges]:
    """Graphs without circles; the numbering says nothing of the order."""
    count = draw(st.integers(1, 14))
    order = draw(st.permutations(range(count)))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    drawn = draw(st.sets(pairs, max_size=30))
    return count, {(order[min(p)], order[max(p)]) for p in drawn if p[0] != p[1]}


def closure(edges: Edges) -> Edges:
    found = set(edges)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


@given(dags())
def test_nodes_never_overlap_and_edges_go_down(made: tuple[int, Edges]) -> None:
    count, edges = made
    found = layout.layout(count, edges, WIDTH)
    assert len(found.places) == count and set(found.ways) == edges
    for a, b in itertools.combinations(found.places, 2):
        if a.layer == b.layer:
            assert abs(a.x - b.x) >= WIDTH + layout.GAP_X
    tops = found.tops([46] * count)
    assert tops == sorted(tops)
    for (producer, reader), way in found.ways.items():
        first, last = found.places[producer], found.places[reader]
        assert first.layer < last.layer and len(way) == last.layer - first.layer + 1
        assert (way[0], way[-1]) == (first.middle, last.middle)
    for place in found.places:
        assert place.x >= 0 and place.x + WIDTH <= found.width


@given(dags())
def test_an_edge_that_passes_a_layer_touches_no_node(made: tuple[int, Edges]) -> None:
    count, edges = made
    found = layout.layout(count, edges, WIDTH)
    for (producer, _), way in found.ways.items():
        for number, x in enumerate(way[1:-1], 1):
            layer = found.places[producer].layer + number
            for place in found.places:
                if place.layer == layer:
                    assert not place.x <= x <= place.x + WIDTH


@settings(deadline=None)
@given(dags(), st.randoms())
def test_the_order_of_the_edges_changes_nothing(made: tuple[int, Edges], random: object) -> None:
    count, edges = made
    listed = sorted(edges)
    random.shuffle(listed)  # type: ignore[attr-defined]
    assert layout.layout(count, listed, WIDTH) == layout.layout(count, edges, WIDTH)


@given(dags())
def test_the_reduction_keeps_the_ancestry_and_no_edge_too_many(made: tuple[int, Edges]) -> None:
    _, edges = made
    kept = reduced(edges)
    assert kept <= edges and closure(kept) == closure(edges)
    for edge in kept:
        assert edge not in closure(kept - {edge})


@given(
    st.lists(st.tuples(st.floats(-500, 500), st.integers(1, 9)), min_size=1, max_size=12),
    st.data(),
)
def test_apart_is_the_nearest_that_keeps_the_gaps(
    wanted: list[tuple[float, int]], data: st.DataObject
) -> None:
    values = [value for value, _ in wanted]
    weights = [float(weight) for _, weight in wanted]
    size = len(wanted) - 1
    gaps = data.draw(st.lists(st.integers(1, 60), min_size=size, max_size=size))
    found = layout.apart(values, gaps, weights)
    for (a, b), gap in zip(itertools.pairwise(found), gaps, strict=True):
        assert b - a >= gap - 1e-6

    def cost(at: list[float]) -> float:
        return sum(w * (x - y) ** 2 for w, x, y in zip(weights, at, values, strict=True))

    # No other arrangement with these gaps is nearer: try some.
    others = data.draw(st.lists(st.floats(-500, 500), min_size=len(wanted), max_size=len(wanted)))
    other = [others[0]]
    for x, gap in zip(others[1:], gaps, strict=True):
        other.append(max(x, other[-1] + gap))
    assert cost(found) <= cost(other) + 1e-6 * (1 + cost(other))


def test_circles_are_found() -> None:
    assert sorted_out(3, {(0, 1), (1, 2)}) == []
    assert sorted_out(3, {(0, 1), (1, 0), (1, 2)}) == [0, 1, 2]


def test_records_in_a_circle_are_refused(ledger: Ledger) -> None:
    def turned(record: Record) -> Record:
        if record.name != "text":
            return record
        entry = {"kind": "data", "path": "data/mix", "record": "records/mix.json"}
        raw = {**record.raw, "inputs": {**record.raw["inputs"], "mix": entry}}
        return Record(record.file, raw)

    with pytest.raises(Unanswerable, match="circle"):
        graph(Ledger(ledger.root, [turned(record) for record in ledger.records]))


def test_the_flow_is_drawn_whole(ledger: Ledger) -> None:
    final = ledger.final
    assert final is not None
    found = graph(ledger, ledger.about("release", final))
    names = [node.name for node in found.nodes]
    assert len(set(names)) == len(names)
    assert {"sources", "crawl", "mix", "pretrain", "rlvr", "rlzero_random"} <= set(names)
    leaves = [node.name for node in found.nodes if node.kind == "leaf"]
    instance = f"rlvr-{final.instance}"
    assert leaves == [f"evaluate.{instance}", f"release.{instance}"], "others are told elsewhere"
    at = {name: place for place, name in enumerate(names)}
    assert (at["decontaminate"], at["mix"]) in found.edges, "a direct input"
    assert (at["decontaminate"], at["mix"]) not in found.direct, "classify lies between"
    assert [r.instance for r in found.nodes[at["sft"]].records] == ["000002", "000004"]


def test_an_edge_falls_through_layers_and_bends_between() -> None:
    tops = [0, 100, 200, 300]
    d = draw.path([10.0, 50.0, 50.0], 0, tops, [46])
    assert d == "M10 46V62C10 81 50 81 50 100V162V200"
    assert len(draw.short("a" * 40)) == draw.LONGEST
    assert draw.short("sources/some/where/manifest.yaml") == "…/manifest.yaml"
