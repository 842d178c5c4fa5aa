"""After the rebuild: look again, independently, and say what was found.

What is checked here does not trust the steps: masked data sets are compared token by token with the
ones before, kept checkpoints with the order of training, tables with the list of ids.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from regrow.ask.trace.made import family
from regrow.change.takedown.place import Place
from regrow.change.takedown.run import Run
from regrow.change.takedown.touched import TABLES
from regrow.data.takedown import documents, slots
from regrow.engine.plan import plan as flow_plan
from regrow.evidence.datasets import PACKED
from regrow.evidence.errors import Unanswerable
from regrow.evidence.naming import Artifact
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.evidence.runs.open import open_run
from regrow.prove.attest.export import Vouched


def finish(place: Place) -> dict[str, Any]:
    """Check a takedown that was run.

    Returns:
        `name`, `depth`, `documents`, `kept`, `rebuilt` (jobs with digests before and after), `checks` (what was
        looked at, with counts), `not_here` (outputs that were vouched for by their records alone).

    Raises:
        Unanswerable: it is not finished, or a check fails; the message says which.
    """
    try:
        said = json.loads(place.request.read_text(encoding="utf-8"))
    except OSError:
        raise Unanswerable(f"{place.below(place.request)}: there is no such takedown.") from None
    ids = documents.read(place.documents)
    run = Run(place.root, said["params_file"])
    waiting = [
        job["job"]
        for job in flow_plan(run.present)["jobs"]
        if job["action"] not in ("current", "aside", "restore")
    ]
    if waiting:
        raise Unanswerable(
            f"the takedown {place.name} is not done: {', '.join(waiting[:4])} and {max(0, len(waiting) - 4)} "
            f"more to make. `snakemake --cores all --configfile {said['params_file']}`"
        )
    outputs = run.outputs
    jobs = [n for n, job in run.present.jobs.items() if job.step.group == "main"]
    records = [run.ledger.by_name[n] for n in jobs]
    before: dict[str, str] = said["before"]
    anew = set(said["plan"]["anew"])
    depth = str(run.present.params["takedown"]["depth"])
    checks = (
        _masked(outputs, ids, records) if depth == "training" else _withdrawn(outputs, ids, records)
    )
    checks |= {
        "kept_checkpoints_that_saw_none": _kept(
            outputs, ids, [r for r in records if r.name not in anew]
        )
    }
    return {
        "name": place.name,
        "depth": depth,
        "why": said["why"],
        "params_file": said["params_file"],
        "documents": ids,
        "first": said["first"],
        "kept": [r.name for r in records if r.name not in anew],
        "rebuilt": [
            {"job": r.name, "before": before.get(r.name), "after": r.sha256}
            for r in records
            if r.name in anew
        ],
        "checks": checks,
        "not_here": Vouched(run.ledger, [Artifact(record) for record in records]).absent(),
    }


def _fail(what: str) -> Unanswerable:
    return Unanswerable(f"the takedown does not hold: {what}. Nothing was attested.")


def _masked(outputs: Outputs, ids: Sequence[str], records: list[Record]) -> dict[str, Any]:
    """Masked data sets: the slots hold padding, nothing else changed, no document is in the index."""
    found: dict[str, Any] = {"slots_masked": 0, "tokens_masked": 0, "tokens_unchanged": 0}
    for record in records:
        if not record.step.endswith("_masked"):
            continue
        was = outputs.ledger.by_file[str(record.inputs["data"]["record"])]
        old, new = outputs.root / was.path, outputs.root / record.path
        gone = slots.family(old, ids)
        for meta_file in sorted(new.rglob("meta.json")):
            pack = meta_file.parent.relative_to(new)
            if pack.parts[:1] == ("heldout",):
                continue
            if not (old / pack / "tokens.bin").is_file():
                raise Unanswerable(f"{was.path} is not here: `dvc checkout`.")
            meta = json.loads(meta_file.read_text(encoding="utf-8"))
            a = np.memmap(old / pack / "tokens.bin", dtype="<u2", mode="r")
            b = np.memmap(new / pack / "tokens.bin", dtype="<u2", mode="r")
            inside = np.zeros(len(a), bool)
            index = pl.scan_parquet(old / pack / "index.parquet", glob=False)
            mine = index.filter(pl.col("id").is_in(sorted(gone))).select("start", "end").collect()
            for start, end in mine.iter_rows():
                inside[start:end] = True
            if not np.array_equal(a[~inside], b[~inside]):
                raise _fail(f"{record.path}/{pack}: another document moved")
            if not np.isin(b[inside], (meta["pad"], meta["eos"])).all():
                raise _fail(f"{record.path}/{pack}: a token of a document is left")
            ids_now = (
                pl.scan_parquet(new / pack / "index.parquet", glob=False)
                .select("id")
                .collect()["id"]
            )
            if set(ids_now) & set(gone):
                raise _fail(f"{record.path}/{pack}: its index names a document")
            found["slots_masked"] += mine.height
            found["tokens_masked"] += int(inside.sum())
            found["tokens_unchanged"] += int((~inside).sum())
    for record in records:
        data = record.inputs.get("data", {})
        if record.kind is not None and record.kind.unit == "sequences" and data:
            found.setdefault("read", {})[record.name] = str(data.get("record", ""))
    return found


def _withdrawn(outputs: Outputs, ids: Sequence[str], records: list[Record]) -> dict[str, Any]:
    """No table behind the extraction names a document, none of its passages is packed."""
    names = {record.name for record in records}
    looked = []
    here = pl.col("id").is_in(list(ids))
    for job, file in TABLES:
        if job == "text":
            continue
        if job in names and outputs.rows(job, file, here, ["id"]):
            raise _fail(f"data/{job}/{file} names a document")
        if outputs.path(job, file) is not None:
            looked.append(f"{job}/{file}")
    for data in sorted(record.step for record in records if record.function in PACKED):
        index = outputs.path(data, "index.parquet")
        if index is None:
            continue
        packed = pl.scan_parquet(index, glob=False).select("id").collect()["id"]
        if set(packed) & set(slots.family(index.parent, ids)):
            raise _fail(f"data/{data} holds a document")
        looked.append(f"{data}/index.parquet")
    return {"tables_without_them": looked}


def _kept(outputs: Outputs, ids: Sequence[str], records: list[Record]) -> list[str]:
    """Checkpoints that stay: no step up to them saw a document, by the order of training."""
    clean = []
    for record in records:
        if not record.trained or record.kind is None or not record.kind.run:
            continue
        run = open_run(outputs, record)
        for id in ids:
            for one in family(outputs, getattr(run, "data", ""), id):
                if run.of(one):
                    raise _fail(
                        f"{record.name} is kept, but saw {id} at step {run.of(one)[0]['step']}"
                    )
        clean.append(record.name)
    return clean
