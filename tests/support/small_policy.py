"""Two real families of tasks, and a small model that has learned, half, to answer them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
from tokenizers import Tokenizer

from regrow.data.tables import parquet
from regrow.data.tokens import bpe, chat
from regrow.learn.model import build, files
from regrow.learn.model.config import olmo3_config
from regrow.learn.rl.ask import Answer
from regrow.learn.rollout.sampler import Rollout
from regrow.learn.tasks.families import FAMILIES
from regrow.learn.tasks.split import SPLITS
from regrow.learn.tasks.step import SCHEMA, _row, collect
from regrow.learn.train import checkpoint, digest
from regrow.learn.train.kinds import sft
from regrow.learn.verifiers.verdict import PASSED, failed
from regrow.numerics import torch as numerics
from regrow.params.data import Tokenizer as TokenizerParams
from regrow.params.kinds.rl import Rlvr, RlZero
from regrow.params.kinds.sft import Sft
from regrow.params.model import Model
from regrow.params.posttrain import Difficulty, Pairs
from regrow.params.train import Optimizer

CONTEXT = 96
WANTED = {"train": 60, "dev": 1, "test": 1}


def tasks(folder: Path) -> Path:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SPLITS}
    for family in (FAMILIES["larger"], FAMILIES["repeat"]):
        for name, found in collect(family, WANTED, 0).items():
            rows[name] += [_row(family, task) for task in found]
    for name in SPLITS:
        parquet.write(
            pl.DataFrame(rows[name], schema=SCHEMA).sort("id"), folder / f"{name}.parquet"
        )
    # Held-out prompts that the model can answer: here they are train's.
    known = parquet.read(folder / "train.parquet")
    parquet.write(known.gather_every(5), folder / "dev.parquet")
    return folder


def tokenizer(folder: Path, tasks: Path) -> Path:
    rows = parquet.read(tasks / "train.parquet").iter_rows(named=True)
    texts = [chat.plain(row["question"], row["trace"], row["answer"]) for row in rows]
    found = bpe.train(texts, 384, TokenizerParams().special_tokens)
    folder.mkdir(parents=True, exist_ok=True)
    found.save(str(folder / "tokenizer.json"))
    return folder


def examples(folder: Path, tasks: Path, tokenizer: Tokenizer) -> Path:
    rows = []
    for row in parquet.read(tasks / "train.parquet").iter_rows(named=True):
        turn = {"role": "assistant", "reasoning_content": row["trace"], "content": row["answer"]}
        think = chat.example(tokenizer, [{"role": "user", "content": row["question"]}, turn])
        tokens = chat._text(tokenizer, chat.plain(row["question"], row["trace"], row["answer"]))
        plain = [*tokens, 1], [True] * (len(tokens) + 1)
        for form, (ids, mask) in (("think", think), ("plain", plain)):
            if len(ids) <= CONTEXT:
                rows.append({"id": f"{row['id']}-{form}", "tokens": ids, "mask": mask})
    parquet.write(pl.DataFrame(rows), folder / "think.parquet")
    return folder


def grow(root: Path, steps: int = 320) -> Path:
    """Everything that the steps of `regrow.learn.rl` read, below `root`."""
    numerics.activate()
    tasks(root / "tasks")
    known = Tokenizer.from_file(
        str(tokenizer(root / "tokenizer", root / "tasks") / "tokenizer.json")
    )
    examples(root / "sft_data", root / "tasks", known)
    shape = Model(
        hidden=64, layers=2, heads=2, kv_heads=2, ffn=128, sliding_window=32, context=CONTEXT
    )
    config = olmo3_config(shape, vocabulary=known.get_vocab_size(), eos=1, pad=0)
    model = build.empty(config)
    build.initialise(model, 0)
    files.save(model, root / "base")
    tensors = dict(model.named_parameters())
    digest.write([digest.link(0, tensors, {}, digest.FIRST)], root / "base" / checkpoint.DIGESTS)
    block = Sft(
        steps=steps,
        checkpoint_every=steps // 4,
        batch_sequences=16,
        micro_batch_sequences=16,
        optimizer=Optimizer(name="muon", learning_rate=1e-2, weight_decay=0.0),
    )
    inputs = {"data": root / "sft_data", "base": root / "base"}
    for step in block.checkpoints():
        scratch = root / "scratch"
        scratch.mkdir(exist_ok=True)
        output = root / "sft" / f"{step:06d}"
        sft.run(
            inputs,
            SimpleNamespace(sft=block),
            output,
            instance=f"{step:06d}",
            scratch=scratch,
            stage="sft",
            settings="sft",
            branch="think",
            seed=0,
        )
        inputs = {"data": root / "sft_data", "previous": output, "base": root / "base"}
    (root / "made.json").write_text(json.dumps({"weak": steps // 4, "strong": steps}))
    return root


def inputs(root: Path) -> dict[str, Path]:
    """What pairs and difficulty read."""
    made = json.loads((root / "made.json").read_text())
    folders = {name: root / "sft" / f"{step:06d}" for name, step in made.items()}
    return {
        **folders,
        "policy": folders["strong"],
        "tasks": root / "tasks",
        "tokenizer": root / "tokenizer",
    }


def params(**changes: Any) -> SimpleNamespace:
    few = {"max_new_tokens": 40}
    rl: dict[str, Any] = {
        "steps": 6,
        "checkpoint_every": 3,
        "digest_every": 2,
        "prompts": 8,
        "group": 4,
        "batch_sequences": 32,
        "micro_batch_sequences": 8,
        "optimizer": Optimizer(learning_rate=1e-3, betas=(0.9, 0.99), weight_decay=0.0),
    }
    return SimpleNamespace(
        pairs=Pairs(prompts=24, delta_prompts=16, heldout=8, samples=4, **few),
        difficulty=Difficulty(prompts=40, samples=4, **few),
        rlvr=Rlvr(**(rl | few | changes)),
        rlzero=RlZero(**(rl | few | {"control_steps": 3} | changes)),
    )


def answer(passed: bool, length: int) -> Answer:
    """An answer of so many tokens, right or wrong."""
    tokens = list(range(length))
    verdict = PASSED if passed else failed("answer: x")
    return Answer(Rollout([1], tokens, [0.0] * length), "", verdict)
