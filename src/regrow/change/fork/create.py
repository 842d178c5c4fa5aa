"""`regrow fork`: the documents in place, and a params file that branches off at the checkpoint."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow import yaml12
from regrow.change import params_text
from regrow.change.fork import branch, documents, files
from regrow.change.fork.point import block, point, read_by
from regrow.data.tables import parquet
from regrow.engine.jobs import job_of
from regrow.engine.present import Present
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.params.schema import check, load
from regrow.prove.rebuild.folder import recorded_params

FOLDER = "forks"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class Wish:
    """What somebody asks for."""

    checkpoint: str
    data: tuple[Path, ...]
    name: str
    params_file: str = "params/demo.yaml"
    source: str | None = None
    licence: str | None = None
    share: float | None = None
    here: bool = False
    """stay on the git branch that is checked out"""


def fork(root: Path, wish: Wish) -> dict[str, Any]:
    """Write forks/<name>/ and params/<name>.yaml on a new git branch <name>; nothing is run.

    Returns:
        what was written, and what a run of the branch would do: jobs known by key, jobs to run.

    Raises:
        Unanswerable: the checkpoint cannot be forked, the name is taken, the params file is not the
            checkpoint's, records are uncommitted, or the documents cannot be used.
    """
    if not _NAME.fullmatch(wish.name):
        raise Unanswerable(
            f"--name {wish.name}: lower-case letters, digits and _, a letter first, 41 at most."
        )
    target = root / f"params/{wish.name}.yaml"
    folder = root / FOLDER / wish.name
    for path in (target, folder):
        if path.exists():
            raise Unanswerable(
                f"{path.relative_to(root)} is there already: choose another --name, or remove it."
            )
    ledger = Ledger.load(root)
    found = documents.read(wish.data, wish.source or wish.name, wish.licence)
    base = load(root / wish.params_file)
    parent = point(ledger, wish.checkpoint, set(found), base)
    text = _parent_params(root, wish.params_file, ledger, parent)
    fields = block(wish.name, parent, set(found), base)
    if wish.share is not None:
        fields["share" if "documents" in found else "chat_share"] = wish.share
    raw = {**(yaml12.load(text) or {}), "fork": fields}
    check(raw, f"params/{wish.name}.yaml")
    written = _with_block(text, raw, fields)
    began = _branch(root, wish)
    folder.mkdir(parents=True)
    for kind, brought in found.items():
        parquet.write(brought.frame, folder / f"{kind}.parquet")
    target.write_text(written, encoding="utf-8")
    return {
        "checkpoint": parent.name,
        "checkpoint_sha256": parent.sha256,
        "read_by": read_by(ledger, parent, base),
        "branch": began,
        "params_file": f"params/{wish.name}.yaml",
        **{kind: _said(root, wish.name, kind, brought) for kind, brought in found.items()},
        "left_out": _left_out(wish.data),
        "plan": _plan(root, f"params/{wish.name}.yaml", ledger),
    }


def _branch(root: Path, wish: Wish) -> dict[str, str] | None:
    """Switch to the fork's git branch; None where that is not wanted, or `root` is no repository."""
    if wish.here or not branch.repository(root):
        return None
    branch.check(root, wish.name)
    before = branch.current(root)
    branch.switch(root, wish.name)
    return {"name": wish.name, "from": before}


def _left_out(paths: tuple[Path, ...]) -> dict[str, int]:
    """Files of the folders that were not read: suffix, or why, -> how many."""
    every: Counter[str] = Counter()
    for path in paths:
        every.update(files.inventory(path).left_out)
    return dict(sorted(every.items()))


def _said(root: Path, name: str, kind: str, brought: documents.Brought) -> dict[str, Any]:
    frame = brought.frame
    path = f"{FOLDER}/{name}/{kind}.parquet"
    return {
        "path": path,
        "file_bytes": (root / path).stat().st_size,
        **brought.counts,
        "kept": frame.height,
        "bytes": int(frame[documents.KINDS[kind]].str.len_bytes().sum()),
        "licences": dict(sorted(frame["licence"].value_counts().iter_rows())),
    }


def _with_block(text: str, raw: dict[str, Any], block: dict[str, Any]) -> str:
    """The parent's params file with the block behind it, its comments kept where YAML allows that."""
    return params_text.first_that_says(raw, params_text.behind(text, {"fork": block}))


def _parent_params(root: Path, file: str, ledger: Ledger, parent: Record) -> str:
    """The parent's params file, if it says what the checkpoint was made under."""
    present = Present(root, file)
    if present.params.get("fork"):
        raise Unanswerable(
            f"{file} is a fork itself, and a fork of a fork is not made: fork its parent, on the parent's git "
            "branch, with both: --data THEIRS --data YOURS (forks/<name>/ has what the fork brought)."
        )
    for section, values in recorded_params(ledger.ancestry(parent)).items():
        if present.params.get(section) != values:
            raise Unanswerable(
                f"{file}: `{section}` is not what {parent.name} was made under, so nothing before the fork "
                "point would be known. Give the params file of its run with --params."
            )
    return (root / file).read_text(encoding="utf-8")


def _plan(root: Path, file: str, ledger: Ledger) -> dict[str, Any]:
    """How the branch stands to what is there: keys that are known, steps that it rebuilds."""
    present = Present(root, file)
    jobs = [job for job in present.jobs.values() if job.step.group == "main"]
    fresh: set[str] = set()
    for job in jobs:  # producers come first
        inputs = {i.name: i.job for i in job.inputs if i.job}
        record = ledger.by_name.get(job.name)
        before = {
            name: job_of(entry["record"])
            for name, entry in (record.inputs if record else {}).items()
            if entry.get("record")
        }
        moved = record is None or before != inputs
        if moved or any(up in fresh for up in job.upstream):
            fresh.add(job.name)
    names = [job.name for job in jobs]
    return {
        "known": [name for name in names if name not in fresh],
        "anew": [name for name in names if name in fresh],
    }
