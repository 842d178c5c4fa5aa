"""What a key is the digest of. The definition has a number, and the formula of every number is kept.

A record without a number is of definition 1. Whoever changes the formula adds one here under the next number
and leaves the old ones: a record made under an old definition is then still sound, can be read, compared,
traced and audited, and says of which kind its key is. A record of a number that is not here was made by a newer
Regrow; its key is not guessed at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from regrow.engine import files

CURRENT = 1
"""the definition under which keys are made now"""


def _first(parts: Mapping[str, Any]) -> str:
    """SHA-256 over all parts; of the code only its digest and the function count."""
    code = parts["code"]
    counted = {**parts, "code": {"digest": code["digest"], "function": code["function"]}}
    return hashlib.sha256(files.canonical(counted)).hexdigest()


FORMULAS: dict[int, Callable[[Mapping[str, Any]], str]] = {1: _first}
"""number -> key of the parts"""


def code_digest(modules: Mapping[str, Mapping[str, Any]], native: Mapping[str, str]) -> str:
    """SHA-256 over the digests of a step's modules and native files, a line each, by name."""
    lines = [f"{name} {entry['digest']}" for name, entry in sorted(modules.items())]
    lines += [f"{name} {digest}" for name, digest in sorted(native.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def key_of(parts: Mapping[str, Any], definition: int | None = None) -> str:
    """The step key of these parts.

    Args:
        parts: what the key is the digest of (docs/reference/keys.md).
        definition: its number; default: the current one.

    Raises:
        KeyError: no such definition, or a part that it counts is lacking.
    """
    return FORMULAS[CURRENT if definition is None else definition](parts)


def numbered() -> dict[str, int]:
    """What a record says of the definition: nothing, for the first."""
    return {} if CURRENT == 1 else {"definition": CURRENT}


def said(record: Mapping[str, Any]) -> Any:
    """What a record, or the part of a provenance that stands for it, says: nothing means the first."""
    return record.get("definition", 1)


def of(record: Mapping[str, Any]) -> int:
    """The number of the definition under which a record was made.

    Raises:
        TypeError: it says something that is no number.
    """
    number = said(record)
    if type(number) is not int:
        raise TypeError(f"definition: {number!r}")
    return number


def unknown(record: Any) -> str:
    """Why a record's key cannot be checked here: made under a definition that is not known. Else empty."""
    number = said(record) if isinstance(record, Mapping) else 1
    if type(number) is not int or number in FORMULAS:
        return ""
    known = ", ".join(map(str, sorted(FORMULAS)))
    return (
        f"its key was made under definition {number}, which this version of Regrow does not know (it knows "
        f"{known}). Fix: use the version of Regrow that is in the same commit, or a newer one"
    )


def aged(record: Mapping[str, Any]) -> str:
    """That a record's key is of an older kind than those made now; else empty."""
    number = of(record)
    if number == CURRENT:
        return ""
    return (
        f"made under definition {number} of the key (now {CURRENT}): it can be read and compared, but its key is "
        "of another kind"
    )
