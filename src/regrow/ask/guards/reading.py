"""What each stage reads of its data set against what that holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regrow.ask.guards.finding import Finding
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.evidence.runs.run import block

ROUNDING = 1.01
"""epochs: steps are whole batches, and a pack of just the wanted size is no warning"""
_ENOUGH = "fewer steps, or a larger data set; up to about four epochs repeated text is nearly worth new text"


@dataclass(frozen=True)
class Reading:
    """A stage and its data set."""

    stage: str
    data: str
    unit: str
    """what is counted: tokens, examples, pairs, prompts"""
    reads: int
    holds: int | None
    """None: not known"""
    before: tuple[str, ...] = ()
    """stages that it goes on from and that read the same data set"""
    before_reads: int = 0
    known_by: str = "record"
    """record, or estimate"""

    @property
    def place(self) -> str:
        """The folder of the data set, as sentences name it."""
        return f"data/{self.data.replace('.', '/')}"

    @property
    def epochs(self) -> float | None:
        """How often the stage reads its data set."""
        return self.reads / self.holds if self.holds else None

    def as_json(self) -> dict[str, Any]:
        """The reading as a mapping."""
        epochs = None if self.epochs is None else round(self.epochs, 4)
        return {**vars(self), "before": list(self.before), "epochs": epochs}


def recorded(ledger: Ledger, outputs: Outputs) -> list[Reading]:
    """The readings of the last checkpoint of each stage, by the records; repetitions under other seeds left out."""
    found: dict[str, Reading] = {}
    for stage in dict.fromkeys(record.step for record in ledger.checkpoints()):
        last = ledger.checkpoints(stage)[-1]
        data = data_record(ledger, last)
        if (
            "_seed" in stage
            or data is None
            or last.kind is None
            or not (last.trained or ("", 0))[1]
        ):
            continue
        way = {one.step for one in ledger.ancestry(last) if one.makes_checkpoint} - {stage}
        unit, reads, holds = _amounts(last, data, outputs)
        earlier = [r for r in found.values() if r.stage in way and r.data == data.name]
        earlier = earlier if unit == "tokens" else []
        found[stage] = Reading(
            stage, data.name, unit, reads, holds,
            tuple(r.stage for r in earlier), sum(r.reads for r in earlier),
        )  # fmt: skip
    return list(found.values())


def data_record(ledger: Ledger, checkpoint: Record) -> Record | None:
    """The record of the data set that a checkpoint was trained on."""
    for name in ("data", "pack"):
        if entry := checkpoint.inputs.get(name):
            return ledger.by_file.get(str(entry.get("record", "")))
    return None


def _amounts(last: Record, data: Record, outputs: Outputs) -> tuple[str, int, int | None]:
    """Unit, what the stage read, what the data set holds."""
    assert last.kind is not None and last.trained is not None
    settings, steps = block(last), last.trained[1]
    rows = steps * int(settings["batch_sequences"])
    if last.kind.unit == "sequences":
        meta = outputs.json(data.name, "meta.json") or {}
        tokens = holding(data, last.options) or meta.get("tokens")
        return (
            "tokens",
            int(last.counts.get("tokens") or rows * int(meta.get("sequence_length") or 0)),
            tokens,
        )
    if last.kind.unit == "answers":
        return "prompts", steps * int(settings["prompts"]), holding(data, last.options)
    return last.kind.unit, rows, holding(data, last.options)


def holding(data: Record, options: dict[str, Any]) -> int | None:
    """What a data set holds by its record, in the unit of the stage that reads it; None where it does not say."""
    counts = data.counts
    branch = counts.get(str(options.get("branch", "think")))
    pairs = counts.get("pairs")
    if isinstance(branch, dict):
        return branch.get("examples")
    if isinstance(pairs, dict):
        return pairs.get(str(options.get("source", "judged")))
    for name in ("tokens", "kept"):
        if isinstance(counts.get(name), int):
            return int(counts[name])
    return None


def short(readings: list[Reading]) -> list[Finding]:
    """Stages that read more than their data set holds: alone, or together with those that they go on from."""
    found = []
    for one in readings:
        if not one.holds:
            continue
        packed, times = one.unit == "tokens", one.reads / one.holds
        estimated = ", as estimated," if one.known_by == "estimate" else ""
        if times > 1:
            found.append(
                Finding(
                    "epochs",
                    "warn" if packed and times > ROUNDING else "note",
                    f"{one.stage} reads {one.reads:,} {one.unit} of {one.place}, which{estimated} holds {one.holds:,}: "
                    f"{times:,.2f} epochs.",
                    round(times, 4),
                    1,
                    _ENOUGH if packed and times > ROUNDING else "",
                    one.data,
                )
            )
        whole = (one.reads + one.before_reads) / one.holds
        if packed and one.before and times <= 1 and whole > ROUNDING:
            found.append(
                Finding(
                    "pack_short",
                    "warn",
                    f"{', '.join((*one.before, one.stage))} together read {one.reads + one.before_reads:,} tokens of "
                    f"{one.place}, which{estimated} holds {one.holds:,}: {whole:.2f} epochs.",
                    round(whole, 4),
                    1,
                    _ENOUGH,
                    one.data,
                )
            )
    return found
