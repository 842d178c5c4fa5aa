"""Can this machine give the arithmetic that a rebuild needs? Asked before it starts."""

from __future__ import annotations

from collections.abc import Iterable

from regrow.lineage.doctor import cpu
from regrow.lineage.doctor.kernels import check_kernels
from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Record

EXACT = "exact"
FMA32 = "fma32"


def needed(records: Iterable[Record]) -> dict[str, list[str]]:
    """Numerics class -> the jobs that need it, in the order of the flow."""
    found: dict[str, list[str]] = {}
    for record in records:
        found.setdefault(str(record.parts.get("numerics") or EXACT), []).append(record.name)
    return dict(sorted(found.items()))


def certify(records: Iterable[Record], processor: cpu.Cpu | None = None) -> list[str]:
    """The numerics classes of some jobs, each tried on this machine.

    `fma32` is tried as `regrow doctor` does: the instructions are there, the kernels are built,
    and a known product comes out with the bits that exact rational arithmetic gives.

    Raises:
        Unanswerable: one cannot be had here. A rebuild would end in a wrong verdict, after hours.
    """
    classes = needed(records)
    for name, jobs in classes.items():
        why = _lacking(name, processor)
        if why:
            others = [job for other, names in classes.items() if other != name for job in names]
            hint = (
                f" What this machine can make anew of it: `regrow rebuild {others[-1]}`."
                if others
                else ""
            )
            raise Unanswerable(
                f"this machine cannot give the numerics class `{name}`, which {_listing(jobs)} "
                f"need{'s' if len(jobs) == 1 else ''}; nothing was started. {why}{hint}"
            )
    return list(classes)


def _lacking(name: str, processor: cpu.Cpu | None) -> str:
    """Why this machine cannot give a class, and the mend; empty where it can."""
    if name == EXACT:
        return ""
    if name != FMA32:
        return f"It gives `{EXACT}` and `{FMA32}`: run the rebuild on a machine of that class."
    here = processor or cpu.read()
    failed = [f for f in [*cpu.check(here), *check_kernels(here)] if f.status == "fail"]
    return f"{failed[0].says} {failed[0].mend}" if failed else ""


def _listing(jobs: list[str], most: int = 3) -> str:
    rest = f" and {len(jobs) - most} more jobs" if len(jobs) > most else ""
    return ", ".join(jobs[:most]) + rest
