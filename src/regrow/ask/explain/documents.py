"""One span with its counts and the documents, examples, pairs and answers that have it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrow.ask.explain.facts import facts
from regrow.ask.explain.found import Found, Origins, Places
from regrow.ask.explain.spelling import Text
from regrow.evidence import pdf_pages

CONTEXT = 48
"""tokens shown on either side of a match"""
_NEAR = 60
"""characters before a match by which its page is found where the match comes several times"""
LOOKED_AT = 200
"""places whose surroundings are compared with the text's, letter by letter"""


def described(text: Text, span: Found, origins: Origins, top: int) -> dict[str, Any]:
    """A span as JSON: extent, counts by data set and stage, and `top` documents with their context."""
    begin, end = text.whole(*_widest(text, span))
    chosen = origins.top(span, top)
    return {
        "begin": text.character(begin),
        "end": text.character(end),
        "text": text.data[begin:end].decode(errors="replace"),
        "tokens": span.tokens,
        "first_token": span.begin,
        "bits": round(span.bits, 1),
        "places": sum(len(p.rows) for p in span.places),
        "views": sum(p.views for p in span.places),
        "documents": len(origins.distinct(span)),
        "data": [
            {
                "data": places.data.name,
                "places": len(places.rows),
                "documents": len(np.unique(places.numbers)),
                "views": places.views,
                "roles": dict(places.roles()),
                "runs": places.by_run(),
            }
            for places in span.places
        ],
        "found_in": [_document(text, span, origins, number) for number in chosen],
    }


def _widest(text: Text, span: Found) -> tuple[int, int]:
    """The bytes of the longest match, letters beyond the tokens included, over the first places."""
    found = (text.ends[span.begin], text.ends[span.end])
    for places in span.places:
        pairs = zip(
            places.rows[:LOOKED_AT].tolist(), places.offsets[:LOOKED_AT].tolist(), strict=True
        )
        for row, offset in pairs:
            extent = text.extent(span.begin, span.end, places.data.index.row(row).tolist(), offset)
            found = max(found, extent, key=lambda e: (e[1] - e[0], -e[0]))
    return found


def _document(text: Text, span: Found, origins: Origins, number: int) -> dict[str, Any]:
    """One origin of a span: what it is, where training met it, and the first place in its context."""
    told: dict[str, Any] = {}
    seen: list[dict[str, Any]] = []
    count = 0
    for places in span.places:
        mine = np.flatnonzero(origins.of(places) == number)
        if not len(mine):
            continue
        count += len(mine)
        if not told:
            told = _first(text, span, places, int(mine[0]))
        seen += _seen(places, mine)
    return {"origin": origins.ids[number], **told, "places": count, "seen": seen}


def _first(text: Text, span: Found, places: Places, which: int) -> dict[str, Any]:
    """What an owner is, and the words around the span in it."""
    data = places.data
    owner = data.owners.ids[int(places.numbers[which])]
    row, offset = data.index.row(int(places.rows[which])).tolist(), int(places.offsets[which])
    begin, end = text.extent(span.begin, span.end, row, offset)
    spelling = text.spelling
    beyond = offset + span.tokens
    left = spelling.spell(_inside(row[max(0, offset - CONTEXT) : offset], spelling.end, -1))
    right = spelling.spell(_inside(row[beyond : beyond + CONTEXT], spelling.end, 1))
    more_left, more_right = text.ends[span.begin] - begin, end - text.ends[span.end]
    about = {k: v for k, v in facts(data, {owner})[owner].items() if k != "id"}
    before = left[: len(left) - more_left].decode(errors="replace")
    match = text.data[begin:end].decode(errors="replace")
    near = [f"{before[-_NEAR:]}{match}", match]
    return {
        "id": owner,
        "kind": data.kind.removesuffix("s"),
        **about,
        **pdf_pages.facts(data.run.outputs, owner, str(about.get("url", "")), near),
        "left": before,
        "match": match,
        "right": right[more_right:].decode(errors="replace"),
    }


def _inside(tokens: list[int], end: int | None, way: int) -> list[int]:
    """What of the tokens before (way -1) or behind (1) a span is of the same document."""
    near = tokens[::way]
    if end in near:
        near = near[: near.index(end)]
    return near[::way]


def _seen(places: Places, mine: NDArray[np.int64]) -> list[dict[str, Any]]:
    """The steps of every stage that met the span in one origin, and what they did with it."""
    roles = list(dict.fromkeys(places.role_of(mine)))
    rows = places.rows[mine]
    found = []
    for run in places.data.exposures:
        steps = run.steps(np.unique(rows))
        if steps:
            found.append(
                {
                    "stage": run.stage,
                    "data": places.data.name,
                    "roles": roles,
                    "ids": list(
                        dict.fromkeys(
                            places.data.owners.ids[n] for n in places.numbers[mine].tolist()
                        )
                    )[:5],
                    "views": int(run.times[rows].sum()),
                    "steps": steps,
                }
            )
    return found
