"""Answers as JSON with a row on a line: to read, to `grep`, and quick to write.

`json.dumps(indent=2)` runs Python's own encoder, several times slower than the one in C, and gives every number of
a row a line. A training step names hundreds of documents.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from regrow.engine.visible import escaped

_compact = json.JSONEncoder(ensure_ascii=False).encode


def written(answer: Mapping[str, Any]) -> str:
    """An answer as a JSON object: a line per entry; of a list of objects, a line per object."""
    entries = (f"  {_compact(name)}: {_written(value)}" for name, value in answer.items())
    return escaped("{\n" + ",\n".join(entries) + "\n}")


def indented(answer: Any) -> str:
    """An answer as indented JSON, in which nothing unseen reaches a terminal."""
    return escaped(json.dumps(answer, indent=2, ensure_ascii=False))


def _written(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return "[\n    " + ",\n    ".join(map(_compact, value)) + "\n  ]"
    return _compact(value)
