"""Which files of a step hold tokens of documents: packs, the parts of a cut pack, and indexes of packs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from regrow.data.tables import parquet as tables
from regrow.data.takedown import slots
from regrow.data.tokens import tokenised
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

_INDEX = "regrow.data.index.step:run"


def hold(ledger: Ledger, record: Record, name: str, ids: Sequence[str]) -> bool:
    """Whether a file of a record, which is on disk, holds tokens of documents or of texts that were made from them."""
    folder = ledger.root / record.path
    if record.function == _INDEX:
        data = ledger.by_file.get(str(record.inputs["data"].get("record")))
        return data is not None and _indexed(folder, ledger.root / data.path, name, ids)
    if not name.endswith(tokenised.TOKENS):
        return False
    place = (folder / name).parent
    if (place / "index.parquet").is_file():
        return bool(slots.sequences(place, slots.family(folder, ids)))
    return _in_part(place / tokenised.DOCUMENTS, ids)


def _in_part(path: Path, ids: Sequence[str]) -> bool:
    """Whether tokens that wait to be packed are of any of the documents."""
    if not path.is_file():
        return False
    found = pl.col("id").is_in(list(ids)) & (pl.col("tokens") > 0)
    return not pl.scan_parquet(path, glob=False).filter(found).head(1).collect().is_empty()


def _indexed(folder: Path, data: Path, name: str, ids: Sequence[str]) -> bool:
    """Whether a shard of an index has the tokens of any sequence of its pack that the documents are in."""
    shard = name.removeprefix("tokens-").removesuffix(".bin")
    rows = folder / "rows.parquet"
    if not (shard.isdecimal() and rows.is_file() and (data / "index.parquet").is_file()):
        return False
    shards = tables.read(rows, ["shard"])["shard"]
    return int(shard) in shards.gather(slots.sequences(data, slots.family(data, ids)))
