"""Tasks, examples, pairs and checkpoints of every training stage, for the tree of small_tree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet as tables
from regrow.engine import jobs
from regrow.learn.evaluate import items
from regrow.params.schema import Params
from regrow.release import stages

FAMILIES = ("add", "reverse")


def write_stages(root: Path, params: Params) -> None:
    import small_tree

    data = root / "data"
    small_tree.write_pack(
        data / "midtrain_data", ["question1", "passage1", "question2", "question1"]
    )
    documents = [
        {
            "id": name,
            "component": component,
            "source": "manual-1.0",
            "generator": generator,
            "licence": "MIT",
            "parent": parent,
            "text": f"text of {name}",
        }
        for name, component, generator, parent in (
            ("passage1", "pretraining", None, small_tree.ID["joins"]),
            ("question1", "questions", "add", "train-add-0"),
            ("question2", "questions", "reverse", "train-reverse-0"),
        )
    ]
    tables.write(pl.DataFrame(documents).sort("id"), data / "midtrain_data/documents.parquet")
    tables.write(
        pl.DataFrame(
            [
                {
                    "id": small_tree.ID["joins"],
                    "component": "long",
                    "generator": None,
                    "parent": None,
                },
                {
                    "id": small_tree.ID["queries"],
                    "component": "long",
                    "generator": None,
                    "parent": None,
                },
                {
                    "id": "question1",
                    "component": "midtraining",
                    "generator": "add",
                    "parent": "train-add-0",
                },
            ]
        ),
        data / "longcontext_data/documents.parquet",
    )
    small_tree.write_pack(
        data / "longcontext_data", ["queries", "question1", "joins", "queries"], 32
    )
    small_tree.write_pack(
        data / "longcontext_data/short", ["queries", "question1", "joins", "queries"]
    )
    _tasks(data)
    _examples(data)
    _pairs(data)
    _prompts(data)
    _anneal(data / "anneal")
    flow = jobs.flow().under(params.model_dump(mode="json"))
    forms = {stage.name: stage.form for stage in params.stages}
    for step in flow.steps:
        before = 0
        for instance in step.instances(params) if step.instances and step.group == "main" else []:
            folder = data / step.name / instance
            if step.name in forms:
                _checkpoint(folder, step.name, before, int(instance), step.resumable)
                before = int(instance)
            elif step.name == "evaluate":
                _evaluation(folder, instance, forms)
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
                "arguments": json.dumps({"answer": n}),
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
        tables.write(pl.DataFrame(rows), data / f"sft_data/{branch}.parquet")


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
                "arguments": json.dumps({"answer": n}),
                "passes": n % 4,
                "samples": 4,
                "kept": n % 4 > 0,
            }
            for n in range(6)
        ]
        tables.write(pl.DataFrame(rows), data / f"{step}/prompts.parquet")


def _interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.04, "high": value + 0.03}


def _anneal(folder: Path) -> None:
    packs = ("literature", "tasks")
    results = {
        "control": "pretraining",
        "steps": 2,
        "tokens": 64,
        "losses": {
            name: {pack: loss for pack in packs}
            for name, loss in (("base", 4.0), ("pretraining", 3.9), ("questions", 3.5))
        },
        "sequences": dict.fromkeys(packs, 96),
        "differences": {
            "questions": {"literature": _interval(0.01), "tasks": _interval(-0.9)},
            "retrieval": {"literature": _interval(0.05), "tasks": _interval(-0.02)},
        },
    }
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(results))


_LOSS = {"pretrain": 6.0, "sft": 1.5, "sft_instruct": 1.2, "dpo": 0.7, "dpo_delta": 0.7}


def _checkpoint(folder: Path, stage: str, before: int, step: int, trained: bool) -> None:
    import small_tree

    folder.mkdir(parents=True)
    weights = f"weights {step}" if stage == "pretrain" else f"weights {stage} {step}"
    (folder / "model.safetensors").write_text(weights)
    if not trained:
        decision = {
            "kept": "mean",
            "losses": {
                n: {"tasks": v, "mean": v} for n, v in (("a", 3.2), ("b", 3.3), ("mean", 3.1))
            },
            "difference": {f"mean - {n}": _interval(-0.1) for n in ("a", "b")},
        }
        (folder / "decision.json").write_text(json.dumps(decision))
        return
    steps = list(range(before + 1, step + 1)) if step else []
    tokens = small_tree.BATCH * small_tree.LENGTH
    metrics: dict[str, list[Any]] = {
        "step": steps,
        "loss": [_LOSS.get(stage, 4.0) / (1 + s / 40) + (s * 7 % 5) / 40 for s in steps],
        "z_loss": [0.0 for _ in steps],
        "grad_norm": [1.0 for _ in steps],
        "lr": [0.01 for _ in steps],
        "tokens": [s * tokens for s in steps],
        "skipped": [s == 7 for s in steps],
    }
    tables.write(pl.DataFrame(metrics), folder / "metrics.parquet")
    state = {"stage": stage, "step": step, "tokens": step * tokens}
    (folder / "state.json").write_text(json.dumps(state))
    if stage.startswith("rl"):
        _rollouts(folder, steps, learns=not stage.endswith("random"))


def _rollouts(folder: Path, steps: list[int], learns: bool) -> None:
    def right(step: int, sample: int) -> bool:
        return (step * 5 + sample * 3) % 10 < (5 + 3 * step // (step + 9) if learns else 5)

    rows = [
        {
            "step": step,
            "group": group,
            "sample": sample,
            "task": f"train-{FAMILIES[group]}-{step % 3}",
            "family": FAMILIES[group],
            "prompt": [2, 3],
            "tokens": [4, 5, 6],
            "logprobs": [-0.5, -0.25, -0.125],
            "trainer_logprobs": [-0.5, -0.25, -0.125],
            "reward": float(right(step, sample)),
            "reason": "" if right(step, sample) else "wrong answer",
            "advantage": right(step, sample) - 0.5,
            "used": True,
        }
        for step in steps
        for group in range(2)
        for sample in range(2)
    ]
    tables.write(pl.DataFrame(rows), folder / "rollouts.parquet")


_SKILL = {
    "pretrain": 0.0, "midtrain": 0.53, "midtrain_b": 0.52, "soup": 0.55, "longcontext_control": 0.5,
    "longcontext": 0.54, "sft": 0.57, "sft_instruct": 0.6, "dpo": 0.6, "dpo_delta": 0.55,
    "rlvr": 0.69, "rlzero": 0.6, "rlzero_random": 0.24,
}  # fmt: skip
"""what becomes of exact match: close to RECIPE's figures, so that pictures look real"""


