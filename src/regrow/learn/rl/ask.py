"""Several answers to each prompt, sampled and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer
from transformers import Olmo3ForCausalLM

from regrow.data.tokens import chat
from regrow.learn.rl.prompts import Prompt
from regrow.learn.rollout.sampler import Request, Rollout, sample
from regrow.learn.rollout.stop import Stop, stopping
from regrow.learn.verifiers.judge import judge
from regrow.learn.verifiers.verdict import Verdict


@dataclass(frozen=True)
class Answer:
    """A sampled answer and what its verifier says."""

    rollout: Rollout
    text: str
    verdict: Verdict


class Asker:
    """How answers are asked for: the form, and the settings of the sampler."""

    def __init__(
        self, tokenizer: Tokenizer, form: str, *, max_new_tokens: int, temperature: float
    ) -> None:
        self.form = form
        self._tokenizer = tokenizer
        self._most = max_new_tokens
        self._temperature = temperature
        self._ends = chat.end_tokens(tokenizer, form)
        self._stop: Stop | None = stopping(tokenizer, form)

    def ask(
        self,
        model: Olmo3ForCausalLM,
        prompts: Sequence[Prompt],
        samples: int,
        names: Sequence[tuple[str | int, ...]],
        label: str | None = None,
    ) -> list[list[Answer]]:
        """`samples` answers to every prompt.

        The draws of a sample are those of the stream (*name of its prompt, number of the sample).
        `label` heads the progress on standard error.
        """
        rollouts = sample(
            model,
            [
                Request(prompt=prompt.tokens, name=(*name, number))
                for prompt, name in zip(prompts, names, strict=True)
                for number in range(samples)
            ],
            max_new_tokens=self._most,
            temperature=self._temperature,
            end_tokens=self._ends,
            stop=self._stop,
            label=label,
        )
        found = iter(rollouts)
        return [[self._judged(p, next(found)) for _ in range(samples)] for p in prompts]

    def _judged(self, prompt: Prompt, rollout: Rollout) -> Answer:
        text = chat.completion(self._tokenizer, rollout.tokens)
        return Answer(rollout, text, judge(prompt.verifier, prompt.needs(), text, self.form))
