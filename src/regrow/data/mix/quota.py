"""How many tokens of each topic are wanted."""

from __future__ import annotations

from regrow.numerics import exact


def wanted(tokens: int, available: dict[str, float], weights: dict[str, float]) -> dict[str, float]:
    """Wanted tokens per topic.

    Named topics get their weight's share of `tokens`; the others divide the rest in proportion
    to what is available (their natural share). Where no other topic has documents, or a named
    one has none, the weights that are left are scaled to use up `tokens`.

    Args:
        tokens: wanted in all.
        available: topic -> tokens of its documents, > 0 each.
        weights: topic -> share.

    Raises:
        ValueError: a negative weight, or weights that sum to more than 1.
    """
    for topic, weight in weights.items():
        if weight < 0:
            raise ValueError(f"mix.topic_weights.{topic}: must not be negative, got {weight}.")
    if (promised := exact.total(weights.values())) > 1 + 1e-9:
        raise ValueError(
            f"mix.topic_weights: the shares sum to {promised:.6g}; they must not exceed 1."
        )
    named = {topic: weights[topic] for topic in sorted(available) if topic in weights}
    others = {topic: available[topic] for topic in sorted(available) if topic not in weights}
    rest = max(0.0, 1.0 - promised)
    natural = exact.total(others.values())
    shares = {
        **named,
        **{topic: rest * (have / natural) for topic, have in others.items()},
    }
    whole = exact.total(shares.values())
    if not whole:
        return dict.fromkeys(shares, 0.0)
    return {topic: tokens * (share / whole) for topic, share in sorted(shares.items())}