def _figure(
    value: float, items: int = 840, width: float = 0.03, better: str = "higher"
) -> dict[str, Any]:
    value = round(min(max(value, 0.0), 9.0), 6)
    return {
        "better": better,
        "value": value,
        "low": round(max(value - width, 0.0), 6),
        "high": round(value + width, 6),
        "items": items,
    }


def _families(value: float) -> dict[str, Any]:
    found = _figure(value)
    found["families"] = {
        name: _figure(value * factor, 120, 0.07)
        for name, factor in zip((*FAMILIES, "sort", "larger"), (0.5, 1.4, 1.0, 1.2), strict=True)
    }
    return found


def _items(probes: dict[str, Any], most: int = 40) -> list[items.Item]:
    """Items whose means are about the figures; the same items for all checkpoints."""

    def skill(item: items.Item) -> float:
        return len(item.item) % 3 - 4 * item.value

    found: list[items.Item] = []
    for probe, figure in probes.items():
        if probe.startswith("pass@"):
            continue  # follow from pass_rate
        parts = figure.get("families") or {"": figure}
        for family, part in parts.items():
            for n in range(most):
                if figure["better"] == "higher":
                    value = float((n * 17 + len(family) * 5) % most < part["value"] * most)
                else:
                    value = part["value"] + (n * 13 % 7 - 3) / 20
                found.append(items.Item(probe, f"{family} {n}", family, 0, value))
        length = {"exact_match": "tokens", "pass_rate": "tokens_drawn"}.get(probe)
        if length:
            mine = [item for item in found if item.probe == probe]
            found += [item._replace(probe=length, value=9.0 + skill(item)) for item in mine]
    return found


