"""Evaluations on disk with known scores, as the evaluate steps and their records would leave them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from default_flow import BY_NAME, RECIPE
from regrow.engine.hashing import sha256_file, tree_sha256
from regrow.learn.evaluate import items, metrics
from regrow.learn.evaluate.items import Item
from regrow.numerics.random import Stream
from sound_records import write_sound

FAMILIES = ("add", "copy")
TASKS = 60
WEIGHTS = "model.safetensors"
BEGAN = {
    "midtrain-000400": {"base": "pretrain.000480"},
    "soup-000400": {"a": "midtrain.000400"},
    "longcontext-000120": {"base": "soup.000400"},
    "longcontext_control-000120": {"base": "soup.000400"},
    "rlzero-000060": {"base": "longcontext.000120"},
    "rlzero_random-000030": {"base": "longcontext.000120"},
    "sft_instruct-000100": {"base": "sft.000300"},
    "dpo_delta-000032": {"base": "sft.000300"},
}
"""checkpoint -> what its record says that it began from"""
PARAMS = {"evaluate": {"bootstrap": 400, "seed": 0}}


def write_evaluation(
    root: Path, name: str, rows: Iterable[Item], *, bits: Callable[[int], float] | None = None
) -> None:
    """`data/evaluate*/NAME` and its record. `bits`: bits of document i; documents have 100 bytes."""
    found = list(rows)
    step = "evaluate"
    if "_seed" in name:
        step += "_" + name.rpartition("_")[2].partition("-")[0]
    folder = root / "data" / step / name
    folder.mkdir(parents=True)
    items.write(found, folder / "items.parquet")
    shown: dict[str, object] = {
        "checkpoint": name,
        "form": _form(name),
        "split": "test",
        "probes": metrics.figures(found, 400, 0),
    }
    if bits:
        documents = [
            {"id": f"d{i}", "domain": "ab"[i % 2], "url": "", "bits": bits(i), "bytes": 100}
            for i in range(30)
        ]
        value = sum(d["bits"] for d in documents) / 3000
        about = {"bits_per_byte": value, "low": value, "high": value, "documents": 30}
        shown |= {"documents": documents, "overall": about, "domains": {"a": about, "b": about}}
    (folder / "results.json").write_text(json.dumps(shown))
    stage, _, number = name.partition("-")
    if not (root / "records" / f"{stage}.{number}.json").exists():
        write_checkpoint(root, name)
    write_record(root, step, name, PARAMS, {"checkpoint": f"{stage}.{number}"})


def write_checkpoint(root: Path, name: str, **inputs: str) -> None:
    """The record of `stage-step`, made from the records `inputs` by name; data are not on disk."""
    stage, _, number = name.partition("-")
    seed = int(stage.rpartition("_seed")[2]) if "_seed" in stage else 0
    params = {stage.partition("_seed")[0]: {"steps": int(number)}}
    known = BY_NAME[stage.partition("_seed")[0]].options_of(number)
    write_record(root, stage, number, params, inputs, options={**known, "seed": seed})


def _form(name: str) -> str:
    stage = name.partition("-")[0].partition("_seed")[0]
    return next((str(e["form"]) for e in RECIPE.stages if e["name"] == stage), "plain")


def _function(step: str) -> str:
    """Of a step of the flow its own; else one that nobody knows."""
    plain = step.partition("_seed")[0]
    return BY_NAME[plain].function if plain in BY_NAME else f"toy.{plain}:run"


def digest_of(name: str) -> str:
    """The digest of the output of a job whose data are not on disk: a function of its name."""
    return tree_sha256({WEIGHTS: hashlib.sha256(name.encode()).hexdigest()})


def write_record(
    root: Path,
    step: str,
    instance: str | None,
    params: object,
    inputs: dict[str, str] | None = None,
    options: dict[str, object] | None = None,
) -> None:
    name = step if instance is None else f"{step}.{instance}"
    path = f"data/{step}" + (f"/{instance}" if instance else "")
    files = [
        {
            "path": file.name,
            "sha256": sha256_file(file),
            "md5": "0" * 32,
            "size": file.stat().st_size,
        }
        for file in sorted((root / path).glob("*"))
    ] or [
        {
            "path": WEIGHTS,
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "md5": "0" * 32,
            "size": 0,
        }
    ]
    record = {
        "step": step,
        "instance": instance,
        "key": "0" * 64,
        "parts": {
            "inputs": {k: digest_of(v) for k, v in (inputs or {}).items()},
            "params": params,
            "options": options or {},
            "code": {"function": _function(step), "digest": "d" * 64},
        },
        "inputs": {
            k: {
                "kind": "data",
                "path": f"data/{v.replace('.', '/', 1)}",
                "record": f"records/{v}.json",
            }
            for k, v in (inputs or {}).items()
        },
        "output": {"path": path, "files": files},
    }
    (root / "records").mkdir(exist_ok=True)
    write_sound(root / "records" / f"{name}.json", record)


def answers(
    greedy: float, drawn: float, tokens: float = 20.0, *, end: str = "", salt: str = "x"
) -> list[Item]:
    """Items of answers: a task's answer is right where its own fixed number lies below the rate."""
    rows = []
    for family in FAMILIES:
        difficulty = Stream("test", family).uniform(TASKS)
        luck = Stream("test", family, salt).uniform(4 * TASKS)
        for i in range(TASKS):
            task = f"{family}{i:03d}"
            right = float(difficulty[i] < greedy)
            rows += [
                Item(f"exact_match{end}", task, family, 0, right),
                Item(f"format{end}", task, family, 0, 1.0),
                Item(f"tokens{end}", task, family, 0, tokens),
            ]
            for k in range(4):
                value = float(0.7 * difficulty[i] + 0.3 * luck[4 * i + k] < drawn)
                rows += [
                    Item("pass_rate", task, family, k, value),
                    Item("tokens_drawn", task, family, k, tokens + k),
                ]
    return rows


