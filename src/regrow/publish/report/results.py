"""What the evaluations say: figures of checkpoints by probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record

TEXT = "bits_per_byte"


@dataclass(frozen=True)
class Figure:
    """One figure with its 95 % interval."""

    value: float
    low: float
    high: float
    items: int = 0
    better: str = "higher"


class Results:
    """`results.json` of every evaluated checkpoint that is on disk."""

    def __init__(self, ledger: Ledger, outputs: Outputs) -> None:
        self.ledger = ledger
        self._raw: dict[str, dict[str, Any]] = {}
        for checkpoint in ledger.checkpoints():
            record = ledger.about("evaluate", checkpoint)
            raw = outputs.json(record.name, "results.json") if record else None
            if isinstance(raw, dict):
                self._raw[checkpoint.name] = raw

    def __contains__(self, checkpoint: Record) -> bool:
        return checkpoint.name in self._raw

    def last(self, stage: str) -> Record | None:
        """The last evaluated checkpoint of a stage."""
        made = [record for record in self.ledger.checkpoints(stage) if record in self]
        return made[-1] if made else None

    def probes(self, checkpoint: Record) -> list[str]:
        """Names of what was measured, bits per byte first where they were."""
        raw = self._raw.get(checkpoint.name, {})
        return [*([TEXT] if "overall" in raw else []), *raw.get("probes", {})]

    def figure(self, checkpoint: Record | None, probe: str, family: str = "") -> Figure | None:
        """A figure (of one family), None where it was not measured."""
        raw = self._raw.get(checkpoint.name, {}) if checkpoint else {}
        if probe == TEXT:
            found = raw.get("domains", {}).get(family) if family else raw.get("overall")
            return _figure(found, TEXT, "documents", "lower")
        found = raw.get("probes", {}).get(probe)
        better = found.get("better", "higher") if isinstance(found, dict) else ""
        if family and isinstance(found, dict):
            found = found.get("families", {}).get(family)
        return _figure(found, "value", "items", better)

    def families(self, checkpoint: Record | None, probe: str) -> list[str]:
        """The families of a probe, in the order of the file; ranges of positions by their start."""
        raw = self._raw.get(checkpoint.name, {}) if checkpoint else {}
        if probe == TEXT:
            return list(raw.get("domains", {}))
        found = list((raw.get("probes", {}).get(probe) or {}).get("families", {}))
        if all(name.partition("-")[0].isdigit() for name in found):
            return sorted(found, key=lambda name: int(name.partition("-")[0]))
        return found


def _figure(found: Any, value: str, items: str, better: str) -> Figure | None:
    if not isinstance(found, dict) or value not in found:
        return None
    return Figure(found[value], found["low"], found["high"], int(found.get(items, 0)), better)
