"""Exact duplicates: equal text after normalisation.

Source: OLMo 3, appendix A.2.2 (a hash of the text). Normalised here: Unicode NFC, white space
runs to one space, none at the ends; hashed by SHA-256.
"""

from __future__ import annotations

import hashlib
import unicodedata


def fingerprint(text: str) -> bytes:
    """SHA-256 of the normalised text."""
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).digest()
