"""The list of a takedown: ids of documents, nothing else, so that no other word is in any key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{32}")


def read(path: Path) -> list[str]:
    """The ids in a documents.json, ascending.

    Raises:
        ValueError: it is not a list of ids as `write` writes it; the message names the file.
    """
    try:
        ids = json.loads(path.read_text(encoding="utf-8"))["documents"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path}: must be {{"documents": [ids]}} ({type(error).__name__}: {error}); '
            "`regrow takedown` writes it"
        ) from None
    if not isinstance(ids, list) or not ids:
        raise ValueError(f"{path}: `documents` must be a list of at least one id")
    for id in ids:
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise ValueError(f"{path}: {id!r} is no id of a document (32 hexadecimal digits)")
    if ids != sorted(set(ids)):
        raise ValueError(f"{path}: ids must be sorted, each once")
    return ids


def encode(ids: Iterable[str]) -> str:
    """The text of a documents.json."""
    return json.dumps({"documents": sorted(set(ids))}, indent=2) + "\n"
