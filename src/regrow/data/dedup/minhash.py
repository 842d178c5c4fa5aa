"""MinHash signatures and locality-sensitive hashing.

Source: Broder, "On the resemblance and containment of documents" (1997); banding as in
Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", section 3.4. The hash functions are multiply-shift
(Dietzfelbinger et al. 1997) on already mixed 32-bit n-gram numbers: x -> a x + b modulo 2**32 with odd a.
Candidates are verified afterwards, so a weak hash function costs time, not correctness.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regrow.data.dedup.components import equal
from regrow.data.dedup.native.library import library
from regrow.data.dedup.shingles import mix
from regrow.numerics.random import Stream

_BATCH = 1 << 15
"""n-grams hashed at a time: the working set stays in the second-level cache"""


class MinHash:
    """`size` hash functions named by `seed`."""

    def __init__(self, size: int, seed: int) -> None:
        bits = Stream("minhash", seed).bits64(size)
        self.factors = (bits >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
        self.offsets = (bits & np.uint64(0xFFFFFFFF)).astype(np.uint32)

    def signatures(self, shingles: list[NDArray[np.uint64]]) -> NDArray[np.uint32]:
        """Signatures of many documents: (documents, size). No document may be without n-grams.

        Documents are hashed in batches of n-grams; the minimum is the same for every batching.
        """
        result = np.empty((len(shingles), len(self.factors)), np.uint32)
        start = 0
        while start < len(shingles):
            stop, total = start, 0
            while stop < len(shingles) and (stop == start or total + len(shingles[stop]) <= _BATCH):
                total += len(shingles[stop])
                stop += 1
            self._batch(shingles[start:stop], result[start:stop])
            start = stop
        return result

    def _batch(self, shingles: list[NDArray[np.uint64]], out: NDArray[np.uint32]) -> None:
        lengths = np.array([len(s) for s in shingles])
        if not lengths.all():
            raise ValueError("a document without n-grams has no signature")
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        values = (np.concatenate(shingles) >> np.uint64(32)).astype(np.uint32)
        buffer = np.empty_like(values)
        for i in range(len(self.factors)):
            np.multiply(values, self.factors[i], out=buffer)
            np.add(buffer, self.offsets[i], out=buffer)
            np.minimum.reduceat(buffer, starts, out=out[:, i])


def band_keys(signatures: NDArray[np.uint32], bands: int, rows: int) -> NDArray[np.uint64]:
    """A number for each band of each signature, (documents, bands): equal where all rows of the band are.

    Raises:
        ValueError: the signatures have another number of hashes.
    """
    if signatures.shape[1] != bands * rows:
        raise ValueError(f"signatures of {signatures.shape[1]} hashes, not {bands} x {rows}")
    keys = np.zeros((len(signatures), bands), np.uint64)
    for band in range(bands):
        for column in range(band * rows, (band + 1) * rows):
            keys[:, band] = mix(keys[:, band] ^ signatures[:, column]) + np.uint64(1)
    return keys


def keys_of(
    grams: NDArray[np.uint64], ends: NDArray[np.int64], bands: int, rows: int, seed: int
) -> NDArray[np.uint64]:
    """The band keys of texts whose n-grams are one after the other, those of text i up to `ends[i]`.

    Of a text without n-grams they are 0.
    """
    functions = MinHash(bands * rows, seed)
    native = library()
    if native is not None:
        return native.band_keys(grams, ends, functions.factors, functions.offsets, bands)
    keys = np.zeros((len(ends), bands), np.uint64)
    full = np.diff(ends, prepend=0) > 0
    if full.any():
        shingles = np.split(grams, ends[full][:-1])
        keys[full] = band_keys(functions.signatures(shingles), bands, rows)
    return keys


def buckets(keys: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """Yield groups (ascending row numbers) of documents that agree in some band, band by band, in the order of the keys."""
    order = np.argsort(keys, axis=0, kind="stable")
    same = np.diff(np.take_along_axis(keys, order, axis=0), axis=0) == 0
    for band in np.flatnonzero(same.any(axis=0)).tolist():
        yield from equal(order[:, band], same[:, band])


def probability(similarity: float, bands: int, rows: int) -> float:
    """Probability that two documents of this Jaccard similarity become candidates."""
    return 1.0 - (1.0 - similarity**rows) ** bands
