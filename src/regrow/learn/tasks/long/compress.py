"""How well a text compresses, and the middle of the order by it.

Olmo 3 drops the 20 % most and the 20 % least gzip-compressible documents of its long-context
pool (report, section 3.6.1): tables and listings at one end, noise at the other.

The compressor is the zlib-rs inside the pinned fastwarc wheel, level 6, as for the crawl's WARC
files: the system's zlib (zlib, zlib-ng, Chromium's) differs from machine to machine in the
length of its output.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from fastwarc.stream_io import GzipWriter

LEVEL = 6


def gzip_bytes(data: bytes) -> int:
    """Length of the data as one gzip member, header and trailer included."""
    packed = io.BytesIO()
    writer = GzipWriter(packed, compression_level=LEVEL)
    writer.write(data)
    writer.finish()
    return len(packed.getvalue())


def ends(ratios: Sequence[float], ids: Sequence[str], share: float) -> tuple[set[int], set[int]]:
    """Positions of the lowest and of the highest `share` of ratios (compressed / plain bytes).

    Ties go by id. The number at each end is rounded down, so a handful of documents loses none.
    """
    order = sorted(range(len(ratios)), key=lambda i: (ratios[i], ids[i]))
    n = int(share * len(order))
    return set(order[:n]), set(order[len(order) - n :])
