"""The lineage as a graph for the eye: a node per step and source, the direct edges only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.selection import parse

Kind = Literal["source", "data", "training", "leaf"]


@dataclass(frozen=True)
class Node:
    """A source, a step with all its instances, or one evaluation or release."""

    name: str
    kind: Kind
    records: tuple[Record, ...] = ()
    """in the order of training; none of a source"""

    @property
    def step(self) -> str:
        """The step, or the source's path."""
        return self.records[0].step if self.records else self.name


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of the flow, and two sets of edges (producer, reader) between their places."""

    nodes: tuple[Node, ...]
    edges: frozenset[tuple[int, int]]
    """who reads what"""
    direct: frozenset[tuple[int, int]]
    """without those that a longer way says already (the transitive reduction)"""


def is_leaf(record: Record) -> bool:
    """Whether the record is about a checkpoint without making one: an evaluation, a release."""
    return record.trained is not None and not record.makes_checkpoint


def graph(ledger: Ledger, shown: Record | None = None) -> Graph:
    """The graph of the records.

    The instances of a step are one node. Evaluations and releases are shown at their checkpoint, and are
    nodes only where `shown` was made from them.

    Raises:
        Unanswerable: the records name each other in a circle.
    """
    kept = {record.file for record in ledger.ancestry(shown)} if shown else set()
    sources = sorted(
        {
            parse(str(entry["path"])).whole
            for record in ledger.records
            for entry in record.inputs.values()
            if entry.get("kind") == "source"
        }
    )
    members: dict[str, list[Record]] = {}
    for record in ledger.records:
        if not is_leaf(record):
            members.setdefault(record.step, []).append(record)
        elif record.file in kept:
            members[record.name] = [record]
    nodes = [Node(path, "source") for path in sources]
    nodes += [Node(name, _kind(records[0]), tuple(records)) for name, records in members.items()]
    at = {record.file: place for place, node in enumerate(nodes) for record in node.records}
    at |= {path: place for place, path in enumerate(sources)}
    edges = set()
    for record in ledger.records:
        if record.file not in at:
            continue
        for entry in record.inputs.values():
            made = (
                parse(str(entry["path"])).whole
                if entry.get("kind") == "source"
                else str(entry.get("record", ""))
            )
            if made in at and at[made] != at[record.file]:
                edges.add((at[made], at[record.file]))
    _check(nodes, edges)
    return Graph(tuple(nodes), frozenset(edges), frozenset(reduced(edges)))


def _kind(record: Record) -> Kind:
    if record.makes_checkpoint:
        return "training"
    return "leaf" if is_leaf(record) else "data"


def _check(nodes: list[Node], edges: set[tuple[int, int]]) -> None:
    left = sorted_out(len(nodes), edges)
    if left:
        names = ", ".join(nodes[place].name for place in left[:6])
        raise Unanswerable(
            f"the records of {names} name each other as inputs, in a circle: no run makes that. "
            "Restore them with `git checkout -- records`."
        )


def sorted_out(count: int, edges: set[tuple[int, int]]) -> list[int]:
    """The nodes that are on a circle or behind one; [] of a graph without."""
    waiting = [sum(1 for _, reader in edges if reader == place) for place in range(count)]
    ready = [place for place in range(count) if waiting[place] == 0]
    done = set()
    while ready:
        place = ready.pop()
        done.add(place)
        for producer, reader in edges:
            if producer == place:
                waiting[reader] -= 1
                if waiting[reader] == 0:
                    ready.append(reader)
    return [place for place in range(count) if place not in done]


def reduced(edges: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """The fewest edges with the same ancestry, of a graph without circles (Aho, Garey, Ullman 1972)."""
    readers: dict[int, list[int]] = {}
    for producer, reader in sorted(edges):
        readers.setdefault(producer, []).append(reader)
    below: dict[int, set[int]] = {}

    def reach(place: int) -> set[int]:
        if place not in below:
            below[place] = set()
            for reader in readers.get(place, []):
                below[place] |= {reader} | reach(reader)
        return below[place]

    return {
        (producer, reader)
        for producer, reader in edges
        if not any(reader in reach(other) for other in readers[producer] if other != reader)
    }
