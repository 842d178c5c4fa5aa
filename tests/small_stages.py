"""Small data and parameters of every stage after pretraining, as the steps before would write them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from regrow.numerics.random import Stream
from regrow.params.train import Anneal, Dpo, LongContext, Midtrain, Sft
from regrow.tables import parquet
from regrow.train import stages
from small_run import EOS, FIRST, LENGTH, PAD, grow, small, write_pack

LONG = 2 * LENGTH


def ids(text: str) -> list[int]:
    """A token per byte."""
    return [FIRST + byte for byte in text.encode()]


def params(**changes: Any) -> SimpleNamespace:
    """Every stage, in seconds; `changes` go into every block."""
    few: dict[str, Any] = {"steps": 6, "checkpoint_every": 3, "digest_every": 2}
    batch = {"batch_sequences": 8, "micro_batch_sequences": 2}
    sft = Sft(**(few | batch | changes))
    return SimpleNamespace(
        model=small().model,
        pretrain=small().pretrain,
        midtrain=Midtrain(**(few | batch | changes)),
        anneal=Anneal(
            **(few | batch | {"checkpoint_every": 6} | changes), candidates=["questions", "retrieval"]
        ),
        longcontext=LongContext(
            **(few | {"batch_sequences": 4, "micro_batch_sequences": 1} | changes),
            context=LONG,
            yarn_factor=2.0,
        ),
        sft=sft,
        sft_instruct=sft,
        dpo=Dpo(**(few | {"batch_sequences": 4, "micro_batch_sequences": 1} | changes)),
    )


def base(root: Path) -> Path:
    """A checkpoint of pretraining, 20 steps old."""
    return grow(write_pack(root / "pack"), root / "pretrain", small(), 20)


def longmix(folder: Path) -> Path:
    """Documents of unequal length, packed whole with padding behind, and the same cut short."""
    from pydoc_data.topics import topics

    rows, row = [], []
    for _, text in sorted(topics.items())[:60]:
        piece = [*ids(text)[: 20 + len(text) % (LONG - 21)], EOS]
        if len(row) + len(piece) > LONG:
            rows.append(row + [PAD] * (LONG - len(row)))
            row = []
        row += piece
    folder.mkdir(parents=True)
    (folder / "short").mkdir()
    tokens = np.array(rows, dtype="<u2")
    for place, length in ((folder, LONG), (folder / "short", LENGTH)):
        tokens.tofile(place / "tokens.bin")
        meta = {
            "sequences": tokens.size // length,
            "sequence_length": length,
            "tokens": tokens.size,
            "vocabulary": 258,
            "eos": EOS,
            "pad": PAD,
        }
        (place / "meta.json").write_text(json.dumps(meta))
    return folder


def sftdata(folder: Path, count: int = 50) -> Path:
    """Sums: the question is given, the answer learned."""
    folder.mkdir(parents=True)
    for branch in ("think", "instruct"):
        draws = Stream("small sums", branch).integers(2 * count, 1000).tolist()
        rows = []
        for i in range(count):
            a, b = draws[2 * i : 2 * i + 2]
            question, answer = ids(f"{a}+{b}="), [*ids(f"{a + b}"), EOS]
            mask = [False] * len(question) + [True] * len(answer)
            rows.append({"id": f"{i:03d}", "tokens": question + answer, "mask": mask})
        parquet.write(pl.DataFrame(rows), folder / f"{branch}.parquet")
    return folder


def pairs(folder: Path, count: int = 30) -> Path:
    """Right sums preferred to wrong ones of another length."""
    folder.mkdir(parents=True)
    draws = Stream("small pairs").integers(2 * count, 1000).tolist()
    rows = []
    for i in range(count):
        a, b = draws[2 * i : 2 * i + 2]
        rows.append(
            {
                "id": f"{i:03d}",
                "source": "delta" if i % 3 == 0 else "judged",
                "prompt": ids(f"{a}+{b}="),
                "chosen": [*ids(f"{a + b}"), EOS],
                "rejected": [*ids(f"no, {a - b}"[: 2 + i % 5]), EOS],
            }
        )
    parquet.write(pl.DataFrame(rows), folder / "pairs.parquet")
    return folder


STAGES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "midtrain": (stages.midtrain, "midmix", {"run": "a"}),
    "longcontext": (stages.longcontext, "longmix", {"length": "long"}),
    "longcontext_control": (stages.longcontext, "longmix", {"length": "short"}),
    "sft": (stages.sft, "sftdata", {"branch": "think", "seed": 0}),
    "dpo": (stages.dpo, "pairs", {"source": "judged", "seed": 0}),
}
"""name -> function, data, options"""


def world(root: Path) -> Path:
    """A folder with the base and every stage's data."""
    root.mkdir(parents=True, exist_ok=True)
    base(root)
    midmix(root / "midmix")
    longmix(root / "longmix")
    sftdata(root / "sftdata")
    pairs(root / "pairs")
    return root


def train(
    name: str,
    root: Path,
    output: Path,
    values: SimpleNamespace,
    *,
    until: int = 6,
    scratch: Path | None = None,
) -> Path:
    """Run the segments of a stage of `world(root)` below `output`; returns the last checkpoint."""
    function, data, options = STAGES[name]
    inputs = {"data": root / data, "base": root / "pretrain/000020"}
    block = getattr(values, "longcontext" if name.startswith("longcontext") else name)
    for step in block.checkpoints():
        if step > until:
            break
        place = output / f"{step:06d}"
        if not place.exists():
            kept = scratch or output.parent / f"scratch-{output.name}-{step}"
            kept.mkdir(parents=True, exist_ok=True)
            function(inputs, values, place, instance=f"{step:06d}", scratch=kept, **options)
        inputs["previous"] = place
    return inputs["previous"]


def midmix(folder: Path) -> Path:
    """A pack with components and held-out packs of its own, each of other documents."""
    write_pack(folder, documents=12)
    for number, name in enumerate(("pretraining", "questions", "retrieval")):
        _cut(write_pack(folder / "components" / name, documents=40), 30 * number, 30)
    for number, name in enumerate(("documents", "tasks")):
        _cut(write_pack(folder / "heldout" / name, documents=40), 100 + 20 * number, 20)
    return folder


def _cut(folder: Path, begin: int, count: int) -> None:
    tokens = np.fromfile(folder / "tokens.bin", dtype="<u2").reshape(-1, LENGTH)
    tokens[begin : begin + count].tofile(folder / "tokens.bin")
    meta = json.loads((folder / "meta.json").read_text())
    meta |= {"sequences": count, "tokens": count * LENGTH}
    (folder / "meta.json").write_text(json.dumps(meta))
