"""One record: what a job made, from what, and which kind of training it is of.

The format is described in docs/concepts/architecture.md, "Records".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from regrow.engine import definition, records, shape
from regrow.engine.names import shown
from regrow.engine.visible import visible
from regrow.evidence.errors import Unanswerable
from regrow.recipe import kinds, order
from regrow.recipe.kind import Kind
from regrow.release import stages

_ABOUT = ("regrow.learn.evaluate.step:run", "regrow.release.step:run")
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


def _mended(file: str) -> str:
    place = shown(file)
    return f"Restore it with `git checkout -- {place}`, or delete it and run `snakemake`."
