"""What still holds tokens of a document: the pack, the part of a cut pack, the shard of an index, and no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pack_files import write_pack
from regrow.change.takedown import tokens
from regrow.data.index import files, rows
from regrow.data.index.build import shards
from regrow.data.tokens import tokenised
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

LENGTH = 8
PLACES = [("a", 0, 0, 8), ("b", 0, 8, 20), ("c", 0, 20, 32)]


def made(root: Path) -> Ledger:
    """A pack of four sequences, its index in two shards, and the two parts that the pack was gathered from."""
    pack = write_pack(root / "data/pack", np.arange(2, 34), LENGTH, PLACES)
    files.write(root / "data/index/pack", shards(rows.packed(pack), 2 * (LENGTH + 1)))
    ids = {"000of002": ("a", "b"), "001of002": ("c", "empty")}
    for instance, documents in ids.items():
        folder = root / f"data/pack_part/{instance}"
        folder.mkdir(parents=True)
        counted = [np.arange(0 if one == "empty" else 3, dtype=np.uint16) for one in documents]
        tokenised.write(folder, zip(documents, counted, strict=True))
    parts = [_record(root, f"pack_part.{instance}", f"pack_part/{instance}") for instance in ids]
    index = _record(root, "index.pack", "index/pack", {"data": {"record": "records/pack.json"}})
    index.raw["parts"] = {"code": {"function": "regrow.data.index.step:run"}}
    return Ledger(root, [*parts, _record(root, "pack", "pack"), index])


def _record(root: Path, name: str, path: str, inputs: dict[str, Any] | None = None) -> Record:
    step, _, instance = name.partition(".")
    names = [p.name for p in sorted((root / "data" / path).iterdir())]
    raw = {
        "step": step,
        "instance": instance or None,
        "inputs": inputs or {},
        "parts": {},
        "output": {"path": f"data/{path}", "files": [{"path": one} for one in names]},
    }
    return Record(f"records/{name}.json", json.loads(json.dumps(raw)))


def holding(ledger: Ledger, *ids: str) -> set[str]:
    return {
        f"{record.path}/{entry['path']}"
        for record in ledger.records
        for entry in record.files
        if tokens.hold(ledger, record, entry["path"], ids)
    }


def test_every_file_with_tokens_of_a_document_is_found_and_no_other(tmp_path: Path) -> None:
    ledger = made(tmp_path)
    pack = "data/pack/tokens.bin"
    first, second = (f"data/pack_part/{n}of002/tokens.bin" for n in ("000", "001"))
    one, other = (f"data/index/pack/tokens-00{n}.bin" for n in (0, 1))
    assert holding(ledger, "a") == {pack, first, one}
    assert holding(ledger, "b") == {pack, first, one, other}
    assert holding(ledger, "c") == {pack, second, other}
    assert holding(ledger, "a", "c") == {pack, first, second, one, other}
    assert holding(ledger, "empty", "unknown") == set()


def test_an_index_without_its_pack_or_its_rows_is_not_looked_into(tmp_path: Path) -> None:
    ledger = made(tmp_path)
    (tmp_path / "data/index/pack/rows.parquet").unlink()
    assert "data/index" not in " ".join(holding(ledger, "a"))
    (tmp_path / "data/pack/index.parquet").unlink()
    assert holding(ledger, "a") == {"data/pack_part/000of002/tokens.bin"}
