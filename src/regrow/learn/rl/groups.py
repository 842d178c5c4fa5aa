"""The groups of one step: answers to a prompt, their rewards, and active refill.

A group whose answers are all rewarded alike has no gradient; it is dropped, and further prompts
are asked until the batch is full or the rounds are over (OLMo 3 report, section 4.4.1, "active
sampling"; DAPO, arXiv 2503.14476, section 3.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transformers import Olmo3ForCausalLM

from regrow.learn.rl.ask import Answer, Asker
from regrow.learn.rl.order import Pools
from regrow.learn.rl.prompts import Prompt
from regrow.numerics import exact
from regrow.numerics.random import Stream
from regrow.params.kinds.rl import Rlvr

Name = tuple[str | int, ...]
Reward = Callable[[Name, int, Answer], tuple[float, str]]
"""(name of the group, sample, answer) -> reward before the scale, and why it is not more"""


def verified(name: Name, sample: int, answer: Answer) -> tuple[float, str]:
    """The verifier's score."""
    return answer.verdict.score, answer.verdict.reason


def random(name: Name, sample: int, answer: Answer) -> tuple[float, str]:
    """A coin that knows nothing of the answer: the control of OLMo 3 (report, section 6)."""
    bit = int(Stream("reward", *name, sample).integers(1, 2)[0])
    return float(bit), "" if bit else "random"


REWARDS: dict[str, Reward] = {"verified": verified, "random": random}


@dataclass(frozen=True)
class Group:
    """One prompt and its answers."""

    number: int
    """within the step, in the order of asking"""
    prompt: Prompt
    answers: list[Answer]
    rewards: list[float]
    reasons: list[str]

    @property
    def used(self) -> bool:
        """Whether it has a gradient."""
        return len(set(self.rewards)) > 1

    def advantages(self) -> list[float]:
        """Reward less the mean of the group, not divided by its standard deviation.

        Source: Liu et al., "Understanding R1-Zero-like training", arXiv 2503.20783, section 3.
        """
        mean = exact.mean(self.rewards)
        return [reward - mean for reward in self.rewards]


class Sampler:
    """Makes the groups of a step."""

    def __init__(self, block: Rlvr, pools: Pools, asker: Asker, reward: Reward, key: str) -> None:
        self._block = block
        self._pools = pools
        self._asker = asker
        self._reward = reward
        self._key = key

    def groups(self, model: Olmo3ForCausalLM, step: int) -> list[Group]:
        """All groups asked, those without a gradient included: at most `prompts` have one.

        Draws are keyed by step, prompt (and how often it came before in the step), sample and
        position.
        """
        block = self._block
        rounds = 1 + block.max_refills
        first = (step - 1) * block.prompts * rounds
        found: list[Group] = []
        for _ in range(rounds):
            missing = block.prompts - sum(group.used for group in found)
            if not missing:
                break
            start = first + len(found)
            prompts = [self._pools.at(start + i) for i in range(missing)]
            found += self._round(model, step, found, prompts)
        return found

    def _round(
        self, model: Olmo3ForCausalLM, step: int, before: Sequence[Group], prompts: Sequence[Prompt]
    ) -> list[Group]:
        seen = Counter(group.prompt.task for group in before)
        names: list[Name] = []
        for prompt in prompts:
            names.append((self._key, step, prompt.task, seen[prompt.task]))
            seen[prompt.task] += 1
        answers = self._asker.ask(model, prompts, self._block.group, names)
        found = []
        for i, (prompt, name, own) in enumerate(zip(prompts, names, answers, strict=True)):
            judged = [self._reward(name, sample, answer) for sample, answer in enumerate(own)]
            rewards = [self._block.reward_scale * value for value, _ in judged]
            reasons = [reason for _, reason in judged]
            found.append(Group(len(before) + i, prompt, own, rewards, reasons))
        return found
