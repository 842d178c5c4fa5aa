"""Facts about the run as a whole: what equals the published records, and where the time went."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from regrow.engine.jobs import job_of
from regrow.engine.runlog import PATH
from regrow.evidence.commit import git
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.recipe.table import is_repetition


@dataclass(frozen=True)
class Published:
    """The records here against those of the last commit."""

    equal: int
    of: int
    """committed records; 0: nothing is published"""
    differing: tuple[str, ...]
    new: int = 0
    """records here of jobs that the commit has none of: another recipe's, not published yet"""


def published(ledger: Ledger) -> Published | None:
    """Compare the records with the committed ones, None where there is no commit to compare with."""
    try:
        listing = git(ledger.root, "ls-tree", "HEAD", "records/").decode()
    except Unanswerable:
        return None
    wanted = {}
    for line in listing.splitlines():
        about, _, path = line.partition("\t")
        if path.endswith(".json") and not _aside(ledger, path):
            wanted[path] = about.split()[2]
    found = {}
    for path in wanted:
        file = ledger.root / path
        content = file.read_bytes() if file.is_file() else b""
        head = b"blob %d\0" % len(content)
        found[path] = hashlib.sha1(head + content, usedforsecurity=False).hexdigest()
    differing = tuple(path for path in sorted(wanted) if wanted[path] != found[path])
    known = {line.partition("\t")[2] for line in listing.splitlines()}
    new = sum(record.file not in known for record in ledger.records)
    return Published(len(wanted) - len(differing), len(wanted), differing, new)


def _aside(ledger: Ledger, path: str) -> bool:
    """Whether a record is of a repetition under another seed that was not made here."""
    name = job_of(path)
    record = ledger.by_name.get(name)
    made = record is not None and (ledger.root / record.path).is_dir()
    return is_repetition(name) and not made


@dataclass(frozen=True)
class Spent:
    """What a step cost, all its instances together."""

    step: str
    jobs: int
    seconds: float
    """wall time of its jobs, one after the other"""
    cpu_seconds: float
    memory: int
    """largest resident set of a job, bytes"""


def spent(ledger: Ledger) -> list[Spent]:
    """Per step, in flow order, the cost of the runs that made the present results."""
    latest = {}
    for entry in _log(ledger):
        name = (
            entry["step"]
            if entry.get("instance") is None
            else f"{entry['step']}.{entry['instance']}"
        )
        record = ledger.by_name.get(name)
        if record is not None and entry.get("outcome") == "run" and entry.get("key") == record.key:
            latest[name] = entry
    rows = []
    for step in dict.fromkeys(record.step for record in ledger.records):
        mine = [entry for entry in latest.values() if entry["step"] == step]
        if mine:
            rows.append(
                Spent(
                    step,
                    len(mine),
                    sum(entry["seconds"] for entry in mine),
                    sum(entry.get("cpu_seconds") or 0 for entry in mine),
                    max(entry.get("max_rss_bytes") or 0 for entry in mine),
                )
            )
    return rows


def brief(rows: list[Spent], share: float = 0.01) -> list[Spent]:
    """The rows that took at least `share` of the time, the rest as one row at the end."""
    total = sum(row.seconds for row in rows)
    small = [row for row in rows if row.seconds < share * total]
    if len(small) < 2:
        return rows
    rest = Spent(
        f"{len(small)} short steps",
        sum(row.jobs for row in small),
        sum(row.seconds for row in small),
        sum(row.cpu_seconds for row in small),
        max(row.memory for row in small),
    )
    return [*(row for row in rows if row not in small), rest]


def _log(ledger: Ledger) -> Iterable[dict[str, Any]]:
    try:
        lines = (ledger.root / PATH).read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
            _ = (entry["step"], entry["seconds"])
        except (ValueError, KeyError, TypeError):
            continue  # a line that a kill cut off
        yield entry
