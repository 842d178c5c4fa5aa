"""The step `mixture`: a law for each evaluation, what the laws are worth on held-out proxies, and the best mixture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regrow.learn.search import law, optimum, rank, supply
from regrow.learn.search.names import MIXTURE, SCORES
from regrow.numerics import exact
from regrow.params.search import Search

KINDS = ("log_linear", "linear", "mean")
"""the law that decides, and two to compare it with: without the exponential, and the mean of the fitted proxies"""


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, tokens: int, most: float
) -> dict[str, Any]:
    """Write mixture.json: domains with limits and shares, per target its law, per proxy predicted and measured.

    Args:
        inputs: `domains`, and `proxy_scores.<instance>` of every proxy.
        params: carries `search`.
        output: the folder to fill.
        tokens: of the mix that is wanted (`mix.tokens`).
        most: times that the mix step can read a domain (`mix.max_repeats` x (1 - `mix.cutoff`)).

    Raises:
        ValueError: weights of targets that are not measured, or supplies that do not fill the mix.
    """
    p: Search = params.search
    measured = {
        name: json.loads((inputs[f"proxy_scores.{name}"] / SCORES).read_text(encoding="utf-8"))
        for name in p.instances()
    }
    domains = supply.read(inputs["domains"])
    used = sorted({name for one in measured.values() for name in one["shares"]})
    natural = supply.natural({name: domains[name] for name in used})
    rate = min(p.max_repeats, most)
    caps = {name: rate * domains[name].tokens / tokens for name in used}
    targets = sorted(measured[p.instances()[0]]["targets"])
    weights = _weights(p.weights, targets)
    rows = {n: [one["shares"].get(d, 0.0) for d in used] for n, one in measured.items()}
    values = {
        target: {n: float(one["targets"][target]["bits_per_byte"]) for n, one in measured.items()}
        for target in targets
    }
    fitted = [name for name in p.instances() if not p.is_held_out(name)]
    fits = {target: _fit(rows, values[target], fitted) for target in targets}
    laws = [fits[target]["log_linear"] for target in targets]
    found = optimum.optimum(
        laws,
        [weights[t] for t in targets],
        [natural[d] for d in used],
        [caps[d] for d in used],
        p.divergence,
    )
    shares = optimum.decimals(found.shares, [caps[d] for d in used])
    told: dict[str, Any] = {
        "by": p.by,
        "tokens": tokens,
        "max_repeats": rate,
        "divergence": p.divergence,
        "gap": found.gap,
        "domains": {
            name: {
                "natural": natural[name],
                "share": share,
                "limit": min(caps[name], 1.0),
                "repeats": share * tokens / domains[name].tokens,
                "documents": domains[name].documents,
                "tokens": domains[name].tokens,
                "bytes_per_token": domains[name].bytes / domains[name].tokens,
            }
            for name, share in zip(used, shares, strict=True)
        },
        "left_out": sorted(set(domains) - set(used)),
        "targets": {
            target: {
                "weight": weights[target],
                "floor": float(exact.exp(fits[target]["log_linear"].c)),
                "slopes": dict(zip(used, fits[target]["log_linear"].t, strict=True)),
                "natural": fits[target]["log_linear"].predict([natural[d] for d in used]),
                "chosen": fits[target]["log_linear"].predict(shares),
            }
            for target in targets
        },
        "proxies": {
            name: {
                "held_out": name not in fitted,
                "shares": dict(zip(used, rows[name], strict=True)),
                "measured": {target: values[target][name] for target in targets},
                "predicted": {
                    target: {kind: fits[target][kind].predict(rows[name]) for kind in KINDS}
                    for target in targets
                },
            }
            for name in p.instances()
        },
    }
    told["worth"] = _worth(told["proxies"], weights)
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(told, indent=2, sort_keys=True) + "\n"
    (output / MIXTURE).write_text(text, encoding="utf-8")
    return {
        "proxies": len(rows),
        "fitted": len(fitted),
        "shares": dict(zip(used, shares, strict=True)),
        "worth": told["worth"]["held_out"]["mean"]["log_linear"],
    }


def _weights(given: Mapping[str, float], targets: Sequence[str]) -> dict[str, float]:
    if unknown := sorted(set(given) - set(targets)):
        raise ValueError(
            f"search.weights.{unknown[0]}: no hold-out domain is called so. There are {', '.join(targets)}."
        )
    asked = {target: float(given.get(target, 0.0) if given else 1.0) for target in targets}
    whole = exact.total(asked.values())
    return {target: weight / whole for target, weight in asked.items()}


def _fit(
    rows: Mapping[str, Sequence[float]], values: Mapping[str, float], fitted: Sequence[str]
) -> dict[str, law.Law]:
    x, y = [rows[name] for name in fitted], [values[name] for name in fitted]
    mean = law.Law("mean", exact.mean(y), [0.0] * len(x[0]))
    return {"log_linear": law.log_linear(x, y), "linear": law.linear(x, y), "mean": mean}


def _worth(proxies: Mapping[str, Any], weights: Mapping[str, float]) -> dict[str, Any]:
    """Per target, and for the weighted mean: rank correlation, mean error and R² of each law, fitted and held out."""
    found: dict[str, Any] = {}
    for part, held_out in (("fitted", False), ("held_out", True)):
        chosen = [one for one in proxies.values() if one["held_out"] is held_out]

        def pairs(
            kind: str, of: Mapping[str, float], chosen: list[Any] = chosen
        ) -> list[rank.Pair]:
            return [
                (
                    exact.total(w * one["predicted"][target][kind] for target, w in of.items()),
                    exact.total(w * one["measured"][target] for target, w in of.items()),
                )
                for one in chosen
            ]

        found[part] = {
            "targets": {
                target: {kind: rank.worth(pairs(kind, {target: 1.0})) for kind in KINDS}
                for target in weights
            },
            "mean": {kind: rank.worth(pairs(kind, weights)) for kind in KINDS},
        }
    return found
