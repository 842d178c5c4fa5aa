"""Batched sampling from a causal language model, with a key-value cache and exact log-probabilities.

Up to `slots` texts are in flight, each at a position of its own; a slot whose text has ended takes
the next request at once (continuous batching: Yu et al., "Orca", OSDI 2022), and the tokens of a
step, whole new prompts and single tokens alike, go through the model as one list without
padding. Requests with the same prompt that come one after the other share its pass.

Each logit equals the one of a forward pass over the finished text bit for bit, which makes the
ratio between sampler and trainer exactly one. A draw depends on the request's name and the
position only (`regrow.numerics.random`), never on the texts beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from transformers import Olmo3ForCausalLM

from regrow.learn.rollout import draw
from regrow.learn.rollout.decoder import Decoder
from regrow.learn.rollout.progress import Progress
from regrow.numerics.random import Stream

SLOTS = 64


@dataclass
class Rollout:
    """One sampled continuation."""

    prompt: list[int]
    tokens: list[int] = field(default_factory=list)
    """drawn tokens, the end token included when it was drawn"""
    logprobs: list[float] = field(default_factory=list)
    """natural log-probability of each drawn token under the model at temperature 1 (fp32)"""
    ended: bool = False
    """an end token was drawn, or `stop` said so"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to continue, and the name of its random stream."""

    prompt: Sequence[int]
    """token ids, at least one"""
    name: tuple[str | int, ...]
    """the draw of the token at position t is element t of `Stream(*name)`; unused when greedy"""


def sample(
    model: Olmo3ForCausalLM,
    requests: Sequence[Request],
    *,
    max_new_tokens: int,
    temperature: float,
    end_tokens: Collection[int] = (),
    context: int | None = None,
    slots: int | None = None,
    stop: Callable[[list[int]], bool] | None = None,
    label: str | None = None,
) -> list[Rollout]:
    """Continue every request by up to `max_new_tokens` tokens; temperature 0 is greedy.

    A text ends at an end token, where `stop` of its drawn tokens says so, or when prompt and
    continuation fill `context` (default: the model's positions). `slots` (default 64) texts are
    in flight; their number changes no result. `model` has been through
    `regrow.numerics.torch.install`. `label` heads lines of progress on standard error.

    Raises:
        ValueError: a temperature below 0, an empty prompt, one that leaves no room in the context, or
            one with an id outside the vocabulary.
        FloatingPointError: logits that are not numbers.
    """
    draw.check(temperature)
    context = context or int(model.config.max_position_embeddings)
    vocabulary = int(model.config.vocab_size)
    for number, request in enumerate(requests):
        if not 0 < len(request.prompt) < context:
            raise ValueError(
                f"a prompt has {len(request.prompt)} tokens; it needs 1 to {context - 1} "
                f"(the context is {context})"
            )
        if min(request.prompt) < 0 or max(request.prompt) >= vocabulary:
            odd = next(token for token in request.prompt if not 0 <= token < vocabulary)
            raise ValueError(
                f"prompt {number}: token id {odd} is outside the vocabulary of {vocabulary}"
            )
    rows = [Rollout(prompt=list(request.prompt)) for request in requests]
    if not rows or max_new_tokens < 1:
        return rows
    limits = [min(max_new_tokens, context - len(row.prompt)) for row in rows]
    width = max(len(row.prompt) + limit for row, limit in zip(rows, limits, strict=True))
    flight = _Flight(model, requests, rows, min(slots or SLOTS, len(rows)), width)
    ends = frozenset(end_tokens)
    progress = Progress(label, len(rows))
    done = drawn = 0
    while flight.fill():
        for slot, token, logprob in flight.step(temperature):
            number = flight.held[slot]
            row = rows[number]
            row.tokens.append(token)
            row.logprobs.append(logprob)
            row.ended = token in ends or (stop is not None and stop(row.tokens))
            if row.ended or len(row.tokens) == limits[number]:
                flight.free(slot)
                done += 1
                drawn += len(row.tokens)
        progress.say(done, drawn)
    return rows


class _Flight:
    """Which request is in which slot, and the step that moves them all on by a token."""

    def __init__(
        self,
        model: Olmo3ForCausalLM,
        requests: Sequence[Request],
        rows: Sequence[Rollout],
        slots: int,
        width: int,
    ) -> None:
        self.held: dict[int, int] = {}
        """slot -> number of its request; those that go on, then those that begin"""
        self._decoder = Decoder(model, slots, width)
        self._requests = requests
        self._rows = rows
        self._waiting = 0
        self._begin = 0
        self._empty = list(range(slots))[::-1]
        self._words = np.zeros((slots, 4), dtype=np.uint32)
        self._latest = -1
        """slot that took the latest request before those that begin now"""

    def fill(self) -> bool:
        """Give the empty slots to waiting requests; whether anything is left to do."""
        self._begin = len(self.held)
        while self._empty and self._waiting < len(self._rows):
            slot = self._empty.pop()
            self.held[slot] = self._waiting
            self._words[slot] = Stream(*self._requests[self._waiting].name).words
            self._waiting += 1
        return bool(self.held)

    def free(self, slot: int) -> None:
        """The text in `slot` has ended."""
        del self.held[slot]
        self._empty.append(slot)

    def step(self, temperature: float) -> Iterator[tuple[int, int, float]]:
        """(slot, token, log-probability) of every text in flight."""
        order = list(self.held.items())
        ids: list[int] = []
        slots: list[int] = []
        positions: list[int] = []
        wanted: list[int] = []
        copies: list[tuple[int, int, int]] = []
        for slot, number in order[: self._begin]:
            row = self._rows[number]
            ids.append(row.tokens[-1])
            slots.append(slot)
            positions.append(len(row.prompt) + len(row.tokens) - 1)
            wanted.append(len(wanted))
        source, fresh = self._latest, False
        for slot, number in order[self._begin :]:
            prompt = self._rows[number].prompt
            known = number > 0 and self._rows[number - 1].prompt == prompt
            if known and fresh:  # its first copy begins in this very step
                copies.append((source, slot, len(prompt)))
                wanted.append(wanted[-1])
                continue
            first = 0
            if known:
                first = len(prompt) - 1
                self._decoder.copy(source, slot, first)
            else:
                source, fresh = slot, True
            ids += prompt[first:]
            slots += [slot] * (len(prompt) - first)
            positions += range(first, len(prompt))
            wanted.append(len(ids) - 1)
        self._latest = source
        logits = self._decoder.logits(
            *(np.array(x, dtype=np.int64) for x in (ids, slots, positions, wanted))
        )
        for copy in copies:
            self._decoder.copy(*copy)
        taken = [slot for slot, _ in order]
        at = [len(row.prompt) + len(row.tokens) for row in (self._rows[n] for _, n in order)]
        uniforms = draw.uniforms(self._words[taken], np.array(at, dtype=np.int64))
        tokens, logprobs = draw.choose(logits, temperature, uniforms)
        return zip(taken, tokens.tolist(), logprobs.tolist(), strict=True)
