"""The whole of a rebuild: find the commit, empty folder, run the flow, compare every byte."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from regrow.engine.present import PRIVATE
from regrow.evidence.commit import commit_of, resolve_commit
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import Artifact
from regrow.evidence.record import Record
from regrow.prove.rebuild import execute
from regrow.prove.rebuild.compare import Compared
from regrow.prove.rebuild.execute import Hooks
from regrow.prove.rebuild.folder import prepare
from regrow.prove.rebuild.numerics import certify
from regrow.prove.rebuild.packages import differences
from regrow.prove.rebuild.parents import lay_parents

Origin = Literal["sources", "parents"]


def rebuild(
    ledger: Ledger,
    artifact: Artifact,
    hooks: Hooks,
    *,
    origin: Origin = "sources",
    commit: str | None = None,
    folder: Path | None = None,
    cores: str = "all",
    keep: bool = False,
) -> dict[str, Any]:
    """Rebuild `artifact` and compare every byte of what was rebuilt.

    From `sources` that is its whole ancestry; from `parents` its own job alone, whose inputs
    are taken from here, verified against the records.

    Returns the verdict as a mapping: `verdict` is `equal`, `differs` or `not built`; `first`
    names the first job in flow order that is not equal and its first file; `jobs` has each.

    Raises:
        Unanswerable: this machine lacks a numerics class (said before anything starts), no
            commit holds the record, an input is not here, or the folder cannot be prepared.
    """
    chain = ledger.ancestry(artifact.record)
    jobs = chain if origin == "sources" else [artifact.record]
    classes = certify(jobs)
    commit = (
        resolve_commit(ledger.root, commit) if commit else commit_of(ledger.root, artifact.record)
    )
    place = folder or Path(tempfile.mkdtemp(prefix="regrow-rebuild-"))
    start = time.monotonic()
    try:
        root = prepare(ledger.root, place, commit, chain, ledger.records)
        _lend_fetched(ledger.root, root)
        command = execute.flow(artifact.record, cores)
        if origin == "parents":
            lay_parents(ledger, root, artifact.record)
            command = execute.job(artifact.record)
        hooks.began(commit, root, len(jobs), classes)
        status, compared = execute.execute(root, command, jobs, hooks, start)
        answer = _verdict(artifact, commit, jobs, compared, status)
        answer |= {"from": origin, "numerics": classes}
        answer["seconds"] = round(time.monotonic() - start, 1)
        if answer["verdict"] != "equal":
            answer["log"] = execute.last_lines(root)
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)
    answer["folder"] = str(root) if keep else None
    return answer


def _lend_fetched(here: Path, root: Path) -> None:
    """Let a rebuild find the files that frozen lists name, which its steps compare with their SHA-256."""
    kept = here / PRIVATE / "fetched"
    if kept.is_dir():
        (root / PRIVATE).mkdir(exist_ok=True)
        (root / PRIVATE / "fetched").symlink_to(kept.resolve())


def _verdict(
    artifact: Artifact,
    commit: str,
    made: list[Record],
    compared: dict[str, Compared],
    status: int,
) -> dict[str, Any]:
    jobs = [
        compared.get(record.name) or Compared(record.name, "not built", record.sha256)
        for record in made
    ]
    first = next((job for job in jobs if job.state != "equal"), None)
    # A job that was not built is the fault of one before it, where that one differs.
    verdict = "equal" if first is None else first.state
    return {
        "artifact": artifact.path,
        "sha256": artifact.sha256,
        "rebuilt": _rebuilt(artifact, jobs[-1]),
        "key": artifact.record.key,
        "commit": commit,
        "verdict": verdict,
        "equal": sum(job.state == "equal" for job in jobs),
        "of": len(jobs),
        "first": None
        if first is None
        else {
            "job": first.name,
            "state": first.state,
            "file": first.files[0] if first.files else None,
            "key_equal": first.key_equal,
        },
        "packages": differences(made),
        "status": status,
        "jobs": [job.as_json() for job in jobs],
    }


def _rebuilt(artifact: Artifact, last: Compared) -> str | None:
    """The digest that the artifact has now; None: it was not built."""
    if last.state == "not built" or artifact.file is None:
        return last.rebuilt
    for file in last.files:
        if file["path"] == artifact.file["path"]:
            return None if file["rebuilt"] is None else str(file["rebuilt"])
    return artifact.sha256
