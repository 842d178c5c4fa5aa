"""The recipe as the table of steps reads it: stages, data sets, what follows from what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from regrow.engine.step import Input
from regrow.learn.evaluate import offline
from regrow.params.names import ANSWERED, CONTENT, JOINED
from regrow.recipe import kind as probing
from regrow.recipe.kind import Entry, Kind
from regrow.recipe.kinds import KINDS

FMA32: dict[str, Any] = {"numerics": "fma32", "idle": offline.IDLE}
"""steps that run a model; transformers imports these packages for features that no step uses"""
MIXES = ("pack", "midtrain_data", "longcontext_data")
"""kinds of data sets that are packed text, which a takedown masks"""

BRINGS = {"midtrain_data": "documents", "sft_data": "chats"}
"""kind of data set -> what of a fork's joins it"""
FORKJOIN = "forkjoin_"
"""beginning of the name of the step that joins, of a fork, what is joined without it as well"""


class Recipe:
    """Stages and data sets of a params file, whose values are given as JSON."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params
        self.stages: list[Entry] = list(params["stages"])
        self.by_name: dict[str, Entry] = {entry["name"]: entry for entry in self.stages}
        self.own: dict[str, Entry] = {entry["name"]: entry for entry in params["datasets"]}
        self.seeds: list[int] = sorted({seed for s in self.stages for seed in s["seeds"]})

    def kind(self, entry: Entry) -> Kind:
        """The kind of a stage."""
        return KINDS[entry["kind"]]

    def options(self, entry: Entry) -> dict[str, Any]:
        """What the function of a stage is given beside the seed."""
        own = {"stage": entry["name"]}
        if entry["settings"]:
            own["settings"] = entry["settings"]
        return own | self.kind(entry).options(entry)

    def is_control(self, entry: Entry) -> bool:
        """Whether a stage is compared with, or is a further run in another order."""
        return self.kind(entry).is_control(self.kind(entry).options(entry))

    def data_kind(self, data: str) -> str:
        """The kind of step that makes a data set: a built-in one is called like it; of a joined one, that of what it
        is joined to."""
        if self.is_joined(data):
            return CONTENT[self.data_kind(self.parts(data)[0])]
        if data in self.own:
            return str(self.own[data]["kind"])
        return next((k for k in ANSWERED if data.startswith(k)), data)

    def is_joined(self, data: str) -> bool:
        """Whether a data set is joined of others."""
        return data in self.own and self.own[data]["kind"] == JOINED

    def parts(self, data: str) -> list[str]:
        """The data sets that a data set is joined of, by name; itself where it is not joined."""
        return sorted(self.own[data]["of"]) if self.is_joined(data) else [data]

    def leading(self, data: str, kind: str) -> str:
        """Of the parts of a data set that are of a kind, the one with the largest share; "" where none is."""
        of = self.own[data]["of"] if self.is_joined(data) else {data: 1}
        parts = [part for part in self.parts(data) if self.data_kind(part) == kind]
        return min(parts, key=lambda part: (-of[part], part), default="")

    def section(self, data: str) -> str:
        """The section with the settings of a data set."""
        kind = self.data_kind(data)
        if data not in self.own:
            return kind
        return str(self.own[data]["settings"]) or (data if data in self.params else kind)

    def readers(self, data: str) -> list[Entry]:
        """The stages that read a data set."""
        return [entry for entry in self.stages if entry["data"] == data]

    def data_sets(self) -> list[str]:
        """The data sets that stages read, in the order of the first that does."""
        return list(dict.fromkeys(entry["data"] for entry in self.stages if entry["data"]))

    def sources(self) -> list[str]:
        """The same, and those that joined ones of them are joined of, each before what is joined of it."""
        found = [(*self.parts(data), data) for data in self.data_sets()]
        return list(dict.fromkeys(data for each in found for data in each))

    def fork_step(self, data: str) -> str:
        """The step that joins what a fork brings to a data set, "" where nothing can be joined."""
        kind = self.data_kind(data)
        if self.is_joined(data):
            # A fork trains nothing more in pretraining.
            later = any(entry["kind"] != "pretrain" for entry in self.readers(data))
            able = later and any(map(self.fork_step, self.parts(data)))
            return f"{FORKJOIN}{data}" if able else ""
        first = {"midtrain_data": "forkmix", "sft_data": "forksft"}.get(kind, "")
        return first if not first or data == kind else f"{first}_{data}"

    def brings(self, data: str) -> str:
        """What of a fork's joins a data set: `documents`, `chats`, or "" for nothing."""
        return BRINGS.get(self.data_kind(data), "") if self.fork_step(data) else ""

    def source(self, data: str, name: str = "data") -> Input:
        """An input that is a data set; a fork's takes its place where the fork brings something."""
        return Input(name=name, step=data, substitute=self.fork_step(data))

    def ancestors(self, name: str) -> list[str]:
        """The stages that a stage is made from, the first one first."""
        found: dict[str, None] = {}
        for base in self.by_name[name]["base"]:
            found |= dict.fromkeys([*self.ancestors(base), base])
        return list(found)

    def twin(self, entry: Entry) -> str:
        """The stage that trains like this one in the first order of the data, "" where there is none."""
        for other in self.stages:
            same = all(other[part] == entry[part] for part in ("kind", "base", "data"))
            if same and not self.is_control(other):
                return str(other["name"])
        return ""

    @property
    def final(self) -> str:
        """The stage that makes the model that people want: the longest way, in the chat form where one leads there."""
        ranked = [
            (entry["form"] == "think", len(self.ancestors(entry["name"])), entry["name"])
            for entry in self.stages
            if not self.is_control(entry)
        ]
        return max(ranked, default=(False, 0, ""))[2]

    def evaluated(self, seed: int = 0) -> list[Entry]:
        """The stages whose checkpoints are evaluated, under a seed; the one that people want comes last."""
        found = [e for e in self.stages if e["evaluated"] and (not seed or seed in e["seeds"])]
        return sorted(found, key=lambda entry: entry["name"] == self.final)

    def probes(self, entry: Entry) -> dict[str, Any]:
        """What the checkpoints of a stage are asked (`regrow.learn.evaluate.probes.Probes`)."""
        return probing.asked(entry, self.kind(entry).probes(entry, self.stages))

    def mistaken(self) -> str:
        """What is wrong with the probes that stages name, "" where nothing is."""
        for entry in self.stages:
            if not entry["evaluated"] or isinstance(entry["evaluated"], bool):
                continue
            able = probing.named(self.kind(entry).probes(entry, self.stages))
            if not self.params["evaluate"]["tasks"]:
                able.remove("tasks")
            for name in entry["evaluated"]:
                if name not in able:
                    why = (
                        "`evaluate.tasks` names no task"
                        if name == "tasks"
                        else f"a stage of {entry['kind']} in this place of the recipe cannot have it"
                    )
                    return f"stages: {entry['name']}.evaluated: `{name}`: {why}. It can have: {', '.join(able)}."
        return ""

    def released(self) -> list[str]:
        """Names of the stages whose checkpoints are released, in the order of `evaluated`."""
        return [entry["name"] for entry in self.evaluated() if entry["released"]]


