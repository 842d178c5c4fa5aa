"""How a checkpoint came to be: the chain of records by the weights that each stage began from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from regrow.release import methods, readings
from regrow.release.records import Artifact
from regrow.release.sentence import Sentence

WEIGHTS = ("base", "previous", *"abcdefghijklmnopqrstuvwxyz")
"""inputs of a training step that are checkpoints; letters: the runs that a soup averages"""


@dataclass(frozen=True)
class Trained:
    """One training stage on the way to a checkpoint."""

    name: str
    """of the step"""
    checkpoint: str
    """the last of its checkpoints that the chain holds: `sft.000420`"""
    title: str
    method: Sentence
    """what was minimised or maximised"""
    reads: Sentence
    """what it learned from"""
    form: str
    """of its prompts: plain, think, instruct"""
    known: bool = True
    """whether its function is one that the words here are about"""


def book(records: Iterable[Artifact]) -> dict[str, Artifact]:
    """Records by the name of the job."""
    return {record.step: record for record in records}


def ancestors(known: Mapping[str, Artifact], last: Artifact) -> list[Artifact]:
    """The training records that `last` began from and itself, in the order of training, one per stage.

    Follows the records' own inputs; what has no record here ends the walk.
    """
    found: dict[str, Artifact] = {}
    seen: set[str] = set()

    def visit(at: Artifact) -> None:
        seen.add(at.step)
        for name in WEIGHTS:
            parent = known.get(at.made_by(name))
            if parent is not None and parent.step not in seen:
                visit(parent)
        found[at.stage] = at  # later checkpoints of a stage come after earlier ones

    visit(last)
    return list(found.values())


def unknown(known: Mapping[str, Artifact], chain: Iterable[Artifact]) -> list[str]:
    """Checkpoints that the chain's records name as their beginning and whose records are not here."""
    return sorted(
        {
            name
            for record in chain
            for name in (record.made_by(each) for each in WEIGHTS)
            if name and name not in known and name.partition(".")[0] != record.stage
        }
    )


def history(known: Mapping[str, Artifact], last: Artifact, words: methods.Methods) -> list[Trained]:
    """The stages that led to the checkpoint of `last`, it included, in the words of their kinds."""
    found: list[Trained] = []
    forms: dict[str, str] = {}
    for record in ancestors(known, last):
        before = [forms[n] for name in WEIGHTS if (n := record.made_by(name)) in forms]
        form = methods.form(record, before[0] if before else "plain")
        forms[record.step] = form
        found.append(
            Trained(
                record.stage,
                record.step,
                methods.title(record, words),
                methods.method(record, words),
                readings.reads(record, known),
                form,
                methods.is_known(record, words),
            )
        )
    return found


def upstream(known: Mapping[str, Artifact], last: Artifact) -> list[Artifact]:
    """All records that `last` was made from, data steps too, and itself, in the order of making."""
    found: dict[str, Artifact] = {}

    def visit(at: Artifact) -> None:
        for source in at.inputs:
            parent = known.get(source.record)
            if parent is not None and parent.step not in found and parent is not at:
                visit(parent)
        found.setdefault(at.step, at)

    visit(last)
    return list(found.values())


def form(
    known: Mapping[str, Artifact], last: Artifact, default: str, words: methods.Methods
) -> str:
    """The form of a checkpoint's prompts by its chain; `default` where no words are about its function."""
    return history(known, last, words)[-1].form if methods.is_known(last, words) else default
