"""The two runs of `regrow verify A B`: a checkpoint here, in another tree, or at a git revision."""

from __future__ import annotations

import io
import shutil
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from regrow.engine.commits import published
from regrow.engine.errors import FlowError
from regrow.engine.records import encode
from regrow.evidence.commit import git, resolve_commit
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from regrow.evidence.record import Record, parse
from regrow.prove.segments.links import Link, links
from regrow.prove.segments.replay import Replay, other_code
from regrow.prove.segments.verified_files import VerifiedFiles

BUILT = "regrow/numerics/_native"
"""compiled kernels, by the hash of their sources"""


@dataclass
class Side:
    """One of two runs."""

    label: str
    ledger: Ledger
    verified: VerifiedFiles
    record: Record
    scratch: Path
    revision: str | None = None

    def links(self, record: Record) -> list[Link]:
        """The published links of one of its checkpoints."""
        if record.name not in self._links:
            self._links[record.name] = links(self.verified, record)
        return self._links[record.name]

    @cached_property
    def _links(self) -> dict[str, list[Link]]:
        return {}

    @property
    def chains_read(self) -> int:
        """How many checkpoints' chains were read."""
        return len(self._links)

    def parent(self, record: Record, name: str) -> Record | None:
        """The checkpoint that is the input `name` of another."""
        entry = record.inputs.get(name)
        return None if entry is None else self.ledger.by_file.get(entry.get("record", ""))

    @property
    def replay(self) -> Replay:
        """Reruns of its steps."""
        return Replay(self.ledger, self.verified)

    def source(self, record: Record) -> Path | None:
        """The code to rerun a checkpoint with: None is the code of this process."""
        if not other_code(self.ledger.root, [record]):
            return None
        if self.revision is not None:
            return self._exported
        own = self.ledger.root / "src"
        return own if (own / "regrow").is_dir() else None

    @cached_property
    def _exported(self) -> Path:
        """`src/` at the revision, with the kernels that are built already."""
        folder = self.scratch / "code"
        data = git(self.ledger.root, "archive", "--format=tar", str(self.revision), "src")
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(folder, filter="data")
        built = self.ledger.root / "src" / BUILT
        if built.is_dir():
            shutil.copytree(built, folder / "src" / BUILT, dirs_exist_ok=True)
        return folder / "src"


def side(root: Path, name: str, scratch: Path) -> Side:
    """The run that `name` means: CHECKPOINT, TREE:CHECKPOINT or TREE (a folder or a git revision).

    Raises:
        Unanswerable: no such run, or it is no checkpoint.
    """
    tree, colon, checkpoint = name.partition(":")
    if not colon and (found := _here(root, name)) is not None:
        ledger, record = found
        return Side(name, ledger, VerifiedFiles(root, scratch), _trained(record), scratch)
    folder = Path(tree)
    if (folder / "records").is_dir():
        place, revision = folder.resolve(), None
        ledger = Ledger.load(place)
    else:
        place, revision = root, _commit(root, tree, name)
        ledger = at_revision(root, revision)
    found_record = resolve(ledger, checkpoint).record if checkpoint else ledger.final
    if found_record is None:
        raise Unanswerable(f"{name}: no checkpoint of the main chain there; name one: {tree}:sft.")
    return Side(
        name,
        ledger,
        VerifiedFiles(place, scratch),
        _trained(found_record),
        scratch,
        revision=revision,
    )


def _here(root: Path, name: str) -> tuple[Ledger, Record] | None:
    """A checkpoint of this tree; None if nothing here is called so and it may be a tree."""
    ledger = Ledger.load(root)
    try:
        return ledger, resolve(ledger, name).record
    except Unanswerable:
        if (Path(name) / "records").is_dir() or _is_revision(root, name):
            return None
        raise


def _is_revision(root: Path, name: str) -> bool:
    try:
        resolve_commit(root, name)
    except Unanswerable:
        return False
    return True


def _commit(root: Path, tree: str, name: str) -> str:
    if not _is_revision(root, tree):
        raise Unanswerable(
            f"{name}: `{tree}` is neither a folder with records/ nor a git revision here."
        )
    return resolve_commit(root, tree)


def _trained(record: Record) -> Record:
    if not record.makes_checkpoint:
        raise Unanswerable(f"{record.name} is no checkpoint of a training stage.")
    return record


def at_revision(root: Path, revision: str) -> Ledger:
    """The records committed at a git revision.

    Raises:
        Unanswerable: git knows none there.
    """
    try:
        raws = published(root, revision)
    except FlowError as error:
        raise Unanswerable(str(error)) from None
    records = []
    for raw in raws:
        instance = raw["instance"]
        name = raw["step"] if instance is None else f"{raw['step']}.{instance}"
        records.append(parse(encode(raw), f"records/{name}.json"))
    return Ledger(root, records)
