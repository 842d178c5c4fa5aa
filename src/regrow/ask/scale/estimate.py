"""`regrow plan --scale`: the whole estimate as one mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.ask.scale import flops, memory, shapes, stages
from regrow.data.tokens.shares import sizes
from regrow.evidence.errors import Unanswerable
from regrow.params.schema import Params, load
from regrow.recipe.lines import MIXES, Recipe

DAY = 86_400
TEXT_COPIES = ("text", "filter", "dedup", "decontaminate")
"""steps whose output holds the documents' text"""


@dataclass(frozen=True)
class Machine:
    """What it would run on."""

    gpus: int = 1_024
    utilisation: float = 0.40
    """share of the peak that training reaches (model FLOPs utilisation)"""
    peak: float = 989e12
    """operations per second and GPU; H100 SXM, dense bf16 (NVIDIA's data sheet)"""

    def days(self, operations: float) -> float:
        """Wall-clock days for so many operations."""
        return operations / (self.gpus * self.peak * self.utilisation) / DAY


def estimate(
    root: Path,
    params_file: str,
    machine: Machine | None = None,
    vocabulary: int | None = None,
) -> dict[str, Any]:
    """What the params file would take, JSON-able.

    Args:
        root: the repository.
        params_file: relative to `root`.
        machine: GPUs, utilisation, peak.
        vocabulary: tokens; default: of the params file (at most 65,536 there).

    Raises:
        ParamsError: the params file cannot be used.
        Unanswerable: a number of the machine makes no sense.
    """
    machine = machine or Machine()
    if machine.gpus < 1 or not 0 < machine.utilisation <= 1 or machine.peak <= 0:
        raise Unanswerable(
            f"--gpus {machine.gpus} --utilisation {machine.utilisation} --peak-flops {machine.peak:g}: "
            "give at least 1 GPU, a utilisation above 0 and up to 1, and a positive peak."
        )
    params = load(root / params_file)
    tokens = vocabulary or params.tokenizer.vocabulary
    if tokens < 1:
        raise Unanswerable(f"--vocabulary {tokens}: give the number of tokens.")
    rows = [_stage(plan, params, tokens, machine) for plan in stages.plans(params)]
    return {
        "params_file": params_file,
        "vocabulary": {"tokens": tokens, "rows": shapes.rows(tokens)},
        "parameters": _parameters(params, tokens),
        "machine": {
            "gpus": machine.gpus,
            "utilisation": machine.utilisation,
            "peak_flops": machine.peak,
        },
        "formula": flops.FORMULA,
        "stages": rows,
        "total": {
            "tokens": sum(row["tokens"] for row in rows),
            "flops": sum(row["flops"] for row in rows),
            "days": sum(row["days"] for row in rows),
            "gpu_hours": sum(row["days"] for row in rows) * 24 * machine.gpus,
        },
        "memory": _memory(params, tokens, machine, list(stages.plans(params))),
        "storage": _storage(params, tokens, rows),
        "jobs": _jobs(params),
    }


def _parameters(params: Params, tokens: int) -> dict[str, Any]:
    found = shapes.classes(params.model, tokens)
    return {
        "total": shapes.parameters(params.model, tokens),
        "multiplied": shapes.multiplied(params.model, tokens),
        "classes": [
            {
                "name": item.name,
                "tensors": item.count,
                "shape": list(item.shape),
                "parameters": item.parameters,
            }
            for item in found
        ],
    }


def _stage(plan: stages.StageCost, params: Params, tokens: int, machine: Machine) -> dict[str, Any]:
    cost = flops.training(params.model, tokens, plan.length)
    operations = plan.operations(params, tokens)
    size = stages.checkpoint_bytes(params, tokens, plan.optimizer)
    return {
        "stage": plan.name,
        "steps": plan.steps,
        "batch": plan.batch,
        "rows": plan.row,
        "length": plan.length,
        "at_most": plan.at_most,
        "tokens": plan.tokens,
        "flops_per_token": {
            "matrices": cost.matrices,
            "attention": cost.attention,
            "attention_all_pairs": cost.attention_all_pairs,
        },
        "further_forward_passes": plan.forwards,
        "flops": operations,
        "days": machine.days(operations),
        "tokens_per_second_and_gpu": machine.peak * machine.utilisation / cost.total,
        "checkpoints": plan.checkpoints,
        "checkpoint_bytes": plan.checkpoints * size,
    }


def _memory(
    params: Params, tokens: int, machine: Machine, plans: list[stages.StageCost]
) -> dict[str, Any]:
    """Of the stages whose rows are whole sequences: the shortest and the longest of them."""
    packed = [plan for plan in plans if not plan.at_most and plan.checkpoints]
    longest = max((plan.length for plan in packed), default=0)
    shown = [packed[0], *(plan for plan in packed[1:] if plan.length == longest)][:2]
    return {
        "own": {
            plan.name: memory.own(
                params.model,
                tokens,
                plan.optimizer,
                sequences=plan.micro,
                length=plan.length,
                micro_batches=plan.batch // plan.micro,
            )
            for plan in shown
        },
        "ranks": machine.gpus,
        "states": {
            precision: {
                str(stage): size
                for stage, size in memory.states(
                    params.model, tokens, shown[0].optimizer, machine.gpus, precision
                ).items()
            }
            for precision in memory.BYTES
        },
        "activations": {
            plan.name: memory.activations(params.model, tokens, plan.micro, plan.length)
            for plan in shown
        },
    }


def _storage(params: Params, tokens: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    text = params.mix.tokens * params.mix.bytes_per_token
    width = 2 if tokens <= 1 << 16 else 4
    found = packs(params)
    return {
        "checkpoints": sum(row["checkpoints"] for row in rows),
        "checkpoint_bytes": sum(row["checkpoint_bytes"] for row in rows),
        "text_bytes_per_copy": text,
        "text_copies": len(TEXT_COPIES),
        "bytes_per_packed_token": width,
        "packed_bytes": {name: count * width for name, count in found.items()},
    }


def packs(params: Params) -> dict[str, int]:
    """Tokens of each packed data set that a stage reads, as its settings ask for them."""
    asked = Recipe(params.model_dump(mode="json"))
    found: dict[str, int] = {}
    for data in asked.sources():
        kind = asked.data_kind(data)
        if asked.is_joined(data):
            if kind in MIXES:
                found[data] = _joined(asked.own[data], found)
        elif kind == "pack":
            found[data] = params.mix.tokens
        elif kind in MIXES:
            cut = 2 if kind == "longcontext_data" else 1  # cut short as well, for the control
            found[data] = cut * int(getattr(params, asked.section(data)).tokens)
    return found


def _joined(about: Mapping[str, Any], packs: Mapping[str, int]) -> int:
    """Tokens of packs that are joined, by the tokens of the packs."""
    of = about["of"]
    available = {name: packs[name] for name in of}
    given = sizes(available, of, most=about["tokens"], max_repeats=about["max_repeats"])
    return sum(given.values())


def _jobs(params: Params) -> dict[str, Any]:
    """Jobs of a plain run by step, from the table of steps."""
    from regrow.engine import jobs

    flow = jobs.flow().under(params.model_dump(mode="json"))
    unfolded = jobs.expand(flow, flow.instances(params)).values()
    by = Counter(job.step.name for job in unfolded if job.step.group == "main")
    return {"total": sum(by.values()), "by_step": dict(by)}
