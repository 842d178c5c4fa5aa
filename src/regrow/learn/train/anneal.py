"""Micro-anneals: what a candidate dataset is worth under a fixed budget, against a control.

Source: OLMo 3 report, section 3.5.1: a short run whose data are half candidate and half
pretraining text, compared with one of the same length on pretraining text alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from regrow.data.tokens.order import Order
from regrow.learn.model import files
from regrow.learn.train import heldout, runtime, seal, stage
from regrow.learn.train.data import Mixed, Sequences
from regrow.learn.train.heldout import Scored
from regrow.learn.train.objective import LanguageModelling
from regrow.learn.train.progress import say
from regrow.numerics.torch.install import install
from regrow.params.anneal import Anneal

CONTROL = "pretraining"
"""the component of `midtrain_data` that the control reads, and that fills half of every candidate's run"""
BEFORE = "base"
"""the name of the untouched base in `results.json`"""
SCORES = "scores.json"
"""of a finished run, in the scratch space"""


def run(inputs: dict[str, Path], params: Any, output: Path, *, scratch: Path) -> dict[str, Any]:
    """Fill `output` with `results.json`.

    `inputs`: `base` (a checkpoint), `midtrain_data` (with `components/` and `heldout/`). Finished runs are
    kept in `scratch`, so that a killed step goes on with the one that it was at.

    Raises:
        ValueError: a candidate that `midtrain_data` does not have.
        SystemExit: 130, after Ctrl-C or SIGTERM; the state was saved.
    """
    block: Anneal = params.anneal
    have = {
        path.parent.name for path in (inputs["midtrain_data"] / "components").glob("*/meta.json")
    }
    for name in (CONTROL, *block.candidates):
        if name not in have:
            raise ValueError(
                f"anneal: midtrain_data has no component {name!r}; it has {sorted(have)}"
            )
    output.mkdir(parents=True, exist_ok=True)
    scratch.mkdir(parents=True, exist_ok=True)
    names = [BEFORE, CONTROL, *dict.fromkeys(n for n in block.candidates if n != CONTROL)]
    scored = {name: _one(name, inputs, params, scratch) for name in names}
    packs = sorted(scored[CONTROL])
    results = {
        "control": CONTROL,
        "steps": block.steps,
        "tokens": block.steps * block.batch_sequences * Sequences(_component(inputs, CONTROL)).length,
        "losses": {
            name: {pack: found[pack].mean() for pack in packs} for name, found in scored.items()
        },
        "sequences": {pack: len(scored[CONTROL][pack].losses) for pack in packs},
        "differences": {
            name: {
                pack: heldout.difference(
                    [scored[name][pack]], [scored[CONTROL][pack]], f"anneal {name} {pack}"
                )
                for pack in packs
            }
            for name in names
            if name not in (BEFORE, CONTROL)
        },
    }  # fmt: skip
    text = json.dumps(results, indent=2, sort_keys=True) + "\n"
    (output / "results.json").write_text(text, encoding="utf-8")
    return {"runs": len(names) - 1, "steps": block.steps, "tokens": results["tokens"]}


def _component(inputs: dict[str, Path], name: str) -> Path:
    return inputs["midtrain_data"] / "components" / name


def _one(name: str, inputs: dict[str, Path], params: Any, scratch: Path) -> dict[str, Scored]:
    """Losses of one run (or of the base), from `scratch` if they are there."""
    kept = scratch / f"{name}.scores"
    if not _taken_up(kept, SCORES):
        folder = inputs["base"] if name == BEFORE else _trained(name, inputs, params, scratch)
        runtime.prepare()
        found = heldout.score_all(install(files.load(folder)), inputs["midtrain_data"] / "heldout")
        kept.mkdir()
        text = json.dumps({pack: asdict(value) for pack, value in found.items()})
        (kept / SCORES).write_text(text, encoding="utf-8")
        seal.write(kept, SCORES)
    loaded = json.loads((kept / SCORES).read_bytes())
    return {pack: Scored(**value) for pack, value in loaded.items()}


def _trained(name: str, inputs: dict[str, Path], params: Any, scratch: Path) -> Path:
    """The last checkpoint of one run, trained now unless it is in `scratch`."""
    folder, partial = scratch / name, scratch / f"{name}.partial"
    if not _taken_up(folder, name):
        partial.mkdir(exist_ok=True)
        instance = f"{params.anneal.steps:06d}"
        stage.run(plan, inputs, params, folder, instance=instance, scratch=partial, component=name)
        seal.write(folder, name)
    return folder


def _taken_up(folder: Path, origin: str) -> bool:
    """Whether an earlier try left `folder` whole; what is unfinished or damaged is removed."""
    if not folder.exists():
        return False
    try:
        seal.check(folder, origin)
    except seal.Broken as error:
        say("anneal", f"{folder.name} of an earlier try is passed over: {error}")
        seal.discard(folder)
        return False
    return True


def plan(inputs: dict[str, Path], params: Any, *, component: str) -> stage.StageSpec:
    """The run of one candidate component: every other sequence is the control's."""
    block: Anneal = params.anneal
    parts = [Sequences(_component(inputs, name)) for name in (component, CONTROL)]
    if component == CONTROL:
        parts = parts[:1]
    name = f"anneal {component}"
    orders = [Order(part.count, block.seed, f"{name} part {i}") for i, part in enumerate(parts)]
    return stage.StageSpec(
        name=name,
        config=files.load_config(inputs["base"]),
        block=block,
        objective=LanguageModelling(block.z_loss, block.document_mask),
        source=Mixed(parts, orders, block.batch_sequences, block.micro_batch_sequences),
        order={"keys": [order.key for order in orders]},
        depends=tuple(part.digest for part in parts),
    )
