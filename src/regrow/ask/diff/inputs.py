"""The inputs of a pair of jobs side by side."""

from __future__ import annotations

from typing import Any

from regrow.evidence.record import Record


def differing(a: Record, b: Record) -> list[tuple[str, str | None, str | None]]:
    """Inputs whose recorded content differs: (name, SHA-256 on either side, None where it has none).

    Without a chain's own earlier checkpoints (`previous`) where those follow from the position, or from
    how finely a run was cut into checkpoints. A fork may go on from another stage's: that is said.
    """
    before, after = a.parts["inputs"], b.parts["inputs"]
    moved = a.instance != b.instance and a.step == b.step
    found = []
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) == after.get(name):
            continue
        own = all(_own_chain(record) for record in (a, b))
        if name == "previous" and own and (None in (before.get(name), after.get(name)) or moved):
            continue
        found.append((name, before.get(name), after.get(name)))
    return found


def _own_chain(record: Record) -> bool:
    """Whether the checkpoint before this one is of its own stage, or there is none."""
    made = str(record.inputs.get("previous", {}).get("record", ""))
    return not made or made.startswith(f"records/{record.step}.")


def namesake(record: Record, entry: dict[str, Any] | None) -> dict[str, Any] | None:
    """The input of a record that is where `entry` does."""
    path = (entry or {}).get("path")
    return next((e for e in record.inputs.values() if e["path"] == path), None)


def content(record: Record, entry: dict[str, Any] | None) -> str | None:
    """The recorded content of an input."""
    for name, known in record.inputs.items():
        if known is entry or known == entry:
            return str(record.parts["inputs"][name])
    return None


def pair_name(a: Record, b: Record) -> str:
    """`mix`, or `midtrain.000900|midtrain_b.000900` where the two have different names."""
    return a.name if a.name == b.name else f"{a.name}|{b.name}"


def shown_input(entry: dict[str, Any] | None) -> str:
    """Where an input comes from, in words."""
    return "(none)" if entry is None else str(entry["path"])
