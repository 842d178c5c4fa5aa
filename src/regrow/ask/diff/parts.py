"""How the keys of two records differ by themselves, whatever their inputs are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from regrow.evidence.record import Record

NONE = "(none)"
_MODELS = "regrow.params."


@dataclass(frozen=True)
class Difference:
    """One component of two keys that differs. Equal differences at several jobs are one cause."""

    part: str
    """param, option, function, native, package, numerics"""
    name: str
    """`mix.max_repeats`, `regrow.data.mix.curve.rate`, `polars`"""
    old: str
    new: str

    @property
    def declares(self) -> bool:
        """It is the fields of a params model, whose values the key holds as params."""
        inside = self.name.removeprefix(_MODELS)
        owner = inside.split(".")[-2:][0]  # the module, or of a method its class
        return self.part == "function" and inside != self.name and owner == owner.lower()

    @property
    def text(self) -> str:
        """For people."""
        if self.part in ("function", "native"):
            return f"{self.name}: {self.new if self.old == '' else self.old + ' -> ' + self.new}"
        return f"{self.name}: {self.old} -> {self.new}"


def differences(a: Record, b: Record) -> tuple[list[Difference], list[str]]:
    """Params, options, code, packages and arithmetic that differ.

    Returns:
        the differences, in a fixed order; and the modules that only one of the two reaches, where a
        changed module explains that (it imports them, or no longer does): a consequence, no cause.
    """
    before, after = a.parts, b.parts
    found = list(_params(before.get("params", {}), after.get("params", {})))
    found += _values("option", "", before.get("options") or {}, after.get("options") or {})
    code, reached = _code(before.get("code", {}), after.get("code", {}))
    found += code
    found += _values("package", "", before.get("packages", {}), after.get("packages", {}))
    if before.get("numerics") != after.get("numerics"):
        names = (str(before.get("numerics")), str(after.get("numerics")))
        found.append(Difference("numerics", "numerics", *names))
    return found, reached


def _params(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """Sections side by side; two steps that share a function may each have one of its own."""
    mine, yours = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    if len(mine) == len(yours) == 1:
        yield from _values("param", f"{mine[0]}|{yours[0]}", old[mine[0]], new[yours[0]])
        old, new = ({k: v for k, v in side.items() if k in old and k in new} for side in (old, new))
    yield from _values("param", "", old, new)


def _values(part: str, prefix: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            path = f"{prefix}.{key}" if prefix else str(key)
            if key in old and key in new:
                yield from _values(part, path, old[key], new[key])
            else:
                yield Difference(
                    part,
                    path,
                    shown(old[key]) if key in old else NONE,
                    shown(new[key]) if key in new else NONE,
                )
    elif old != new or type(old) is not type(new):
        yield Difference(part, prefix, shown(old), shown(new))


def shown(value: Any) -> str:
    """A value on one line; long ones lose their middle, never their difference in length."""
    if isinstance(value, str) and value and value.isprintable() and len(value) <= 60:
        return value
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 60 else f"{text[:40]} ... ({len(text)} characters)"


def _code(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[Difference], list[str]]:
    if old.get("digest") == new.get("digest"):
        return [], []
    before, after = old.get("modules", {}), new.get("modules", {})
    found: list[Difference] = []
    for name in sorted(before.keys() & after.keys()):
        if before[name]["digest"] != after[name]["digest"]:
            found += _definitions(name, before[name]["definitions"], after[name]["definitions"])
    natives = old.get("native", {}), new.get("native", {})
    for name in sorted(natives[0].keys() | natives[1].keys()):
        if natives[0].get(name) != natives[1].get(name):
            found.append(
                Difference("native", name, "", _verb(name in natives[0], name in natives[1]))
            )
    one_sided = sorted(before.keys() ^ after.keys())
    if found:
        return found, one_sided
    return [
        Difference("function", name, "", _verb(name in before, name in after) + " (whole module)")
        for name in one_sided
    ], []


def _definitions(
    module: str, old: Mapping[str, str], new: Mapping[str, str]
) -> Iterator[Difference]:
    names = [n for n in sorted(old.keys() | new.keys()) if old.get(n) != new.get(n)]
    for name in names:
        yield Difference("function", f"{module}.{name}", "", _verb(name in old, name in new))
    if not names:
        yield Difference("function", module, "", "imports, or statements outside its definitions")


def _verb(was: bool, is_now: bool) -> str:
    return "changed" if was and is_now else "added" if is_now else "removed"
