"""Released checkpoints as a model hub names them: one revision per stage and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from regrow.evidence.record import Record
from regrow.release import stages
from regrow.release.history import WEIGHTS


@dataclass(frozen=True)
class Revision:
    """One released checkpoint."""

    name: str
    """`rlvr-step80`"""
    record: Record
    """of the step `release`"""
    parents: tuple[str, ...]
    """the revisions that its training began from: one, several for a soup, none for the first"""

    rank: tuple[bool, bool, int] = (False, False, 0)
    """how much people want it: see `Ledger.way`"""

    def as_json(self) -> dict[str, Any]:
        """The revision as a mapping."""
        weights = {f["path"]: f["sha256"] for f in self.record.files}.get("model.safetensors")
        return {
            "name": self.name,
            "path": self.record.path,
            "sha256": self.record.sha256,
            "weights": weights,
            "size": self.record.size,
            "parents": list(self.parents),
        }


def revisions(ledger: Ledger) -> list[Revision]:
    """All released checkpoints, in the order of training, parents before their children.

    One whose records are of several runs (`Ledger.broken`) is none: what is recorded beside it is not what it
    began from.

    Raises:
        Unanswerable: nothing is released.
    """
    released: dict[str, Record] = {}
    found = []
    for checkpoint in ledger.checkpoints():
        record = ledger.about("release", checkpoint)
        if record is None or record.instance is None or ledger.broken(record):
            continue
        released[checkpoint.name] = record
        names = tuple(
            stages.revision(str(released[parent.name].instance))
            for parent in _parents(ledger, checkpoint, released)
        )
        found.append(
            Revision(
                stages.revision(record.instance),
                record,
                names,
                (not checkpoint.is_control, *ledger.way(checkpoint)),
            )
        )
    if not found:
        raise Unanswerable("no checkpoint is released here: run `snakemake --cores all`.")
    return found


def others(ledger: Ledger) -> list[Record]:
    """Releases whose records are of several runs: left in the tree by another recipe or corpus."""
    return [record for record in ledger.of_step("release") if ledger.broken(record)]


def _parents(ledger: Ledger, checkpoint: Record, released: dict[str, Record]) -> list[Record]:
    """The nearest released checkpoints that `checkpoint` began from.

    Within a stage that is the one before; `base` is named by every checkpoint of a stage.
    """
    inputs = checkpoint.inputs
    names = ["previous"] if "previous" in inputs else [n for n in WEIGHTS if n in inputs]
    direct = [
        ledger.by_file[inputs[name]["record"]]
        for name in names
        if inputs.get(name, {}).get("record") in ledger.by_file
    ]
    found: dict[str, Record] = {}
    for parent in direct:
        nearest = [parent] if parent.name in released else _parents(ledger, parent, released)
        found |= {record.name: record for record in nearest}
    return list(found.values())


def select(ledger: Ledger, names: Sequence[str]) -> list[Revision]:
    """The revisions that `names` mean, in the order of training.

    A name is a revision (`rlvr-step80`), a stage (all of its checkpoints), a checkpoint or release by
    any of its names (`rlvr.000080`, `release.rlvr-000080`, a hash), or `all`.

    Raises:
        Unanswerable: a name means no released checkpoint.
    """
    known = revisions(ledger)
    wanted: set[str] = set()
    for name in names:
        hits = [r.name for r in known if name == "all" or (r.record.trained or ("",))[0] == name]
        wanted.update(hits or [_one(ledger, known, name)])
    return [revision for revision in known if revision.name in wanted]


def _one(ledger: Ledger, known: list[Revision], name: str) -> str:
    record = resolve(ledger, name).record
    for revision in known:
        if record.trained and revision.record.trained == record.trained:
            return revision.name
    for release in others(ledger):
        if release.trained == record.trained:
            raise Unanswerable(
                f"{record.name}: its records are of different runs ({ledger.broken(release)}). "
                "Run `snakemake --cores all`, or restore records/ with git."
            )
    raise Unanswerable(
        f"{record.name} is no released checkpoint. `regrow release --list` names those that are."
    )
