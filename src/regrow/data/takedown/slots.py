"""One pack folder with some documents masked: their tokens become padding, their slots stay.

Training does not learn padding (`regrow.learn.train.data.Mixed`), and a loss is a mean over what is learned,
so a masked token is neither context nor target, and counts for nothing. The end-of-document token of a
slot stays: it is the border of its neighbour, for a document mask and as the neighbour's context. No token
moves, so every other document keeps its place in every sequence, batch and step.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from regrow.data.tables import parquet as tables

SLOTS: dict[str, type[pl.DataType]] = {
    "pack": pl.String,  # folder of the pack below the data set, "" for the data set's own
    "instance": pl.Int64,
    "id": pl.String,  # of the passage or made text, or of the document itself
    "document": pl.String,  # that is taken down
    "repeat": pl.Int32,
    "start": pl.Int64,
    "end": pl.Int64,
    "tokens": pl.Int64,  # overwritten
}
"""masked.parquet: which tokens of which stream were masked, for which document"""


def label(name: str) -> str:
    """The id that a masked slot has in the index of a pack."""
    return f"takedown:{name}"


def mask(
    source: Path, output: Path, family: Mapping[str, str], name: str, pack: str = ""
) -> list[dict[str, Any]]:
    """Write the pack in `source` to `output` without the text of what `family` names.

    Args:
        source: a folder with tokens.bin, index.parquet, meta.json.
        output: the folder to fill.
        family: id of a packed instance -> the document for which it goes.
        name: of the takedown.
        pack: what `source` is called in the rows.

    Returns:
        a row per masked slot (SLOTS), in the order of the stream.

    Raises:
        ValueError: tokens.bin has not the size that meta.json says.
    """
    meta = json.loads((source / "meta.json").read_text(encoding="utf-8"))
    index = tables.read(source / "index.parquet")
    hit = pl.col("id").is_in(sorted(family))
    output.mkdir(parents=True, exist_ok=True)
    target = output / "tokens.bin"
    shutil.copyfile(source / "tokens.bin", target)
    if target.stat().st_size != 2 * meta["sequences"] * meta["sequence_length"]:
        raise ValueError(f"{source}: tokens.bin has not the size that meta.json says")
    rows: list[dict[str, Any]] = []
    stream = np.memmap(target, dtype="<u2", mode="r+")
    for row in index.filter(hit).iter_rows(named=True):
        end = row["end"] - int(stream[row["end"] - 1] == meta["eos"])
        stream[row["start"] : end] = meta["pad"]
        rows.append(
            {
                "pack": pack,
                **{key: row[key] for key in ("instance", "id", "repeat", "start", "end")},
                "document": family[row["id"]],
                "tokens": end - row["start"],
            }
        )
    stream.flush()
    del stream
    masked = {"id": label(name), "component": "takedown", "offset": 0}
    changes = [
        pl.when(hit).then(pl.lit(masked[column], index.schema[column])).otherwise(pl.col(column))
        .alias(column)
        for column in masked
        if column in index.columns
    ]  # fmt: skip
    tables.write(index.with_columns(changes), output / "index.parquet")
    counted = {"instances": len(rows), "takedown": name, "tokens": sum(r["tokens"] for r in rows)}
    text = json.dumps({**meta, "masked": counted}, indent=2, sort_keys=True) + "\n"
    (output / "meta.json").write_text(text, encoding="utf-8")
    return rows


def sequences(folder: Path, ids: Collection[str]) -> list[int]:
    """The sequences of a pack in which any instance of `ids` has a token, ascending."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    length = int(meta["sequence_length"])
    rows = tables.read(folder / "index.parquet", ["id", "start", "end"])
    rows = rows.filter(pl.col("id").is_in(sorted(ids)))
    found: set[int] = set()
    for start, end in zip(rows["start"].to_list(), rows["end"].to_list(), strict=True):
        found.update(range(start // length, (end - 1) // length + 1))
    return sorted(found)


def family(folder: Path, documents: Collection[str]) -> dict[str, str]:
    """What a data set holds of documents: instance id -> document, the documents themselves included.

    A mix names the parent of every passage and of every text that was made from a document (its
    documents.parquet); the text of one document only is in each.
    """
    found = {id: id for id in documents}
    path = folder / "documents.parquet"
    if path.is_file():
        rows = tables.read(path, ["id", "parent"])
        for id, parent in rows.filter(pl.col("parent").is_in(sorted(documents))).iter_rows():
            found[id] = parent
    return found
