"""Eight-byte keys of the values of a column, in the order in which a tree holds them.

Several values may share a key: whoever looks one up compares the value in the row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["hex", "text", "hash", "number"]
"""`hex`: the first 16 digits; `text`: the first 8 bytes of UTF-8; `hash`: of the value, no order; `number`"""
KINDS: tuple[Kind, ...] = ("hex", "text", "hash", "number")
HIGHEST = (1 << 64) - 1
_HEX = re.compile(r"[0-9a-f]*")
_NOT_A_URL = re.compile(r"^\w+://")


def bare(url: str) -> str:
    """A URL without scheme, fragment and the slash at its end: what people type."""
    return _NOT_A_URL.sub("", url.split("#")[0]).rstrip("/")


def key(kind: Kind, value: str | int) -> int | None:
    """The key of a value; None where no value of that kind is equal to it."""
    found = span(kind, str(value)) if kind in ("hex", "text") else None
    if found is not None:
        return found[0]
    if kind == "hash":
        return int.from_bytes(hashlib.sha256(str(value).encode()).digest()[:8], "big")
    return int(value) if kind == "number" else None


def span(kind: Kind, prefix: str) -> tuple[int, int] | None:
    """Lowest and highest key of the values that begin so; None where there are none.

    Raises:
        ValueError: keys of that kind do not keep the order of their values.
    """
    if kind == "hex":
        if not _HEX.fullmatch(prefix):
            return None
        return int(prefix[:16].ljust(16, "0"), 16), int(prefix[:16].ljust(16, "f"), 16)
    if kind == "text":
        head = prefix.encode()[:8]
        return int.from_bytes(head.ljust(8, b"\0"), "big"), int.from_bytes(
            head.ljust(8, b"\xff"), "big"
        )
    raise ValueError(f"no prefixes of keys of kind {kind}")


def keys(kind: Kind, values: Sequence[str] | Sequence[int]) -> NDArray[np.uint64]:
    """The keys of many values: (n,), uint64.

    Raises:
        ValueError: a value is not of that kind.
    """
    import numpy as np

    if kind == "number":
        return np.asarray(values, dtype=np.uint64)
    texts = [str(value) for value in values]
    if kind == "hex":
        packed = bytes.fromhex("".join(text[:16].ljust(16, "0") for text in texts))
    elif kind == "text":
        packed = b"".join(text.encode()[:8].ljust(8, b"\0") for text in texts)
    else:
        packed = b"".join(hashlib.sha256(text.encode()).digest()[:8] for text in texts)
    return np.frombuffer(packed, dtype=">u8").astype(np.uint64)
