"""The flow as a list of steps with arcs: who reads whose output."""

from __future__ import annotations

from dataclasses import dataclass

from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

ROW = 56
"""height of a step's row, pixels (the style sheet says the same)"""
LANE = 11
"""distance of two arcs, pixels"""


@dataclass(frozen=True)
class Node:
    """A step in the graph: its instances as one row."""

    step: str
    records: list[Record]

    @property
    def last(self) -> Record:
        """The record of the last instance."""
        return self.records[-1]

    @property
    def size(self) -> int:
        """Bytes of all outputs."""
        return sum(record.size for record in self.records)


def nodes(ledger: Ledger) -> list[Node]:
    """The steps that have records, in flow order."""
    return [
        Node(step, ledger.of_step(step))
        for step in dict.fromkeys(record.step for record in ledger.records)
    ]


def edges(ledger: Ledger, rows: list[Node]) -> list[tuple[int, int]]:
    """Pairs (row of the producer, row of the reader) of data inputs, sorted by span."""
    at = {node.step: row for row, node in enumerate(rows)}
    found = set()
    for record in ledger.records:
        for entry in record.inputs.values():
            made = ledger.by_file.get(entry.get("record", ""))
            if entry.get("kind") == "data" and made is not None and made.step != record.step:
                found.add((at[made.step], at[record.step]))
    return sorted(found, key=lambda edge: (edge[1] - edge[0], edge))


def svg(rows: list[Node], pairs: list[tuple[int, int]]) -> tuple[str, int]:
    """The arcs as SVG, to stand left of the rows; and its width in pixels.

    An arc leaves the producer below its middle and enters the reader above it; arcs that
    overlap take different lanes, short ones inside.
    """
    lanes: list[list[tuple[int, int]]] = []
    placed: list[tuple[int, int, int]] = []
    for low, high in pairs:
        if high - low == 1:
            placed.append((low, high, 0))
            continue
        lane = next(
            (
                n
                for n, taken in enumerate(lanes)
                if all(end <= low or high <= begin for begin, end in taken)
            ),
            len(lanes),
        )
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((low, high))
        placed.append((low, high, lane + 1))
    width = LANE * (len(lanes) + 1) + 14
    right = width - 8
    parts = [
        f'<svg width="{width}" height="{ROW * len(rows)}" class="arcs" role="img" '
        'aria-label="Arrows from each step to the steps that read its output">'
    ]
    for low, high, lane in placed:
        start, end = low * ROW + ROW / 2 + 6, high * ROW + ROW / 2 - 6
        if lane == 0:
            path = f"M{right} {start} V{end}"
        else:
            left = right - lane * LANE
            path = f"M{right} {start} H{left + 6} Q{left} {start} {left} {start + 6} V{end - 6} Q{left} {end} {left + 6} {end} H{right - 4}"
        title = f"{rows[low].step} → {rows[high].step}"
        parts.append(f'<path class="arc" d="{path}"><title>{title}</title></path>')
        parts.append(
            f'<path class="head" d="M{right - 5} {end - 4} L{right} {end} L{right - 5} {end + 4}"/>'
            if lane
            else f'<path class="head" d="M{right - 4} {end - 5} L{right} {end} L{right + 4} {end - 5}"/>'
        )
    for row in range(len(rows)):
        parts.append(f'<circle class="node" cx="{right}" cy="{row * ROW + ROW / 2}" r="5"/>')
    return "".join(parts) + "</svg>", width
