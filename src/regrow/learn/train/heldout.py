"""Loss on held-out packs, sequence by sequence, and paired intervals of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import Olmo3ForCausalLM

from regrow.learn.train.data import Sequences
from regrow.learn.train.objective import next_tokens
from regrow.numerics import exact
from regrow.numerics.random import Stream
from regrow.numerics.torch import functional

MOST = 64
"""sequences of a pack that are scored, spread evenly over it"""
ROWS = 8
"""sequences of a forward pass; no result depends on it"""
RESAMPLES = 1_000


@dataclass(frozen=True)
class Scored:
    """A pack under a model: per sequence the summed loss (nats) and the predicted tokens."""

    losses: list[float]
    tokens: list[int]

    def mean(self) -> float:
        """Nats per predicted token."""
        return exact.total(self.losses) / sum(self.tokens)


@torch.no_grad()
def score(model: Olmo3ForCausalLM, pack: Path) -> Scored:
    """Next-token loss of the sequences of `pack`, padding left out, without a document mask."""
    sequences = Sequences(pack)
    count = min(MOST, sequences.count)
    chosen = np.array([i * sequences.count // count for i in range(count)], dtype=np.int64)
    losses: list[float] = []
    tokens: list[int] = []
    for begin in range(0, count, ROWS):
        rows = sequences.take(chosen[begin : begin + ROWS])
        targets = next_tokens(rows, rows != sequences.pad)
        logits = model(input_ids=rows, use_cache=False).logits
        found = functional.token_logprobs(logits, targets)
        losses += [-exact.total(row) for row in found.tolist()]
        tokens += (targets != functional.IGNORE).sum(dim=1).tolist()
    return Scored(losses, tokens)


def packs(folder: Path) -> list[Path]:
    """The packs below `folder`, by name. Raises ValueError if there is none."""
    found = sorted(path.parent for path in folder.glob("*/meta.json"))
    if not found:
        raise ValueError(f"{folder}: no held-out pack (a folder with meta.json and tokens.bin)")
    return found


def score_all(model: Olmo3ForCausalLM, folder: Path) -> dict[str, Scored]:
    """`score` of every pack below `folder`, by name."""
    return {pack.name: score(model, pack) for pack in packs(folder)}


def mean(scored: Mapping[str, Scored]) -> float:
    """The mean over packs of their losses: each counts alike, whatever its size."""
    return exact.mean(scored[name].mean() for name in sorted(scored))


def difference(ours: Sequence[Scored], theirs: Sequence[Scored], name: str) -> dict[str, float]:
    """Mean over packs of loss(ours) - loss(theirs), with a 95 % interval: value, low, high.

    Paired bootstrap: sequences are drawn with replacement within each pack, the same ones for
    both. `name` names the draws.
    """
    parts = []
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        gaps = np.array(a.losses) - np.array(b.losses)
        tokens = np.array(a.tokens, dtype=np.int64)
        n = len(gaps)
        draws = Stream("heldout bootstrap", name, number).integers(RESAMPLES * n, n)
        picked = draws.reshape(RESAMPLES, n)
        sums = np.add.accumulate(gaps[picked], axis=1)[:, -1]
        parts.append(sums / tokens[picked].sum(axis=1))
    means = np.add.accumulate(np.stack(parts), axis=0)[-1] / len(parts)
    ordered = np.sort(means)
    value = exact.mean(a.mean() - b.mean() for a, b in zip(ours, theirs, strict=True))
    low, high = (float(ordered[int(q * (RESAMPLES - 1))]) for q in (0.025, 0.975))
    return {"value": value, "low": low, "high": high}
