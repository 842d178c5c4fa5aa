"""The documents that a fork brings: what of them may be learned, in which order, and what became of each.

Copies are found in all of them; whether a document or passage holds what it must not is looked at only
when its turn comes, so that the work is bounded by what is read and not by what is brought.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regrow.data.dedup.overlap import References
from regrow.data.dedup.shingles import Shingler
from regrow.data.tables import parquet as tables
from regrow.learn.tasks.mid.leaks import Leaks
from regrow.learn.tasks.mid.passages import cut
from regrow.learn.tasks.mid.text import Text, identity, rank
from regrow.params.fork import Fork
from regrow.params.posttrain import MidtrainData

COMPONENT, ASIDE = "own", "own, kept apart"
_REPORT_EVERY = 20_000


class Documents:
    """The table of documents (id, url, source, licence, text) by id.

    `drops`: rows for drops.parquet, as they come about.
    """

    def __init__(self, inputs: dict[str, Path], fork: Fork, p: MidtrainData, leaks: Leaks) -> None:
        columns = ["id", "url", "source", "licence", "text"]
        self.rows = tables.read(inputs["documents"], columns).sort("id")
        self.drops: list[dict[str, object]] = []
        self._leaks, self._limit = leaks, p.leak_overlap
        held = tables.read(inputs["decontaminate"] / "heldout.parquet", ["id", "text"]).sort("id")
        self._held_ids: list[str] = held["id"].to_list()
        self._shingler = Shingler(p.leak_ngram)
        self._held = References([self._shingler.set(text) for text in held["text"]])
        self._ids: list[str] = self.rows["id"].to_list()
        self._texts = self.rows["text"]
        self._numbers: dict[str, list[str]] = {}  # document -> ids of its passages
        self._may: dict[int, bool] = {}
        self._apart: set[str] = set()
        self._order: dict[str, list[tuple[bytes, str, int, int]]] = {COMPONENT: [], ASIDE: []}
        self._arrange(fork)

    def passages(self, component: str) -> Iterator[Text]:
        """Passages of the documents that may enter, in a keyed order."""
        for _, name, place, number in self._order[component]:
            text: str = self._texts[place]
            if not self._may_enter(place, text):
                continue
            row = self.rows.row(place, named=True)
            yield Text(
                id=name,
                component=COMPONENT,
                source=row["source"],
                generator=None,
                licence=row["licence"],
                parent=row["id"],
                text=cut(text)[number],
            )

    def outcomes(self, passages: set[str]) -> dict[str, str]:
        """What is decided already: `dropped` or `held out`, by document; `passages`: dropped ones."""
        fates = dict.fromkeys(sorted(self._apart), "held out")
        gone = {str(drop["id"]) for drop in self.drops}
        gone |= {id for id, own in self._numbers.items() if own and passages.issuperset(own)}
        return fates | dict.fromkeys(sorted(gone), "dropped")

    def _arrange(self, fork: Fork) -> None:
        """Leave copies and empty documents out; put the passages of the others in order."""
        seen: dict[bytes, str] = {}
        for place, (id, text) in enumerate(zip(self._ids, self.rows["text"], strict=True)):
            if place and place % _REPORT_EVERY == 0:
                print(f"  {place} of {len(self._ids)} documents", file=sys.stderr, flush=True)
            digest = hashlib.sha256(text.encode()).digest()
            passages = len(cut(text))
            if digest in seen or not passages:
                detail = seen.get(digest)
                self._drop(place, {"reason": "exact" if passages else "empty", "detail": detail})
                continue
            seen[digest] = id
            share = int.from_bytes(rank(f"fork heldout {fork.seed}", id)[:8], "big") / 2.0**64
            component = ASIDE if share < fork.heldout_share else COMPONENT
            if component == ASIDE:
                self._apart.add(id)
            self._numbers[id] = [identity(COMPONENT, id, n) for n in range(passages)]
            for number, name in enumerate(self._numbers[id]):
                row = rank(f"own {fork.seed}", name), name, place, number
                self._order[component].append(row)
        for order in self._order.values():
            order.sort()

    def _may_enter(self, place: int, text: str) -> bool:
        if place not in self._may:
            drop = self._problem(text)
            self._may[place] = drop is None
            if drop:
                self._drop(place, drop)
        return self._may[place]

    def _problem(self, text: str) -> dict[str, Any] | None:
        """Why none of a document may enter, or None; a passage that leaks by itself goes alone."""
        value, which = self._held.overlap(self._shingler.set(text))
        if which >= 0 and value >= self._limit:
            more = {"value": value, "threshold": self._limit, "detail": self._held_ids[which]}
            return {"reason": "leak.heldout"} | more
        leak = self._leaks.find(text)
        if leak is None or any(map(self._leaks.find, cut(text))):
            return None
        return leak  # what leaks is cut in two by the passages

    def _drop(self, place: int, why: dict[str, Any]) -> None:
        row = self.rows.row(place, named=True)
        self.drops.append({"id": row["id"], "url": row["url"], "step": "forkmix"} | why)
