"""The whole answer of `regrow explain` as data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regrow.ask.explain import spans
from regrow.ask.explain.ancestors import checkpoint_of
from regrow.ask.explain.dataset import datasets
from regrow.ask.explain.documents import described
from regrow.ask.explain.found import Found, Origins, Places
from regrow.ask.explain.spelling import Spelling, Text
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record

LEAST = 8
"""tokens of the shortest span that is reported"""
LEVELS = (4, 8, 16, 32, 64)
"""lengths at which the covered share is reported"""
MANY = 10
"""documents or tasks from which on a span counts as boilerplate"""


class Explainer:
    """The training data of one checkpoint, opened once for any number of texts."""

    def __init__(self, ledger: Ledger, record: Record) -> None:
        """Open the indexes.

        Raises:
            Unanswerable: not a checkpoint, or indexes, data or tokenizer are not on disk.
        """
        self.checkpoint = checkpoint_of(ledger, record)
        self.outputs = Outputs(ledger)
        self.data = datasets(self.outputs, self.checkpoint)
        path = self.outputs.path("tokenizer", "tokenizer.json")
        if path is None:
            raise Unanswerable(self.outputs.hint() or "there is no tokenizer.")
        self.spelling = Spelling(path.parent)
        self._counted = {data.name: data.times > 0 for data in self.data}
        self._origins = Origins(self.data)
        size = max((len(data.index.unigrams) for data in self.data), default=0)
        self._unigrams = np.zeros(size, dtype=np.int64)
        for data in self.data:
            self._unigrams[: len(data.index.unigrams)] += data.index.unigrams

    def explain(
        self, text: str | NDArray[np.uint16], least: int = LEAST, top: int = 3
    ) -> dict[str, Any]:
        """What of a text, or of tokens that a model drew, was in the training of the checkpoint.

        Args:
            text: as somebody wrote it, or tokens of this run's tokenizer.
            least: tokens of the shortest span that is reported.
            top: documents reported, per span.

        Returns:
            JSON-able: see docs/concepts/explain.md, "The answer".

        Raises:
            Unanswerable: an empty text.
        """
        given = self.spelling.text(text) if isinstance(text, str) else Text(self.spelling, text)
        if not len(given.tokens):
            raise Unanswerable("an empty text: give some words, --file FILE, or --sample PROMPT.")
        low = min(least, *LEVELS)
        matches = {
            data.name: data.index.matches(given.tokens, low, self._counted[data.name])
            for data in self.data
        }
        longest = np.max([np.zeros(len(given.tokens), dtype=np.int64), *matches.values()], axis=0)
        found = [self._find(given, *span) for span in spans.maximal(longest, least)]
        self._origins.weigh(found)
        order = sorted(range(len(found)), key=lambda n: (-found[n].bits, found[n].begin))
        told = [described(given, found[n], self._origins, top) for n in order]
        return {
            "checkpoint": self.checkpoint.name,
            "sha256": self.checkpoint.sha256,
            "text": given.data.decode(errors="replace"),
            "tokens": len(given.tokens),
            "least": least,
            "data": [self._about(data.name) for data in self.data],
            **self._shares(given, longest, matches, found, least),
            "spans": told,
            "hint": self.outputs.hint(),
        }

    def _find(self, text: Text, begin: int, end: int) -> Found:
        tokens = text.tokens[begin:end]
        span = Found(begin, end, spans.bits(tokens.astype(np.int64), self._unigrams))
        for data in self.data:
            rows, offsets = data.index.places(tokens, self._counted[data.name])
            if len(rows):
                numbers = data.owners.at(rows, offsets)
                span.places.append(Places(data, rows, offsets, numbers, end - begin))
        return span

    def _about(self, name: str) -> dict[str, Any]:
        data = next(data for data in self.data if data.name == name)
        length = data.index.rows["length"].to_numpy()
        return {
            "data": name,
            "kind": data.kind,
            "index": data.place,
            "tokens": data.index.tokens,
            "tokens_seen": int(length[data.times > 0].sum()),
            "runs": [
                {"stage": e.stage, "checkpoint": e.checkpoint, "steps": e.last_step}
                for e in data.exposures
            ],
        }

    def _shares(
        self,
        text: Text,
        longest: NDArray[np.int64],
        matches: dict[str, NDArray[np.int64]],
        found: list[Found],
        least: int,
    ) -> dict[str, Any]:
        """Shares of the tokens: covered at several lengths, by data set, by boilerplate, learned."""
        size = len(text.tokens)
        levels = sorted({*LEVELS, least})
        ranges = [(span.begin, span.end) for span in found]
        over = spans.best(ranges, size)
        boilerplate = [len(self._origins.distinct(span)) >= MANY for span in found]
        learned = [
            any(name != "context" for p in span.places for name, _ in p.roles()) for span in found
        ]
        outside = [
            (span.begin, span.end)
            for span in found
            if any(p.data.kind in ("documents", "examples") for p in span.places)
        ]

        def share(which: NDArray[np.bool_]) -> float:
            return round(float(which.mean()), 4)

        def by_best(flags: list[bool]) -> float:
            return share(np.array([n >= 0 and flags[n] for n in over.tolist()], dtype=bool))

        return {
            "covered": {str(n): share(spans.covered(longest, n)) for n in levels},
            "covered_by": {
                name: {str(n): share(spans.covered(lengths, n)) for n in levels}
                for name, lengths in matches.items()
            },
            "boilerplate": by_best(boilerplate),
            "learned": by_best(learned),
            "outside": share(spans.mask(outside, size)),
            "longest": int(longest.max()),
        }
