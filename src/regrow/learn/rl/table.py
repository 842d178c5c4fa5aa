"""The table of rollouts: everything that was sampled, rewarded and learned from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet
from regrow.learn.rl.groups import Group

FILE = "rollouts.parquet"
SCHEMA: dict[str, Any] = {
    "step": pl.Int64,
    "group": pl.Int64,  # within the step, in the order of asking
    "sample": pl.Int64,  # within the group
    "task": pl.String,
    "family": pl.String,
    "prompt": pl.List(pl.Int64),
    "tokens": pl.List(pl.Int64),
    "logprobs": pl.List(pl.Float32),  # by the sampler, temperature 1
    "trainer_logprobs": pl.List(pl.Float32),  # null where the group was dropped
    "reward": pl.Float64,  # scaled
    "reason": pl.String,  # "" where the reward is full
    "advantage": pl.Float64,
    "used": pl.Boolean,  # the group had a gradient
    "text": pl.String,
}


def rows(
    step: int, groups: Sequence[Group], trainer: Sequence[Sequence[float]]
) -> list[dict[str, Any]]:
    """The rows of a step; `trainer`: log-probabilities of the used groups' answers, in order."""
    found = []
    left = iter(trainer)
    for group in groups:
        for sample, (answer, advantage) in enumerate(
            zip(group.answers, group.advantages(), strict=True)
        ):
            found.append(
                {
                    "step": step,
                    "group": group.number,
                    "sample": sample,
                    "task": group.prompt.task,
                    "family": group.prompt.family,
                    "prompt": group.prompt.tokens,
                    "tokens": answer.rollout.tokens,
                    "logprobs": answer.rollout.logprobs,
                    "trainer_logprobs": list(next(left)) if group.used else None,
                    "reward": group.rewards[sample],
                    "reason": group.reasons[sample],
                    "advantage": advantage,
                    "used": group.used,
                    "text": answer.text,
                }
            )
    return found


def write(found: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write rows in their order."""
    parquet.write(pl.DataFrame(found, schema=SCHEMA), folder / FILE)


def read(folder: Path) -> pl.DataFrame:
    """Read the table of a checkpoint."""
    return parquet.read(folder / FILE)


def counts(folder: Path) -> dict[str, Any]:
    """What the record says about a checkpoint's rollouts."""
    table = read(folder)
    used = table.filter("used")
    pairs = used.select("logprobs", "trainer_logprobs").explode("logprobs", "trainer_logprobs")
    gaps = (pairs["logprobs"] - pairs["trainer_logprobs"]).abs()
    # No sum of floats here: the largest, and counts.
    return {
        "rollouts": table.height,
        "learned": used.height,
        "groups": table.select("step", "group").n_unique(),
        "groups_learned": used.select("step", "group").n_unique(),
        "fully_rewarded": table.filter(pl.col("reason") == "").height,
        "logprobs_compared": pairs.height,
        "max_abs_logprob_difference": gaps.max() if pairs.height else 0.0,
    }
