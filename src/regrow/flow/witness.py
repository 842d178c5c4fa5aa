"""What else knows the result of a key: the commit, and the run cache.

A record can be edited so that its digests follow from its content again and the forged bytes
agree with it. Its key cannot change with it, for a key is the digest of how something was made.
So a forgery contradicts whoever has seen the result of that key before. Witnesses are believed
in this order: the record that git HEAD has; a run of the function, made now; the run cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from regrow.flow import actions, commits
from regrow.flow.actions import result
from regrow.flow.jobs import Job
from regrow.flow.records import Book, Record
from regrow.flow.store import Store


@dataclass(frozen=True)
class Doubt:
    """A record in the workspace and another witness say different results of one key."""

    text: str
    honest: Record | None = None
    """the record to believe instead; None: nobody is believed, and the step runs"""


def doubts(
    root: Path, store: Store, book: Book, jobs: Iterable[Job]
) -> tuple[dict[str, Doubt], list[Record]]:
    """Ask the witnesses about the records of these jobs.

    Returns:
        by job, what speaks against its record; and the records that git confirms although entries
        of the run cache contradict them (those entries are wrong).
    """
    records = [(job, record) for job in jobs if (record := book.record(job)) is not None]
    changed = commits.altered(root, {job.record for job, _ in records})
    found: dict[str, Doubt] = {}
    confirmed = []
    for job, record in records:
        committed = changed.get(job.record)
        if committed is not None and _contradict(committed, record):
            found[job.name] = Doubt(_text(job, record, committed, "git HEAD"), committed)
            continue
        others = [r for r in actions.others(store, record) if _contradict(r, record)]
        if not others:
            continue
        committed = commits.record(root, job.record)
        if committed is not None and committed["key"] == record["key"]:
            confirmed.append(record)
        else:
            found[job.name] = Doubt(_text(job, record, others[0], "the run cache"))
    return found, confirmed


def judge(root: Path, job: Job, candidates: list[Record]) -> list[Record]:
    """Of several results of one key, those to be believed: git's, or else none."""
    if len({result(record) for record in candidates}) < 2:
        return candidates
    committed = commits.record(root, job.record)
    if committed is not None and committed["key"] == candidates[0]["key"]:
        return [record for record in candidates if result(record) == result(committed)]
    return []


def _contradict(one: Record, other: Record) -> bool:
    return bool(one["key"] == other["key"] and result(one) != result(other))


def _text(job: Job, record: Record, other: Record, witness: str) -> str:
    mine, theirs = record["output"], other["output"]
    if mine["sha256"] == theirs["sha256"]:
        return f"{job.record} has other counts than {witness} has for the same key"
    return (
        f"{job.record} says that its key gives {mine['sha256']}, and {witness} that it gives "
        f"{theirs['sha256']}"
    )
