"""What an export is about: an artifact, the records that it was made from, and what a provider adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from regrow.lineage.errors import Unanswerable
from regrow.lineage.export.about import About
from regrow.lineage.fork import own
from regrow.lineage.ledger import Ledger, Record
from regrow.lineage.naming import resolve
from regrow.lineage.shelf import Shelf
from regrow.lineage.sources import sources
from regrow.release.composition import Source

_NOT_TRAINING = {"evaluate", "release"}


@dataclass(frozen=True)
class Subject:
    """An artifact and everything that an export may say about it."""

    ledger: Ledger
    record: Record
    about: About = field(default_factory=About)
    time: str = ""
    """ISO 8601, what the standards that ask for a time are given (see `instant`)"""

    @cached_property
    def chain(self) -> list[Record]:
        """The artifact's record and those of everything that it was made from, in flow order."""
        return self.ledger.ancestry(self.record)

    @cached_property
    def shelf(self) -> Shelf:
        """The tables on disk."""
        return Shelf(self.ledger)

    @cached_property
    def sources(self) -> list[Source]:
        """The sources of the manifest, and those of a fork."""
        return [*sources(self.ledger.root), *own.sources(self.shelf, self.chain)]

    @property
    def is_model(self) -> bool:
        """Whether the artifact is a checkpoint."""
        return self.record.makes_checkpoint

    @property
    def name(self) -> str:
        """What to call it: the model's name with the checkpoint, or the model's name with the step."""
        release = section(self.ledger, "release")
        model = str(release.get("name") or "regrow")
        if self.record.trained is not None and self.is_model:
            stage, step = self.record.trained
            return f"{model} {stage}-step{step}"
        return f"{model} {self.record.name}"

    @property
    def licence(self) -> str:
        """The licence of the weights, "" where no release names one."""
        return str(section(self.ledger, "release").get("licence") or "")

    @property
    def description(self) -> str:
        """The release's description, "" where there is none."""
        return str(section(self.ledger, "release").get("description") or "")


def section(ledger: Ledger, name: str) -> dict[str, object]:
    """A params section as the last record that declares it has it, {} where none does."""
    found: dict[str, object] = {}
    for record in ledger.records:
        found = dict((record.parts.get("params") or {}).get(name) or found)
    return found


def subject(ledger: Ledger, name: str | None, about: About, time: str) -> Subject:
    """The subject that `name` means; None: the checkpoint at the end of the longest chain.

    An evaluation or a release is about its checkpoint, so the checkpoint is exported.

    Raises:
        Unanswerable: nothing is called so, or there is no checkpoint yet.
    """
    if name is None:
        record = ledger.final
        if record is None:
            raise Unanswerable(
                "there is no checkpoint in records/ to export. Name an artifact "
                "(`regrow export FORMAT dedup`), or run `snakemake --cores all` first."
            )
        return Subject(ledger, record, about, time)
    record = resolve(ledger, name).record
    if record.step in _NOT_TRAINING and record.trained is not None:
        stage, step = record.trained
        record = ledger.by_name.get(f"{stage}.{step:06d}", record)
    return Subject(ledger, record, about, time)
