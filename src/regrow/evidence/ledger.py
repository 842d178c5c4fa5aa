"""All records of a tree, in flow order, and the ancestry of each.

The format is described in docs/concepts/architecture.md, "Records". Nothing here reads data.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from regrow.engine import definition, records, shape
from regrow.engine.names import shown
from regrow.engine.visible import visible
from regrow.evidence.errors import Unanswerable
from regrow.recipe import kinds, order
from regrow.recipe.kind import Kind
from regrow.release import stages

_ABOUT = ("regrow.evaluate.step:run", "regrow.release.step:run")
"""functions of steps whose instances name a checkpoint"""


@dataclass(frozen=True)
class Record:
    """One record: what a job made, from what, by which code, params, packages and arithmetic."""

    file: str
    """path of the record below the root"""
    raw: dict[str, Any] = field(repr=False)
    fault: str = ""
    """why it is not believed: a sentence's end, "" for a record that does not contradict itself"""

    @property
    def step(self) -> str:
        """The name of the step."""
        return str(self.raw["step"])

    @property
    def instance(self) -> str | None:
        """The instance of an instanced step, else None."""
        value = self.raw.get("instance")
        return None if value is None else str(value)

    @property
    def name(self) -> str:
        """`dedup`, or `pretrain.000120`."""
        return self.step if self.instance is None else f"{self.step}.{self.instance}"

    @property
    def key(self) -> str:
        """The step key (64 hex)."""
        return str(self.raw["key"])

    @property
    def parts(self) -> dict[str, Any]:
        """What the key is the digest of."""
        return dict(self.raw["parts"])

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """Input name -> kind, path, and for what a step made: its record."""
        return dict(self.raw["inputs"])

    @property
    def path(self) -> str:
        """The folder that the job filled, below the root."""
        return str(self.raw["output"]["path"])

    @property
    def sha256(self) -> str:
        """The digest of the output tree."""
        return str(self.raw["output"]["sha256"])

    @property
    def size(self) -> int:
        """Bytes of the output."""
        return int(self.raw["output"]["size"])

    @property
    def files(self) -> list[dict[str, Any]]:
        """The output's files: path (below the output), sha256, md5, size."""
        return list(self.raw["output"]["files"])

    @property
    def counts(self) -> dict[str, Any]:
        """What the step counted, {} where it counted nothing."""
        return dict(self.raw.get("counts") or {})

    @property
    def options(self) -> dict[str, Any]:
        """How the step differs from others that share its function."""
        return dict(self.parts.get("options") or {})

    @property
    def function(self) -> str:
        """The function that made it, "module:function"."""
        return str((self.parts.get("code") or {}).get("function", ""))

    @property
    def kind(self) -> Kind | None:
        """The kind of training that made it, None for what is no checkpoint."""
        return kinds.of(self.function)

    @property
    def stage(self) -> str:
        """The step's name without a seed's end."""
        return self.step.partition("_seed")[0]

    @property
    def is_control(self) -> bool:
        """Whether it is of a stage that others are compared with, or of a further run in another order."""
        return self.kind is not None and self.kind.is_control(self.options)

    @property
    def trained(self) -> tuple[str, int] | None:
        """Stage and training step of the checkpoint that this is or is about; None: no checkpoint.

        `rlvr.000080`, `evaluate.rlvr-000080` and `release.rlvr-000080` all give ("rlvr", 80).
        """
        if self.instance is None:
            return None
        if self.kind is not None:
            return (self.step, int(self.instance)) if self.instance.isdecimal() else None
        try:
            return stages.split(self.instance) if self.function in _ABOUT else None
        except ValueError:
            return None

    @property
    def makes_checkpoint(self) -> bool:
        """Whether the step is a training stage."""
        return self.kind is not None and self.trained is not None

    @property
    def order(self) -> tuple[bool, int, str, str]:
        """Sort key: the order of the flow, repetitions under other seeds behind, then step and instance."""
        return (
            "_seed" in self.step,
            order.rank(self.function),
            self.step,
            self.instance or "",
        )