def _evaluation(folder: Path, instance: str, forms: dict[str, str]) -> None:
    name, step = stages.split(instance)
    form = forms[name]
    skill = _SKILL[name] * (1 if name != "midtrain" or step >= 4 else 0.8)
    probes: dict[str, Any] = {}
    if name != "pretrain":
        probes["pass_rate"] = _families(skill * 0.85)
        probes["pass@1"], probes["pass@4"] = _families(skill * 0.85), _families(skill * 1.2)
    probes["exact_match"] = _families(skill)
    probes["format"] = _figure(0.0 if name == "pretrain" else 0.98, 840, 0.01)
    if name in ("sft", "dpo", "dpo_delta"):
        probes["preference"] = _figure(
            {"sft": 0.71, "dpo": 0.82, "dpo_delta": 0.72}[name], 300, 0.04
        )
        probes["preference"]["families"] = {
            "judged": _figure(probes["preference"]["value"], 150, 0.05),
            "delta": _figure(0.9, 150, 0.05),
        }
    if name in ("soup", "longcontext", "longcontext_control"):
        for end in ("",) if name == "longcontext" else ("", "_yarn"):
            gain = {"soup": 0.0, "longcontext_control": 0.1, "longcontext": 0.3}[name] + (
                0.1 if end else 0
            )
            probes[f"loss_long{end}"] = _figure(4.26 - gain, 40, 0.09, "lower")
            probes[f"loss_by_position{end}"] = _figure(4.2 - gain, 40, 0.09, "lower") | {
                "families": {
                    f"{first}-{first + 255}": _figure(4.1 + (0.1 - gain / 3) * i, 40, 0.09, "lower")
                    for i, first in enumerate(range(0, 1024, 256))
                }
            }
            probes[f"needle{end}"] = _figure(0.2 + gain, 120, 0.05)
    if name == "longcontext":
        probes["format_think"], probes["exact_match_think"] = (
            _figure(0, 84, 0.02),
            _figure(0, 84, 0.02),
        )
    results: dict[str, Any] = {"checkpoint": instance, "stage": name, "seed": 0, "probes": probes}
    if form == "plain" and not name.startswith("rl"):
        bits = 1.5 + 2.5 / (1 + step / 30) if name == "pretrain" else 1.95
        figure = {"bits_per_byte": bits, "low": bits - 0.1, "high": bits + 0.1}
        figure |= {"documents": 1, "bytes": 40}
        results |= {"overall": figure, "mean": figure, "domains": {"manuals": figure}}
        results["documents"] = [
            {"id": f"d{n}", "domain": "manuals", "url": "", "bits": bits * 40 + n % 5, "bytes": 40}
            for n in range(12)
        ]
    folder.mkdir(parents=True)
    items.write(_items(probes), folder / "items.parquet")
    (folder / "results.json").write_text(json.dumps(results))
    readable = [{"form": "text", "prompt": "The", "text": f" table <{name} {step}>", "tokens": 3}]
    if form != "plain":
        readable = []
    think = "<think> because 0</think>" if form == "think" else ""
    end = "<|end|>" if form != "plain" else "\n\n"
    answer = "Answer: 0" if form == "plain" else " 0"
    wrong = "x <b>" if name == "pretrain" else f"{think}{answer}{end}"
    for family in FAMILIES:
        readable.append(
            {
                "form": form,
                "prompt": f"Question 0 of {family}?",
                "sample": 0,
                "text": wrong if family == "add" or name == "rlvr" else f"{think}{answer}7{end}",
                "tokens": 9,
                "ended": True,
                "right": "0",
            }
        )
    samples = {"checkpoint": instance, "temperature": 0.8, "samples": readable}
    (folder / "samples.json").write_text(json.dumps(samples))


def _release(folder: Path, data: Path, instance: str) -> None:
    """The release carries the weights on."""
    name, step = stages.split(instance)
    folder.mkdir(parents=True)
    weights = (data / name / f"{step:06d}" / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "README.md").write_text(f"card {instance}\n")
