"""The index step: the suffix array of the tokens of one training data set."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from regrow.data.index import files, rows
from regrow.data.index.build import shards
from regrow.data.index.rows import Rows

READERS: dict[str, Callable[[Path], Iterator[Rows]]] = {
    "sft_data": rows.examples,
    "chats": rows.examples,
    "pairs": rows.pairs,
}
"""kind of data set -> how its rows are read; all others are packs"""


def reader(kind: str) -> Callable[[Path], Iterator[Rows]]:
    """How the rows of a kind of data set are read."""
    return READERS.get(kind, rows.packed)


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, instance: str, kind: str
) -> dict[str, Any]:
    """Fill `output` with the index of `inputs["data"]`; returns its rows, tokens and shards.

    Args:
        inputs: `data`: what the step that `instance` names made: a pack, examples or pairs.
        params: none are read.
        output: the folder to fill.
        instance: `<step>` or `<step>-<its instance>`.
        kind: of the data set: `pack`, `midtrain_data`, `longcontext_data`, `sft_data`, `chats`, `pairs`.

    Raises:
        ValueError: the data cannot be indexed, see `rows` and `build`.
    """
    meta = files.write(output, shards(reader(kind)(inputs["data"])))
    print(f"  {meta['tokens']} tokens in {meta['rows']} rows", file=sys.stderr)
    return {"tokens": meta["tokens"], "rows": meta["rows"], "shards": len(meta["shards"])}
