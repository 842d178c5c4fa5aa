"""The inputs of one job, laid into the folder of a rebuild: byte for byte what its record names."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from regrow.engine.hashing import digest_file, sha256_file
from regrow.engine.store import Store
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record


def lay_parents(ledger: Ledger, folder: Path, record: Record) -> None:
    """Copy what `record` was made from into `folder`: records, and the data of those it reads.

    Data come from the workspace or else from DVC's cache; every byte is hashed while it is
    copied. Sources are there already: they belong to the commit.

    Raises:
        Unanswerable: an input is not here, or is not what the record was made from.
    """
    store = Store(ledger.root)
    for name, entry in sorted(record.inputs.items()):
        if entry.get("kind") == "source":
            continue
        made = ledger.by_file.get(str(entry.get("record")))
        if made is None:
            raise Unanswerable(
                f"the record of {record.name}'s input {name} ({entry.get('record')}) is missing. "
                "`git checkout` it, or rebuild with `--from sources`."
            )
        place = ledger.root / made.file
        have = sha256_file(place) if entry["kind"] == "record" else made.sha256
        if have != record.parts["inputs"].get(name):
            raise Unanswerable(
                f"{record.name} was made from another {made.name} than the one recorded now "
                f"({have[:12]}): it cannot be rebuilt from it. Run `snakemake`, or rebuild with "
                "`--commit` of its own run `--from sources`."
            )
        (folder / made.file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place, folder / made.file)
        if entry["kind"] == "data":
            for file in made.files:
                _copy(ledger.root, store, folder, made, file)


def _copy(root: Path, store: Store, folder: Path, made: Record, file: dict[str, Any]) -> None:
    name = f"{made.path}/{file['path']}"
    cached = store.object_path(str(file["md5"]))
    found = next((path for path in (root / name, cached) if path.is_file()), None)
    if found is None:
        raise Unanswerable(
            f"{name} is neither in the workspace nor in the cache: fetch it with "
            f"`dvc pull {made.path}`, or rebuild with `--from sources`."
        )
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        digest = digest_file(found, copy=out)
    if digest.sha256 != file["sha256"]:
        raise Unanswerable(
            f"{found.relative_to(root)} is not what {made.file} says ({digest.sha256[:12]}, recorded "
            f"{str(file['sha256'])[:12]}): nothing was rebuilt from it. Fix: `snakemake`."
        )
