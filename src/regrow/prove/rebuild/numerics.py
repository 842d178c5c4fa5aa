"""Can this machine give the arithmetic that a rebuild needs? Asked before it starts."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from regrow.ask.doctor import cpu
from regrow.ask.doctor.kernels import check_kernels
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.numerics import build, library

EXACT = "exact"
FMA32 = "fma32"
POLARS = "polars"
POLARS_COMPATIBLE = "_polars_runtime_compat"
"""the module of its build for old processors, beside which it uses no other"""


def needed(records: Iterable[Record]) -> dict[str, list[str]]:
    """Numerics class -> the jobs that need it, in the order of the flow."""
    found: dict[str, list[str]] = {}
    for record in records:
        found.setdefault(str(record.parts.get("numerics") or EXACT), []).append(record.name)
    return dict(sorted(found.items()))


def certify(records: Iterable[Record], processor: cpu.Cpu | None = None) -> list[str]:
    """The numerics classes of some jobs, each tried on this machine.

    `fma32` is tried as `regrow doctor` does: the instructions are there, the kernels are built,
    and a known product comes out with the bits that exact rational arithmetic gives. `exact` asks
    nothing of a processor, but the polars that most such steps import does.

    Raises:
        Unanswerable: one cannot be had here. A rebuild would end in a wrong verdict, after hours,
            or in an illegal instruction, without a word.
    """
    jobs = list(records)
    here = processor or cpu.read()
    classes = needed(jobs)
    lacking = {
        name: _lacking(name, here, [job for job in jobs if job.name in names])
        for name, names in classes.items()
    }
    missing = [name for name in reversed(classes) if lacking[name]]  # fma32 before exact
    if missing:
        reasons = [
            f"the numerics class `{name}`, which {_listing(classes[name])} "
            f"need{'s' if len(classes[name]) == 1 else ''}; nothing was started. {lacking[name]}"
            for name in missing
        ]
        able = [job for name in classes if not lacking[name] for job in classes[name]]
        hint = f" What this machine can rebuild of it: `regrow rebuild {able[-1]}`." if able else ""
        raise Unanswerable("this machine cannot give " + " Nor ".join(reasons) + hint)
    return list(classes)


def _lacking(name: str, here: cpu.Cpu, jobs: list[Record]) -> str:
    """Why this machine cannot give a class to some jobs, and the mend; empty where it can."""
    if name not in (EXACT, FMA32):
        return f"It gives `{EXACT}` and `{FMA32}`: run the rebuild on a machine of that class."
    if name == EXACT:
        return "" if _able(here) else _tables(jobs)
    failed = [f for f in [*cpu.check(here), *check_kernels(here)] if f.status == "fail"]
    return f"{failed[0].says} {failed[0].mend}" if failed else ""


def _able(here: cpu.Cpu) -> bool:
    """Whether the processor has the instructions of `fma32`, or is of another architecture.

    What the operating system says of it is not enough: an emulator or a hypervisor may offer less.
    """
    if here.missing and here.flags:
        return False
    try:
        built = (
            build.BUILT / build.digest()
        ).is_dir()  # else exact steps would wait for a compiler
        return bool(library.supported()) if built else True
    except (build.BuildError, OSError):
        return True


def _tables(jobs: list[Record]) -> str:
    """Why steps that only compute exactly cannot run on a processor without vectors."""
    users = [job.name for job in jobs if POLARS in job.parts.get("packages", {})]
    if not users or importlib.util.find_spec(POLARS_COMPATIBLE) is not None:
        return ""
    return (
        f"Exact arithmetic needs no special processor, but the installed {POLARS}, which "
        f"{_listing(users)} use{'s' if len(users) == 1 else ''}, is built for AVX2 and FMA and ends "
        "in an illegal instruction here. Run it on a machine that has them (in a virtual machine "
        f"they may be hidden: `-cpu host`), or `pip install '{POLARS}[rtcompat]'`."
    )


def _listing(jobs: list[str], most: int = 3) -> str:
    rest = f" and {len(jobs) - most} more jobs" if len(jobs) > most else ""
    return ", ".join(jobs[:most]) + rest
