"""Tokens of the documents of a part of a table, in files: written by one job, read by another in any order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.tables import groups, pieces, stream

TOKENS = "tokens.bin"
"""two bytes a token, documents one after the other"""
DOCUMENTS = "documents.parquet"
"""id and number of tokens of each document, in the order of the tokens"""
OPEN = 64
"""files that are open at a time"""
_SCHEMA = {"id": pl.String, "tokens": pl.Int64}


def write(folder: Path, documents: Iterable[tuple[str, NDArray[np.uint16]]]) -> int:
    """Write the tokens of documents, each with its id; return how many documents there are."""
    with (folder / TOKENS).open("wb") as file, stream.Writer(folder / DOCUMENTS, _SCHEMA) as table:
        for identity, tokens in documents:
            file.write(tokens.astype("<u2", copy=False).tobytes())
            table.add({"id": identity, "tokens": len(tokens)})
    return table.rows


class Tokenised:
    """The tokens of the documents `ids`, in several folders; 20 bytes of each are held beside its id."""

    def __init__(self, ids: pl.Series, folders: list[Path]) -> None:
        """Find each document; `ids` ascend.

        Raises:
            regrow.data.tables.conservation.Lost: a document is in no folder, or comes twice.
            ValueError: a file of tokens has not the size that its table says.
        """
        self.ids = ids
        self.sizes = np.zeros(ids.len(), dtype=np.int64)
        """tokens"""
        self._starts = np.zeros(ids.len(), dtype=np.int64)
        self._where = np.zeros(ids.len(), dtype=np.int32)
        self._files = [folder / TOKENS for folder in folders]
        self._open: OrderedDict[int, IO[bytes]] = OrderedDict()
        times = np.zeros(ids.len(), dtype=np.int32)
        for number, folder in enumerate(folders):
            self._find(number, folder, times)
        groups.each_once("pack", "documents of the mix", ids, times)

    def __enter__(self) -> Tokenised:
        return self

    def __exit__(self, *raised: Any) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def _find(self, number: int, folder: Path, times: NDArray[np.int32]) -> None:
        end = 0
        for frame in groups.frames_of(folder / DOCUMENTS, ["tokens"], self.ids):
            rows, sizes = frame["row"].to_numpy(), frame["tokens"].to_numpy()
            ends = end + np.cumsum(sizes)
            self.sizes[rows], self._starts[rows] = sizes, 2 * (ends - sizes)
            self._where[rows] = number
            np.add.at(times, rows, 1)
            end = int(ends[-1]) if len(ends) else end
        path = folder / TOKENS
        if path.stat().st_size != 2 * end:
            raise ValueError(
                f"{path.name}: {path.stat().st_size} bytes, where its documents have {end} tokens of two bytes and are "
                "those of the mix; rerun the steps of the parts"
            )

    def tokens(self, row: int) -> NDArray[np.uint16]:
        """The tokens of the document in `row` of `ids`."""
        number = int(self._where[row])
        if number in self._open:
            self._open.move_to_end(number)
        else:
            if len(self._open) >= OPEN:
                self._open.popitem(last=False)[1].close()
            self._open[number] = self._files[number].open("rb")
        size, start = 2 * int(self.sizes[row]), int(self._starts[row])
        return np.frombuffer(pieces.read(self._open[number].fileno(), start, size), dtype="<u2")
