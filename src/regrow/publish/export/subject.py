"""What an export is about: an artifact, the records that it was made from, and what a provider adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from regrow.engine.hashing import sha256_file
from regrow.evidence import contributed, corpora
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.evidence.sources import MANIFEST, source_files, sources
from regrow.publish.export.about import About
from regrow.recipe.kinds import METHODS
from regrow.release.composition import UNKNOWN, Source
from regrow.release.gathering import Gathered
from regrow.release.history import Trained, history
from regrow.release.records import Artifact, artifact

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
    def outputs(self) -> Outputs:
        """The tables on disk."""
        return Outputs(self.ledger)

    @cached_property
    def artifacts(self) -> dict[str, Artifact]:
        """The chain's records by name, as the cards read them."""
        return {record.name: artifact(record.raw) for record in self.chain}

    @cached_property
    def history(self) -> list[Trained]:
        """The training stages that led to the checkpoint; [] for what is none."""
        known = self.artifacts
        return history(known, known[self.record.name], METHODS) if self.is_model else []

    def step(self, name: str) -> Record | None:
        """The record of a step in the chain, the last of its instances; None where the chain has none."""
        found = [record for record in self.chain if record.step == name]
        return found[-1] if found else None

    @cached_property
    def gathered(self) -> Gathered | None:
        """What the chain's crawl says; None where there is none."""
        record = self.step("crawl")
        return Gathered(self.artifacts[record.name]) if record else None

    @cached_property
    def sources(self) -> list[Source]:
        """The sources of the manifest that this chain read, those that the recipe names, and those of a fork.

        Raises:
            Unanswerable: the manifest cannot be read, or is not the one that the text was made with.
        """
        gathered = self.gathered
        read = []
        if gathered is not None:
            self._same_manifest()
            read = [s for s in sources(self.ledger.root) if gathered.reads(s)]
        return [
            *read,
            *corpora.sources(self.chain),
            *contributed.sources(self.outputs, self.chain),
        ]

    @cached_property
    def corpora(self) -> dict[str, Source]:
        """The sources that the recipe names, by name; {} where it names none."""
        return {source.name: source for source in corpora.sources(self.chain)}

    @cached_property
    def extracted(self) -> Record | None:
        """The step that took text out of what the crawl left; None where the chain has none."""
        found = [r for r in self.chain if r.function == "regrow.data.text.step:extract"]
        return found[-1] if found else None

    def _same_manifest(self) -> None:
        text, path = self.extracted, self.ledger.root / MANIFEST
        wanted = (text.parts.get("inputs") or {}).get("sources") if text else None
        if text and wanted and path.is_file() and sha256_file(path) != wanted:
            raise Unanswerable(
                f"{MANIFEST} is not the one that {text.file} was made with, so it does not say what was read. "
                f"Restore it (`git checkout -- {MANIFEST}`), or run `snakemake --cores all`."
            )

    @cached_property
    def source_files(self) -> list[dict[str, Any]]:
        """The committed files that hold what this chain read (see `regrow.evidence.sources.source_files`)."""
        gathered, root = self.gathered, self.ledger.root
        known = source_files(root) if gathered is not None else []
        crawled = [f for f in known if gathered and gathered.holds(f["path"], f["hosts"])]
        return [*crawled, *corpora.files(root, self.chain)]

    @cached_property
    def unlicensed(self) -> str:
        """How many documents have no licence on record: `4 of 14`; that it was not counted where no table is here."""
        name = "decontaminate"
        record = self.step(name)
        paths = (
            [self.ledger.root / record.path / f"{part}.parquet" for part in ("train", "heldout")]
            if record
            else []
        )
        if not paths or not all(path.is_file() for path in paths):
            return "not counted: the tables are not on disk"
        tables = [
            table
            for p in ("train", "heldout")
            if (table := self.outputs.table(name, f"{p}.parquet")) is not None
        ]
        found = [licence for table in tables for licence in _licences(table)]
        return f"{sum(one in (None, UNKNOWN) for one in found):,} of {len(found):,}"

    @property
    def is_model(self) -> bool:
        """Whether the artifact is a checkpoint."""
        return self.record.makes_checkpoint

    @property
    def name(self) -> str:
        """What to call it: the model's name with the checkpoint, or the model's name with the step."""
        model = str(self.stated.get("name") or "")
        what = self.record.name
        if self.record.trained is not None and self.is_model:
            stage, step = self.record.trained
            what = f"{stage}-step{step}"
        return f"{model} {what}".strip()

    @cached_property
    def stated(self) -> dict[str, Any]:
        """What the publisher states in the release of this artifact; of data, in a release made from it."""
        for record in reversed(self.ledger.of_step("release")):
            made = record.parts.get("inputs", {}).get("checkpoint")
            fits = made == self.record.sha256 if self.is_model else self._leads_to(record)
            if fits:
                return dict((record.parts.get("params") or {}).get("release") or {})
        return {}

    def _leads_to(self, release: Record) -> bool:
        if self.ledger.broken(release):
            return False
        return any(one.file == self.record.file for one in self.ledger.ancestry(release))

    def section(self, name: str) -> dict[str, Any]:
        """A params section as the last record of the chain that declares it has it, {} where none does."""
        found: dict[str, Any] = {}
        for record in self.chain:
            found = dict((record.parts.get("params") or {}).get(name) or found)
        return found

    @property
    def licence(self) -> str:
        """The licence of the weights as the publisher states it, "" where none is stated."""
        return str(self.stated.get("licence") or "")

    @property
    def description(self) -> str:
        """The publisher's description, "" where there is none."""
        return str(self.stated.get("description") or "")


def _licences(table: Any) -> list[str | None]:
    if "licence" not in table.collect_schema().names():
        return [None] * int(table.select("id").collect().height)
    return list(table.select("licence").collect()["licence"])


def subject(ledger: Ledger, name: str | None, about: About, time: str) -> Subject:
    """The subject that `name` means; None: the checkpoint at the end of the longest chain.

    An evaluation or a release is about its checkpoint, so the checkpoint is exported.

    Raises:
        Unanswerable: nothing is called so, there is no checkpoint yet, or its records are of several runs.
    """
    if name is None:
        record = ledger.final
        if record is None:
            raise Unanswerable(
                "there is no checkpoint in records/ to export. Name an artifact "
                "(`regrow export FORMAT dedup`), or run `snakemake --cores all` first."
            )
        return _sound(Subject(ledger, record, about, time))
    record = resolve(ledger, name).record
    if record.step in _NOT_TRAINING and record.trained is not None:
        stage, step = record.trained
        record = ledger.by_name.get(f"{stage}.{step:06d}", record)
    return _sound(Subject(ledger, record, about, time))


def _sound(found: Subject) -> Subject:
    why = found.ledger.broken(found.record)
    if why:
        raise Unanswerable(
            f"{found.record.name}: its records are of different runs ({why}), so they do not say how it came to be. "
            "Run `snakemake --cores all`, restore records/ with git, or name another artifact."
        )
    return found
