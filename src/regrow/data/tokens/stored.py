"""Tokens of documents, written to a file one by one and read back in any order: memory does not grow with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import IO, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from tokenizers import Tokenizer

from regrow.data.tables import pieces
from regrow.data.tokens import bpe

T = TypeVar("T")


class Stored:
    """The tokens of the documents `ids`; 16 bytes of each are held beside its id."""

    def __init__(self, file: IO[bytes], ids: pl.Series) -> None:
        """`file` is empty, and open for writing and reading."""
        self.ids = ids
        self.sizes = np.zeros(ids.len(), dtype=np.int64)
        """tokens"""
        self._starts = np.zeros(ids.len(), dtype=np.int64)
        self._file, self._end = file, 0

    def add(self, row: int, tokens: NDArray[np.uint16]) -> None:
        """Store the tokens of the document in `row` of `ids`."""
        self._file.write(tokens.astype("<u2").tobytes())
        self._starts[row], self.sizes[row] = self._end, len(tokens)
        self._end += 2 * len(tokens)

    def tokens(self, row: int) -> NDArray[np.uint16]:
        """The tokens of the document in `row`."""
        self._file.flush()
        size, start = 2 * int(self.sizes[row]), int(self._starts[row])
        return np.frombuffer(pieces.read(self._file.fileno(), start, size), dtype="<u2")


def encoded(
    tokenizer: Tokenizer, rows: Iterable[tuple[T, str]]
) -> Iterator[tuple[T, NDArray[np.uint16]]]:
    """What stands beside each text, and the text's tokens (`regrow.data.tokens.bpe.encode`): a batch is held."""
    waiting: deque[T] = deque()

    def texts() -> Iterator[str]:
        for beside, text in rows:
            waiting.append(beside)
            yield text

    for tokens in bpe.encode(tokenizer, texts()):
        yield waiting.popleft(), tokens
