"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's answer."""

    check: str
    status: Status
    says: str
    mend: str = ""
    """what to do about it, empty where nothing needs doing"""

    def as_json(self) -> dict[str, str]:
        """The finding as a mapping."""
        return {"check": self.check, "status": self.status, "says": self.says, "mend": self.mend}
