"""in = kept + dropped, document by document: no step may lose one without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_NAMED = 5


class Lost(RuntimeError):
    """A step lost documents, or made some up: an error in the step, not in its input."""


def conserved(
    step: str, what: str, came: Iterable[str], kept: Iterable[str], dropped: Iterable[str]
) -> None:
    """Check that what came in is what was kept and what was dropped, each as often as it came.

    Args:
        step: its name, for the error.
        what: what is counted, in the plural: "documents".
        came, kept, dropped: ids; one that came twice must be kept or dropped twice.

    Raises:
        Lost: with the counts, the difference, and some of the ids that are missing or too many.
    """
    before, after = Counter(iter(came)), Counter(iter(kept))
    stay = after.total()
    after.update(iter(dropped))
    if before == after:
        return
    missing, extra = before - after, after - before
    raise Lost(
        f"{step}: {before.total()} {what} in, {stay} kept and {after.total() - stay} dropped: "
        f"{_said(missing, 'without a trace')}, {_said(extra, 'too many')}; "
        "the step is at fault: please report it"
    )


def balanced(step: str, what: str, came: int, **parts: int) -> None:
    """The same for things without ids: the parts must sum to what came.

    Raises:
        Lost: with all the counts and the difference.
    """
    if came != sum(parts.values()):
        told = ", ".join(f"{count} {name}" for name, count in parts.items())
        raise Lost(
            f"{step}: {came} {what} in, but {told}: {came - sum(parts.values()):+d} without a trace; "
            "the step is at fault: please report it"
        )


def _said(ids: Counter[str], how: str) -> str:
    some = ", ".join(sorted(ids, key=str)[:_NAMED])
    return f"{ids.total()} {how}" + (f" ({some})" if some else "")