def base(step: str) -> Input:
    """The last checkpoint of a stage, to begin from."""
    return Input(name="base", step=step, instance="last")


def instances(name: str) -> Callable[[Any], list[str]]:
    """Instances of a training stage: the steps at which it keeps a checkpoint, as six digits."""

    def made(params: Any) -> list[str]:
        from regrow.params import points

        stage, fork = points.stage(params, name), params.fork
        if stage is None:
            return []
        steps = points.checkpoints(params, stage)
        if fork is not None and fork.stage == name and stage.kind == "pretrain":
            # What the parent trained after the fork point is not the fork's.
            steps = [step for step in steps if step <= fork.checkpoint]
        return [f"{step:06d}" for step in steps]

    return made


def last(name: str) -> Callable[[Any], list[str]]:
    """The last checkpoint of a stage only."""
    return lambda params: instances(name)(params)[-1:]


def named(names: Iterable[str], end: str = "") -> Callable[[Any], list[str]]:
    """`<stage>-<step>` of every checkpoint of these stages; under a seed of the last ones."""
    chosen = tuple(names)

    def found(params: Any) -> list[str]:
        made = {name: (last if end else instances)(name)(params) for name in chosen}
        return [f"{name}{end}-{instance}" for name in chosen for instance in made[name]]

    return found


def settings(section: str, model: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Arguments of a step whose settings are in a section of its own, or in its kind's."""
    own = section != model
    more = {**(options or {}), **({"settings": section} if own else {})}
    found: dict[str, Any] = {"params": (section,)}
    if more:
        found["options"] = more
    if own:
        found["models"] = {section: model}
    return found


def model_of(entry: Entry) -> str:
    """The field of the params model that a stage's section is like."""
    return like(str(entry["settings"]), str(entry["kind"]), entry)


def like(section: str, kind: str, about: Mapping[str, Any]) -> str:
    """The same of a section by name; `about`: the stage's `branch` or `form`."""
    if section in SECTIONS:
        return section
    if kind == "rl":
        return "rlzero" if about.get("form") == "plain" else "rlvr"
    return "sft_instruct" if about.get("branch") == "instruct" else kind


SECTIONS = (
    "pretrain", "midtrain", "longcontext", "sft", "sft_instruct", "dpo", "rlvr", "rlzero",
)  # fmt: skip
"""sections of stages that the params model names"""
