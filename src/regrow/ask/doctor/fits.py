"""Whether the largest training stage of a recipe fits into this machine's memory."""

from __future__ import annotations

from regrow.ask.doctor import machine
from regrow.ask.guards.finding import Finding
from regrow.ask.scale import memory, stages
from regrow.params.schema import Params


def fits(params: Params, vocabulary: int, total: int | None = None) -> Finding:
    """The stage that needs most memory, against this machine.

    `total`: bytes of the machine; default: what the system or the container says.
    """
    need: dict[str, float] = {}
    for plan in stages.plans(params):
        parts = memory.own(
            params.model, vocabulary, plan.optimizer,
            sequences=int(plan.micro * plan.trained), length=plan.length,
            micro_batches=max(1, plan.batch // plan.micro),
        )  # fmt: skip
        need[plan.name] = parts["total"]
    if not need:
        return Finding("memory", "ok", "no stage trains.")
    name = max(need, key=lambda stage: need[stage])
    most = int(need[name])
    total = total or machine.memory(line_name="MemTotal")
    says = f"a process of {name} needs up to about {_gb(most)} (an estimate)"
    if total is None:
        return Finding("memory", "note", f"{says}; how much this machine has is unknown.", most)
    says += f"; this machine has {_gb(total)}."
    if most > total:
        fix = "a larger machine, fewer micro_batch_sequences, or a smaller model"
        return Finding("memory", "fail", says, most, total, fix, name)
    if most > 0.8 * total:
        return Finding(
            "memory", "warn", says, most, total, "one job at a time: `snakemake --cores 1`", name
        )
    return Finding("memory", "ok", says, most, total)


def _gb(count: float) -> str:
    return f"{count / 1e9:,.1f} GB"
