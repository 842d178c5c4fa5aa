"""Compute and energy of the training, from parameters and tokens (Annex XI, section 1, point 2, d and e).

C = 6 P D per stage (Kaplan et al. 2020, the approximation that the Commission's guidelines on
general-purpose AI models accept): P all parameters, D the tokens that the stage was trained on.
Sampling adds 2 P per token, the frozen reference of preference tuning 2 P D. Integers throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regrow.ask.scale import shapes
from regrow.publish.export.about import Energy
from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import sizes

THRESHOLD_GPAI = 10**23
"""FLOP above which the guidelines of July 2025 presume a general-purpose model"""
THRESHOLD_RISK = 10**25
"""FLOP above which Article 51(2) presumes systemic risk"""


@dataclass(frozen=True)
class Cost:
    """What a stage took."""

    stage: str
    tokens: int
    flop: int
    formula: str


def parameters(model: Mapping[str, Any], vocabulary: int) -> int:
    """Parameters of the Olmo 3 architecture with these params, embeddings counted once if tied."""
    hidden, heads = int(model["hidden"]), int(model["heads"])
    narrow = hidden // heads * int(model["kv_heads"])
    attention = (
        2 * hidden * hidden + 2 * hidden * narrow + hidden + narrow
    )  # with its q and k norms
    block = attention + 3 * hidden * int(model["ffn"]) + 2 * hidden
    embeddings = vocabulary * hidden * (1 if model["tied_embeddings"] else 2)
    return int(model["layers"]) * block + hidden + embeddings


def of(subject: Subject) -> int | None:
    """Parameters of the subject, None where its shape is not recorded."""
    model = subject.section("model")
    vocabulary = subject.section("tokenizer").get("vocabulary")
    for record in subject.chain:
        if record.step == "tokenizer":
            vocabulary = record.counts.get("vocabulary", vocabulary)
    if not model or not isinstance(vocabulary, int):
        return None
    return parameters(model, shapes.rows(vocabulary))


def costs(subject: Subject) -> list[Cost]:
    """The stages of the chain that trained, in the order of the flow; [] where P is not known."""
    size = of(subject)
    if size is None:
        return []
    sampled = sizes.rollouts(subject)
    preference = {one.name for one in subject.history if one.title.startswith("Preference")}
    found = []
    for stage, tokens in sizes.trained(subject).items():
        if not tokens:
            continue
        if stage in preference:
            found.append(Cost(stage, tokens, 8 * size * tokens, "6 P D + 2 P D (reference)"))
        elif stage in sampled:
            flop = 6 * size * tokens + 2 * size * sampled[stage]
            found.append(Cost(stage, tokens, flop, f"6 P D + 2 P × {sampled[stage]:,} sampled"))
        else:
            found.append(Cost(stage, tokens, 6 * size * tokens, "6 P D"))
    return found


def kilowatt_hours(flop: int, energy: Energy) -> float:
    """Estimated energy: time at the sustained rate, times power, times the building's overhead."""
    return flop / energy.flop_per_second * energy.watts * energy.pue / 3.6e6


def assumption(energy: Energy) -> str:
    """The estimate's assumptions, one sentence."""
    return (
        f"Assumed: {energy.hardware}, {energy.flop_per_second:.3g} FLOP/s sustained, "
        f"{energy.watts:g} W, power usage effectiveness {energy.pue:g}; "
        "energy = FLOP ÷ rate × power × effectiveness."
    )


def scientific(value: float) -> str:
    """1.23 × 10¹⁴."""
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
    return f"{mantissa} × 10{raised}"
