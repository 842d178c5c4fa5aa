"""All guards over one run."""

from __future__ import annotations

from regrow.ask.funnel.funnel import Funnel
from regrow.ask.guards import losses, mixes, reading, vanished
from regrow.ask.guards.finding import Finding, ranked
from regrow.evidence.ledger import Ledger


def check(ledger: Ledger, funnel: Funnel) -> list[Finding]:
    """What the guards find in a run, the gravest first.

    Args:
        ledger: the records, of which one chain is the run (`Ledger.sound`).
        funnel: the same run's.
    """
    readings = reading.recorded(ledger, funnel.outputs)
    mixed = [r.epochs for r in readings if r.data == "pack" and r.epochs]
    return ranked(
        [
            *losses.unbalanced(funnel),
            *losses.emptied(funnel),
            *vanished.vanished(funnel),
            *mixes.unlabelled(funnel, ledger),
            *mixes.unknown_licences(funnel),
            *mixes.repetition(funnel, max([*mixed, 1.0])),
            *reading.short(readings),
        ]
    )
