"""Figures of docs/guides/verify.md: how many units of the published run a draw must take, and what it costs."""

from __future__ import annotations

import math

from derived_figures import ancestral_steps, segments
from regrow.prove.segments.odds import comb_odds, forged, needed, odds
from run_figures import DERIVED

FORGED = 0.05
"""the share that the page asks about"""


def spans() -> int:
    """Stretches of training between two stored states."""
    return len(segments())


def links_of_20() -> int:
    return sum(math.ceil(steps / 20) for steps in segments())


def drawn(units: int, wanted: float) -> int:
    """Units to draw for the odds that are wanted."""
    return needed(units, forged(units, FORGED), wanted)


def teeth() -> int:
    """Of the starts of a comb with 20 teeth, those that catch a forger who knows it."""
    gap = forged(ancestral_steps(), FORGED)
    return round(comb_odds(ancestral_steps(), gap, gap) * gap)


def hundredth() -> int:
    return round(ancestral_steps() / 100)


DERIVED.update(
    {
        "spans": spans,
        "links_of_20": links_of_20,
        "teeth": teeth,
        "hundredth": hundredth,
        "forged_spans": lambda: forged(spans(), FORGED),
        "forged_links_of_20": lambda: forged(links_of_20(), FORGED),
        "forged_steps": lambda: forged(ancestral_steps(), FORGED),
        "drawn_spans": lambda: drawn(spans(), 0.99),
        "drawn_links_of_20": lambda: drawn(links_of_20(), 0.99),
        "drawn_steps": lambda: drawn(ancestral_steps(), 0.99),
        "share_of_links_of_20": lambda: drawn(links_of_20(), 0.99) / links_of_20(),
        "share_of_steps": lambda: drawn(ancestral_steps(), 0.99) / ancestral_steps(),
        "unbroken_links_of_20": lambda: 20 / links_of_20(),
        "unbroken_steps": lambda: 20 / ancestral_steps(),
        "odds_of_hundredth": lambda: odds(
            ancestral_steps(), forged(ancestral_steps(), FORGED), hundredth()
        ),
        "spans_at_50": lambda: drawn(spans(), 0.5),
        "spans_at_90": lambda: drawn(spans(), 0.9),
        "steps_at_50": lambda: drawn(ancestral_steps(), 0.5),
        "steps_at_90": lambda: drawn(ancestral_steps(), 0.9),
        "share_at_50": lambda: drawn(ancestral_steps(), 0.5) / ancestral_steps(),
        "share_at_90": lambda: drawn(ancestral_steps(), 0.9) / ancestral_steps(),
    }
)
