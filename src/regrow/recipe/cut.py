"""The steps after dedup that a recipe may cut: a job for each range of the documents, and one that gathers.

What gathers has the name, the function and the outputs of the step that is not cut, so nothing that reads it can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from regrow import selection
from regrow.engine.step import Input, Step
from regrow.params.names import CUT_STEPS


def decontaminate(step: Step, params: Mapping[str, Any]) -> list[Step]:
    """The step, and where the recipe cuts it what it gathers: the hold-out, and what was found in each part."""
    held = replace(
        step, name="decontaminate_heldout", function=_of(step, "hold_out"), doc="Of a cut recipe only: the hold-out set.",
        inputs=tuple(found for found in step.inputs if found.name == "dedup"),
    )  # fmt: skip
    return _cut(
        step,
        params,
        "What a part of the documents shares with the hold-out set, evals and tasks.",
        held,
    )


def classify(step: Step, params: Mapping[str, Any]) -> list[Step]:
    """The step, and where the recipe cuts it what it gathers: the models, and the scores of each part."""
    models = replace(
        step, name="classify_models", function=_of(step, "models"),
        doc="Of a cut recipe only: the models of topic and quality.",
    )  # fmt: skip
    return _cut(step, params, "Topic and quality of a part of the documents.", models)


def pack(step: Step, params: Mapping[str, Any]) -> list[Step]:
    """The step, and where the recipe cuts it the tokens of each part, which do not depend on the section `pack`."""
    return _cut(step, params, "Tokens of a part of the documents.", params=())


def _of(step: Step, function: str) -> str:
    return f"{step.function.partition(':')[0]}:{function}"


def _cut(step: Step, recipe: Mapping[str, Any], doc: str, *before: Step, **more: Any) -> list[Step]:
    count = int(recipe.get("parts", 1))
    if count == 1:
        return [step]
    name = f"{step.name}_part"
    instances = [selection.instance(part, count) for part in range(count)]
    prepared = tuple(Input(name=one.name.rpartition("_")[2], step=one.name) for one in before)
    inputs = (*step.inputs, *prepared)
    part = replace(
        step, name=name, function=_of(step, "part"), inputs=inputs, instances=lambda _: instances,
        doc=f"Of a cut recipe only: {doc[0].lower()}{doc[1:]}", **more,
    )  # fmt: skip
    gathered = Input(name="part", step=name, instance="all")
    return [*before, part, replace(step, inputs=(*inputs, gathered))]


def parts(records: Iterable[Mapping[str, Any]]) -> int:
    """Into how many parts the steps of a run are cut, by its records (as JSON)."""
    made = (str(r["instance"]) for r in records if r["step"] in CUT_STEPS and r["instance"])
    found = map(selection.parts_of, made)
    return max(found, default=1)
