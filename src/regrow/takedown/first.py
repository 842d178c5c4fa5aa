"""The first step of each stage that reads a text, computed from the order of training.

No order was ever written down: position -> sequence is a keyed permutation (`regrow.train.order`), and its
inverse says when a sequence is read.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from regrow.takedown import slots
from regrow.train.order import Order, steps_of

CONTROL = "pretraining"
"""the component that fills half of every micro-anneal (`regrow.train.anneal`)"""


def first_steps(data: str, folder: Path, ids: Collection[str], params: Any) -> dict[str, int]:
    """Stage -> the first of its steps that reads any instance of `ids`; stages that read none are left out.

    Args:
        data: `pack`, `midmix` or `longmix`.
        folder: the data set.
        ids: of packed instances.
        params: carries the sections of the stages that read it.

    Micro-anneals are small and start over for each candidate: they count from step 1 if a component that they
    read holds any of it.
    """
    found: dict[str, int | None] = {}
    if data == "pack":
        block = params.pretrain
        found["pretrain"] = _first(
            folder, ids, "pretrain", block.seed, block.batch_sequences, block.steps
        )
    elif data == "midmix":
        block = params.midtrain
        for stage, seed in (("midtrain", block.seed), ("midtrain_b", block.second_seed)):
            found[stage] = _first(folder, ids, stage, seed, block.batch_sequences, block.steps)
        read = {CONTROL, *params.anneal.candidates}
        components = [folder / "components" / name for name in sorted(read)]
        hit = any(slots.sequences(c, ids) for c in components if (c / "meta.json").exists())
        found["anneal"] = 1 if hit else None
    else:
        block = params.longcontext
        batch = block.batch_sequences
        found["longcontext"] = _first(folder, ids, "longcontext", block.seed, batch, block.steps)
        short = folder / "short"
        times = _length(folder) // _length(short)
        found["longcontext_control"] = _first(
            short, ids, "longcontext_control", block.seed, batch * times, block.steps
        )
    return {stage: step for stage, step in found.items() if step is not None}


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
