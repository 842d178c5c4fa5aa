"""Reconcile: make file times say the truth, so that Snakemake's own rule fires for what is stale.

Called when the Snakefile is read, by the main process only. A stale record gets a date before that of its
step's stamp, any other one a date behind it (`dates`); the stamp of a step with a stale record gets a random
content (Snakemake excuses a newer input whose checksum it has seen). Nothing depends on
`.snakemake/metadata`, which a clone does not have.

A record in another layout than the runner's (line ends, a formatter in a commit hook) is written in the
runner's: DVC and the records that are made from it see its bytes.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from regrow.engine import actions, dvcfiles, files
from regrow.engine.assess import Assessment
from regrow.engine.dates import STAMP, Dates, NotOursError, put
from regrow.engine.hashing import digest_bytes
from regrow.engine.present import PRIVATE, Present
from regrow.engine.records import Book, Record, decode, encode
from regrow.engine.store import Store
from regrow.engine.witness import Doubt

STAMPS = f"{PRIVATE}/stamps"


LAYOUT = f"{PRIVATE}/layout.json"
"""SHA-256 of the record files that are known to be in the runner's layout"""


@dataclass
class Reconciled:
    """What was found, and what was done about it."""

    assessment: Assessment
    rewritten: list[str] = field(default_factory=list)
    """records that were in another layout"""
    left_over: list[str] = field(default_factory=list)
    """records of instances that the params do not ask for"""
    unwritten: str = ""
    """why nothing could be written, so that Snakemake would see the dates of before"""


def reconcile(present: Present, groups: Collection[str] = ("main",)) -> Reconciled:
    """Compare every record with the present and set dates, stamps, code.json, dvc.yaml, dvc.lock.

    `groups`: those of the steps that this run asks for.

    Raises:
        FlowError: the file system does not keep dates.
    """
    with files.locked(present.root / PRIVATE / "reconcile.lock"):
        rewritten, unwritten = [], ""
        try:
            rewritten = _relaid(present)
        except OSError as error:
            unwritten = _why(error)
        found = Reconciled(Assessment(present, groups=groups), rewritten, unwritten=unwritten)
        found.left_over = [path.stem for path, _ in orphans(present)]
        try:
            _write(present, found.assessment)
        except OSError as error:
            found.unwritten = _why(error)
        except NotOursError as error:
            found.unwritten = str(error)
    return found


def _why(error: OSError) -> str:
    if not files.unwritable(error):
        raise error
    return f"{error.strerror}: {error.filename or 'a file'}"


def _write(present: Present, assessment: Assessment) -> None:
    stale: set[str] = set()
    dates = Dates(present.jobs.values())
    for sure in assessment.confirmed:
        actions.forget(assessment.store, sure["key"], keep=sure)
    for verdict in assessment.verdicts.values():
        record = assessment.book.record(verdict.job)
        if record is not None:
            _seed(assessment.store, record, assessment.doubts.get(verdict.job.name))
        digest = assessment.book.digest(verdict.job)
        sha256 = digest.sha256 if digest else ""
        when = dates.stale(sha256) if verdict.stale else dates.fresh(verdict.job.name, sha256)
        put(present.root / verdict.job.record, when)
        if verdict.stale:
            stale.add(verdict.job.step.name)
    for step in present.flow.steps:
        stamp = present.root / STAMPS / step.name
        if step.name in stale or not stamp.exists():
            files.write_atomically(stamp, secrets.token_hex(8).encode())
        put(stamp, STAMP)
    dvcfiles.write_code(present)
    dvcfiles.sync(present, assessment.book)
    present.save()


def _relaid(present: Present) -> list[str]:
    """Write records that are sound and in another layout in the runner's; returns their names."""
    book = Book(present.root)
    memory = present.root / LAYOUT
    noted = files.read_json(memory)
    known = set(noted) if isinstance(noted, list) and all(type(n) is str for n in noted) else set()
    right, changed = set(), []
    for job in present.jobs.values():
        record, digest = book.record(job), book.digest(job)
        if record is None or digest is None:
            continue
        content = b"" if digest.sha256 in known else encode(record)
        if content and digest_bytes(content).sha256 != digest.sha256:
            book.write(job, record)
            changed.append(job.name)
        right.add(digest_bytes(content).sha256 if content else digest.sha256)
    if right != known:
        files.note(memory, files.canonical(sorted(right)))
    return changed


def finish(present: Present) -> list[str]:
    """After a run: print dvc.yaml and dvc.lock again; drop what instances that are no more left.

    Returns the names of what was dropped.
    """
    with files.locked(present.root / PRIVATE / "reconcile.lock"):
        dvcfiles.sync(present, Book(present.root))
        return drop_orphans(present)


def orphans(present: Present) -> list[tuple[Path, Record]]:
    """Records of jobs that the params do not ask for.

    One that is damaged, or of another job, is not among them: nothing is removed on its word.
    """
    found = []
    for path in sorted((present.root / "records").glob("*.json")):
        name = path.stem
        if not present.left_over(name) or not path.is_file():
            continue
        record = decode(path.read_bytes())
        if record is not None and name == actions.job_name(record):
            found.append((path, record))
    return found


def drop_orphans(present: Present) -> list[str]:
    """Remove records and data of jobs that the params do not ask for.

    Data that the cache does not hold is left alone; a record that came with the clone, without data,
    is in git. Returns the names of what went.
    """
    store = Store(present.root)
    gone = []
    for path, record in orphans(present):
        data = present.root / record["output"]["path"]
        cached = all(store.has(f["md5"], f["size"]) for f in record["output"]["files"])
        if cached or not data.exists():
            shutil.rmtree(data, ignore_errors=True)
            path.unlink()
            gone.append(path.stem)
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
