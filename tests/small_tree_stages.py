"""Tasks, examples, pairs and checkpoints of every training stage, for the tree of small_tree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from regrow.flow import jobs
from regrow.params.schema import Params
from regrow.release import stages
from regrow.tables import parquet as tables

FAMILIES = ("add", "reverse")


def write_stages(root: Path, params: Params) -> None:
    import small_tree

    data = root / "data"
    small_tree.write_pack(data / "midmix", ["question1", "joins", "question2", "question1"])
    documents = [
        {
            "id": small_tree.ID.get(name, name),
            "component": component,
            "source": "manual-1.0",
            "generator": generator,
            "licence": "MIT",
            "text": f"text of {name}",
        }
        for name, component, generator in (
            ("joins", "pretraining", ""),
            ("question1", "questions", "add"),
            ("question2", "questions", "reverse"),
        )
    ]
    tables.write(pl.DataFrame(documents).sort("id"), data / "midmix/documents.parquet")
    tables.write(
        pl.DataFrame(
            [
                {"id": small_tree.ID["joins"], "component": "long", "generator": None},
                {"id": small_tree.ID["queries"], "component": "long", "generator": None},
                {"id": "question1", "component": "midtraining", "generator": "add"},
            ]
        ),
        data / "longmix/documents.parquet",
    )
    small_tree.write_pack(data / "longmix", ["queries", "question1", "joins", "queries"], 32)
    small_tree.write_pack(data / "longmix/short", ["queries", "question1", "joins", "queries"])
    _tasks(data)
    _examples(data)
    _pairs(data)
    _prompts(data)
    (data / "anneal").mkdir()
    (data / "anneal/results.json").write_text("{}")
    flow = jobs.flow()
    for step in flow.steps:
        for instance in step.instances(params) if step.instances and step.group == "main" else []:
            folder = data / step.name / instance
            if step.name in stages.STAGES:
                _checkpoint(folder, step.name, int(instance), step.resumable)
            elif step.name == "evaluate":
                _evaluation(folder, instance)
            elif step.name == "release":
                _release(folder, data, instance)


def _tasks(data: Path) -> None:
    for split, count in (("train", 4), ("dev", 2), ("test", 2)):
        rows = [
            {
                "id": f"{split}-{family}-{n}",
                "family": family,
                "domain": "math",
                "content": f"{split} {n}",
                "question": f"Question {n} of {family}?",
                "answer": str(n),
                "trace": f"because {n}",
                "verifier": "integer",
                "arguments": "{}",
            }
            for family in FAMILIES
            for n in range(count)
        ]
        tables.write(pl.DataFrame(rows).sort("id"), data / f"tasks/{split}.parquet")


def _examples(data: Path) -> None:
    for branch, count in (("think", 6), ("instruct", 4)):
        rows = [
            {
                "id": f"{branch}-{n}",
                "task": f"train-{FAMILIES[n % 2]}-{n // 2}",
                "family": FAMILIES[n % 2],
                "teacher": "program",
                "seed": 0,
                "licence": "Apache-2.0",
                "messages": json.dumps([{"role": "user", "content": f"Question {n}?"}]),
                "tokens": list(range(5 + n)),
                "mask": [False] * 3 + [True] * (2 + n),
            }
            for n in range(count)
        ]
        tables.write(pl.DataFrame(rows), data / f"sftdata/{branch}.parquet")


def _pairs(data: Path) -> None:
    rows = [
        {
            "id": f"pair-{n}",
            "task": f"train-{FAMILIES[n % 2]}-{n // 2}",
            "family": FAMILIES[n % 2],
            "source": "judged" if n < 4 else "delta",
            "prompt": [2, 3, 4],
            "chosen": [5, 6],
            "rejected": [7, 8, 9],
            "chosen_text": f"good {n}",
            "rejected_text": f"bad {n}",
            "chosen_score": 1.0,
            "rejected_score": 0.0,
            "chosen_model": "a" * 64,
            "rejected_model": "b" * 64,
            "delta": 1.0,
        }
        for n in range(6)
    ]
    tables.write(pl.DataFrame(rows), data / "pairs/pairs.parquet")
    held = (
        pl.DataFrame(rows)
        .head(1)
        .with_columns(id=pl.lit("heldout-0"), task=pl.lit(f"dev-{FAMILIES[0]}-0"))
    )
    tables.write(held, data / "pairs/heldout.parquet")


def _prompts(data: Path) -> None:
    for step in ("difficulty", "difficulty_zero"):
        rows = [
            {
                "task": f"train-{FAMILIES[n % 2]}-{n // 2}",
                "family": FAMILIES[n % 2],
                "domain": "math",
                "question": f"Question {n}?",
                "prompt": [2, 3],
                "verifier": "integer",
                "arguments": "{}",
                "passes": n % 4,
                "samples": 4,
                "kept": n % 4 > 0,
            }
            for n in range(6)
        ]
        tables.write(pl.DataFrame(rows), data / f"{step}/prompts.parquet")


def _checkpoint(folder: Path, stage: str, step: int, trained: bool) -> None:
    import small_tree

    folder.mkdir(parents=True)
    weights = f"weights {step}" if stage == "pretrain" else f"weights {stage} {step}"
    (folder / "model.safetensors").write_text(weights)
    if not trained:
        decision = {"kept": "mean", "heldout": {"a": 3.2, "b": 3.3, "mean": 3.1}}
        (folder / "decision.json").write_text(json.dumps(decision))
        return
    every = small_tree.EVERY if stage == "pretrain" else 2
    steps = list(range(step - every + 1, step + 1)) if step else []
    tokens = small_tree.BATCH * small_tree.LENGTH
    metrics: dict[str, list[Any]] = {
        "step": steps,
        "loss": [6.0 - s / 4 for s in steps],
        "z_loss": [0.0 for _ in steps],
        "grad_norm": [1.0 for _ in steps],
        "lr": [0.01 for _ in steps],
        "tokens": [s * tokens for s in steps],
        "skipped": [False for _ in steps],
    }
    tables.write(pl.DataFrame(metrics), folder / "metrics.parquet")
    state = {"stage": stage, "step": step, "tokens": step * tokens}
    (folder / "state.json").write_text(json.dumps(state))
    if stage.startswith("rl"):
        _rollouts(folder, steps)


def _rollouts(folder: Path, steps: list[int]) -> None:
    rows = [
        {
            "step": step,
            "group": group,
            "sample": sample,
            "task": f"train-{FAMILIES[group]}-{step % 3}",
            "prompt": [2, 3],
            "tokens": [4, 5, 6],
            "logprobs": [-0.5, -0.25, -0.125],
            "trainer_logprobs": [-0.5, -0.25, -0.125],
            "reward": float((step + sample) % 2),
            "reason": "correct" if (step + sample) % 2 else "wrong answer",
            "advantage": 0.5 - (step + sample + 1) % 2,
            "used": True,
        }
        for step in steps
        for group in range(2)
        for sample in range(2)
    ]
    tables.write(pl.DataFrame(rows), folder / "rollouts.parquet")


def _evaluation(folder: Path, instance: str) -> None:
    name, step = stages.split(instance)
    rank = list(stages.STAGES).index(name) + step / 8
    figure = {"bits_per_byte": 4 - rank / 8, "low": 3.8 - rank / 8, "high": 4.2 - rank / 8}
    figure |= {"documents": 1, "bytes": 40}
    results: dict[str, Any] = {"overall": figure, "mean": figure, "domains": {"manuals": figure}}
    results |= {"checkpoint": instance, "metric": "bits_per_byte", "probes": {}}
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results))
    sample = {"prompt": "The ", "sample": 0, "text": f"table <{name} {step}>", "tokens": 3}
    samples = {"checkpoint": instance, "temperature": 0.8, "samples": [sample]}
    (folder / "samples.json").write_text(json.dumps(samples))


def _release(folder: Path, data: Path, instance: str) -> None:
    """The release carries the weights on."""
    name, step = stages.split(instance)
    folder.mkdir(parents=True)
    weights = (data / name / f"{step:06d}" / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "README.md").write_text(f"card {instance}\n")
