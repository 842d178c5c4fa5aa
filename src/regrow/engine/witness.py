"""What else knows the result of a key: the commit, and the run cache.

A record can be edited so that its digests follow from its content again and the forged bytes
agree with it. Its key cannot change with it, for a key is the digest of how something was made.
So a forgery contradicts whoever has seen the result of that key before. Witnesses are believed
in this order: the record that git HEAD has; a run of the function, made now; the run cache.
A witness that cannot be asked is not silently left out: that git was not asked is said, once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from regrow.engine import actions, commits
from regrow.engine.actions import result
from regrow.engine.git import Unasked
from regrow.engine.jobs import Job
from regrow.engine.records import Book, Record, contradiction, encode, read
from regrow.engine.store import Store

SPELLING = "is not spelled as the runner spells it (line ends, indentation, or a field given twice)"
_SAID: set[str] = set()
"""why git could not be asked, as far as this process has said it"""


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
    head = Head(root, [job.record for job, _ in records])
    found: dict[str, Doubt] = {}
    confirmed = []
    for job, record in records:
        committed = head.altered.get(job.record)
        if committed is not None and (what := contradiction(record, committed)):
            found[job.name] = Doubt(
                _text(job.record, record, committed, what, "git HEAD"), committed
            )
            continue
        if committed is not None and not book.spelt(job):
            found[job.name] = Doubt(f"{job.record} {SPELLING}", record)
            continue
        others = [r for r in actions.others(store, record) if contradiction(record, r)]
        if not others:
            continue
        if head.confirms(job.record, record):
            confirmed.append(record)
        else:
            what = contradiction(record, others[0])
            found[job.name] = Doubt(_text(job.record, record, others[0], what, "the run cache"))
    return found, confirmed


class Head:
    """What git HEAD has of some records; nothing, where it cannot be asked, which is said."""

    def __init__(self, root: Path, paths: Iterable[str]) -> None:
        """Ask git, once.

        Args:
            root: of the flow.
            paths: of the records below it.
        """
        self.unasked = ""
        """why git could not be asked"""
        self.altered: dict[str, Record] = {}
        """path -> the sound record of HEAD, where the workspace has other bytes"""
        self._same: set[str] = set()
        try:
            found = commits.committed(root, set(paths))
        except Unasked as error:
            self.unasked = str(error)
            say_unasked(error)
            return
        self._same = set(found.paths - found.altered.keys())
        for path, content in found.altered.items():
            record, why = read(content)
            if not why:
                self.altered[path] = record

    def confirms(self, path: str, record: Record) -> bool:
        """Whether HEAD has the key of a record under its path with its very result."""
        if path in self._same:
            return True
        committed = self.altered.get(path)
        return (
            committed is not None
            and committed["key"] == record["key"]
            and not contradiction(record, committed)
        )


def say_unasked(error: Unasked) -> None:
    """Say on standard error, once, that git HEAD is no witness and what helps."""
    text = str(error)
    if text not in _SAID:
        _SAID.add(text)
        print(
            f"git HEAD cannot be asked, so a forged record may be believed: {text}.",
            file=sys.stderr,
        )


def differences(root: Path, records: Mapping[str, bytes]) -> tuple[dict[str, str], list[str]]:
    """Compare records, byte for byte, with git HEAD.

    Args:
        root: of the flow.
        records: path below it -> the bytes that are there.

    Returns:
        by path, what contradicts HEAD: another result of the same key, or another account of how it came
        about; and the paths whose records are other ones than HEAD's without contradicting them.
    """
    head = Head(root, records)
    found = {
        path: why
        for path, committed in head.altered.items()
        if (why := against(path, records[path], committed, "git HEAD"))
    }
    return found, sorted(head.altered.keys() - found.keys())


def against(path: str, content: bytes, committed: Record, witness: str) -> str:
    """Why a record's bytes are not believed beside the record that a witness has, "" where nothing speaks
    against them: equal ones, or a sound record of another key."""
    if content == encode(committed):
        return ""
    record, why = read(content)
    if why:
        return f"{path} is damaged: {why}"
    if record["key"] != committed["key"]:
        return ""
    if what := contradiction(record, committed):
        return _text(path, record, committed, what, witness)
    if other := [
        name for name in ("parts", "inputs", "definition") if _otherwise(record, committed, name)
    ]:
        return f"{path} says of its {_OF[other[0]]} what {witness} does not for the same key"
    return "" if content == encode(record) else f"{path} {SPELLING}"


_OF = {"parts": "code", "inputs": "inputs", "definition": "definition"}


def _otherwise(record: Record, committed: Record, part: str) -> bool:
    """Whether two records of one key differ in a part that a key fixes.

    A data input may come from another job of equal bytes since: a fork or takedown took the other's place.
    """
    mine, theirs = record.get(part), committed.get(part)
    if part != "inputs" or mine is None or theirs is None:
        return bool(mine != theirs)
    fixed = [{n: e for n, e in one.items() if e["kind"] == "source"} for one in (mine, theirs)]
    kinds = [{n: e["kind"] for n, e in one.items()} for one in (mine, theirs)]
    return bool(fixed[0] != fixed[1] or kinds[0] != kinds[1])


def judge(root: Path, job: Job, candidates: list[Record]) -> list[Record]:
    """Of several results of one key, those to be believed: git's, or else none."""
    if len({result(record) for record in candidates}) < 2:
        return candidates
    try:
        committed = commits.record(root, job.record)
    except Unasked as error:
        say_unasked(error)
        return []
    if committed is not None and committed["key"] == candidates[0]["key"]:
        return [record for record in candidates if result(record) == result(committed)]
    return []


def _text(path: str, record: Record, other: Record, what: str, witness: str) -> str:
    mine, theirs = record["output"], other["output"]
    if what == "sha256":
        return (
            f"{path} says that its key gives {mine['sha256']}, and {witness} that it gives "
            f"{theirs['sha256']}"
        )
    if what == "counts":
        return f"{path} has other counts than {witness} has for the same key"
    wrong = [
        f"{entry['path']} ({field} {entry[field]}, not {right[field]})"
        for entry, right in zip(mine["files"], theirs["files"], strict=False)
        for field in sorted(entry)
        if entry[field] != right[field]
    ]
    return f"{path} has other files than {witness} has for the same key: {'; '.join(wrong[:3])}"
