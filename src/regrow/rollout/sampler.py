"""Batched sampling from a causal language model, with a key-value cache and exact log-probabilities.

All rows of a batch stand at the same position: a row whose prompt goes on takes its next
prompt token, the others the token that they drew. So prompts of unequal length need no
padding, and each logit equals the one of a forward pass over the finished text bit for
bit (when `regrow.numerics` defines the arithmetic), which makes the ratio between sampler
and trainer exactly one.

A draw depends on the row's name and the position only (`regrow.numerics.random`), never on
the rows beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import Olmo3ForCausalLM

from regrow.numerics import exact
from regrow.numerics.random import Stream
from regrow.numerics.torch import functional
from regrow.rollout.cache import PositionCache, masks

WIDTH_STEP = 16
"""cache widths are multiples of this many positions"""


@dataclass
class Rollout:
    """One sampled continuation."""

    prompt: list[int]
    tokens: list[int] = field(default_factory=list)
    """drawn tokens, the end token included when it was drawn"""
    logprobs: list[float] = field(default_factory=list)
    """natural log-probability of each drawn token under the model at temperature 1 (fp32)"""
    ended: bool = False
    """an end token was drawn"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to continue, and the name of its random stream."""

    prompt: Sequence[int]
    """token ids, at least one"""
    name: tuple[str | int, ...]
    """draw t of this row is element t of `Stream(*name)`; unused when greedy"""


def choose(
    logits: NDArray[np.float32], temperature: float, uniforms: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Draw a token per row by inversion: logits (rows, vocabulary), uniforms (rows,) in [0, 1).

    Weights exp((logit - max) / temperature) are float64 and summed from token 0 upwards; the
    token is the first whose running sum exceeds uniform x total. Temperature 0 takes the
    largest logit, the lowest id among equals.
    """
    if temperature == 0:
        return np.argmax(logits, axis=1)
    scores = logits.astype(np.float64)
    scores = (scores - scores.max(axis=1, keepdims=True)) / temperature
    running = np.add.accumulate(exact.exp(scores), axis=1)
    total = running[:, -1]
    # Rounding may carry uniform x total up to the total, which no running sum exceeds.
    target = np.minimum(uniforms * total, np.nextafter(total, 0.0))
    return np.argmax(running > target[:, None], axis=1)


@torch.no_grad()
def sample(
    model: Olmo3ForCausalLM,
    requests: Sequence[Request],
    *,
    max_new_tokens: int,
    temperature: float,
    end_tokens: Sequence[int] = (),
    context: int | None = None,
) -> list[Rollout]:
    """Continue every request by up to `max_new_tokens` tokens; temperature 0 is greedy.

    A row stops at an end token, or when prompt and continuation fill `context`
    (default: the model's positions). `model` is in evaluation mode, with eager attention or with
    `regrow.numerics.torch.install`.

    Raises:
        ValueError: an empty prompt, or one that leaves no room in the context.
    """
    config = model.config
    context = context or int(config.max_position_embeddings)
    for request in requests:
        if not 0 < len(request.prompt) < context:
            raise ValueError(
                f"a prompt has {len(request.prompt)} tokens; it needs 1 to {context - 1} "
                f"(the context is {context})"
            )
    rows = [Rollout(prompt=list(request.prompt)) for request in requests]
    if not rows or max_new_tokens < 1:
        return rows
    limits = [min(context, len(row.prompt) + max_new_tokens) for row in rows]
    streams = [Stream(*request.name) for request in requests]
    width = -(-max(limits) // WIDTH_STEP) * WIDTH_STEP
    cache = PositionCache(int(config.num_hidden_layers), width)
    dtype = next(model.parameters()).dtype
    window = getattr(config, "sliding_window", None)

    first = min(len(row.prompt) for row in rows)
    feed = [row.prompt[:first] for row in rows]
    finished = [False] * len(rows)
    while True:
        start, n = cache.length, len(feed[0])
        output = model(
            input_ids=torch.tensor(feed, dtype=torch.int64),
            attention_mask=masks(start, n, width, window, dtype),
            position_ids=torch.arange(start, start + n).unsqueeze(0),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache.advance(n)
        position = cache.length  # of the token that these logits predict
        logits = output.logits[:, -1]
        uniforms = np.array([s.uniform(1, start=position)[0] for s in streams])
        drawn = choose(logits.numpy(), temperature, uniforms)
        logprobs = functional.token_logprobs(logits, torch.from_numpy(drawn)).tolist()
        feed = []
        for i, row in enumerate(rows):
            if position < len(row.prompt):
                feed.append([row.prompt[position]])
                continue
            token = int(drawn[i])
            feed.append([token])
            if not finished[i]:
                row.tokens.append(token)
                row.logprobs.append(logprobs[i])
                row.ended = token in end_tokens
                finished[i] = row.ended or position + 1 >= limits[i]
        if all(finished):
            return rows
