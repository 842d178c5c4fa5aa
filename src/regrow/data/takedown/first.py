"""The first step of each stage that reads a text, computed from the order of training.

No order was ever written down: position -> sequence is a keyed permutation (`regrow.data.tokens.order`), and its
inverse says when a sequence is read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from regrow.data.takedown import slots
from regrow.data.tokens.order import Order, steps_of

CONTROL = "pretraining"
"""the component that fills half of every micro-anneal (`regrow.learn.train.anneal`)"""
ANNEAL = "anneal"
"""the step of the micro-anneals"""


def first_steps(
    stages: Mapping[str, Mapping[str, Any]], folder: Path, ids: Collection[str], params: Any
) -> dict[str, int]:
    """Stage -> the first of its steps that reads any instance of `ids`; stages that read none are left out.

    Args:
        stages: those that read the data set: name -> `settings` (section) and the options that say how:
            `run` (which order of the data), `length` (`short`: the sequences cut).
        folder: the data set.
        ids: of packed instances.
        params: carries the sections.

    Micro-anneals are small and start over for each candidate: they count from step 1 if a component that they
    read holds any of it.
    """
    found: dict[str, int | None] = {}
    for stage, about in stages.items():
        block = getattr(params, str(about["settings"]))
        if stage == ANNEAL:
            found[stage] = _annealed(folder, ids, block.candidates)
            continue
        pack, batch, seed = folder, block.batch_sequences, block.seed
        run = str(about.get("run", "a"))
        if run != "a":
            seed = block.second_seed + ord(run) - ord("b")
        if about.get("length") == "short":
            pack = folder / "short"
            batch *= _length(folder) // _length(pack)
        found[stage] = _first(pack, ids, stage, seed, batch, block.steps)
    return {stage: step for stage, step in found.items() if step is not None}


def _annealed(folder: Path, ids: Collection[str], candidates: Iterable[str]) -> int | None:
    components = [folder / "components" / name for name in sorted({CONTROL, *candidates})]
    hit = any(slots.sequences(c, ids) for c in components if (c / "meta.json").exists())
    return 1 if hit else None


def _length(folder: Path) -> int:
    return int(json.loads((folder / "meta.json").read_text(encoding="utf-8"))["sequence_length"])


def _first(
    folder: Path, ids: Collection[str], stage: str, seed: int, batch: int, steps: int
) -> int | None:
    count = int(json.loads((folder / "meta.json").read_text(encoding="utf-8"))["sequences"])
    order = Order(count, seed, stage)
    seen = [
        position
        for sequence in slots.sequences(folder, ids)
        for position in order.positions(sequence, steps * batch)[:1]
    ]
    return steps_of([min(seen)], batch)[0] if seen else None
