"""One stop on the way through the flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["kept", "dropped", "held out", "missing", "unknown", "copied", "not visited"]
"""the last two: of a WARC file and of a host of the manifest (`manifest`)"""


@dataclass(frozen=True)
class Stop:
    """What one step did with the document."""

    step: str
    outcome: Outcome
    facts: dict[str, Any] = field(default_factory=dict)
    """measured values; of a drop: reason, value, threshold, detail"""
    later: bool = False
    """of a mix that may leave a document out without its being lost: other stages have it"""

    def as_json(self) -> dict[str, Any]:
        """The stop as a mapping."""
        return {"step": self.step, "outcome": self.outcome, "facts": self.facts}


def decisive(stops: list[Stop]) -> Stop:
    """The stop that says how the way ends: the last one but for drops of the later mixes."""
    kept = [stop for stop in stops if stop.outcome != "dropped" or not stop.later]
    return (kept or stops)[-1]
