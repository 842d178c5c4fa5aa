"""Training state on disk: atomic, and complete enough to go on as if nothing had happened.

A checkpoint folder holds `model.safetensors`, `config.json`, `optimizer.safetensors`,
`state.json`, `metrics.parquet` and `digests.jsonl`; a partial one, in the scratch folder of
an unfinished segment, holds the same and a seal (`seal.py`), and is thrown away when the
segment ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import Olmo3ForCausalLM

from regrow.learn.model import files
from regrow.learn.train import digest, finite, metrics, seal
from regrow.learn.train.engine import Engine

OPTIMIZER = "optimizer.safetensors"
STATE = "state.json"
METRICS = "metrics.parquet"
DIGESTS = "digests.jsonl"
LOST = "lost_steps"
"""in the state: `Engine.lost`, if it is not 0"""


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
    """`state.json` of a checkpoint. Raises ValueError, with the file's name, if it is damaged."""
    try:
        found: dict[str, Any] = json.loads((folder / STATE).read_bytes())
    except ValueError as error:
        raise ValueError(f"{folder / STATE}: damaged: {error}") from None
    return found


def restore(folder: Path, engine: Engine) -> None:
    """Set the engine to the state in `folder`, of the same stage."""
    saved = state(folder)
    begin(folder, engine, carry_optimizer=True)
    engine.step = saved["step"]
    engine.tokens = saved["tokens"]
    engine.lost = saved.get(LOST, 0)
    engine.skip.restore(saved["skip"])


def begin(folder: Path, engine: Engine, *, carry_optimizer: bool) -> None:
    """Start a stage from the checkpoint in `folder`, the last of the stage before.

    The weights are taken over, and with `carry_optimizer` the optimizer's state with its count of
    updates. Step, tokens, data position and skip window start anew (Olmo 3:
    `load_optim_state=True, load_trainer_state=False`).

    Raises:
        ValueError: the optimizer's state there is of another rule than this stage's, or or weights
            or state are damaged or not finite.
    """
    with torch.no_grad():
        files.load_weights(engine.model, folder)
    if not carry_optimizer:
        return
    stored = files.read(folder / OPTIMIZER)
    if found := finite.unsound(stored):
        raise ValueError(
            f"{folder / OPTIMIZER}: {found[0]} holds {finite.describe(found[1])}: no training can go "
            "on from it; set carry_optimizer: false, or start from an earlier checkpoint"
        )
    try:
        engine.optimizer.restore(stored, state(folder)["updates"])
    except KeyError as error:
        raise ValueError(
            f"{folder / OPTIMIZER}: {error.args[0]}: this stage has another optimizer; set the same "
            "optimizer.name, or carry_optimizer: false"
        ) from None


def replace(folder: Path, scratch: Path, origin: str) -> None:
    """Make `folder`, just filled, the one partial state in `scratch`, sealed for the segment `origin`.

    It appears under its name at once, by a rename.
    """
    seal.write(folder, origin)
    for path in folder.iterdir():
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    target = scratch / f"step-{state(folder)['step']:09d}"
    seal.discard(target)
    folder.rename(target)
    for old in scratch.glob("step-*"):
        if old != target:
            seal.discard(old)


Taken = tuple[list[metrics.Row], list[dict[str, Any]]]
"""the metrics and links of a segment so far"""


def resume(scratch: Path, origin: str, engine: Engine, say: Callable[[str], None]) -> Taken | None:
    """Set the engine to the latest partial state in `scratch` that belongs to the segment `origin`.

    Foreign, unfinished and damaged leftovers are passed over, each with a line to `say`; the engine
    is then as it was. In a group of processes, all take up a state or none does.
    """
    taken = None
    for folder in sorted(scratch.glob("step-*"), reverse=True):
        try:
            seal.check(folder, origin)
            taken = metrics.read(folder / METRICS), digest.read(folder / DIGESTS)
            restore(folder, engine)
            engine.source.restore(folder)
            break
        except Exception as error:  # whatever it is, the segment can begin again
            taken = None
            engine.forget()
            say(f"the partial state {folder.name} is passed over: {error}")
    if engine.group.agree(taken is None) and taken is not None:
        taken = None
        engine.forget()
    return taken
