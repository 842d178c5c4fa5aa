"""Bins of pieces to a pack folder: tokens.bin, index.parquet, meta.json."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from regrow.data.tables import parquet as tables
from regrow.learn.tasks.long.pieces import Piece

INDEX: dict[str, type[pl.DataType]] = {
    "instance": pl.Int64,
    "id": pl.String,
    "repeat": pl.Int32,
    "start": pl.Int64,
    "end": pl.Int64,
    "component": pl.String,
    "offset": pl.Int64,  # tokens of the document before this piece
}


@dataclass(frozen=True)
class Vocabulary:
    """What meta.json says about the tokenizer."""

    size: int
    eos: int
    pad: int


def write(
    folder: Path,
    bins: list[list[Piece]],
    length: int,
    vocabulary: Vocabulary,
    dropped: list[Piece],
) -> dict[str, Any]:
    """Write a pack whose sequences are the bins, gaps at their ends padded; returns meta.json.

    An index row is a piece; padding, if there is any, belongs to none. `dropped`: pieces that found no place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stream = np.full((len(bins), length), vocabulary.pad, dtype="<u2")
    rows: list[tuple[int, str, int, int, int, str, int]] = []
    for number, members in enumerate(bins):
        at = 0
        for piece in members:
            end = at + len(piece.tokens)
            stream[number, at:end] = piece.tokens
            base = number * length
            row = (len(rows), piece.id, 0, base + at, base + end, piece.component, piece.offset)
            rows.append(row)
            at = end
    (folder / "tokens.bin").write_bytes(stream.tobytes())
    index = pl.DataFrame(rows, schema=INDEX, orient="row")
    tables.write(index, folder / "index.parquet")
    components: Counter[str] = Counter()
    for _, _, _, start, end, component, _ in rows:
        components[component] += end - start
    meta = {
        "sequences": len(bins),
        "sequence_length": length,
        "tokens": len(bins) * length,
        "padding": len(bins) * length - sum(components.values()),
        "components": dict(sorted(components.items())),
        "vocabulary": vocabulary.size,
        "eos": vocabulary.eos,
        "pad": vocabulary.pad,
        "instances": len(rows),
        "dropped_tail_tokens": sum(len(piece.tokens) for piece in dropped),
        "dropped_tail_instances": len(dropped),
    }
    _json(folder / "meta.json", meta)
    return meta


def recut(folder: Path, output: Path, length: int) -> dict[str, Any]:
    """The pack in `folder` with every sequence cut into sequences of `length`: the same tokens.

    Raises:
        ValueError: `length` does not divide the sequences.
    """
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    times, rest = divmod(meta["sequence_length"], length)
    if rest:
        raise ValueError(
            f"longcontext_data.short_length ({length}) must divide longcontext_data.sequence_length "
            f"({meta['sequence_length']})"
        )
    output.mkdir(parents=True, exist_ok=True)
    for name in ("tokens.bin", "index.parquet"):
        (output / name).write_bytes((folder / name).read_bytes())
    meta |= {"sequences": meta["sequences"] * times, "sequence_length": length}
    _json(output / "meta.json", meta)
    return dict(meta)


def _json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
