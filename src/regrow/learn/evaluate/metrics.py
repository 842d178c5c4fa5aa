"""What each probe measures: which way is better, and whether it is a share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from regrow.learn.evaluate import items as rows
from regrow.learn.evaluate.items import Item
from regrow.learn.evaluate.rates import pass_at, powers


@dataclass(frozen=True)
class Metric:
    """A probe as a figure."""

    title: str
    better: Literal["higher", "lower", "neither"] = "higher"
    rate: bool = True
    """values lie in 0 .. 1"""


METRICS: dict[str, Metric] = {
    "bits_per_byte": Metric("bits per byte of held-out text", "lower", False),
    "worked_answers": Metric("bits per byte of right answers", "lower", False),
    "exact_match": Metric("exact match, greedy"),
    "format": Metric("right form, greedy"),
    "tokens": Metric("tokens per greedy answer", "neither", False),
    "pass_rate": Metric("pass rate at T = 1"),
    "format_drawn": Metric("right form at T = 1"),
    "tokens_drawn": Metric("tokens per answer at T = 1", "neither", False),
    "constraints": Metric("share of constraints that hold"),
    "constraints_all": Metric("all constraints hold"),
    "tool_calls": Metric("tool calls that succeed"),
    "format_tools": Metric("right form with tools"),
    "loss_by_position": Metric("loss by position, nats per token", "lower", False),
    "loss_long": Metric("loss beyond the short context, nats per token", "lower", False),
    "needle": Metric("needles found"),
    "preference": Metric("chosen answer likelier than rejected"),
    "win_share": Metric("comparisons won, greedy"),
    "win_share_drawn": Metric("comparisons won at T = 1"),
    "preference_margin": Metric("margin of the chosen answer, nats per token", "higher", False),
}
VARIANTS = {
    "_yarn": "YaRN at evaluation",
    "_plain": "plain form",
    "_think": "Think form",
    "_instruct": "Instruct form",
}
"""ends of a probe's name: under another condition than the stage's own"""


def metric(probe: str) -> Metric:
    """The metric of a probe, `pass@k`, tasks of one's own and variants (`needle_yarn`) included.

    Raises:
        KeyError: an unknown probe.
    """
    if probe in METRICS:
        return METRICS[probe]
    if probe.startswith("task:"):
        _, task, measure = probe.split(":", 2)
        return Metric(f"{task}, {measure}", "lower" if "bits" in measure else "higher", False)
    if probe.startswith("pass@"):
        return Metric(f"passes in {probe[5:]} tries at T = 1")
    for end, condition in VARIANTS.items():
        if probe.endswith(end):
            base = METRICS[probe.removesuffix(end)]
            return Metric(f"{base.title} ({condition})", base.better, base.rate)
    raise KeyError(probe)


def figures(items: Iterable[Item], resamples: int, seed: int) -> dict[str, dict[str, Any]]:
    """Probe -> its figure (see `items.figure`) with `better`; `pass@k` follow from `pass_rate`.

    Bits per byte are not among them: they weigh documents by their bytes (see results.assemble).
    """
    by_probe: dict[str, list[Item]] = {}
    for item in items:
        by_probe.setdefault(item.probe, []).append(item)
    by_probe.pop("bits_per_byte", None)
    found = {}
    for probe in sorted(by_probe):
        members = by_probe[probe]
        found[probe] = _figure(probe, rows.averaged(members), resamples, seed)
        if probe == "pass_rate":
            samples = min(Counter((i.family, i.item) for i in members).values())
            found[probe]["samples"] = samples
            for k in powers(samples):
                values = rows.averaged(members, partial(pass_at, k))
                found[f"pass@{k}"] = _figure(f"pass@{k}", values, resamples, seed)
    return found


def _figure(
    probe: str, values: dict[tuple[str, str], float], resamples: int, seed: int
) -> dict[str, Any]:
    about = metric(probe)
    return {"better": about.better} | rows.figure(
        rows.scores(values), resamples, seed, rate=about.rate
    )
