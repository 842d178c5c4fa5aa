"""Settle: make file times say the truth, so that Snakemake's own rule fires for what is stale.

Called when the Snakefile is read, by the main process only. A record that describes the present
gets one fixed time, a stale one an older time, and the stamp of every step the fixed time; the
stamp of a step with a stale record gets a random content (Snakemake excuses a newer input whose
checksum it has seen). Nothing depends on `.snakemake/metadata`, which a clone does not have.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection
from pathlib import Path

from regrow.flow import actions, dvcfiles, files
from regrow.flow.assess import Assessment
from regrow.flow.present import PRIVATE, Present
from regrow.flow.records import Book, Record, decode
from regrow.flow.store import Store
from regrow.flow.witness import Doubt

FRESH = 315_532_800  # 1980-01-01, the oldest date that every file system can hold, and a day
STALE = FRESH - 86_400
STAMPS = f"{PRIVATE}/stamps"


def settle(present: Present, groups: Collection[str] = ("main",)) -> Assessment:
    """Compare every record with the present and set times, stamps, code.json, dvc.yaml, dvc.lock.

    `groups`: those of the steps that this run asks for.
    """
    with files.locked(present.root / PRIVATE / "settle.lock"):
        assessment = Assessment(present, groups=groups)
        stale: set[str] = set()
        for sure in assessment.confirmed:
            actions.forget(assessment.store, sure["key"], keep=sure)
        for verdict in assessment.verdicts.values():
            record = assessment.book.record(verdict.job)
            if record is not None:
                _seed(assessment.store, record, assessment.doubts.get(verdict.job.name))
            _set_time(present.root / verdict.job.record, STALE if verdict.stale else FRESH)
            if verdict.stale:
                stale.add(verdict.job.step.name)
        for step in present.flow.steps:
            stamp = present.root / STAMPS / step.name
            if step.name in stale or not stamp.exists():
                files.write_atomically(stamp, secrets.token_hex(8).encode())
            _set_time(stamp, FRESH)
        dvcfiles.write_code(present)
        dvcfiles.sync(present, assessment.book)
        present.save()
    return assessment


def finish(present: Present) -> list[str]:
    """After a run: print dvc.yaml and dvc.lock anew; drop what instances that are no more left.

    Returns the names of what was dropped.
    """
    with files.locked(present.root / PRIVATE / "settle.lock"):
        dvcfiles.sync(present, Book(present.root))
        return drop_orphans(present)


def drop_orphans(present: Present) -> list[str]:
    """Remove records and data of instances that the params no longer ask for.

    Data that the cache does not hold is left alone. Returns the names of what went.
    """
    store = Store(present.root)
    steps = {step.name for step in present.flow.steps if step.instances}
    gone = []
    for path in sorted((present.root / "records").glob("*.json")):
        name = path.stem
        if name in present.jobs or name.split(".")[0] not in steps:
            continue
        record = decode(path.read_bytes())
        if record is None or name != actions.job_name(record):
            continue  # damaged, or of another job: nothing is removed on its word
        if all(store.has(f["md5"], f["size"]) for f in record["output"]["files"]):
            shutil.rmtree(present.root / record["output"]["path"], ignore_errors=True)
            path.unlink()
            gone.append(name)
    return gone


def _seed(store: Store, record: Record, doubt: Doubt | None) -> None:
    """What git brought is known: Snakemake deletes a record before its job, the entry stays.

    Of a doubted record only what git has is known; otherwise the step runs.
    """
    if doubt is not None:
        actions.forget(store, record["key"], keep=doubt.honest)
    known = record if doubt is None else doubt.honest
    if known is not None:
        actions.remember(store, known)


def _set_time(path: Path, when: int) -> None:
    try:
        if int(path.stat().st_mtime) != when:
            os.utime(path, (when, when))
    except FileNotFoundError:
        pass
