"""A small run of every training stage, really trained, with sound records: for what reruns it.

The stages run through the functions of the table on the data of `small_stages`; a job is made by
`make` from the records before it, so that a test can change one thing and train on from there.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from tokenizers import Tokenizer

import default_flow
import small_policy
import small_stages
from regrow.data.tables import parquet
from regrow.engine.closure import Modules, closure
from regrow.engine.records import encode
from regrow.learn.rl import prompts
from regrow.params.schema import Params
from regrow.prove.segments import worker
from small_run import LENGTH, small, write_pack
from sound_records import composed, output_of

FEW = {"steps": 6, "checkpoint_every": 3, "digest_every": 2}
BATCH = {"batch_sequences": 8, "micro_batch_sequences": 2}
PARAMS: dict[str, Any] = {
    "model": small().model.model_dump(mode="json"),
    "pretrain": FEW | BATCH | {"checkpoint_every": 3},
    "midtrain": FEW | BATCH,
    "longcontext": FEW
    | {"batch_sequences": 4, "micro_batch_sequences": 1, "context": 2 * LENGTH, "yarn_factor": 2.0},
    "sft": FEW | BATCH,
    "dpo": FEW | {"batch_sequences": 4, "micro_batch_sequences": 1},
    "rlvr": {"steps": 4, "checkpoint_every": 2, "digest_every": 1, "prompts": 2, "group": 4}
    | BATCH
    | {"max_new_tokens": 6, "warmup": 0.0},
}
DATA = {
    "pretrain": "pack",
    "midtrain": "midtrain_data",
    "midtrain_b": "midtrain_data",
    "longcontext": "longcontext_data",
    "sft": "sft_data",
    "dpo": "pairs",
    "rlvr": "difficulty",
}
BASES = {
    "midtrain": "pretrain.000006",
    "midtrain_b": "pretrain.000006",
    "longcontext": "soup.000006",
    "sft": "longcontext.000006",
    "dpo": "sft.000006",
    "rlvr": "dpo.000006",
}
CHAIN = [
    "pretrain.000000",
    *(f"pretrain.{step:06d}" for step in (3, 6)),
    *(f"midtrain.{step:06d}" for step in (3, 6)),
    "midtrain_b.000006",
    "soup.000006",
    "longcontext.000006",
    "sft.000003",
    "sft.000006",
    "dpo.000006",
    "rlvr.000002",
    "rlvr.000004",
]
"""checkpoints in the order of training"""


def grow(root: Path, params: dict[str, Any] | None = None) -> Path:
    """A finished tree."""
    (root / "records").mkdir(parents=True)
    (root / "Snakefile").write_text("")
    small_stages.data(root / "data")
    write_pack(root / "data/pack")
    small_policy.tasks(root / "data/tasks")
    known = small_policy.tokenizer(root / "data/tokenizer", root / "data/tasks")
    _prompts(root / "data/difficulty", root / "data/tasks", known)
    for name in ("tokenizer", *dict.fromkeys(DATA.values())):
        write_record(root, name)
    for name in CHAIN:
        make(root, name, params)
    return root


def _prompts(folder: Path, tasks: Path, tokenizer: Path) -> None:
    known = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    chosen, _ = prompts.choose(
        tasks / "train.parquet", known, "think", count=20, room=LENGTH, key="small", step="x"
    )
    rows = [
        {**vars(p), "prompt": p.tokens, "passes": 1, "samples": 2, "kept": True} for p in chosen
    ]
    parquet.write(pl.DataFrame(rows).drop("tokens"), folder / "prompts.parquet")


def make(
    root: Path,
    name: str,
    params: dict[str, Any] | None = None,
    change: Callable[[Path], None] | None = None,
) -> None:
    """Train one checkpoint from the records that are there, and write its record.

    `change` may alter the folder before it is recorded: the forger's hand.
    """
    parts = _parts(root, name, params or PARAMS)
    step, _, instance = name.partition(".")
    with tempfile.TemporaryDirectory() as scratch:
        more = {**parts["options"], "instance": instance}
        if step != "soup":
            more["scratch"] = scratch
        folder = root / "data" / step / instance
        worker.work(
            {
                "function": parts["code"]["function"],
                "params": parts["params"],
                "inputs": {k: str(root / _path(v)) for k, v in _inputs(name).items()},
                "output": str(folder),
                "more": more,
            }
        )
    if change:
        change(folder)
    write_record(root, name, params)


def retrain(root: Path, after: str) -> None:
    """Train everything after a checkpoint again, on what now lies there."""
    for name in CHAIN[CHAIN.index(after) + 1 :]:
        make(root, name)


def write_record(root: Path, name: str, params: dict[str, Any] | None = None) -> None:
    """The record of a job, from what lies on disk."""
    parts = _parts(root, name, params or PARAMS)
    inputs = {
        key: {"kind": "data", "path": _path(made), "record": f"records/{made}.json"}
        for key, made in _inputs(name).items()
    }
    record = composed(name, parts, inputs, output_of(root, _path(name)))
    (root / f"records/{name}.json").write_bytes(encode(record))


def _inputs(name: str) -> dict[str, str]:
    """Input name -> job."""
    step = name.split(".")[0]
    if step == "soup":
        return {"a": "midtrain.000006", "b": "midtrain_b.000006", "midtrain_data": "midtrain_data"}
    found = {"data": DATA[step]} if step in DATA else {}
    if step in BASES:
        found["base"] = BASES[step]
    if step == "rlvr":
        found["tokenizer"] = "tokenizer"
    at = CHAIN.index(name) if name in CHAIN else 0
    if at and CHAIN[at - 1].startswith(f"{step}."):
        found["previous"] = CHAIN[at - 1]
    return found


def _path(name: str) -> str:
    return "data/" + name.replace(".", "/")


def _parts(root: Path, name: str, params: dict[str, Any]) -> dict[str, Any]:
    step = default_flow.flow().step(name.split(".")[0])
    options = step.options_of(name.partition(".")[2] or None)
    if "reward" in options:
        options["reward"] = "random"  # a model this small earns nothing
    values = Params.model_validate(params).model_dump(mode="json")
    hashes = {
        key: json.loads((root / f"records/{made}.json").read_text())["output"]["sha256"]
        for key, made in _inputs(name).items()
    }
    return {
        "code": {
            "function": step.function,
            **_code(step.name),
        },
        "params": {section: values[section] for section in step.params},
        "packages": {},
        "numerics": step.numerics,
        "instance": name.partition(".")[2] or None,
        "inputs": hashes,
        "options": options,
    }


_CODE: dict[str, dict[str, Any]] = {}


def _code(name: str) -> dict[str, Any]:
    if name not in _CODE:
        flow = default_flow.flow()
        step = flow.step(name)
        modules = _MODULES.setdefault("", Modules(Path("/nonexistent"), flow.packages))
        entry = step.function.partition(":")[0]
        found = closure(modules, entry, flow.params_root, step.model_sections)
        parts = {"modules": found.modules, "native": found.native}
        _CODE[name] = {"digest": found.digest(), **parts}
    return _CODE[name]


_MODULES: dict[str, Modules] = {}
