"""One stop on the way through the flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["kept", "dropped", "held out", "missing", "unknown"]


@dataclass(frozen=True)
class Stop:
    """What one step did with the document."""

    step: str
    outcome: Outcome
    facts: dict[str, Any] = field(default_factory=dict)
    """measured values; of a drop: reason, value, threshold, detail"""

    def as_json(self) -> dict[str, Any]:
        """The stop as a mapping."""
        return {"step": self.step, "outcome": self.outcome, "facts": self.facts}
