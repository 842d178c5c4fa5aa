"""Group-relative policy optimisation on sampled answers, in the form of Olmo 3.

Loss of an update (OLMo 3 report, equations 1 and 2), over all answer tokens t of the batch:

    -1/T  sum_t  min(pi_old / pi_sampler, cap) * min(r A, clip(r, 1 - low, 1 + high) A)

with r = pi / pi_old and T the number of those tokens: no KL term, no division by a group's
standard deviation, no mean per answer. With one update per batch pi_old is the policy itself:
r is 1, its gradient that of the log-probability, and the clip is idle.

A step of reinforcement learning is a `BatchSource` whose `begin` samples and makes `Answers`, or a
loop of `engine.source = Answers(...)`, `engine.train_step()`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regrow.learn.train.batch_source import BatchSource
from regrow.learn.train.engine import Engine
from regrow.learn.train.objective import Model, answer_logprobs


@dataclass(frozen=True)
class Answer:
    """One sampled answer."""

    prompt: Sequence[int]
    tokens: Sequence[int]
    """what was drawn, end token included: these tokens are learned"""
    logprobs: Sequence[float]
    """of `tokens`, by the sampler, at temperature 1"""
    advantages: Sequence[float]
    """per token (outcome rewards: reward minus the group's mean, the same for all)"""

    def __len__(self) -> int:
        return len(self.prompt) + len(self.tokens)


@dataclass(frozen=True)
class AnswerBatch:
    """A micro-batch, padded on the right; column t of each (rows, length) belongs to token t."""

    tokens: Tensor
    learned: Tensor
    """bool"""
    advantages: Tensor
    sampler: Tensor
    """log-probabilities by the sampler, 0 where not learned"""
    old: Tensor | None
    """log-probabilities by the policy before the step; None: those of this forward pass"""
    record: Callable[[Tensor], None]
    """takes this forward pass's log-probabilities, detached"""


class Answers(BatchSource):
    """The answers of one step.

    They are sorted by length and dealt to `per_step` micro-batches of nearly equal size; with
    several updates each takes every `updates`-th answer of that order. Fewer answers than planned
    (dropped groups) make smaller micro-batches, and those left empty weigh nothing.
    """

    def __init__(
        self, answers: Sequence[Answer], *, per_step: int, updates: int = 1, pad: int = 0
    ) -> None:
        """`per_step`: micro-batches of an update, a power of two. `pad`: any token id.

        Raises:
            ValueError: an answer is empty or its lists differ in length.
        """
        for number, answer in enumerate(answers):
            if not (
                answer.prompt
                and len(answer.tokens) == len(answer.logprobs) == len(answer.advantages) > 0
            ):
                raise ValueError(
                    f"answer {number}: {len(answer.prompt)} prompt tokens, {len(answer.tokens)} "
                    f"tokens, {len(answer.logprobs)} log-probabilities, {len(answer.advantages)} "
                    "advantages; the last three must be equal, and no list empty"
                )
        self.answers = list(answers)
        self.per_step = per_step
        self.updates = updates
        self.pad = pad
        longest = max((len(answer) for answer in answers), default=0)
        self._seen = torch.zeros(len(self.answers), longest)
        self._complete = False  # whether `_seen` is filled, by all processes
        self._old: Tensor | None = None
        ranked = sorted(range(len(self.answers)), key=lambda i: (len(self.answers[i]), i))
        self._dealt: list[list[int]] = []
        for update in range(updates):
            own = ranked[update::updates]
            cuts = [index * len(own) // per_step for index in range(per_step + 1)]
            self._dealt += [own[a:b] for a, b in itertools.pairwise(cuts)]

    def get(self, step: int, index: int) -> AnswerBatch:
        """See BatchSource."""
        chosen = self._dealt[index]
        length = max((len(self.answers[i]) for i in chosen), default=1)
        shape = (len(chosen), length)
        tokens = torch.full(shape, self.pad, dtype=torch.int64)
        learned = torch.zeros(shape, dtype=torch.bool)
        advantages, sampler = torch.zeros(shape), torch.zeros(shape)
        for row, i in enumerate(chosen):
            answer = self.answers[i]
            begin, end = len(answer.prompt), len(answer)
            tokens[row, :end] = torch.tensor([*answer.prompt, *answer.tokens])
            learned[row, begin:end] = True
            advantages[row, begin:end] = torch.tensor(answer.advantages, dtype=torch.float32)
            sampler[row, begin:end] = torch.tensor(answer.logprobs, dtype=torch.float32)
        rows = torch.tensor(chosen, dtype=torch.int64)

        def record(logprobs: Tensor) -> None:
            if not self._complete:
                self._seen[rows, :length] = logprobs

        old = None if self._old is None else self._old[rows, :length]
        return AnswerBatch(tokens, learned, advantages, sampler, old, record)

    def set_old(self, logprobs: Sequence[Sequence[float]]) -> None:
        """Give the old policy's log-probabilities of every answer, instead of computing them."""
        self._old = torch.zeros_like(self._seen)
        for i, (answer, values) in enumerate(zip(self.answers, logprobs, strict=True)):
            self._old[i, len(answer.prompt) : len(answer)] = torch.tensor(values)

    def tokens(self, step: int) -> int:
        """Prompt and answer tokens of the step."""
        return sum(len(answer) for answer in self.answers)

    @torch.no_grad()
    def begin(self, engine: Engine, step: int) -> None:
        """With several updates: a forward pass for the log-probabilities before the first."""
        if self.updates == 1:
            return
        for index in range(engine.group.rank, len(self._dealt), engine.group.size):
            batch = self.get(step, index)
            if len(batch.tokens):
                batch.record(answer_logprobs(engine.group.model, batch.tokens, batch.learned))
        self._share(engine)
        if self._old is None:
            self._old = self._seen

    def end(self, engine: Engine, step: int) -> dict[str, float]:
        """Bring the processes' log-probabilities together; the largest gap to the sampler's."""
        self._share(engine)
        return {"max_abs_logprob_difference": self.largest_gap()}

    def _share(self, engine: Engine) -> None:
        if not self._complete:
            engine.group.combine([self._seen])
            self._complete = True

    def trainer_logprobs(self) -> list[list[float]]:
        """After the step: the trainer's log-probabilities of every answer, before the update."""
        return [
            self._seen[i, len(answer.prompt) : len(answer)].tolist()
            for i, answer in enumerate(self.answers)
        ]

    def largest_gap(self) -> float:
        """After the step: max |trainer - sampler| over all answer tokens, 0 of none."""
        gaps = [
            abs(ours - float(theirs))
            for answer, found in zip(self.answers, self.trainer_logprobs(), strict=True)
            for ours, theirs in zip(found, answer.logprobs, strict=True)
        ]
        return max(gaps, default=0.0)


class Grpo:
    """The objective over `AnswerBatch`es; weighs learned tokens."""

    names: tuple[str, ...] = ("loss", "clipped", "truncated")
    """`clipped`: share of tokens where the clip stops the gradient; `truncated`: share whose
    importance factor is capped"""

    def __init__(self, *, clip_low: float, clip_high: float, importance_cap: float) -> None:
        self.low = clip_low
        self.high = clip_high
        self.cap = importance_cap

    def weight(self, batch: AnswerBatch) -> int:
        """Answer tokens."""
        return int(batch.learned.sum())

    def loss(
        self, model: Model, batch: AnswerBatch, total: int
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See the top of this module; `total` is T."""
        logprobs = answer_logprobs(model, batch.tokens, batch.learned)
        batch.record(logprobs.detach())
        old = logprobs.detach() if batch.old is None else batch.old
        ratio = torch.exp(logprobs - old)
        plain = ratio * batch.advantages
        bounded = ratio.clamp(1.0 - self.low, 1.0 + self.high) * batch.advantages
        importance = torch.exp(old - batch.sampler)
        weights = importance.clamp(max=self.cap) * batch.learned
        loss = -(weights * torch.minimum(plain, bounded)).sum() / total
        clipped = ((bounded < plain) & batch.learned).float().sum() / total
        truncated = ((importance > self.cap) & batch.learned).float().sum() / total
        return loss, (loss.detach(), clipped, truncated)
