"""The held-out documents of a table as their n-grams, and what training documents share with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.dedup import choice
from regrow.data.dedup.choice import Choice
from regrow.data.dedup.notes import Note
from regrow.data.dedup.overlap import References
from regrow.data.dedup.shingles import Shingler
from regrow.data.tables import passes, stream
from regrow.data.tables.stream import Schema
from regrow.params.data import Decontaminate

Grams = NDArray[np.uint64]
Places = NDArray[np.uint32]


class HeldOut:
    """Held-out documents, in the order of the table.

    Training documents are shown to it twice: `hits` and `count` for all of them, or `counted` for those of a part, then,
    after `leave_out_common`, `overlap`, and `saw` for those that stay.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.domains: list[str] = []
        self.groups: set[str] = set()
        """of which all documents are held out"""
        self._sets: list[Grams] = []

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, id_: str, domain: str, group: str, grams: Grams) -> None:
        """A held-out document and the set of its n-grams; all of them come before the first training document."""
        self.ids.append(id_)
        self.domains.append(domain)
        self.groups.add(group)
        self._sets.append(grams)

    def close(self) -> None:
        """All held-out documents are there."""
        every = self._sets or [np.empty(0, np.uint64)]
        self._known: Grams = np.unique(np.concatenate(every))
        self._times = np.zeros(len(self._known), np.int64)
        self._seen = np.zeros(len(self._known), bool)

    def hits(self, grams: Grams) -> Places:
        """Which of the held-out n-grams a document has, given the set of its own: their places, ascending."""
        if not len(self._known):
            return np.empty(0, np.uint32)
        places = np.searchsorted(self._known, grams)
        places[places == len(self._known)] = 0
        return places[self._known[places] == grams].astype(np.uint32)

    def count(self, hits: Places) -> None:
        """Count a training document for `leave_out_common`."""
        self._times[hits] += 1

    @property
    def times(self) -> NDArray[np.int64]:
        """How many of the documents that were counted have each n-gram."""
        return self._times

    def counted(self, times: NDArray[np.int64]) -> None:
        """Add the `times` of other documents.

        Raises:
            ValueError: they are of other held-out documents.
        """
        if len(times) != len(self._times):
            raise ValueError(
                f"counts of {len(times)} held-out n-grams, where there are {len(self._times)}; rerun the steps of the "
                "parts"
            )
        self._times += times

    def leave_out_common(self, limit: int) -> None:
        """Leave out the n-grams that more than `limit` of the documents that were counted have: page furniture."""
        common = self._known[self._times > limit]
        self._sets = [np.setdiff1d(s, common, assume_unique=True) for s in self._sets]
        self._references = References(self._sets)

    def overlap(self, note: Note) -> tuple[float, int]:
        """Largest containment over the held-out documents, and which of them it is (-1: none)."""
        return self._references.overlap(self._known[note.hits], note.size)

    def saw(self, hits: Places) -> None:
        """A document with these n-grams is trained on."""
        self._seen[hits] = True

    def ngrams(self, domain: str) -> tuple[int, int]:
        """How many n-grams the documents of a domain have, each counting its own, and how many are trained on."""
        mine = [s for s, d in zip(self._sets, self.domains, strict=True) if d == domain]
        seen = sum(int(self._seen[np.searchsorted(self._known, s)].sum()) for s in mine)
        return sum(map(len, mine)), seen


def collect(
    table: Path, schema: Schema, chosen: Choice, params: Decontaminate, target: Path
) -> int:
    """Write the held-out documents of a table to `target`, with the column `domain`; return how many they are."""

    def wanted(_: int, row: stream.Row) -> bool:
        return choice.group(row, choice.domain(row, params)) in chosen.groups

    with stream.Writer(target, {**schema, "domain": pl.String}) as writer:
        for _, row in passes.picked(table, ["url", "source"], wanted, list(schema)):
            writer.add({**row, "domain": choice.domain(row, params)})
    return writer.rows


def read(path: Path, shingler: Shingler) -> HeldOut:
    """The held-out documents that `collect` wrote, as their n-grams and groups."""
    held = HeldOut()
    for row in stream.rows(path, ["id", "url", "text", "domain"]):
        group = choice.group(row, row["domain"])
        held.add(row["id"], row["domain"], group, shingler.set(row["text"] or ""))
    held.close()
    return held
