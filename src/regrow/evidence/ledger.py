"""All records of a tree, in flow order, and the ancestry of each.

The format is described in docs/concepts/architecture.md, "Records". Nothing here reads data.
"""

from __future__ import annotations

import heapq
from functools import cached_property
from pathlib import Path
from typing import Any

from regrow.engine.names import shown
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record, marked, parse


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
        stages, thinks = self._ways[record.file]
        return thinks and record.options.get("branch") != "instruct", len(stages)

    @cached_property
    def _ways(self) -> dict[str, tuple[frozenset[str], bool]]:
        """Record file -> the stages that led to it, itself included, and whether one is tuned to think."""
        found: dict[str, tuple[frozenset[str], bool]] = {}
        for record in self.records:  # producers come first
            before = [found[parent.file] for parent in self.parents(record) if parent.file in found]
            stages = frozenset().union(*(names for names, _ in before))
            thinks = any(one for _, one in before)
            if record.makes_checkpoint:
                stages |= {record.step}
                options = record.options
                thinks = thinks or options.get("branch", options.get("form")) == "think"
            found[record.file] = (stages, thinks)
        return found

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


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unanswerable(
            f"records/{shown(path.name)} cannot be read: {error.strerror}."
        ) from None


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
