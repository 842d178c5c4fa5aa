"""A small real corpus (the topics of Python's own manual, as bytes) and a small model."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pack_files
from regrow.learn.model import build
from regrow.learn.train import runtime, stage
from regrow.learn.train.engine import Engine
from regrow.learn.train.kinds import pretrain
from regrow.params.kinds.pretrain import Pretrain
from regrow.params.model import Model

LENGTH = 64
PAD, EOS, FIRST = 0, 1, 2


def write_pack(folder: Path, length: int = LENGTH, documents: int = 40) -> Path:
    from pydoc_data.topics import topics

    stream: list[int] = []
    for _, text in sorted(topics.items())[:documents]:
        stream += [FIRST + byte for byte in text.encode()] + [EOS]
    return pack_files.write_pack(folder, stream, length, vocabulary=258, eos=EOS, pad=PAD)


def small(**pretrain_changes: Any) -> SimpleNamespace:
    """Parameters of a run that takes seconds."""
    model = Model(
        hidden=32, layers=4, heads=2, kv_heads=2, ffn=64, sliding_window=16, context=LENGTH
    )
    values: dict[str, Any] = {
        "steps": 40,
        "checkpoint_every": 20,
        "batch_sequences": 8,
        "micro_batch_sequences": 2,
        "digest_every": 5,
    }
    return SimpleNamespace(model=model, pretrain=Pretrain(**(values | pretrain_changes)))


def engine(pack: Path, params: SimpleNamespace, seed: int = 0) -> Engine:
    """The engine of pretraining with initial weights."""
    runtime.prepare()
    made = stage.assemble(
        pretrain.plan({"data": pack}, params, stage="pretrain", settings="pretrain")
    )
    build.initialise(made.model, seed)
    return made


def grow(
    pack: Path, root: Path, params: SimpleNamespace, until: int, scratch: Path | None = None
) -> Path:
    """Run the segments up to step `until` below `root`; returns the last checkpoint."""
    previous: Path | None = None
    for step in params.pretrain.checkpoints():
        if step > until:
            break
        output = root / f"{step:06d}"
        if not output.exists():
            inputs = {"data": pack} | ({"previous": previous} if previous else {})
            place = scratch or root / f"scratch-{step}"
            place.mkdir(parents=True, exist_ok=True)
            pretrain.run(
                inputs,
                params,
                output,
                instance=f"{step:06d}",
                scratch=place,
                stage="pretrain",
                settings="pretrain",
            )
        previous = output
    assert previous is not None
    return previous
