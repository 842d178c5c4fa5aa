"""The recipe of a run by its records: what a params file must say for the same jobs to come again.

A record names its function, its options and what it was made from, so each stage and data set can be written down as an
entry. Where all of them are those of the recipe after Olmo 3, nothing need be said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from regrow.recipe import corpora, cut, kinds
from regrow.recipe.kind import named
from regrow.recipe.lines import FORKJOIN, Recipe

_VARIANTS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "run": lambda value: ("order", ord(str(value)) - ord("a") + 1),
    "length": lambda value: ("length", value),
    "branch": lambda value: ("branch", value),
    "source": lambda value: ("pairs", value),
    "form": lambda value: ("form", value),
    "reward": lambda value: ("reward", value),
}
"""option of a stage -> the field of its entry, and its value there"""
_DATA = {
    "regrow.learn.tasks.midtrain_data:run": "midtrain_data",
    "regrow.learn.tasks.longcontext_data:run": "longcontext_data",
    "regrow.learn.tasks.sft_data:run": "sft_data",
    "regrow.learn.tasks.chats:run": "chats",
    "regrow.data.tokens.joined:run": "joined",
    "regrow.learn.tasks.joined:run": "joined",
    "regrow.learn.rl.pairs:run": "pairs",
    "regrow.learn.rl.difficulty:run": "difficulty",
}
"""function -> the kind of data set that it makes"""
_TOLD = ("share", "max_repeats", "max_tokens", "licence")
"""options of conversations that an entry says"""
Raw = Mapping[str, Any]


def recipe(records: Iterable[Raw]) -> dict[str, Any]:
    """`sources`, `parts`, `stages` and `datasets` of the run that left these records, producers first; {} for the default.

    Raises:
        regrow.params.entries.RecipeError: the records are of no one run.
    """
    from regrow.params.schema import Params, check

    every = list(records)
    made = [record for record in every if "_seed" not in str(record["step"])]
    by_file = {_file(record): record for record in made}
    stages: dict[str, dict[str, Any]] = {}
    datasets: dict[str, dict[str, Any]] = {}
    for record in made:
        kind = kinds.of(_function(record))
        if kind is not None:
            entry = stages.setdefault(str(record["step"]), _stage(kind.name, record, by_file))
            entry.setdefault("checkpoints", []).append(int(record["instance"]))
        elif own := _dataset(record, by_file):
            datasets[str(record["step"])] = own
    parts = cut.parts(made)
    cut_into: dict[str, Any] = {"parts": parts} if parts > 1 else {}
    if not stages:
        read = corpora.entries(made)
        return cut_into | ({"sources": read} if read else {})
    for record in every:
        stage, _, seed = str(record["step"]).partition("_seed")
        if seed and stage in stages:
            stages[stage]["seeds"] = sorted({*stages[stage].get("seeds", []), int(seed)})
    found = {
        "sources": corpora.entries(made),
        "stages": [{name: entry} for name, entry in stages.items()],
        "datasets": [{name: entry} for name, entry in datasets.items()],
    }
    sections: dict[str, dict[str, Any]] = {
        name: {} for entry in stages.values() if (name := entry.get("settings"))
    }
    own_sections: dict[str, Any] = {
        name: {} for name in sections if name not in Params.model_fields
    }
    loose = [{n: {k: v for k, v in e.items() if k != "checkpoints"}} for n, e in stages.items()]
    asked = check(found | {"stages": loose} | own_sections, "records")
    lists = _evaluated(every, asked)
    for name, probes in lists.items():
        stages[name]["evaluated"] = probes
    known = {stage.name: _mark(stage) for stage in Params().stages}
    if not datasets and not lists and all(known.get(s.name) == _mark(s) for s in asked.stages):
        return cut_into | ({"sources": found["sources"]} if found["sources"] else {})
    return cut_into | {name: entries for name, entries in found.items() if entries}


def _evaluated(records: Iterable[Raw], params: Any) -> dict[str, list[str]]:
    """Stage -> the probes that its evaluations name, where these are not all that it can have."""
    asked = Recipe(params.model_dump(mode="json"))
    found = {}
    for record in records:
        if _function(record) != "regrow.learn.evaluate.step:run":
            continue
        name = str(record["instance"]).rpartition("-")[0].partition("_seed")[0]
        probes = _options(record).get("probes")
        entry = asked.by_name.get(name)
        if entry is not None and probes is not None and dict(probes) != asked.probes(entry):
            found[name] = named(probes)
    return found


def _mark(stage: Any) -> dict[str, Any]:
    """What decides the jobs of a stage, without how many there are."""
    free = {"checkpoints", "seeds", "released", "evaluated"}
    return {k: v for k, v in stage.model_dump().items() if k not in free}


def _stage(kind: str, record: Raw, by_file: Mapping[str, Raw]) -> dict[str, Any]:
    options = _options(record)
    entry: dict[str, Any] = {"kind": kind}
    for option, field in _VARIANTS.items():
        if option in options:
            name, value = field(options[option])
            entry[name] = value
    if options.get("settings"):
        entry["settings"] = options["settings"]
    inputs = record["inputs"]
    runs = [name for name in sorted(inputs) if len(name) == 1]
    bases = [_step(inputs[name]) for name in (runs or ["base"]) if name in inputs]
    if bases:
        entry["base"] = bases if runs else bases[0]
    if "data" in inputs and kind != "soup":
        entry["data"] = _plain(_step(inputs["data"]), str(inputs["data"].get("record")), by_file)
    return entry


def _plain(step: str, file: str, by_file: Mapping[str, Raw]) -> str:
    """The data set that stands behind what a takedown masked or a fork joined."""
    record = by_file.get(file)
    while record is not None:
        if _DATA.get(_function(record)) == "joined":
            return step.removeprefix(FORKJOIN)
        inside = {
            "regrow.data.takedown.mask:run": "data",
            "regrow.learn.tasks.forkmix:run": "midtrain_data",
            "regrow.learn.tasks.forksft:run": "sft_data",
        }.get(_function(record))
        if inside is None:
            break
        entry = record["inputs"][inside]
        step, record = _step(entry), by_file.get(str(entry.get("record")))
    return step


def _dataset(record: Raw, by_file: Mapping[str, Raw]) -> dict[str, Any]:
    """The entry of a data set that is none of the built-in ones, {} for those."""
    kind = _DATA.get(_function(record))
    step = str(record["step"])
    if kind is None or step == kind or step.startswith(("pairs", "difficulty")):
        return {}
    if kind == "joined" and step.startswith(FORKJOIN):
        return {}  # the data set itself has a record as well
    options, inputs = _options(record), record["inputs"]
    entry: dict[str, Any] = {"kind": kind}
    if options.get("settings"):
        entry["settings"] = options["settings"]
    if kind == "chats":
        entry |= {"file": inputs["chats"]["path"], **{n: options[n] for n in _TOLD if n in options}}
        if "beside" in inputs:
            beside = inputs["beside"]
            entry["beside"] = _plain(_step(beside), str(beside.get("record")), by_file)
    if kind == "joined":
        entry["of"] = options["shares"]
        entry |= {n: options[n] for n in ("tokens", "examples", "max_repeats") if n in options}
    for name in ("strong", "policy"):
        if name in inputs:
            entry["base"] = _step(inputs[name])
    return entry


def _file(record: Raw) -> str:
    instance = record.get("instance")
    return f"records/{record['step']}{f'.{instance}' if instance else ''}.json"


def _step(entry: Mapping[str, Any]) -> str:
    """The step that made an input: `records/sft.000720.json` -> `sft`."""
    return str(entry.get("record", "")).removeprefix("records/").partition(".")[0]


def _function(record: Raw) -> str:
    return str((record["parts"].get("code") or {}).get("function", ""))


def _options(record: Raw) -> Mapping[str, Any]:
    return record["parts"].get("options") or {}
