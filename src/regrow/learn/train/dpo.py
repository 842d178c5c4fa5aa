"""Length-normalised direct preference optimisation.

Loss of a pair (Tülu 3, arXiv 2411.15124, section 5, "DPO-norm"; OLMo 3 report, section 4.3):

    -log sigmoid( beta/|c| log(pi(c)/ref(c)) - beta/|r| log(pi(r)/ref(r)) )

for a chosen answer c and a rejected answer r to one prompt, their log-probabilities summed over
their |c| and |r| tokens; the loss of a step is the mean over its pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch
from torch import Tensor

from regrow.data.tables import parquet
from regrow.learn.train.batch_source import BatchSource
from regrow.learn.train.buckets import Buckets
from regrow.learn.train.examples import pad_rows
from regrow.learn.train.objective import Model, answer_logprobs


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt, as tokens."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]

    def rows(self) -> list[list[int]]:
        """Prompt and answer: chosen, rejected."""
        return [self.prompt + self.chosen, self.prompt + self.rejected]


def read(path: Path, source: str, *, context: int, vocabulary: int) -> list[Pair]:
    """The pairs of one `source` (`judged` or `delta`) of a table, in the order of their ids.

    Raises:
        ValueError: no such pair, or one that cannot be trained on; names file, id and reason.
    """
    table = parquet.read(path).filter(pl.col("source") == source).sort("id")
    if table.is_empty():
        raise ValueError(f"{path}: no pairs whose source is {source!r}")
    found = []
    for name, prompt, chosen, rejected in table.select(
        "id", "prompt", "chosen", "rejected"
    ).iter_rows():
        longest = len(prompt) + max(len(chosen), len(rejected))
        if not (prompt and chosen and rejected):
            raise ValueError(f"{path}: pair {name}: prompt, chosen or rejected is empty")
        if longest > context:
            raise ValueError(
                f"{path}: pair {name}: {longest} tokens, but the model has {context} positions"
            )
        every = (*prompt, *chosen, *rejected)
        if min(every) < 0 or max(every) >= vocabulary:
            odd = next(token for token in every if not 0 <= token < vocabulary)
            raise ValueError(
                f"{path}: pair {name}: token id {odd} is outside the vocabulary of {vocabulary}"
            )
        found.append(Pair(prompt, chosen, rejected))
    return found


@dataclass(frozen=True)
class PairBatch:
    """A micro-batch: chosen answers in the upper half of the rows, rejected in the lower."""

    tokens: Tensor
    """(2 pairs, length), padded on the right"""
    learned: Tensor
    """(2 pairs, length), bool: the answers"""
    numbers: tuple[int, ...]
    """which pairs these are"""


class Pairs(BatchSource):
    """Pairs in buckets of nearly equal length."""

    def __init__(self, pairs: Sequence[Pair], buckets: Buckets, batch: int, *, pad: int) -> None:
        self.pairs = pairs
        self.buckets = buckets
        self.per_step = batch // buckets.size
        self.pad = pad

    def _numbers(self, step: int, index: int) -> list[int]:
        return self.buckets.at((step - 1) * self.per_step + index)

    def get(self, step: int, index: int) -> PairBatch:
        """See BatchSource."""
        numbers = self._numbers(step, index)
        both = [self.pairs[i].rows() for i in numbers]
        rows = [row[0] for row in both] + [row[1] for row in both]
        learned = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.bool)
        for n, (row, i) in enumerate(zip(rows, [*numbers, *numbers], strict=True)):
            learned[n, len(self.pairs[i].prompt) : len(row)] = True
        return PairBatch(pad_rows(rows, self.pad), learned, tuple(numbers))

    def tokens(self, step: int) -> int:
        """Tokens of both rows of the step's pairs, padding left out."""
        return sum(
            len(row)
            for index in range(self.per_step)
            for i in self._numbers(step, index)
            for row in self.pairs[i].rows()
        )


def lengths(pairs: Sequence[Pair]) -> list[int]:
    """Tokens of the longer row of each pair."""
    return [max(map(len, pair.rows())) for pair in pairs]


def answer_scores(model: Model, batch: PairBatch) -> Tensor:
    """Mean log-probability of each row's answer tokens: (2 pairs,)."""
    found = answer_logprobs(model, batch.tokens, batch.learned)
    return found.sum(dim=1) / batch.learned.sum(dim=1)


class Reference:
    """The model that the run started from, frozen: each pair is scored once.

    A row's value does not depend on the rows beside it, so it does not matter in which
    micro-batch a pair is first met, nor in which process.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._known: dict[int, tuple[Tensor, Tensor]] = {}

    @torch.no_grad()
    def scores(self, batch: PairBatch) -> Tensor:
        """As `answer_scores`."""
        if any(number not in self._known for number in batch.numbers):
            chosen, rejected = answer_scores(self.model, batch).chunk(2)
            for number, pair in zip(batch.numbers, zip(chosen, rejected, strict=True), strict=True):
                self._known[number] = pair
        known = [self._known[number] for number in batch.numbers]
        return torch.stack([c for c, _ in known] + [r for _, r in known])


class Dpo:
    """The objective over `PairBatch`es; weighs pairs."""

    names: tuple[str, ...] = ("loss", "accuracy", "margin", "chosen_reward", "rejected_reward")
    """means over pairs. Rewards are beta times the difference of mean log-probabilities to the
    reference; margin is chosen minus rejected, accuracy the share with a margin above 0"""

    def __init__(self, beta: float, reference: Reference) -> None:
        self.beta = beta
        self.reference = reference

    def weight(self, batch: PairBatch) -> int:
        """Pairs."""
        return len(batch.numbers)

    def loss(self, model: Model, batch: PairBatch, total: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See the top of this module; `total` is the step's number of pairs."""
        difference = answer_scores(model, batch) - self.reference.scores(batch)
        chosen, rejected = (self.beta * difference).chunk(2)
        margin = chosen - rejected
        loss = -log_sigmoid(margin).sum() / total
        with torch.no_grad():
            metrics = [(margin > 0).float(), margin, chosen, rejected]
            parts = tuple(values.detach().sum() / total for values in metrics)
        return loss, (loss.detach(), *parts)


def log_sigmoid(x: Tensor) -> Tensor:
    """log(1 / (1 + exp(-x))), (n,) -> (n,), as a log-softmax over (x, 0): defined under fma32."""
    return torch.log_softmax(torch.stack([x, torch.zeros_like(x)], dim=1), dim=1)[:, 0]
