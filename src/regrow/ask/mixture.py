"""What a mix search found, from the records and the files that they vouch for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.learn.search import names

MIXTURE = ("mixture", names.MIXTURE)
CONFIRM = ("confirm", names.CONFIRMED)


def answer(root: Path) -> dict[str, Any]:
    """The content of mixture.json, the key of its record as `key`, and as `confirm` that of confirm.json or None.

    Raises:
        Unanswerable: nothing was searched here, or a file is not the record's.
    """
    ledger = Ledger.load(root)
    record = ledger.by_name.get(MIXTURE[0])
    if record is None:
        raise Unanswerable(
            "no record of a mix search here. Fix: `snakemake --cores all data/mixture/mixture.json --configfile PARAMS` "
            "with a params file that has a section `search` (docs/guides/mixing.md)."
        )
    outputs = Outputs(ledger)
    found = _read(outputs.path(*MIXTURE))
    if found is None:
        raise Unanswerable(
            f"{record.path}/{MIXTURE[1]} is not on disk. Fix: `dvc pull {record.path}`, or build it: `snakemake --cores all --configfile PARAMS {record.path}/{MIXTURE[1]}`."
        )
    tested = ledger.by_name.get(CONFIRM[0])
    ours = tested is not None and tested.parts["inputs"]["mixture"] == record.sha256
    confirmed = _read(outputs.path(*CONFIRM)) if ours else None
    return {"key": record.key, **found, "confirm": confirmed}


def _read(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
