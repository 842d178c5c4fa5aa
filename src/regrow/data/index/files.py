"""An index on disk (docs/concepts/explain.md, "The format"): written once, then memory-mapped."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from regrow.data.index.build import SEPARATOR, Shard
from regrow.data.index.search import Index, Searched, unigrams
from regrow.data.tables import parquet as tables

FORMAT = 1


def write(folder: Path, made: Iterable[Shard]) -> dict[str, Any]:
    """Fill `folder`; returns what meta.json says. One shard is held at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes: list[int] = []
    rows: list[pl.DataFrame] = []
    counts = np.zeros(SEPARATOR, dtype="<i8")
    learned = False
    for shard in made:
        name = f"{shard.number:03d}"
        shard.tokens.tofile(folder / f"tokens-{name}.bin")
        shard.suffixes.astype("<u4", copy=False).tofile(folder / f"suffixes-{name}.bin")
        if shard.learned is not None:
            np.packbits(shard.learned, bitorder="little").tofile(folder / f"learned-{name}.bin")
            learned = True
        counts += unigrams(shard)
        sizes.append(len(shard.tokens))
        rows.append(shard.rows)
    table = pl.concat(rows)
    tables.write(table, folder / "rows.parquet")
    counts[: np.flatnonzero(counts)[-1] + 1].tofile(folder / "unigrams.bin")
    meta = {
        "format": FORMAT,
        "rows": table.height,
        "tokens": int(table["length"].sum()),
        "shards": sizes,
        "separator": SEPARATOR,
        "learned": learned,
    }
    text = json.dumps(meta, indent=2, sort_keys=True) + "\n"
    (folder / "meta.json").write_text(text, encoding="utf-8")
    return meta


def read(folder: Path) -> Index:
    """The index in `folder`; nothing but the table of rows is read before it is asked for.

    Raises:
        ValueError: another format, or files of other sizes than meta.json says.
    """
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    if meta["format"] != FORMAT:
        raise ValueError(
            f"{folder}/meta.json: format {meta['format']}, but this is {FORMAT}: rebuild the index"
        )
    rows = tables.read(folder / "rows.parquet")
    counts = rows.group_by("shard").len().sort("shard")["len"].to_list()
    found = []
    for number, (size, count) in enumerate(zip(meta["shards"], counts, strict=True)):
        tokens = _open(folder / f"tokens-{number:03d}.bin", ">u2", size)
        suffixes = _open(folder / f"suffixes-{number:03d}.bin", "<u4", size - count)
        learned = None
        if meta["learned"]:
            learned = _open(folder / f"learned-{number:03d}.bin", "u1", -(-size // 8))
        found.append(Searched(tokens, suffixes, learned))
    return Index(found, rows, np.fromfile(folder / "unigrams.bin", dtype="<i8"))


def _open(path: Path, dtype: str, count: int) -> Any:
    wanted = count * np.dtype(dtype).itemsize
    if path.stat().st_size != wanted:
        raise ValueError(
            f"{path}: {path.stat().st_size} bytes, but meta.json means {wanted}; restore or rebuild it"
        )
    return np.memmap(path, dtype=dtype, mode="r", shape=(count,))