class Ledger:
    """The records below `root`; `present`: those that are there now, so that the params there are about them."""

    def __init__(self, root: Path, records: list[Record], *, present: bool = False) -> None:
        self.root = root
        self.present = present
        self._stages = {record.step: record.order for record in records if record.kind}
        self.records = self._in_order(records)
        self.by_name = {record.name: record for record in self.records}

    def _in_order(self, records: list[Record]) -> list[Record]:
        """Producers before consumers, and else by `order`: a recipe may put its stages in any order."""
        here = {record.file: record for record in records}
        waits: dict[str, int] = {}
        feeds: dict[str, list[Record]] = {}
        for record in records:
            named = {str(entry.get("record", "")) for entry in record.inputs.values()}
            before = named & here.keys() - {record.file}
            waits[record.file] = len(before)
            for file in before:
                feeds.setdefault(file, []).append(record)
        ready = [(self.order(r), r.file) for r in records if not waits[r.file]]
        heapq.heapify(ready)
        found: list[Record] = []
        while ready:
            record = here[heapq.heappop(ready)[1]]
            found.append(record)
            for other in feeds.get(record.file, []):
                waits[other.file] -= 1
                if not waits[other.file]:
                    heapq.heappush(ready, (self.order(other), other.file))
        if len(found) < len(records):  # records that name each other in a circle
            done = {record.file for record in found}
            found += sorted((r for r in records if r.file not in done), key=self.order)
        return found

    def order(self, record: Record) -> tuple[Any, ...]:
        """Sort key: that of the record, and of what is about a checkpoint the place of its stage."""
        first = (*record.order[:3],)
        about = record.trained if record.kind is None else None
        stage = self._stages.get(about[0], ()) if about else ()
        return (*first, stage, record.instance or "")

    @classmethod
    def load(cls, root: Path, *, faulty: bool = False) -> Ledger:
        """Read `root/records/*.json`.

        Args:
            root: of the repository.
            faulty: whether to keep records that contradict themselves, marked by their `fault`; else they
                are refused, for nothing that is said of them would be true.

        Raises:
            Unanswerable: there are none, or one is not a record, or contradicts itself.
        """
        reading = marked if faulty else parse
        found = [
            reading(_content(path), f"records/{path.name}")
            for path in sorted((root / "records").glob("*.json"))
        ]
        if not found:
            raise Unanswerable(
                f"no records in {root / 'records'}: nothing has been built here. "
                "Run `snakemake --cores all`, or `git pull` a published run."
            )
        return cls(root, found, present=True)

    def content(self, record: Record) -> bytes:
        """The bytes that are below the root at the place of a record, none if there are none."""
        try:
            return (self.root / record.file).read_bytes()
        except OSError:
            return b""

    @cached_property
    def by_file(self) -> dict[str, Record]:
        """Record file -> record."""
        return {record.file: record for record in self.records}

    def of_step(self, step: str) -> list[Record]:
        """The records of one step, by instance."""
        return [record for record in self.records if record.step == step]

    def checkpoints(self, stage: str | None = None) -> list[Record]:
        """The checkpoints (of one stage), in the order of training."""
        return [r for r in self.records if r.makes_checkpoint and stage in (None, r.step)]

    @property
    def final(self) -> Record | None:
        """The checkpoint at the end of the longest chain that is here; None: there is none.

        Chains that hold together go first: records of another run may be left in the tree.
        """
        lasts: dict[str, Record] = {}
        for record in self.checkpoints():
            if not record.is_control and record.stage == record.step:
                lasts[record.step] = record
        made = sorted(lasts.values(), key=lambda one: (*self.way(one), one.order), reverse=True)
        return next((one for one in made if not self.broken(one)), made[0] if made else None)

    def way(self, record: Record) -> tuple[bool, int]:
        """How far a checkpoint is from the beginning: whether it is tuned to think, and how many stages led to it."""
        chain = {one.step for one in self.ancestry(record) if one.makes_checkpoint}
        thinks = any(
            one.options.get("branch", one.options.get("form")) == "think"
            for one in self.ancestry(record)
            if one.makes_checkpoint
        )
        instruct = record.options.get("branch") == "instruct"
        return thinks and not instruct, len(chain)

    def broken(self, record: Record) -> str:
        """Where the chain of a record does not hold together, "" where it does.

        A record names the content of each input. Where the record of the step that makes it describes other
        content, the two are of different runs, and the chain is not how the artifact came to be.
        """
        return self._broken.get(record.file, "")

    @cached_property
    def _broken(self) -> dict[str, str]:
        found: dict[str, str] = {}
        done: set[str] = set()

        def visit(record: Record) -> str:
            if record.file in done:
                return found.get(record.file, "")
            done.add(record.file)
            digests = record.parts.get("inputs") or {}
            for name, entry in record.inputs.items():
                parent = self.by_file.get(str(entry.get("record", "")))
                if parent is None:
                    continue
                wanted = digests.get(name)
                if entry.get("kind") == "data" and wanted and wanted != parent.sha256:
                    why = f"{record.name} was made from another {parent.name} than {parent.file} describes"
                else:
                    why = visit(parent)
                if why:
                    found[record.file] = why
                    return why
            return ""

        for record in self.records:
            visit(record)
        return found

    def sound(self) -> Ledger:
        """The records whose chains hold together."""
        whole = [record for record in self.records if not self.broken(record)]
        return Ledger(self.root, whole, present=self.present)

    def about(self, step: str, checkpoint: Record) -> Record | None:
        """The record of `step` (`evaluate`, `release`) about a checkpoint, None where there is none."""
        _, _, seed = checkpoint.step.partition("_seed")
        instance = f"{checkpoint.step}-{checkpoint.instance}"
        own = self.by_name.get(f"{step}_seed{seed}.{instance}") if seed else None
        return own or self.by_name.get(f"{step}.{instance}")

    def parents(self, record: Record) -> list[Record]:
        """The records that this one names as inputs and that are here."""
        named = (entry.get("record") for entry in record.inputs.values())
        return [self.by_file[name] for name in named if name in self.by_file]

    def ancestry(self, record: Record) -> list[Record]:
        """`record` and everything it was made from, in flow order."""
        seen: dict[str, Record] = {}
        queue = [record]
        while queue:
            item = queue.pop()
            if item.file not in seen:
                seen[item.file] = item
                queue.extend(self.parents(item))
        return self._in_order(list(seen.values()))


