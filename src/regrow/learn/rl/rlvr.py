"""The RLVR steps: group-relative policy optimisation on verified rewards, as in Olmo 3.

Every step samples a group of answers to each of its prompts from the weights that the last step
left, has them judged, drops and refills groups without a gradient, and makes its updates with
`regrow.learn.train.grpo`. Sampler and trainer must agree on the log-probability of every answer token to
the last bit, at every step; the run stops where they do not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from regrow.data.tables import parquet
from regrow.learn.model import files
from regrow.learn.rl import table
from regrow.learn.rl.ask import Asker
from regrow.learn.rl.groups import REWARDS, Group, Sampler
from regrow.learn.rl.order import Pools
from regrow.learn.rl.prompts import Prompt, load_tokenizer
from regrow.learn.train import digest
from regrow.learn.train.batch_source import BatchSource
from regrow.learn.train.engine import Engine
from regrow.learn.train.grpo import Answer, AnswerBatch, Answers, Grpo
from regrow.learn.train.stage import StageSpec
from regrow.learn.train.stage import run as train
from regrow.numerics import exact
from regrow.params.kinds.rl import Rlvr

PROMPTS = "prompts.parquet"


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    instance: str,
    scratch: Path,
    **options: Any,
) -> dict[str, Any]:
    """Fill `output` with the checkpoint of step `instance` and its rollouts; return its counts.

    Inputs: `data` (prompts of the difficulty step), `tokenizer`, `previous` or `base`. Options: see
    `plan`.

    Raises:
        RuntimeError: sampler and trainer differ on a log-probability.
        ValueError, SystemExit: see `regrow.learn.train.stage.run`.
    """
    more = {"instance": instance, "scratch": scratch, **options}
    return train(plan, inputs, params, output, **more) | table.counts(output)


def plan(
    inputs: dict[str, Path],
    params: Any,
    *,
    stage: str,
    settings: str,
    form: str,
    reward: str,
    seed: int,
) -> StageSpec:
    """The stage whose parameters are `params.<settings>`.

    `stage`: its name; `form` of the prompts; `reward`: `verified`, or `random` (the control); `seed` is added to
    the one of the parameters.
    """
    block: Rlvr = getattr(params, settings)
    path = inputs["data"] / PROMPTS
    tokenizer_file = inputs["tokenizer"] / "tokenizer.json"
    # The control sees the prompts and the draws of the run that it is a control of.
    key = f"{settings} {form} seed {block.seed + seed}"
    prompts = read(path)
    config = files.load_config(inputs["base"])
    _check(path, prompts, block, int(config.max_position_embeddings))
    asker = Asker(
        load_tokenizer(inputs["tokenizer"]),
        form,
        max_new_tokens=block.max_new_tokens,
        temperature=block.temperature,
    )
    sampler = Sampler(block, Pools(prompts, block.domains, key), asker, REWARDS[reward], key)
    return StageSpec(
        name=f"{stage}_seed{seed}" if seed else stage,
        config=config,
        block=block,
        objective=Grpo(
            clip_low=block.clip_low, clip_high=block.clip_high, importance_cap=block.importance_cap
        ),
        source=Rollouts(block, sampler, pad=int(config.pad_token_id or 0)),
        order={"key": key, "prompts": len(prompts)},
        depends=(digest.files(path, tokenizer_file), form, reward),
    )


def read(path: Path) -> list[Prompt]:
    """The prompts kept by the difficulty step, in the order of their tasks.

    Raises:
        ValueError: there are none.
    """
    rows = parquet.read(path).filter("kept").sort("task")
    columns = ["task", "family", "domain", "question", "verifier", "arguments"]
    found = [
        Prompt(tokens=tokens, **row)
        for row, tokens in zip(
            rows.select(columns).to_dicts(), rows["prompt"].to_list(), strict=True
        )
    ]
    if not found:
        raise ValueError(f"{path}: no prompt was kept: raise difficulty.max_pass_rate")
    return found


def _check(path: Path, prompts: list[Prompt], block: Rlvr, context: int) -> None:
    for prompt in prompts:
        json.loads(prompt.arguments)
        if len(prompt.tokens) >= context:
            raise ValueError(
                f"{path}: the prompt of task {prompt.task} has {len(prompt.tokens)} tokens; "
                f"the model has {context} positions"
            )


class Rollouts(BatchSource):
    """The answers of each step, sampled when it begins, and the table of all of them."""

    def __init__(self, block: Rlvr, sampler: Sampler, *, pad: int) -> None:
        self.updates = block.updates
        self.per_step = block.batch_sequences // block.micro_batch_sequences // block.updates
        self._sampler = sampler
        self._pad = pad
        self._groups: list[Group] = []
        self._answers = Answers([], per_step=self.per_step)
        self._rows: list[dict[str, Any]] = []

    def begin(self, engine: Engine, step: int) -> None:
        """Sample and judge; every process does the same."""
        self._groups = self._sampler.groups(engine.model, step)
        answers = []
        for group in self._groups:
            if not group.used:
                continue
            for answer, advantage in zip(group.answers, group.advantages(), strict=True):
                drawn = answer.rollout
                each = [advantage] * len(drawn.tokens)
                answers.append(Answer(drawn.prompt, drawn.tokens, drawn.logprobs, each))
        self._answers = Answers(
            answers, per_step=self.per_step, updates=self.updates, pad=self._pad
        )
        self._answers.begin(engine, step)

    def get(self, step: int, index: int) -> AnswerBatch:
        """See BatchSource."""
        return self._answers.get(step, index)

    def tokens(self, step: int) -> int:
        """See Source: prompt and answer tokens that are learned from."""
        return self._answers.tokens(step)

    def end(self, engine: Engine, step: int) -> dict[str, float]:
        """Compare the log-probabilities and take down the rollouts.

        Raises:
            RuntimeError: sampler and trainer differ.
        """
        found = self._answers.end(engine, step)
        gap = found["max_abs_logprob_difference"]
        if gap != 0.0:
            raise RuntimeError(
                f"step {step}: sampler and trainer differ by up to {gap} in the log-probability of a "
                "token; under fma32 both must have equal bits. `regrow doctor` examines this machine."
            )
        self._rows += table.rows(step, self._groups, self._answers.trainer_logprobs())
        return found | summary(self._groups)

    def save(self, folder: Path) -> None:
        """See BatchSource."""
        table.write(self._rows, folder)

    def restore(self, folder: Path) -> None:
        """See BatchSource."""
        self._rows = table.read(folder).to_dicts()


def summary(groups: list[Group]) -> dict[str, float]:
    """Metrics of a step, over all answers asked for, dropped groups included."""
    answers = [answer for group in groups for answer in group.answers]
    rewards = [reward for group in groups for reward in group.rewards]
    used = sum(group.used for group in groups)
    return {
        "reward": exact.mean(rewards),
        "passed": sum(answer.verdict.passed for answer in answers) / len(answers),
        "ended": sum(answer.rollout.ended for answer in answers) / len(answers),
        "answer_tokens": sum(len(answer.rollout.tokens) for answer in answers) / len(answers),
        "groups": float(len(groups)),
        "groups_learned": float(used),
    }
