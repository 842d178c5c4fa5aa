"""Small data and parameters of every stage after pretraining, as the steps before would write them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import torch

import pack_files
from regrow.data.tables import parquet
from regrow.learn.model import files
from regrow.learn.train import stage
from regrow.learn.train.batch_source import BatchSource
from regrow.learn.train.engine import Engine
from regrow.learn.train.grpo import Answer, AnswerBatch, Answers, Grpo
from regrow.learn.train.kinds import dpo, longcontext, midtrain, sft
from regrow.learn.train.objective import next_tokens
from regrow.numerics.random import Stream
from regrow.numerics.torch import functional
from regrow.params.anneal import Anneal
from regrow.params.kinds.dpo import Dpo
from regrow.params.kinds.longcontext import LongContext
from regrow.params.kinds.midtrain import Midtrain
from regrow.params.kinds.rl import Rlvr
from regrow.params.kinds.sft import Sft
from small_run import EOS, FIRST, LENGTH, PAD, grow, small, write_pack

LONG = 2 * LENGTH


def ids(text: str) -> list[int]:
    """A token per byte."""
    return [FIRST + byte for byte in text.encode()]


def params(**changes: Any) -> SimpleNamespace:
    """Every stage, in seconds; `changes` go into every block (of `grpo`: what is not its batch)."""
    few: dict[str, Any] = {"steps": 6, "checkpoint_every": 3, "digest_every": 2}
    batch = {"batch_sequences": 8, "micro_batch_sequences": 2}
    sft = Sft(**(few | batch | changes))
    return SimpleNamespace(
        model=small().model,
        pretrain=small().pretrain,
        midtrain=Midtrain(**(few | batch | changes)),
        anneal=Anneal(
            **(few | batch | {"checkpoint_every": 6} | changes),
            candidates=["questions", "retrieval"],
        ),
        longcontext=LongContext(
            **(few | {"batch_sequences": 4, "micro_batch_sequences": 1} | changes),
            context=LONG,
            yarn_factor=2.0,
        ),
        sft=sft,
        sft_instruct=sft,
        grpo=Rlvr(
            **(few | {k: v for k, v in changes.items() if k in few}),
            **{"prompts": 2, "group": 4, "batch_sequences": 8, "micro_batch_sequences": 2},
            updates=2,
            warmup=0.0,
        ),
        dpo=Dpo(**(few | {"batch_sequences": 4, "micro_batch_sequences": 1} | changes)),
    )


def base(root: Path) -> Path:
    """A checkpoint of pretraining, 20 steps old."""
    return grow(write_pack(root / "pack"), root / "pretrain", small(), 20)


def longcontext_data(folder: Path) -> Path:
    """Documents of unequal length, packed whole with padding behind, and the same cut short."""
    from pydoc_data.topics import topics

    rows, row = [], []
    for _, text in sorted(topics.items())[:60]:
        piece = [*ids(text)[: 20 + len(text) % (LONG - 21)], EOS]
        if len(row) + len(piece) > LONG:
            rows.append(row + [PAD] * (LONG - len(row)))
            row = []
        row += piece
    for place, length in ((folder, LONG), (folder / "short", LENGTH)):
        pack_files.write_pack(place, rows, length, vocabulary=258, eos=EOS, pad=PAD)
    return folder


def sft_data(folder: Path, count: int = 50) -> Path:
    """Sums: the question is given, the answer learned."""
    folder.mkdir(parents=True)
    for branch in ("think", "instruct"):
        draws = Stream("small sums", branch).integers(2 * count, 1000).tolist()
        rows = []
        for i in range(count):
            a, b = draws[2 * i : 2 * i + 2]
            question, answer = ids(f"{a}+{b}="), [*ids(f"{a + b}"), EOS]
            mask = [False] * len(question) + [True] * len(answer)
            rows.append({"id": f"{i:03d}", "tokens": question + answer, "mask": mask})
        parquet.write(pl.DataFrame(rows), folder / f"{branch}.parquet")
    return folder


def pairs(folder: Path, count: int = 30) -> Path:
    """Right sums preferred to wrong ones of another length."""
    folder.mkdir(parents=True)
    draws = Stream("small pairs").integers(2 * count, 1000).tolist()
    rows = []
    for i in range(count):
        a, b = draws[2 * i : 2 * i + 2]
        rows.append(
            {
                "id": f"{i:03d}",
                "source": "delta" if i % 3 == 0 else "judged",
                "prompt": ids(f"{a}+{b}="),
                "chosen": [*ids(f"{a + b}"), EOS],
                "rejected": [*ids(f"no, {a - b}"[: 2 + i % 5]), EOS],
            }
        )
    parquet.write(pl.DataFrame(rows), folder / "pairs.parquet")
    return folder


class Sums(BatchSource):
    """A source that makes its data as it goes: four answers to each of two sums, by chance.

    What reinforcement learning does, with a reward for even digits and without a sampler: the
    answers are random, their log-probabilities those of the model.
    """

    def __init__(self, block: Rlvr) -> None:
        self.block = block
        self.updates = block.updates
        self.per_step = block.batch_sequences // block.micro_batch_sequences // block.updates
        self.rows: list[dict[str, Any]] = []

    def begin(self, engine: Engine, step: int) -> None:
        answers = []
        for group in range(self.block.prompts):
            prompt = ids(f"{step}+{group}=")
            draws = Stream("sums", step, group).integers(64, 10).tolist()
            made = [
                ids("".join(map(str, draws[9 * i : 9 * i + 2 + i])))
                for i in range(self.block.group)
            ]
            reward = [sum(t % 2 == 0 for t in tokens) / len(tokens) for tokens in made]
            mean = sum(reward) / len(reward)
            for tokens, score in zip(made, reward, strict=True):
                answers.append(
                    Answer(
                        prompt,
                        tokens,
                        logprobs(engine.model, prompt, tokens),
                        [score - mean] * len(tokens),
                    )
                )
        self.answers = Answers(answers, per_step=self.per_step, updates=self.updates)
        self.answers.begin(engine, step)

    def get(self, step: int, index: int) -> AnswerBatch:
        return self.answers.get(step, index)

    def tokens(self, step: int) -> int:
        return self.answers.tokens(step)

    def end(self, engine: Engine, step: int) -> dict[str, float]:
        found = self.answers.end(engine, step)
        self.rows += [{"step": step, "logprobs": row} for row in self.answers.trainer_logprobs()]
        return found

    def save(self, folder: Path) -> None:
        parquet.write(pl.DataFrame(self.rows), folder / "rollouts.parquet")

    def restore(self, folder: Path) -> None:
        self.rows = parquet.read(folder / "rollouts.parquet").to_dicts()


@torch.no_grad()
def logprobs(model: Any, prompt: list[int], tokens: list[int]) -> list[float]:
    """Of the tokens of an answer, as a sampler would have them."""
    rows = torch.tensor([prompt + tokens])
    found = functional.token_logprobs(model(rows).logits, next_tokens(rows))
    return found[0, len(prompt) - 1 : -1].tolist()


def plan_grpo(inputs: dict[str, Path], params: Any) -> stage.StageSpec:
    block: Rlvr = params.grpo
    return stage.StageSpec(
        name="grpo",
        config=files.load_config(inputs["base"]),
        block=block,
        objective=Grpo(
            clip_low=block.clip_low,
            clip_high=block.clip_high,
            importance_cap=block.importance_cap,
        ),
        source=Sums(block),
        order={"key": "sums"},
    )


def grpo(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    return stage.run(plan_grpo, inputs, params, output, **more)


def _named(stage: str, settings: str = "", **options: Any) -> dict[str, Any]:
    """The options of a stage: its name, the section with its settings, and its kind's own."""
    return {"stage": stage, "settings": settings or stage, **options}


