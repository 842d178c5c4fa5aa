"""Data, script and style in one page that may load nothing: escaping and the content security policy."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Any

_SPELT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def as_json(value: Any) -> str:
    """JSON that no HTML parser takes for a tag, whatever the strings hold.

    A value of a dict keeps its place, so that equal values give equal bytes.

    Raises:
        ValueError: a number that JSON cannot say (NaN, infinity).
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, spelt in _SPELT.items():
        text = text.replace(character, spelt)
    # A lone surrogate has no bytes: spelt out, it stays what it is.
    return "".join(c if not "\ud800" <= c <= "\udfff" else f"\\u{ord(c):04x}" for c in text)


def policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """A content security policy: exactly these inline scripts and styles, and no request at all."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, scripts))}",
            f"style-src {' '.join(map(_digest, styles))}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(content: str) -> str:
    value = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{value}'"
