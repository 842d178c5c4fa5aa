"""Keys and tokens that open something.

Source: the publishers' formats: AWS (access key ids, and secret keys behind their name), GitHub (`ghp_` ... and
`github_pat_`), Google (`AIza`), Slack (`xox?-`), Stripe (`sk_live_`), RFC 7468 (private key blocks), RFC 7519 (JSON web tokens
whose header can be read). What has no form of its own, such as a password, is not found.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator

Span = tuple[int, int]

_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_])(?:(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}|gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{82}"
    r"|AIza[A-Za-z0-9_-]{35}|xox[abeoprs]-[A-Za-z0-9-]{10,250}|(?:sk|rk)_live_[A-Za-z0-9]{16,250})(?![A-Za-z0-9_])"
)
_NAMED = re.compile(
    r"aws.{0,20}?secret.{0,20}?[\"'=:\s]([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])", re.IGNORECASE
)
_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_BODY = re.compile(r"(?:\s|\\n)*+(?:[A-Za-z0-9+/=]{16,}+(?:\s|\\n)*+)*+")
_BODY_CHARACTERS = 64
_BLOCK_CHARACTERS = 32_768
_JWT = re.compile(
    r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,4096})\.eyJ[A-Za-z0-9_-]{4,8192}\.[A-Za-z0-9_-]{16,2048}(?![A-Za-z0-9_-])"
)
_HINTS = ("AKIA", "ASIA", "ABIA", "ACCA", "gh", "github_pat_", "AIza", "xox", "_live_")


def secrets(text: str) -> Iterator[Span]:
    """Where keys and tokens are; AWS's own examples (they end in EXAMPLE) are left out."""
    if any(hint in text for hint in _HINTS):
        for found in _TOKENS.finditer(text):
            if not found[0].endswith("EXAMPLE"):
                yield found.span()
    if "eyJ" in text:
        for found in _JWT.finditer(text):
            if _is_header(found[1]):
                yield found.span()
    if "aws" in text.lower():
        for found in _NAMED.finditer(text):
            if not found[1].endswith("EXAMPLEKEY"):
                yield found.span(1)
    begins = list(_BEGIN.finditer(text))
    nexts = [*(later.start() for later in begins[1:]), len(text)]
    for found, after in zip(begins, nexts, strict=False):
        # No further than to the next one, so that many of them cost no more than the text is long.
        limit = min(found.end() + _BLOCK_CHARACTERS, after)
        end = _END.search(text, found.end(), limit)
        body = _BODY.match(text, found.end(), limit)
        if end is not None and end.start() - found.end() >= _BODY_CHARACTERS:
            yield found.start(), end.end()
        elif end is None and body is not None and len(body[0]) >= _BODY_CHARACTERS:  # cut off
            yield found.start(), found.end() + len(body[0].rstrip())


def _is_header(part: str) -> bool:
    """Whether the first part of a token is JSON that names an algorithm."""
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header
