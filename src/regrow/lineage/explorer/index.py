"""The documents as the page holds them: rows that point into tables of names, and an index of words."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from regrow.lineage.explorer import codec, words
from regrow.lineage.explorer.documents import Document
from regrow.lineage.explorer.facts import Pool
from regrow.lineage.explorer.visible import shown, visible

MOST = 4000
"""documents in a page; of more, those that training saw most"""
ROOM = 1_400_000
"""bytes for the index of words"""
ENDS = ("trained", "kept", "held out", "dropped", "lost")


def index(found: list[Document], most: int = MOST, room: int = ROOM) -> dict[str, Any]:
    """Rows, names and words of the first `most` documents, and the counts of all by fate."""
    kept = found[:most]
    names = Names()
    texts = [document for document in kept if document.text]
    numbers = {id(document): number for number, document in enumerate(kept)}
    vocabulary = words.index([f"{d.title} {d.text}" for d in texts], room)
    return {
        "rows": [_row(document, names) for document in kept],
        "sources": names.sources.values,
        "licences": names.licences.values,
        "steps": names.steps.values,
        "ends": list(ENDS),
        "labels": names.labels.values,
        "words": {**asdict(vocabulary), "texts": codec.rising([numbers[id(d)] for d in texts])},
        "counts": _counts(found),
        "left_out": len(found) - len(kept),
    }


class Names:
    """What rows point to."""

    def __init__(self) -> None:
        self.sources, self.licences, self.steps, self.labels = Pool(), Pool(), Pool(), Pool()


def _row(document: Document, names: Names) -> list[Any]:
    """id, url, title, source, licence, end, fate, stops, seen."""
    return [
        document.id,
        visible(document.url),
        visible(document.title),
        names.sources.place(visible(document.source)),
        names.licences.place(visible(document.licence)),
        ENDS.index(document.end),
        visible(document.fate),
        [
            [
                names.steps.place(stop.step),
                stop.outcome,
                [
                    part
                    for label, value in shown(stop.facts).items()
                    for part in (names.labels.place(label), value)
                ],
            ]
            for stop in document.stops
        ],
        [
            [entry.checkpoint, entry.tokens, len(entry.steps), codec.rising(entry.steps)]
            for entry in document.seen
        ],
    ]


def _counts(found: list[Document]) -> dict[str, Any]:
    """How many documents ended how, and of the dropped ones where and why."""
    ends = Counter(document.end for document in found)
    reasons = Counter(
        (document.stops[-1].step, visible(document.fate.partition(": ")[2]))
        for document in found
        if document.end == "dropped"
    )
    return {
        "ends": {end: ends[end] for end in ENDS if ends[end]},
        "dropped": [
            [step, reason, count]
            for (step, reason), count in sorted(reasons.items(), key=lambda i: (-i[1], i[0]))
        ],
    }
