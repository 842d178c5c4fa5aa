"""What a run consists of for a verifier: spans between stored states, and their links.

A checkpoint stores the full training state, a link only its digest. So a *span*, from one
checkpoint of a stage to the next, is the least that can be rerun without help; a *link* inside it
can be rerun alone where the state at its start is stored or handed out, and otherwise from the
last stored state before it. The initial weights and a soup of checkpoints cost no training step:
they are rebuilt every time and are no units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.prove.segments.links import Link, links
from regrow.prove.segments.verified_files import VerifiedFiles

Kind = Literal["span", "link"]
KINDS: tuple[Kind, ...] = ("span", "link")


@dataclass(frozen=True)
class Span:
    """The training steps from a stored state to the next: begin excluded, end included."""

    record: Record
    begin: int
    end: int
    links: tuple[Link, ...]
    """as published"""

    @property
    def name(self) -> str:
        """Of the checkpoint at its end."""
        return self.record.name

    @property
    def steps(self) -> int:
        """Training steps."""
        return self.end - self.begin


@dataclass(frozen=True)
class Unit:
    """What is drawn: a span, or a link of one."""

    span: Span
    begin: int
    end: int

    @property
    def name(self) -> str:
        """`sft.000140` for a whole span, `sft.000140:20-40` for a link."""
        whole = (self.begin, self.end) == (self.span.begin, self.span.end)
        return self.span.name if whole else f"{self.span.name}:{self.begin}-{self.end}"


@dataclass(frozen=True)
class Run:
    """The training behind a checkpoint."""

    checkpoint: Record
    spans: tuple[Span, ...]
    made: tuple[Record, ...]
    """checkpoints that cost no training step: initial weights, soups"""
    ancestry: tuple[Record, ...] = ()
    """every record behind it, in the order of the flow"""

    @property
    def steps(self) -> int:
        """Training steps in all."""
        return sum(span.steps for span in self.spans)

    @property
    def checkpoints(self) -> list[Record]:
        """All, in the order of the flow."""
        return sorted([*(s.record for s in self.spans), *self.made], key=lambda r: r.order)

    def units(self, kind: Kind) -> list[Unit]:
        """All units of a kind, in the order of training."""
        if kind == "span":
            return [Unit(span, span.begin, span.end) for span in self.spans]
        found = []
        for span in self.spans:
            begin = span.begin
            for link in span.links:
                found.append(Unit(span, begin, link["step"]))
                begin = link["step"]
        return found


def run_of(ledger: Ledger, verified: VerifiedFiles, record: Record) -> Run:
    """The training in the ancestry of a checkpoint.

    Raises:
        Unanswerable: it is no checkpoint, or a chain of digests is not on disk.
    """
    if not record.makes_checkpoint:
        have = ", ".join(f"`{r.name}`" for r in ledger.checkpoints()[-6:]) or "none"
        raise Unanswerable(
            f"{record.name} is no checkpoint of a training stage: nothing was trained for it. "
            f"Checkpoints: {have}. `regrow rebuild {record.name}` rebuilds it."
        )
    spans: list[Span] = []
    made: list[Record] = []
    ancestry = tuple(ledger.ancestry(record))
    for one in ancestry:
        trained = one.trained
        if trained is None or not one.makes_checkpoint:
            continue
        if "data" not in one.inputs or not trained[1]:
            made.append(one)
            continue
        spans.append(Span(one, begins_at(one), trained[1], tuple(links(verified, one))))
    return Run(record, tuple(spans), tuple(made), ancestry)


def begins_at(record: Record) -> int:
    """The step of the stage at which the span of a checkpoint begins."""
    previous = record.inputs.get("previous")
    return 0 if previous is None else int(str(previous["path"]).rsplit("/", 1)[-1])
