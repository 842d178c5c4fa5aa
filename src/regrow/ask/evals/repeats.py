"""Which runs under further seeds repeat the run that is recorded here, and why the others do not.

Two results may be averaged when nothing but the seed decides their difference. The keys say what decides:
function and code, params, packages, arithmetic, options, and the content of every input. So the two
records are compared part by part, and where an input differs, the records of the steps that made it,
up to inputs that are equal to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

_SEED = re.compile(r"_seed\d+")
_SHOWN = 3
"""settings that a reason names"""


def plain(name: str) -> str:
    """A step, instance or input without its seed: `rlvr_seed1-000080` -> `rlvr-000080`."""
    return _SEED.sub("", name)


def apart(ledger: Ledger, one: Record, other: Record) -> str | None:
    """Why `other` is no repetition of `one` under another seed; None: nothing but the seed differs.

    Both are records of one tree. The reason names the first step upstream that differs, and in what.
    """
    return _Pair(ledger).apart(one, other)


class _Pair:
    """A walk up two chains side by side; each pair of records is looked at once."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._seen: set[tuple[str, str]] = set()

    def apart(self, one: Record, other: Record) -> str | None:
        if one.file == other.file or (one.file, other.file) in self._seen:
            return None
        self._seen.add((one.file, other.file))
        return self._upstream(one, other) or _differing(one, other)

    def _upstream(self, one: Record, other: Record) -> str | None:
        """The causes that are furthest up come first."""
        ours, theirs = _inputs(one), _inputs(other)
        if ours.keys() != theirs.keys():
            odd = ", ".join(sorted(ours.keys() ^ theirs.keys()))
            return f"{other.name} and {one.name} do not read the same inputs ({odd})"
        for name in sorted(ours):
            why = self._input(one, other, ours[name], theirs[name], name)
            if why:
                return why
        return None

    def _input(
        self, one: Record, other: Record, ours: _Input, theirs: _Input, name: str
    ) -> str | None:
        for record, (path, _, digest) in ((one, ours), (other, theirs)):
            made = self.ledger.by_file.get(path)
            if path and made is not None and made.sha256 != digest and digest:
                return f"{record.name} was made from another {made.name} than the one recorded here"
        if ours[2] == theirs[2]:
            return None
        parents = self.ledger.by_file.get(ours[0]), self.ledger.by_file.get(theirs[0])
        if parents[0] is None or parents[1] is None:
            return f"{other.name} read another {name} ({theirs[1]}) than {one.name} ({ours[1]})"
        if plain(parents[0].name) != plain(parents[1].name):
            return (
                f"{other.name} was made from {parents[1].name}, {one.name} from {parents[0].name}"
            )
        return self.apart(parents[0], parents[1])


_Input = tuple[str, str, str]
"""record file ("" for a source), path, digest"""


def _inputs(record: Record) -> dict[str, _Input]:
    digests = record.parts.get("inputs") or {}
    found = {}
    for name, entry in record.inputs.items():
        if (
            entry.get("kind") != "record"
        ):  # its digest is that of a record, not of what it describes
            where = str(entry.get("record", "")), str(entry.get("path", ""))
            found[plain(name)] = (*where, str(digests.get(name, "")))
    for name in digests.keys() - record.inputs.keys():
        found[plain(name)] = ("", name, str(digests[name]))
    return found


def _differing(one: Record, other: Record) -> str | None:
    """What decides the bytes beside the inputs, compared."""
    if plain(one.instance or "") != plain(other.instance or ""):
        return f"{other.name} is another checkpoint than {one.name}"
    ours, theirs = _parts(one), _parts(other)
    for name in ("params", "options", "code", "packages", "numerics"):
        if ours[name] == theirs[name]:
            continue
        if name == "code":
            return f"{other.name} was made by other code than {one.name}"
        if name == "numerics":
            return f"{other.name} was made in another arithmetic than {one.name}"
        return f"{other.name} has other {name}: {_settings(ours[name], theirs[name])}"
    return None


def _parts(record: Record) -> dict[str, Any]:
    parts = record.parts
    code = parts.get("code") or {}
    options = {k: v for k, v in (parts.get("options") or {}).items() if k != "seed"}
    return {
        "params": parts.get("params") or {},
        "options": options,
        "code": (code.get("function"), code.get("digest")),
        "packages": parts.get("packages") or {},
        "numerics": parts.get("numerics"),
    }


def _settings(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """`difficulty.max_pass_rate is 0.85, here 0.5`."""
    a, b = dict(_flat(ours)), dict(_flat(theirs))
    odd = [name for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]
    said = [f"{n} is {b.get(n, 'not set')}, here {a.get(n, 'not set')}" for n in odd[:_SHOWN]]
    more = len(odd) - len(said)
    return "; ".join(said) + (f"; and {more} more" if more else "")


def _flat(value: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, inner in value.items():
        at = f"{above}{name}"
        found += _flat(inner, f"{at}.") if isinstance(inner, Mapping) else [(at, inner)]
    return found
