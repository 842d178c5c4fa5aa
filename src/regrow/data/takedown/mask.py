"""The masking steps: a data set of training without the text of documents that were taken down.

Everything of the data set stays where it was: `tokens.bin` of every pack differs in the slots of the
documents only (see `slots`), `masked.parquet` says which those are. Held-out packs and probes are not trained
on and stay as they are.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from regrow.data.tables import parquet as tables
from regrow.data.takedown import documents, slots
from regrow.data.takedown.first import first_steps
from regrow.params.takedown import Takedown

TABLE = "masked.parquet"
_NOT_TRAINED = "heldout"


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    instance: str,
    data: str,
    stages: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """Fill `output` with the data set, masked, and masked.parquet.

    Args:
        inputs: `documents` (the list of the takedown), `data` (the data set).
        params: carries `takedown` and the sections of the stages that read the data set.
        output: the folder to fill.
        instance: the name of the takedown.
        data: the name of the data set.
        stages: those that read it, see `first.first_steps`.

    Raises:
        ValueError: the data set holds none of the documents, or `takedown.first` is not what the order
            of training says: a checkpoint that is kept would have seen them.
    """
    takedown: Takedown = params.takedown
    ids = documents.read(inputs["documents"])
    folder = inputs["data"]
    family = slots.family(folder, ids)
    _check(takedown, data, stages, first_steps(stages, folder, family, params))
    packs = [path.parent for path in sorted(folder.rglob("meta.json"))]
    packs = [p for p in packs if p.relative_to(folder).parts[:1] != (_NOT_TRAINED,)]
    rows: list[dict[str, Any]] = []
    for pack in packs:
        name = "" if pack == folder else pack.relative_to(folder).as_posix()
        rows += slots.mask(pack, output / name, family, takedown.name, name)
    print(f"  {len(rows)} slots of {len(ids)} documents in {len(packs)} packs", file=sys.stderr)
    if not rows:
        raise ValueError(f"{data}: none of the documents of takedowns/{instance} is in it")
    _rest(folder, output, family)
    masked = pl.DataFrame(rows, schema=slots.SLOTS)
    tables.write(masked, output / TABLE)
    own = masked.filter(pl.col("pack") == "")
    return {
        "documents": masked["document"].n_unique(),
        "slots": own.height,
        "tokens": int(own["tokens"].sum()),
        "packs": len(packs),
    }


def _check(takedown: Takedown, data: str, stages: Collection[str], found: dict[str, int]) -> None:
    said = {str(s): n for s, n in takedown.first.items() if s in stages}
    if said != found:
        raise ValueError(
            f"takedown.first says {said or 'nothing'} of {data}, but the order of training says "
            f"{found or 'nothing'}: a checkpoint that is kept would have seen the documents, or one is made "
            f"anew for nothing. Write params/{takedown.name}.yaml again with `regrow takedown`."
        )


def _rest(folder: Path, output: Path, family: dict[str, str]) -> None:
    """Everything that is no masked pack: copied, but for the texts that went."""
    for path in sorted(folder.rglob("*")):
        target = output / path.relative_to(folder)
        if not path.is_file() or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if path == folder / "documents.parquet":
            frame = tables.read(path)
            tables.write(frame.filter(~pl.col("id").is_in(sorted(family))), target)
        else:
            shutil.copyfile(path, target)
