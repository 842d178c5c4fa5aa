"""What is minimised. An objective knows how to score one micro-batch, nothing else.

The loss of a step is the sum of its micro-batches' losses over one common weight (for
language modelling: the number of predicted tokens), so that micro-batches can be summed
in a tree whatever the objective.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from regrow.learn.train.data import Batch
from regrow.numerics.torch import functional

Model = Callable[..., Any]


class Objective(Protocol):
    """An objective of the engine."""

    names: tuple[str, ...]
    """of the parts; the first is `loss`, and all but `loss`, `z_loss` are metrics of their own"""

    def weight(self, batch: Any) -> int:
        """What the micro-batch counts for, known before the forward pass; 0: nothing to learn."""

    def loss(self, model: Model, batch: Any, total: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The loss to differentiate, over the step's `total` weight, and its parts, detached."""


def documents(tokens: Tensor, eos: int) -> Tensor:
    """The number, within its sequence, of the document that each token belongs to.

    `eos` is the last token of its document. (rows, length) -> (rows, length), int64.
    """
    ends = torch.zeros_like(tokens)
    ends[:, 1:] = (tokens[:, :-1] == eos).long()
    return ends.cumsum(dim=1)


def positions(document: Tensor) -> Tensor:
    """Positions that restart at 0 in every document: (rows, length), int64."""
    index = torch.arange(document.shape[1]).expand_as(document)
    first = torch.ones_like(document, dtype=torch.bool)
    first[:, 1:] = document[:, 1:] != document[:, :-1]
    return index - torch.where(first, index, 0).cummax(dim=1).values


class LanguageModelling:
    """Next-token cross-entropy with the z-loss of Olmo 3 (1e-5 times the squared log-normaliser).

    With `document_mask` a token attends within its own document only. Where the batch says which
    tokens are learned (supervised fine-tuning), the loss is the mean over those of the whole step.
    """

    names: tuple[str, ...] = ("loss", "z_loss")

    def __init__(self, z_loss: float, document_mask: bool) -> None:
        self.z_loss = z_loss
        self.document_mask = document_mask

    def weight(self, batch: Batch) -> int:
        """Predicted tokens: every token but the first of each row, or the learned ones."""
        rows, length = batch.tokens.shape
        if batch.learned is not None:
            return int(batch.learned[:, 1:].sum())
        return rows * (length - 1)

    def logits(self, model: Model, batch: Batch, keep: int = 0) -> Tensor:
        """(rows, length, vocabulary), or of the last `keep` positions."""
        # Positions that restart, without an attention mask and without a cache, are what makes
        # transformers isolate packed documents; with either of the others it leaks silently.
        where = positions(documents(batch.tokens, batch.eos)) if self.document_mask else None
        return model(
            input_ids=batch.tokens, position_ids=where, use_cache=False, logits_to_keep=keep
        ).logits

    def loss(self, model: Model, batch: Batch, total: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Mean over the step's predicted tokens: cross-entropy, z-loss."""
        keep = needed(batch.learned)
        loss, entropy, z = functional.cross_entropy(
            self.logits(model, batch, keep),
            next_tokens(batch.tokens, batch.learned)[:, -keep:],
            total=total,
            z_loss=self.z_loss,
        )
        return loss, (entropy, z)


def needed(learned: Tensor | None) -> int:
    """How many of the last positions predict a learned token of some row; 0: all of them.

    The logits of the others (the questions) are not computed.
    """
    if learned is None:
        return 0
    columns = learned[:, 1:].any(dim=0).nonzero()
    return learned.shape[1] - int(columns[0]) if len(columns) else 1


def answer_logprobs(model: Model, tokens: Tensor, learned: Tensor) -> Tensor:
    """Log-probability of every learned token, at that token's place: (rows, length), else 0.

    tokens, learned: (rows, length), padded on the right.
    """
    keep = needed(learned)
    logits = model(input_ids=tokens, use_cache=False, logits_to_keep=keep).logits
    ahead = functional.token_logprobs(logits, next_tokens(tokens, learned)[:, -keep:])
    front = torch.zeros(len(tokens), tokens.shape[1] - keep + 1)
    return torch.cat([front, ahead[:, :-1]], dim=1)


def next_tokens(tokens: Tensor, learned: Tensor | None = None) -> Tensor:
    """What each position predicts, IGNORE where nothing counts: (rows, length), int64."""
    targets = torch.full_like(tokens, functional.IGNORE)
    targets[:, :-1] = tokens[:, 1:]
    if learned is not None:
        targets[:, :-1].masked_fill_(~learned[:, 1:], functional.IGNORE)
    return targets
