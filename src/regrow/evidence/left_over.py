"""Records of jobs that the params do not ask for: answers about them are not about the present."""

from __future__ import annotations

from pathlib import Path

from regrow.engine import mistakes
from regrow.engine.present import DEFAULT_PARAMS, Present
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record


def left_over(ledger: Ledger, records: list[Record]) -> list[str]:
    """A sentence for each of the records that is of a job which the default params file does not ask for.

    A run that was started with another file of params/ asks for other jobs. One that asks for all of the records is
    named in one sentence about them all; one that asks for some is named beside these.
    Where the default file cannot be read nothing is known, and nothing is said.
    """
    present = _present(ledger.root, DEFAULT_PARAMS) if records else None
    if present is None:
        return []
    left = [record for record in records if present.left_over(record.name)]
    file = _asking(ledger.root, records) if left else ""
    if file:
        more = f" and {len(left) - 1} more of these records" if len(left) > 1 else ""
        return [
            f"{left[-1].name}{more}: {file} asks for what is here, {DEFAULT_PARAMS} does not. A run of "
            f"`snakemake` without `--configfile {file}` removes record and data."
        ]
    return [_said(ledger, record, present) for record in left]


def grown_under(ledger: Ledger) -> str:
    """The params file that the records of a tree were made under, relative to its root.

    The default file, but where it does not ask for some of the records and another file of params/ asks for all.
    """
    present = _present(ledger.root, DEFAULT_PARAMS)
    if present is not None and not any(present.left_over(one.name) for one in ledger.records):
        return DEFAULT_PARAMS
    return _asking(ledger.root, ledger.records) or DEFAULT_PARAMS


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


def _asking(root: Path, records: list[Record]) -> str:
    """The first other file of params/ that asks for all of the records; "" for none."""
    for file in _others(root) if records else ():
        present = _present(root, file)
        if present is not None and all(record.name in present.jobs for record in records):
            return file
    return ""


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
