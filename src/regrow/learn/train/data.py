"""Packed token sequences, and the micro-batches made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from regrow.data.tokens.order import Order
from regrow.learn.train import digest
from regrow.learn.train.batch_source import BatchSource


class Sequences:
    """The packed sequences of a folder (`tokens.bin`, `meta.json`), memory-mapped."""

    def __init__(self, folder: Path) -> None:
        self.digest = digest.files(folder / "meta.json")
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        self.count = int(meta["sequences"])
        self.length = int(meta["sequence_length"])
        self.vocabulary = int(meta["vocabulary"])
        self.eos = int(meta["eos"])
        self.pad = int(meta["pad"])
        path = folder / "tokens.bin"
        size = path.stat().st_size
        if not self.count or size != 2 * self.count * self.length:
            raise ValueError(
                f"{path}: {size} bytes do not hold {self.count} sequences of {self.length} "
                "uint16 tokens, as meta.json says"
            )
        shape = (self.count, self.length)
        self._tokens = np.memmap(path, dtype="<u2", mode="r", shape=shape)

    def take(self, indices: NDArray[np.int64]) -> torch.Tensor:
        """The sequences at `indices`: (len(indices), length), int64."""
        return torch.from_numpy(self._tokens[indices].astype(np.int64))


@dataclass(frozen=True)
class Batch:
    """A micro-batch: tokens (rows, length) and the token that ends a document.

    `learned` (rows, length) says which tokens the loss counts; None: all but the first of a row.
    """

    tokens: torch.Tensor
    eos: int
    learned: torch.Tensor | None = None


class Mixed(BatchSource):
    """Packs of equal share: position p takes the next sequence of pack p mod their number.

    Each pack has an order of its own. Padding is not learned.
    """

    def __init__(
        self, packs: Sequence[Sequences], orders: Sequence[Order], batch: int, micro: int
    ) -> None:
        """Raises ValueError if the packs differ in length of sequences or in control tokens."""
        if len({(p.length, p.vocabulary, p.eos, p.pad) for p in packs}) != 1:
            raise ValueError("packs that are mixed must have one length, vocabulary, eos and pad")
        self.packs = packs
        self.orders = orders
        self.batch = batch
        self.micro = micro
        self.per_step = batch // micro

    def get(self, step: int, index: int) -> Batch:
        """See BatchSource."""
        begin = (step - 1) * self.batch + index * self.micro
        parts = []
        for position in range(begin, begin + self.micro):
            turn, which = divmod(position, len(self.packs))
            parts.append(self.packs[which].take(self.orders[which].at(turn)))
        tokens = torch.cat(parts)
        real = tokens != self.packs[0].pad  # best-fit packing leaves gaps at the ends
        return Batch(tokens, self.packs[0].eos, None if bool(real.all()) else real)

    def tokens(self, step: int) -> int:
        """See BatchSource."""
        return self.batch * self.packs[0].length


class Packed(Mixed):
    """The sequences of one pack in the order of a permutation."""

    def __init__(self, sequences: Sequences, order: Order, batch: int, micro: int) -> None:
        super().__init__([sequences], [order], batch, micro)
