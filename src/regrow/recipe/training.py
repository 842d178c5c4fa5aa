"""The steps that train: a stage each, and what their models are asked to make the next one's data."""

from __future__ import annotations

from typing import Any

from regrow.engine.step import Input, Step
from regrow.params.names import ANSWERED
from regrow.recipe.kind import Entry
from regrow.recipe.lines import FMA32, Recipe, base, instances, last, model_of, settings


def seeded(name: str, seed: int) -> str:
    """The name of a stage or of its data under a seed: seed 0 has the plain one."""
    return f"{name}_seed{seed}" if seed else name


def stage(recipe: Recipe, entry: Entry, seed: int = 0) -> Step:
    """A training stage: from its base on its data, checkpoint after checkpoint."""
    kind, name = recipe.kind(entry), seeded(entry["name"], seed)
    group: Any = "seeds" if seed else "main"
    doc = kind.control_doc if recipe.is_control(entry) and kind.control_doc else kind.doc
    if entry["kind"] == "soup":
        return _soup(recipe, entry, doc)
    section, model = str(entry["settings"]), model_of(entry)
    inputs = [_data(recipe, entry, seed)]
    twin = recipe.twin(entry)
    if entry["kind"] == "midtrain" and recipe.is_control(entry) and twin:
        # A fork in midtraining goes on from one checkpoint in several orders of the data.
        inputs.append(Input(name="previous", step=twin, instance="inherited"))
    if kind.tokenizer:
        inputs.append(Input(name="tokenizer", step="tokenizer"))
    inputs.append(Input(name="previous", step=name, instance="previous"))
    if entry["base"]:
        inputs.append(base(_base(recipe, entry, seed)))
    options = recipe.options(entry)
    if kind.part == "post":
        options["seed"] = seed
    sections = ("model", section) if entry["kind"] == "pretrain" else (section,)
    return Step(
        name=name,
        part=kind.part,
        doc=doc,
        priority=kind.priority(entry),
        function=kind.function,
        params=sections,
        models={section: model} if section != model else {},
        inputs=tuple(inputs),
        **FMA32,
        instances=instances(entry["name"]),
        resumable=True,
        options=options,
        group=group,
    )


def _base(recipe: Recipe, entry: Entry, seed: int) -> str:
    """The stage that it begins from: the one under the same seed where there is one."""
    name = str(entry["base"][0])
    return seeded(name, seed if seed in recipe.by_name[name]["seeds"] else 0)


def _data(recipe: Recipe, entry: Entry, seed: int) -> Input:
    data = str(entry["data"])
    kind = recipe.data_kind(data)
    if kind in ANSWERED:
        return Input(name="data", step=seeded(data, seed))
    return recipe.source(data)


def _soup(recipe: Recipe, entry: Entry, doc: str) -> Step:
    runs = entry["base"]
    data = str(recipe.by_name[runs[0]]["data"])
    letters = "abcdefghijklmnopqrstuvwxyz"
    return Step(
        name=entry["name"],
        part="base",
        doc=doc,
        priority=10,
        function=recipe.kind(entry).function,
        inputs=(
            *(Input(name=letters[i], step=run, instance="last") for i, run in enumerate(runs)),
            recipe.source(data, "midtrain_data"),
        ),
        **FMA32,
        instances=last(entry["name"]),
        options={"stage": entry["name"]},
    )


def answers(recipe: Recipe, entry: Entry, seed: int, there: set[str]) -> list[Step]:
    """The step in which the base of a stage answers, for the stage to learn from: pairs or difficulty."""
    data = str(entry["data"])
    name, kind = seeded(data, seed), recipe.data_kind(data)
    if kind not in ANSWERED or name in there:
        return []
    own = recipe.own.get(data, {})
    model = own.get("base") or entry["base"][0]
    asked = recipe.by_name[model]
    policy = seeded(model, seed if seed in asked["seeds"] else 0)
    common: dict[str, Any] = {
        "name": name,
        "part": "post",
        "priority": 10 if entry["form"] == "think" else 0,
        "group": "seeds" if seed else "main",
        **FMA32,
    }
    section = recipe.section(data)
    tasks = tuple(Input(name=s, step=s) for s in ("tasks", "tokenizer"))
    if kind == "pairs":
        return [
            Step(
                doc="Judged pairs of the model's own samples, and delta-learning pairs.",
                function="regrow.learn.rl.pairs:run",
                inputs=(
                    Input(name="strong", step=policy, instance="last"),
                    Input(name="weak", step=policy, instance="first"),
                    *tasks,
                ),
                **settings(section, kind, {"seed": seed}),
                **common,
            )
        ]
    plain = entry["form"] == "plain"
    return [
        Step(
            doc="Prompts by pass rate of the base model, in the plain form."
            if plain
            else "Prompts by pass rate, without those that the model always solves.",
            function="regrow.learn.rl.difficulty:run",
            inputs=(Input(name="policy", step=policy, instance="last"), *tasks),
            **settings(section, kind, {"form": entry["form"], "seed": seed}),
            **common,
        )
    ]