def parse(data: bytes, file: str) -> Record:
    """A record from its bytes, which contradicts itself nowhere.

    Raises:
        Unanswerable: it is none, or its key or digests do not follow from its content, or a name in it
            leaves its folder.
    """
    record = marked(data, file)
    if record.fault:
        raise Unanswerable(f"{shown(file)} is not believed: {record.fault}. {_mended(file)}")
    return record


def marked(data: bytes, file: str) -> Record:
    """As `parse`, but what contradicts itself is returned with its `fault`.

    One of a definition of the key that is not known here is no contradiction: it is read, and `audit` says so.

    Raises:
        Unanswerable: it is no record at all, or says what no reader may follow (`shape.named`).
    """
    raw, why = records.read(data)
    record = Record(file, raw, "" if definition.unknown(raw) else why)
    try:
        broken = why if raw is None else (why and shape.named(raw)) or _unreadable(record)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        broken = f"{type(error).__name__}: {visible(str(error))}"
    if broken:
        raise Unanswerable(f"{shown(file)}: not a record ({broken}). {_mended(file)}")
    if not record.fault and file != f"records/{record.name}.json":
        return replace(record, fault=f"it is of another job, {record.name}")
    return record


def _unreadable(record: Record) -> str:
    """What every question follows and is not there, so that a broken record is named here and not deep inside."""
    _ = (record.key, record.options, dict(record.parts["inputs"]))
    for entry in record.inputs.values():
        if not isinstance(entry, dict) or not isinstance(entry.get("record", ""), str):
            return "an input of it is none"
    # `counts` is whatever the step returned; most return a mapping, and some nothing.
    return "" if isinstance(record.raw["counts"], dict | None) else "its counts are none"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unanswerable(
            f"records/{shown(path.name)} cannot be read: {error.strerror}."
        ) from None


def _mended(file: str) -> str:
    place = shown(file)
    return f"Restore it with `git checkout -- {place}`, or delete it and run `snakemake`."


def find_root(start: Path | None = None) -> Path:
    """The folder at or above `start` (default: the current one) that holds the flow.

    Raises:
        Unanswerable: there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "Snakefile").is_file() or (folder / "records").is_dir():
            return folder
    raise Unanswerable(
        f"{here} is not inside a Regrow repository (no Snakefile or records/ at or above it). "
        "Change into your clone first."
    )
