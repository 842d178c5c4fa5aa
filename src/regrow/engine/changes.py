"""Which component of a key changed: the param, the function, the package or the input."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """One reason why a record does not describe the present."""

    part: str
    """record, trust (a record that is not believed), output, params, code, packages, numerics, input; or
    definition: the record is of a time at which keys were made of other parts"""
    text: str
    """for people: `mix.cutoff: 0.4 -> 0.5`, `regrow.data.mix.curve.rate: changed`"""


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """All differences between the parts of two keys, in a fixed order."""
    found = [
        Change("params", text) for text in _values("", old.get("params", {}), new.get("params", {}))
    ]
    found += [Change("code", text) for text in _code(old["code"], new["code"])]
    found += [
        Change("packages", text)
        for text in _values("", old.get("packages", {}), new.get("packages", {}))
    ]
    for part in ("numerics", "instance"):
        if old.get(part) != new.get(part):
            found.append(Change(part, f"{old.get(part)} -> {new.get(part)}"))
    found += [
        Change("options", text)
        for text in _values("options", old.get("options", {}), new.get("options", {}))
    ]
    for name in sorted(old["inputs"].keys() | new["inputs"].keys()):
        before, after = old["inputs"].get(name), new["inputs"].get(name)
        if before != after:
            found.append(Change("input", f"{name}: {_hash(before)} -> {_hash(after)}"))
    for part in sorted((old.keys() ^ new.keys()) - _OPTIONAL):
        when = "now, and was none" if part in new else "no more, and was one"
        found.append(
            Change(
                "definition",
                f"`{part}` is a part of keys {when} when this record was made: it can be read and "
                "compared, but its key is of another kind",
            )
        )
    return found


_OPTIONAL = {"options"}
"""parts that a key has only where the step has any"""


def _hash(value: str | None) -> str:
    return "none" if not value else value[:12]


def _values(prefix: str, old: Any, new: Any) -> Iterator[str]:
    """Paths of the values that differ: `mix.topic_weights.legal: 0.1 -> 0.2`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            path = f"{prefix}.{key}" if prefix else str(key)
            if key not in old:
                yield f"{path}: (none) -> {_shown(new[key])}"
            elif key not in new:
                yield f"{path}: {_shown(old[key])} -> (none)"
            else:
                yield from _values(path, old[key], new[key])
    elif old != new or type(old) is not type(new):
        yield f"{prefix}: {_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _code(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old["digest"] == new["digest"] and old["function"] == new["function"]:
        return
    if old["function"] != new["function"]:
        yield f"function: {old['function']} -> {new['function']}"
    before, after = old["modules"], new["modules"]
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"{name}: reached now"
        elif name not in after:
            yield f"{name}: no longer reached"
        elif before[name]["digest"] != after[name]["digest"]:
            yield from _definitions(name, before[name]["definitions"], after[name]["definitions"])
    was, is_now = old.get("native", {}), new.get("native", {})
    for name in sorted(was.keys() | is_now.keys()):
        if was.get(name) != is_now.get(name):
            yield f"{name}: {_verb(name in was, name in is_now)}"


def _verb(was: bool, is_now: bool) -> str:
    return "changed" if was and is_now else "added" if is_now else "removed"


def _definitions(module: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    names = [n for n in sorted(old.keys() | new.keys()) if old.get(n) != new.get(n)]
    for name in names:
        yield f"{module}.{name}: {_verb(name in old, name in new)}"
    if not names:
        yield f"{module}: imports or statements outside its definitions changed"