def pairs(rates: dict[str, float]) -> list[Item]:
    return [
        Item("preference", f"{source}{i:03d}", source, 0, float(draw < rate))
        for source, rate in rates.items()
        for i, draw in enumerate(Stream("test pairs", source).uniform(100).tolist())
    ]


def long(loss: float, end: str = "") -> list[Item]:
    spread = Stream("test windows").uniform(20).tolist()
    return [Item(f"loss_long{end}", f"d{i}", "", 0, loss + x) for i, x in enumerate(spread)]


def write_tree(root: Path, *, seeds: bool = False) -> Path:
    """A whole flow's evaluations."""
    (root / "Snakefile").write_text("")
    few = [row for row in answers(0.0, 0.0) if row.item.endswith(("0", "5"))]
    few = [row for row in few if row.probe in ("exact_match", "format", "tokens")]
    base = answers(0.5, 0.4)
    think = [row._replace(probe=f"{row.probe}_think", value=0.0) for row in few]
    tools = [Item("tool_calls", f"add{i:03d}", "add", 0, 1.0) for i in range(10)]
    write_evaluation(root, "pretrain-000000", few, bits=lambda i: 800.0 + i)
    write_evaluation(root, "pretrain-000480", few, bits=lambda i: 250.0 + i)
    write_evaluation(root, "midtrain-000400", base, bits=lambda i: 252.0 + i)
    write_evaluation(root, "soup-000400", base + long(4.2), bits=lambda i: 252.0 + i)
    control = long(3.95) + long(3.86, "_yarn")
    write_evaluation(root, "longcontext_control-000120", base + control, bits=lambda i: 251.0)
    write_evaluation(
        root, "longcontext-000120", base + long(3.78) + think, bits=lambda i: 251.0 + i
    )
    write_evaluation(root, "rlzero-000060", answers(0.5, 0.45, salt="zero"))
    write_evaluation(root, "rlzero_random-000030", answers(0.3, 0.2))
    both = {"judged": 0.7, "delta": 0.9}
    before = [row._replace(probe="tool_calls_instruct", value=0.0) for row in tools]
    write_evaluation(root, "sft-000100", answers(0.3, 0.2) + pairs(both))
    write_evaluation(root, "sft-000300", answers(0.56, 0.44) + pairs(both) + before)
    write_evaluation(root, "sft_instruct-000100", answers(0.4, 0.3) + tools)
    write_evaluation(root, "dpo_delta-000032", answers(0.56, 0.44) + pairs(both | {"delta": 1.0}))
    write_evaluation(root, "dpo-000032", answers(0.58, 0.46, 15.0) + pairs(both | {"judged": 0.82}))
    write_evaluation(root, "rlvr-000080", answers(0.65, 0.6, 15.0))
    write_record(root, "pairs", None, {"pairs": {"length_weight": 0.0025}})
    for name, inputs in BEGAN.items():
        write_checkpoint(root, name, **inputs)
    for seed in (0, 1, 2) if seeds else (0,):
        end = f"_seed{seed}" if seed else ""
        write_checkpoint(root, f"sft{end}-000300", base="longcontext.000120")
        write_checkpoint(root, f"dpo{end}-000032", base=f"sft{end}.000300")
        write_record(
            root, f"difficulty{end}", None, {"difficulty": {"max_pass_rate": 0.85}},
            {"policy": f"dpo{end}.000032"}, {"seed": seed},
        )  # fmt: skip
        data = f"difficulty{end}"
        write_checkpoint(root, f"rlvr{end}-000080", base=f"dpo{end}.000032", data=data)
    for seed in (1, 2) if seeds else ():
        write_evaluation(root, f"sft_seed{seed}-000300", answers(0.55, 0.45) + pairs(both))
        write_evaluation(
            root,
            f"dpo_seed{seed}-000032",
            answers(0.57, 0.46, 15.0) + pairs(both | {"judged": 0.8 + 0.02 * seed}),
        )
        write_evaluation(root, f"rlvr_seed{seed}-000080", answers(0.66, 0.6 + 0.01 * seed, 15.0))
    return root
