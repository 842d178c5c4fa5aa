"""Examples for supervised fine-tuning: token lists, of which the answers are learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from regrow.data.tables import parquet
from regrow.learn.train.batch_source import BatchSource
from regrow.learn.train.buckets import Buckets
from regrow.learn.train.data import Batch


@dataclass(frozen=True)
class Example:
    """Tokens, and which of them the loss counts."""

    tokens: list[int]
    learned: list[bool]


def read(path: Path, *, context: int, vocabulary: int) -> list[Example]:
    """The examples of a table with the columns id, tokens, mask, in the order of their ids.

    Raises:
        ValueError: a row that cannot be trained on; the message names file, id and reason.
    """
    table = parquet.read(path).select("id", "tokens", "mask").sort("id")
    found = []
    for name, tokens, mask in table.iter_rows():
        if (why := _wrong(tokens, mask, context, vocabulary)) is not None:
            raise ValueError(f"{path}: example {name}: {why}")
        found.append(Example(tokens, mask))
    return found


def _wrong(tokens: list[int], mask: list[bool], context: int, vocabulary: int) -> str | None:
    if len(tokens) != len(mask):
        return f"{len(tokens)} tokens, but a mask of {len(mask)}"
    if len(tokens) > context:
        return f"{len(tokens)} tokens, but the model has {context} positions: lower sft_data.max_tokens"
    if not any(mask[1:]):
        return "nothing to learn: no token but the first is in the mask"
    if max(tokens) >= vocabulary or min(tokens) < 0:
        return f"a token outside the vocabulary of {vocabulary}"
    return None


def pad_rows(rows: Sequence[Sequence[int]], pad: int) -> torch.Tensor:
    """Token lists padded on the right: (rows, longest), int64."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])


class Examples(BatchSource):
    """Examples in buckets: causal attention never sees the padding, which is on the right."""

    def __init__(
        self, examples: Sequence[Example], buckets: Buckets, batch: int, *, eos: int, pad: int
    ) -> None:
        self.examples = examples
        self.buckets = buckets
        self.per_step = batch // buckets.size
        self.eos = eos
        self.pad = pad

    def _chosen(self, step: int, index: int) -> list[Example]:
        place = (step - 1) * self.per_step + index
        return [self.examples[i] for i in self.buckets.at(place)]

    def get(self, step: int, index: int) -> Batch:
        """See BatchSource."""
        chosen = self._chosen(step, index)
        return Batch(
            tokens=pad_rows([example.tokens for example in chosen], self.pad),
            eos=self.eos,
            learned=pad_rows([example.learned for example in chosen], 0).bool(),
        )

    def tokens(self, step: int) -> int:
        """Tokens of the step's examples, padding left out."""
        return sum(
            len(example.tokens)
            for index in range(self.per_step)
            for example in self._chosen(step, index)
        )
