"""Log-likelihoods of token windows in batches of fixed shape.

A window is a context and the tokens to predict after it. Windows of like length share a
batch; short ones are padded on the right, where a causal model cannot look. Batches have
the same number of rows throughout (the last is filled up with a copy of its first row).
Under `regrow.numerics` a row's result depends neither on its width nor on its neighbours;
the fixed shapes keep it so where the arithmetic promises less.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch
from transformers import Olmo3ForCausalLM

from regrow.numerics import exact
from regrow.numerics.torch import functional

Window = tuple[list[int], list[int]]
"""context (at least one token) and the tokens that follow it"""

WIDTH_STEP = 64


@torch.no_grad()
def token_logprobs(
    model: Olmo3ForCausalLM,
    windows: Sequence[Window],
    *,
    rows: int = 16,
    pad: int = 0,
    greedy: bool = False,
    context: int | None = None,
) -> list[tuple[list[float], bool]]:
    """Natural log-probability of each predicted token, and whether all were the likeliest.

    One pair per window, in the order given; the second is False unless `greedy` asks for it.
    `model` is a transformers causal LM in evaluation mode whose body is `model.model` and whose
    head is `model.lm_head`. `context`: the longest input (default: the model's positions).

    Raises:
        ValueError: a window without context, without tokens to predict, or too long.
    """
    context = context or int(model.config.max_position_embeddings)
    for before, after in windows:
        if not before or not after or len(before) + len(after) - 1 > context:
            raise ValueError(
                f"a window of {len(before)} + {len(after)} tokens does not fit: it needs a "
                f"context, something to predict, and at most {context + 1} tokens in all"
            )

    def width(index: int) -> int:
        before, after = windows[index]
        return -(-(len(before) + len(after) - 1) // WIDTH_STEP) * WIDTH_STEP

    order = sorted(range(len(windows)), key=lambda i: (-width(i), i))
    results: list[tuple[list[float], bool]] = [([], True)] * len(windows)
    for first in range(0, len(order), rows):
        batch = order[first : first + rows]
        filled = batch + [batch[0]] * (rows - len(batch))
        columns = min(width(batch[0]), context)
        ids = torch.full((rows, columns), pad, dtype=torch.int64)
        scored = torch.zeros(rows, columns, dtype=torch.bool)
        targets = []
        for row, index in enumerate(filled):
            before, after = windows[index]
            tokens = (before + after)[:-1]
            ids[row, : len(tokens)] = torch.tensor(tokens, dtype=torch.int64)
            scored[row, len(before) - 1 : len(tokens)] = True
            targets += after
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[scored]
        logits = model.lm_head(hidden)
        target = torch.tensor(targets, dtype=torch.int64)
        values = functional.token_logprobs(logits, target).tolist()
        likeliest = (logits.argmax(dim=-1) == target).tolist() if greedy else [False] * len(values)
        at = 0
        for index in batch:
            n = len(windows[index][1])
            results[index] = (values[at : at + n], all(likeliest[at : at + n]))
            at += n
        if first // rows % 16 == 0:
            print(f"scored {first + len(batch)} of {len(order)} windows", file=sys.stderr)
    return results


def total(logprobs: Sequence[float]) -> float:
    """The correctly rounded sum of log-probabilities."""
    return exact.total(logprobs)
