"""The writer of packs for tests: a stream of tokens cut into sequences, and the index of what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from regrow.data.tables import parquet

SCHEMA = {
    "instance": pl.Int64, "id": pl.String, "repeat": pl.Int32, "start": pl.Int64, "end": pl.Int64,
}  # fmt: skip
Row = tuple[str, int, int, int]
"""id, repeat, start, end"""


def write_pack(
    folder: Path, tokens: ArrayLike, length: int, rows: Iterable[Row] | None = None, **meta: Any
) -> Path:
    """Write tokens.bin and meta.json, and index.parquet where there are rows; what fills no sequence is cut off.

    `meta`: what meta.json says beside the sizes; default: a vocabulary of 300 with eos 1 and pad 0.
    """
    stream = np.asarray(tokens, dtype="<u2").reshape(-1)
    sequences = stream.size // length
    end = sequences * length
    folder.mkdir(parents=True, exist_ok=True)
    stream[:end].tofile(folder / "tokens.bin")
    if rows is not None:
        kept = [(id, repeat, start, min(to, end)) for id, repeat, start, to in rows if start < end]
        table = [(number, *row) for number, row in enumerate(kept)]
        parquet.write(pl.DataFrame(table, SCHEMA, orient="row"), folder / "index.parquet")
    about = {"sequences": sequences, "sequence_length": length, "tokens": end}
    said = {"vocabulary": 300, "eos": 1, "pad": 0} | meta
    (folder / "meta.json").write_text(json.dumps(about | said))
    return folder