STAGES: dict[str, tuple[Any, Any, str, dict[str, Any]]] = {
    "midtrain": (midtrain.run, midtrain.plan, "midtrain_data", _named("midtrain", run="a")),
    "midtrain_b": (
        midtrain.run,
        midtrain.plan,
        "midtrain_data",
        _named("midtrain_b", "midtrain", run="b"),
    ),
    "longcontext": (
        longcontext.run,
        longcontext.plan,
        "longcontext_data",
        _named("longcontext", length="long"),
    ),
    "longcontext_control": (
        longcontext.run,
        longcontext.plan,
        "longcontext_data",
        _named("longcontext_control", "longcontext", length="short"),
    ),
    "sft": (sft.run, sft.plan, "sft_data", _named("sft", branch="think", seed=0)),
    "dpo": (dpo.run, dpo.plan, "pairs", _named("dpo", source="judged", seed=0)),
    "grpo": (grpo, plan_grpo, "pairs", {}),
}
"""name -> function, plan, data, options"""

OBJECTIVES = ("midtrain", "longcontext", "sft", "dpo", "grpo")
"""one stage for every objective and model"""


def world(root: Path) -> Path:
    """A folder with the base and every stage's data."""
    base(root)
    return data(root)


def data(root: Path) -> Path:
    """The data alone."""
    midtrain_data(root / "midtrain_data")
    longcontext_data(root / "longcontext_data")
    sft_data(root / "sft_data")
    pairs(root / "pairs")
    return root


def inputs(name: str, root: Path) -> dict[str, Path]:
    """Data and base of a stage in `world(root)`."""
    return {"data": root / STAGES[name][2], "base": root / "pretrain/000020"}


def train(
    name: str,
    root: Path,
    output: Path,
    values: SimpleNamespace,
    *,
    until: int = 6,
    scratch: Path | None = None,
) -> Path:
    """Run the segments of a stage of `world(root)` below `output`; returns the last checkpoint."""
    function, _, _, options = STAGES[name]
    given = inputs(name, root)
    block = getattr(values, name.removesuffix("_b").removesuffix("_control"))
    for step in block.checkpoints():
        if step > until:
            break
        place = output / f"{step:06d}"
        if not place.exists():
            kept = scratch or output.parent / f"scratch-{output.name}-{step}"
            kept.mkdir(parents=True, exist_ok=True)
            function(given, values, place, instance=f"{step:06d}", scratch=kept, **options)
        given["previous"] = place
    return given["previous"]


def midtrain_data(folder: Path) -> Path:
    """A pack with components and held-out packs of its own, each of other documents."""
    write_pack(folder, documents=12)
    for number, name in enumerate(("pretraining", "questions", "retrieval")):
        _cut(write_pack(folder / "components" / name, documents=40), 30 * number, 30)
    for number, name in enumerate(("documents", "tasks")):
        _cut(write_pack(folder / "heldout" / name, documents=40), 100 + 20 * number, 20)
    return folder


def _cut(folder: Path, begin: int, count: int) -> None:
    tokens = np.fromfile(folder / "tokens.bin", dtype="<u2").reshape(-1, LENGTH)
    pack_files.write_pack(
        folder, tokens[begin : begin + count], LENGTH, vocabulary=258, eos=EOS, pad=PAD
    )


def segments(world: Path, output: Path, make_group: Any) -> None:
    """The first segment of a stage of every objective, by one group of processes."""
    for name in OBJECTIVES:
        _, plan, _, options = STAGES[name]
        args = (plan, inputs(name, world), params(), output / name / "000003", "000003")
        stage.segment(*args, output / f"scratch-{name}", options, make_group)
