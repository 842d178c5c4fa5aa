"""The steps that ask about checkpoints and data: indexes, evaluations, releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from regrow.engine.step import Input, Step
from regrow.params.names import CUT_STEPS
from regrow.recipe.data import MADE, forks, masked, reading
from regrow.recipe.kind import judged_pairs
from regrow.recipe.kinds import METHODS
from regrow.recipe.lines import FMA32, MIXES, Recipe, named
from regrow.recipe.training import seeded


def index(recipe: Recipe) -> Step:
    """The search index of each data set of training."""
    return Step(
        name="index",
        part="results",
        doc="The suffix array of the tokens of one training data set.",
        function="regrow.data.index.step:run",
        inputs=(Input(name="data", instance="named"),),
        instances=_indexed(recipe),
        options=lambda instance: {"kind": _kind_of(recipe, instance or "")},
        leaf=("meta.json",),
    )


def _kind_of(recipe: Recipe, instance: str) -> str:
    """The kind of data set that an instance of the index is about, masked or forked or not."""
    step = instance.rpartition("-")[0] or instance
    for data in recipe.data_sets():
        kind = recipe.data_kind(data)
        if step in (data, recipe.fork_step(data), f"{data}_masked"):
            return kind
    return step


def _indexed(recipe: Recipe) -> Callable[[Any], list[str]]:
    def found(params: Any) -> list[str]:
        names = []
        for data in recipe.data_sets():
            kind = recipe.data_kind(data)
            if kind == "difficulty":
                continue
            brings = recipe.brings(data)
            at = data
            if brings and (fork := forks(brings)(params)):
                at = f"{recipe.fork_step(data)}-{fork[0]}"
            if kind in MIXES and (down := masked(reading(recipe, data))(params)):
                at = f"{data}_masked-{down[0]}"
            names.append(at)
        return names

    return found


def evaluate(recipe: Recipe, seed: int = 0) -> Step:
    """What a checkpoint can do, by its stage."""
    chosen = recipe.evaluated(seed)
    end = f"_seed{seed}" if seed else ""
    probes = {e["name"] + end: recipe.probes(e) for e in chosen}
    inputs = [
        Input(name="checkpoint", instance="named"),
        *(Input(name=s, step=s) for s in ("tokenizer", "decontaminate", "tasks")),
    ]
    longcontext_data = next(
        (d for d in recipe.data_sets() if recipe.data_kind(d) == "longcontext_data"), ""
    )
    if longcontext_data and (
        long := tuple(name for name, what in probes.items() if what.get("long"))
    ):
        inputs.append(Input(name="longcontext_data", step=longcontext_data, for_stages=long))
    pairs: dict[str, list[str]] = {}
    for entry in chosen:
        if probes[entry["name"] + end].get("preferences"):
            data = seeded(judged_pairs(entry, recipe.stages), seed)
            pairs.setdefault(data, []).append(entry["name"] + end)
    inputs += [
        Input(name="pairs", step=data, for_stages=tuple(names)) for data, names in pairs.items()
    ]
    if recipe.params["evaluate"].get("tasks"):
        apart = [name for name, what in probes.items() if what.get("tasks") != 0]
        only = tuple(apart) if len(apart) < len(probes) else ()
        if apart:
            inputs.append(Input(name="evals", kind="source", path="evals", for_stages=only))
    return Step(
        name=f"evaluate{end}",
        part="results",
        doc="Bits per byte, tasks, long context and preferences, as far as the stage has them.",
        function="regrow.learn.evaluate.step:run",
        params=("evaluate",),
        inputs=tuple(inputs),
        **FMA32,
        leaf=("results.json",),
        instances=named([e["name"] for e in chosen], end),
        options=lambda instance: {"probes": probes[(instance or "").rpartition("-")[0]]},
        group="seeds" if seed else "main",
    )


def release(recipe: Recipe, before: Mapping[str, Step]) -> Step:
    """The step that writes the cards, with the records of everything that a checkpoint was made from."""
    names = recipe.released()
    made = [name for name in MADE if name in before]
    inputs = [
        Input(name="checkpoint", instance="named"),
        Input(name="tokenizer", step="tokenizer"),
        Input(name="evaluate", step="evaluate", instance="same"),
        *(
            [Input(name="sources", kind="source", path="sources/manifest.yaml")]
            if "crawl" in before
            else []
        ),
        *(Input(name=f"record.{s}", kind="record", step=s) for s in made),
        Input(name="record.checkpoint", kind="record", instance="named"),
        *(Input(name=s, step=s) for s in ("decontaminate", "mix")),
        *_brought(recipe, before),
    ]
    found = Step(
        name="release",
        part="results",
        doc="The checkpoint in Hugging Face format, with model card and data card.",
        function="regrow.release.step:run",
        params=("release",),
        inputs=tuple(inputs),
        instances=named(names),
        options=lambda instance: {"methods": _methods(recipe, instance or "")},
        leaf=("model.safetensors", "README.md"),
    )
    return _with_chain(found, [e["name"] for e in recipe.stages], before)


def _methods(recipe: Recipe, instance: str) -> dict[str, Any]:
    """What the kinds of a checkpoint's stages are called and do: an edit moves the releases that say it."""
    name = instance.rpartition("-")[0]
    stages = [*recipe.ancestors(name), name]
    functions = {recipe.kind(recipe.by_name[stage]).function for stage in stages}
    return {function: METHODS[function] for function in sorted(functions)}


