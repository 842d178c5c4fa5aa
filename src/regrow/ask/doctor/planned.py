"""What each stage of a recipe will read, against what its data set holds: by records, else as its settings promise."""

from __future__ import annotations

from typing import Any

from regrow.ask.funnel.funnel import Funnel
from regrow.ask.guards.finding import Finding
from regrow.ask.guards.reading import Reading, holding
from regrow.ask.scale import stages
from regrow.ask.scale.estimate import packs
from regrow.engine.present import DEFAULT_PARAMS
from regrow.evidence.ledger import Ledger
from regrow.params.schema import Params
from regrow.recipe.kinds import KINDS
from regrow.recipe.lines import MIXES, Recipe

_TEXTS = ("decontaminate", "dedup", "filter", "text")
"""steps that hand on texts, the last first"""


def readings(
    params: Params, recipe: Recipe, ledger: Ledger | None, text: int | None
) -> list[Reading]:
    """The readings of a recipe's stages, in its order.

    Args:
        params: the recipe, and `recipe` the same as JSON.
        ledger: the records that describe it.
        text: tokens of text that the mix can draw at most; None: unknown.
    """
    promised = packs(params)
    for data in [name for name in promised if recipe.data_kind(name) == "longcontext_data"]:
        promised[data] //= 2  # it is counted in both cuts, and a stage reads one
    costs = {plan.name: plan for plan in stages.plans(params)}
    found: dict[str, Reading] = {}
    for stage in params.stages:
        cost, data = costs.get(stage.name), str(stage.data)
        if cost is None or not data:
            continue
        packed = recipe.data_kind(data) in MIXES
        rows = cost.steps * cost.batch
        unit, reads = ("tokens", cost.tokens) if packed else (cost.row, rows)
        if stage.kind == "rl":
            unit, reads = "prompts", cost.steps * int(getattr(params, stage.settings).prompts)
        holds, by = _holds(recipe, ledger, stage.name, data)
        if holds is None and packed:
            asked = promised.get(data)
            bounded = recipe.data_kind(data) == "pack" and text is not None
            holds = asked if asked is None or not bounded else min(asked, int(text or 0))
            by = "estimate" if holds is not None else by
        way = recipe.ancestors(stage.name)
        earlier = [found[name] for name in way if name in found and found[name].data == data]
        earlier = earlier if packed else []
        found[stage.name] = Reading(
            stage.name, data, unit, reads, holds,
            tuple(r.stage for r in earlier), sum(r.reads for r in earlier), by,
        )  # fmt: skip
    return list(found.values())


def _holds(recipe: Recipe, ledger: Ledger | None, stage: str, data: str) -> tuple[int | None, str]:
    record = ledger.by_name.get(data) if ledger else None
    if record is None:
        return None, "unknown"
    entry = recipe.by_name[stage]
    held = holding(record, KINDS[entry["kind"]].options(entry))
    if held is None:
        # The number of sequences is known, and their length by the settings.
        sequences = record.counts.get("sequences")
        length = (recipe.params.get(entry["settings"]) or {}).get("context")
        held = sequences * length if isinstance(sequences, int) and length else None
    return held, "record" if held is not None else "unknown"


def text_tokens(params: Params, funnel: Funnel | None) -> tuple[int | None, str]:
    """Tokens of text that the mix can draw at most, repeats counted, and the step whose record says it."""
    for step in _TEXTS:
        frame = funnel.rows.get(step) if funnel else None
        if frame is not None:
            size = int(frame.filter(frame["reason"].is_null())["bytes"].sum() or 0)
            return int(size / params.mix.bytes_per_token * params.mix.max_repeats), step
    return None, ""


def short_of_text(params: Params, text: int | None, step: str, file: str) -> list[Finding]:
    """Whether the mix wants more tokens than there can be; `file` is the params file, as a command names it."""
    wanted = params.mix.tokens
    config = "" if file == DEFAULT_PARAMS else f" --configfile {file}"
    if text is None:
        return [
            Finding(
                "text", "note", "how much text the sources give is not known: no record describes this recipe's text.",
                fix=f"run a part: `snakemake records/decontaminate.json --cores all{config}`, then ask again",
            )
        ]  # fmt: skip
    if text >= wanted:
        return [
            Finding(
                "text",
                "ok",
                f"mix.tokens asks for {wanted:,}; the documents that {step} keeps give up to {text:,} (an estimate).",
                wanted,
                text,
            )
        ]
    return [
        Finding(
            "text", "warn",
            f"mix.tokens asks for {wanted:,} tokens, but the documents that {step} keeps give {text:,} at most, with "
            f"mix.max_repeats {params.mix.max_repeats:g} and {params.mix.bytes_per_token:g} bytes a token (an estimate).",
            wanted, text, "add sources, or lower mix.tokens and the steps of the stages that read it", "mix",
        )
    ]  # fmt: skip


def unknown(found: list[Reading]) -> list[Finding]:
    """Stages of whose data set nothing is known yet."""
    names = [one.stage for one in found if one.holds is None]
    if not names:
        return []
    return [
        Finding(
            "reading", "note", f"what the data sets of {', '.join(names)} hold is not known before they are made.",
            fix="`snakemake records/DATASET.json` makes one alone",
        )
    ]  # fmt: skip


def as_json(found: list[Reading]) -> list[dict[str, Any]]:
    """The readings as rows."""
    return [one.as_json() for one in found]
