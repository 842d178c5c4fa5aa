"""Records of jobs that the params do not ask for: answers about them are not about the present."""

from __future__ import annotations

from pathlib import Path

from regrow.engine import mistakes
from regrow.engine.present import DEFAULT_PARAMS, Present
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record


def left_over(ledger: Ledger, records: list[Record]) -> list[str]:
    """A sentence for each of the records that is of a job which the default params file does not ask for.

    A run that was started with another file of params/ asks for other jobs: then that file is named too.
    Where the default file cannot be read nothing is known, and nothing is said.
    """
    present = _present(ledger.root, DEFAULT_PARAMS) if records else None
    if present is None:
        return []
    return [_said(ledger, r, present) for r in records if present.left_over(r.name)]


def passed_over(ledger: Ledger, made: list[Record]) -> list[Record]:
    """Of the checkpoints of a stage those behind the last one that the params ask for.

    None where the default params file asks for none of them, or where another file of params/ asks for the very
    last and its chain holds together: then the tree may have been grown under that file.
    """
    present = _present(ledger.root, DEFAULT_PARAMS)
    if present is None:
        return []
    wanted = [place for place, record in enumerate(made) if not present.left_over(record.name)]
    behind = made[wanted[-1] + 1 :] if wanted else []
    if behind and not ledger.broken(behind[-1]):
        name = behind[-1].name
        if any(_asks(ledger.root, file, name) for file in _others(ledger.root)):
            return []
    return behind


def _said(ledger: Ledger, record: Record, present: Present) -> str:
    others = [file for file in _others(ledger.root) if _asks(ledger.root, file, record.name)]
    also = f" ({', '.join(others)} does)" if others else ""
    wanted = [one.name for one in ledger.of_step(record.step) if one.name in present.jobs]
    hint = f" hint: `regrow audit {wanted[-1]}`." if wanted else ""
    return (
        f"{record.name} is left over: {DEFAULT_PARAMS} does not ask for it{also}; a run of `snakemake` "
        f"under it removes its record and data.{hint}"
    )


def _others(root: Path) -> list[str]:
    files = sorted((root / DEFAULT_PARAMS).parent.glob("*.yaml"))
    names = [path.relative_to(root).as_posix() for path in files]
    return [name for name in names if name != DEFAULT_PARAMS]


def _asks(root: Path, file: str, name: str) -> bool:
    present = _present(root, file)
    return present is not None and name in present.jobs


def _present(root: Path, file: str) -> Present | None:
    """The flow under a params file; None where the file cannot be read."""
    try:
        return Present(root, file) if (root / file).is_file() else None
    except Exception as error:
        if mistakes.status(error) is None:
            raise
        return None
