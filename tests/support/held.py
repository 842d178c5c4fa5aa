"""What a call holds at most, by counting: bytes that Python allocates, and batches of a table that are alive."""

from __future__ import annotations

import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pytest

from regrow.data.tables import stream


@dataclass
class Held:
    """The most that was held at one time."""

    bytes: int = 0
    """of Python objects and arrays; a library's own buffers are not among them"""
    batch_bytes: int = 0
    """of batches of tables"""
    batches: int = 0
    """that were read in all"""


def most_held(call: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Held:
    """Call and count."""
    held = Held()
    alive: dict[int, weakref.ref[pa.RecordBatch]] = {}
    read = stream.batches

    def counted(*given):
        for batch in read(*given):
            alive[held.batches] = weakref.ref(batch)
            held.batches += 1
            now = {n: found for n, one in alive.items() if (found := one()) is not None}
            held.batch_bytes = max(held.batch_bytes, sum(one.nbytes for one in now.values()))
            for n in alive.keys() - now.keys():
                del alive[n]
            del now
            yield batch
            del batch

    with monkeypatch.context() as patch:
        patch.setattr(stream, "batches", counted)
        tracemalloc.start()
        try:
            call()
            held.bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    return held
