"""Exact duplicates: equal text after normalisation.

Source: OLMo 3, appendix A.2.2 (a hash of the text). Normalised here: Unicode NFC, white space
runs to one space, none at the ends; hashed by SHA-256.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

from regrow.data.dedup.native.library import Joined, library


def fingerprint(text: str) -> bytes:
    """SHA-256 of the normalised text."""
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).digest()


def fingerprints(texts: Sequence[str]) -> list[bytes]:
    """The fingerprints of many texts."""
    native = library()
    if native is None:
        return [fingerprint(text) for text in texts]
    normal, ends = native.plain(Joined.of(texts))
    found, begin = [], 0
    for text, end in zip(texts, ends.tolist(), strict=True):
        if end < 0:
            found.append(fingerprint(text))
            continue
        found.append(hashlib.sha256(normal[begin:end]).digest())
        begin = end
    return found
