"""Lines of JSON that somebody else wrote: each is an object, or says what is wrong with it.

Lines end with \\n alone: U+2028, U+0085, form feeds and their like may stand inside a JSON string, and
`str.splitlines` cuts at them. A byte order mark at the start is no part of the first line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SURROGATES = range(0xD800, 0xE000)


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """(number of the line, its object or what is wrong with it) of each line that is not blank."""
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield number, _row(line)


def _row(line: bytes) -> dict[str, Any] | str:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte {error.start + 1} of the line)"
    except json.JSONDecodeError as error:
        return f"no JSON ({error.msg})"
    except RecursionError:
        return "no JSON (nested too deeply)"
    except ValueError:  # Python refuses integers of more than 4,300 digits
        return "no JSON that can be read (a number of too many digits)"
    if not isinstance(row, dict):
        return "no JSON object"
    if "\\u" in line.decode("utf-8") and _broken(row):
        return "half a surrogate pair in a string"
    return row


def _broken(value: Any) -> bool:
    """Whether a string in the value cannot be written: it holds half of a surrogate pair."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if any(ord(c) in _SURROGATES for c in one):
                return True
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
    return False