def _brought(recipe: Recipe, before: Mapping[str, Step]) -> list[Input]:
    """What a fork's own checkpoints were made from besides: nothing where there is no fork."""
    found = []
    for data in recipe.sources():
        kind = recipe.data_kind(data)
        reached = tuple(e["name"] for e in recipe.stages if _reads(recipe, e, data))
        if kind == "chats":
            found.append(Input(name=data, step=data, for_stages=reached))
        step = recipe.fork_step(data)
        if step not in before:
            continue
        if not recipe.is_joined(data):  # its parts' steps say what was brought
            found.append(Input(name=step, step=step, instance="all", for_stages=reached))
        found.append(
            Input(
                name=f"record.{step}", kind="record", step=step, instance="all", for_stages=reached
            )
        )
    return found


def _reads(recipe: Recipe, entry: Mapping[str, Any], data: str) -> bool:
    """Whether a stage, or one that it is made from, reads a data set or what is made from it."""
    names = [*recipe.ancestors(entry["name"]), entry["name"]]
    named = {recipe.by_name[name]["data"] for name in names} - {""}
    read = {one for other in named for one in (other, *recipe.parts(other))}
    if recipe.data_kind(data) == "midtrain_data":
        return data in read or any(recipe.data_kind(d) == "longcontext_data" for d in read)
    return data in read


def _upstream(name: str, steps: Mapping[str, Step]) -> dict[str, str]:
    """Steps whose data a stage is made from -> which of their instances; not the stage itself."""
    found: dict[str, str] = {}
    queue = [name]
    while queue:
        for item in steps[queue.pop()].inputs:
            if item.kind != "data" or item.step in ("", name, *CUT_STEPS):
                continue  # what a cut step gathers, its own record sums up
            if item.step not in found:
                queue.append(item.step)
            if found.get(item.step, "inherited") == "inherited":
                found[item.step] = item.instance  # what every run reads goes before a fork's own
    return found


def _one_of(instance: str) -> str:
    """The instance of a step whose record stands for the step.

    Parts of a source are alike but for their counts, which the record of the step that gathers them adds up: the
    first one is read, however many there are, so that no card depends on their number.
    """
    if instance in ("all", "same"):
        return "first"
    return "last" if instance in ("first", "last", "previous") else instance


def _with_chain(step: Step, stages: list[str], steps: Mapping[str, Step]) -> Step:
    """The release step with the records of all that its checkpoints were made from.

    The cards say of each stage what its own record says, so a recipe without a stage, or with another base, is
    described as it is.
    """
    have = {item.name for item in step.inputs}
    needed: dict[tuple[str, str], list[str]] = {}
    for name in stages:
        for other, instance in _upstream(name, steps).items():
            which = _one_of(instance)
            needed.setdefault((other, which), []).append(name)
    more = tuple(
        Input(
            name=f"record.{other}",
            kind="record",
            step=other,
            instance=which,  # type: ignore[arg-type]
            for_stages=tuple(names),
        )
        for (other, which), names in needed.items()
        if f"record.{other}" not in have
    )
    return replace(step, inputs=(*step.inputs, *more))
