"""Training state on disk: atomic, and complete enough to go on as if nothing had happened.

A checkpoint folder holds `model.safetensors`, `config.json`, `optimizer.safetensors`,
`state.json`, `metrics.parquet` and `digests.jsonl`; a partial one, in the scratch folder of
an unfinished segment, holds the same and is thrown away when the segment ends.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import Olmo3ForCausalLM

from regrow.model import files
from regrow.train import digest, metrics
from regrow.train.engine import Engine

OPTIMIZER = "optimizer.safetensors"
STATE = "state.json"
METRICS = "metrics.parquet"
DIGESTS = "digests.jsonl"


def save(
    folder: Path,
    engine: Engine,
    rows: list[metrics.Row],
    links: list[dict[str, Any]],
    extra: dict[str, Any],
) -> None:
    """Fill `folder`. `extra` is merged into `state.json`."""
    write(folder, engine.model, engine.optimizer.tensors(), engine.position() | extra, rows, links)
    engine.source.save(folder)


def write(
    folder: Path,
    model: Olmo3ForCausalLM,
    moments: dict[str, Tensor],
    state: dict[str, Any],
    rows: list[metrics.Row],
    links: list[dict[str, Any]],
) -> None:
    """The files of a checkpoint; `moments`: the optimizer's state."""
    files.save(model, folder)
    stored = {name: value.contiguous() for name, value in moments.items()}
    save_file(stored, folder / OPTIMIZER, metadata={"format": "pt"})
    (folder / OPTIMIZER).chmod(0o644)
    text = json.dumps(state, indent=2, sort_keys=True) + "\n"
    (folder / STATE).write_text(text, encoding="utf-8")
    metrics.write(rows, folder / METRICS)
    digest.write(links, folder / DIGESTS)


def state(folder: Path) -> dict[str, Any]:
    """`state.json` of a checkpoint."""
    found: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    return found


def restore(folder: Path, engine: Engine) -> None:
    """Set the engine to the state in `folder`, of the same stage."""
    saved = state(folder)
    begin(folder, engine, carry_optimizer=True)
    engine.step = saved["step"]
    engine.tokens = saved["tokens"]
    engine.skip.restore(saved["skip"])


def begin(folder: Path, engine: Engine, *, carry_optimizer: bool) -> None:
    """Start a stage from the checkpoint in `folder`, the last of the stage before.

    The weights are taken over, and with `carry_optimizer` the optimizer's state with its count of
    updates. Step, tokens, data position and skip window start anew (Olmo 3:
    `load_optim_state=True, load_trainer_state=False`).

    Raises:
        ValueError: the optimizer's state there is of another rule than this stage's.
    """
    with torch.no_grad():
        files.load_weights(engine.model, folder)
    if not carry_optimizer:
        return
    stored = load_file(folder / OPTIMIZER)
    try:
        engine.optimizer.restore(stored, state(folder)["updates"])
    except KeyError as error:
        raise ValueError(
            f"{folder / OPTIMIZER}: {error.args[0]}: this stage has another optimizer; set the same "
            "optimizer.name, or carry_optimizer: false"
        ) from None


def replace(folder: Path, scratch: Path) -> None:
    """Make `folder`, just filled, the one partial state in `scratch`, atomically."""
    for path in folder.iterdir():
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    target = scratch / f"step-{state(folder)['step']:09d}"
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)
    for old in scratch.glob("step-*"):
        if old != target:
            shutil.rmtree(old, ignore_errors=True)


def partial(scratch: Path, origin: str) -> Path | None:
    """The latest partial state in `scratch` that belongs to the segment `origin`, if any.

    Unfinished or foreign leftovers are passed over.
    """
    for folder in sorted(scratch.glob("step-*"), reverse=True):
        try:
            if state(folder).get("origin") == origin:
                return folder
        except (OSError, ValueError):
            continue
    return None
