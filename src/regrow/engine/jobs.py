"""The flow unfolded: one job per step, or per instance of a step, with its inputs resolved."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from regrow.engine.errors import FlowError
from regrow.engine.params import load as load_params
from regrow.engine.step import Input, Kind, Step

TABLE = "regrow.recipe.table"
NEVER_STEPS = ("regrow.engine", TABLE.rpartition(".")[0])
"""packages that call steps or describe them: no step imports them"""
TABLE_VARIABLE = "REGROW_TABLE"
"""environment variable that names another table of steps (a module like `regrow.recipe.table`)"""


@dataclass(frozen=True)
class Flow:
    """A table of steps and the way to read the params that it runs under."""

    module: str
    steps: tuple[Step, ...]
    load: Callable[[Path], Any]
    params_root: str
    """"module:class" of the model of a params file"""
    inherited: Callable[[Any], list[str]] = lambda params: []
    """names of the jobs that a fork takes from its parent as they are; none where there is no fork"""
    first_affected: Callable[[Any], dict[str, int]] = lambda params: {}
    """training stage -> its first step that a takedown changes (see `expand`); none where there is none"""
    result: str = "The last result is {data}/."
    """said after a run: `{data}` is the folder of the last job"""
    ask: str = "`regrow verify`, `regrow audit {job}`."
    """said after a run: `{job}` is the last job"""
    recipe: Callable[[Mapping[str, Any]], tuple[Step, ...]] | None = None
    """the steps under given params (their values as JSON), where these decide which steps there are"""
    warm: tuple[str, ...] = ()
    """`package:name`s that most of the work of steps with idle packages is to load"""
    shared: tuple[str, ...] = ()
    """`package:name`s that many of the other steps load as well"""
    warm_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """function of a step -> `package:name`s that it loads beyond those, at a price worth paying once for all its jobs"""
    warm_start: Callable[[], None] = lambda: None
    """sets the variables that such steps set before they load them"""
    mistakes: tuple[str, ...] = ()
    """full names (`package.module.Class`) of exceptions whose message is for the user (`regrow.engine.mistakes`)"""

    def step(self, name: str) -> Step:
        """The step called `name`. Raises FlowError with the known names."""
        for step in self.steps:
            if step.name == name:
                return step
        known = ", ".join(step.name for step in self.steps)
        raise FlowError(f"no step is called `{name}`. Steps: {known}.")

    def under(self, params: Mapping[str, Any]) -> Flow:
        """The flow with the steps that these params (as JSON) call for."""
        return self if self.recipe is None else replace(self, steps=self.recipe(params))

    def instances(self, params: Any) -> dict[str, list[str]]:
        """The instances of every instanced step under a params object."""
        return {step.name: step.instances(params) for step in self.steps if step.instances}

    @property
    def packages(self) -> tuple[str, ...]:
        """Top-level packages whose code counts as ours."""
        tops = {step.function.split(".")[0].split(":")[0] for step in self.steps}
        return tuple(sorted({"regrow", self.module.split(".")[0], *tops}))


def flow() -> Flow:
    """The flow of this process: `regrow.recipe.table`, or what REGROW_TABLE names."""
    name = os.environ.get(TABLE_VARIABLE) or TABLE
    try:
        table = importlib.import_module(name)
        load = getattr(table, "load", None) or partial(load_params, model=table.PARAMS_ROOT)
        flow = Flow(name, tuple(table.STEPS), load, table.PARAMS_ROOT)
        own = (
            "inherited",
            "first_affected",
            "result",
            "ask",
            "recipe",
            "warm",
            "shared",
            "warm_for",
            "warm_start",
            "mistakes",
        )
        return replace(flow, **{n: getattr(table, n) for n in own if hasattr(table, n)})
    except (ImportError, AttributeError) as error:
        raise FlowError(f"{TABLE_VARIABLE}={name} is no table of steps: {error}") from None


@dataclass(frozen=True)
class Resolved:
    """One input of one job."""

    name: str
    kind: Kind
    path: str
    """below the root: a data folder, a record, or a source"""
    job: str = ""
    """the job that makes it (data, record)"""


@dataclass(frozen=True)
class Job:
    """One execution of a step: it fills `data` and leaves `record`."""

    step: Step
    instance: str | None
    inputs: tuple[Resolved, ...]

    @property
    def name(self) -> str:
        """`step` or `step.instance`."""
        return self.step.name if self.instance is None else f"{self.step.name}.{self.instance}"

    @property
    def data(self) -> str:
        """The folder that it fills, below the root."""
        return data_path(self.step.name, self.instance)

    @property
    def record(self) -> str:
        """The record that it leaves, below the root."""
        return f"records/{self.name}.json"

    @property
    def upstream(self) -> list[str]:
        """Names of the jobs whose record or data it reads, without repeats."""
        return list(dict.fromkeys(i.job for i in self.inputs if i.job))


def data_path(step: str, instance: str | None) -> str:
    """`data/<step>` or `data/<step>/<instance>`."""
    return f"data/{step}" if instance is None else f"data/{step}/{instance}"


def job_of(record: str) -> str:
    """The name of the job that leaves a record: `records/mix.json` -> `mix`."""
    return record.removeprefix("records/").removesuffix(".json")


def expand(
    flow: Flow,
    instances: Mapping[str, list[str]],
    inherited: Collection[str] = (),
    first_affected: Mapping[str, int] | None = None,
) -> dict[str, Job]:
    """All jobs by name, producers before consumers.

    Args:
        flow: the table.
        instances: per instanced step its instances, in the order of the chain.
        inherited: jobs that a fork takes from its parent: their inputs are the parent's.
        first_affected: of a takedown: training stage -> the first of its steps that must change. A segment that
            reaches that step, and whatever is made from one, reads the data of the steps that say
            `replaces` instead; all other jobs are as if there were no takedown.

    Raises:
        FlowError: the table names a step that comes later or is not there.
    """
    jobs: dict[str, Job] = {}
    own: dict[str, list[str]] = {
        item.substitute: [] for step in flow.steps for item in step.inputs if item.substitute
    }
    changed: set[str] = set()
    places = {s.replaces: s.name for s in flow.steps if s.replaces and instances.get(s.name)}
    for step in flow.steps:
        for instance in instances[step.name] if step.instances else [None]:
            job = Job(step, instance, ())
            theirs = job.name in inherited
            seen = {**instances, **own} if theirs else instances
            items = [i for i in step.inputs if not (theirs and i.instance == "inherited")]
            job = replace(job, inputs=_inputs(flow, items, job, seen, inherited))
            begins = (first_affected or {}).get(step.name)
            reached = begins is not None and (instance is None or begins <= int(instance))
            if reached or changed.intersection(job.upstream):
                changed.add(job.name)
                items = [_replaced(item, places) for item in items]
                job = replace(job, inputs=_inputs(flow, items, job, seen, inherited))
            for name in job.upstream:
                if name not in jobs:
                    raise FlowError(
                        f"{flow.module}: {job.name} reads {name}, which is not made before it."
                    )
            jobs[job.name] = job
    return jobs


def _replaced(item: Input, places: Mapping[str, str]) -> Input:
    """The input, reading what takes the place of its step's data."""
    if item.kind != "data" or item.step not in places:
        return item
    return replace(item, step=places[item.step], instance="last", substitute="")


def _inputs(
    flow: Flow,
    items: list[Input],
    job: Job,
    instances: Mapping[str, list[str]],
    inherited: Collection[str],
) -> tuple[Resolved, ...]:
    found: list[Resolved] = []
    for item in items:
        if item.instance == "inherited":
            found += _inherited(item, instances, inherited)
        else:
            found += _resolve(flow, item, job.step, job.instance, instances)
    return tuple(found)


def _resolve(
    flow: Flow, item: Input, step: Step, instance: str | None, instances: Mapping[str, list[str]]
) -> list[Resolved]:
    if item.kind == "source":
        return [Resolved(item.name, "source", item.path.replace("{instance}", instance or ""))]
    if item.substitute and instances.get(item.substitute):
        item = replace(item, step=item.substitute, instance="last")
    named, dash, rest = (instance or "").rpartition("-")
    if item.for_stages and named not in item.for_stages:
        return []
    if item.instance == "named":
        if not dash:
            return [_made(item.name, replace(item, step=rest), None)]
        return [_made(item.name, replace(item, step=named), rest)]
    made = instances.get(item.step, [])
    if item.instance == "none":
        return [_made(item.name, item, None)]
    if item.instance == "same":
        return [_made(item.name, item, instance)]
    if item.instance == "previous":
        at = made.index(cast(str, instance))
        return [_made(item.name, item, made[at - 1])] if at else []
    if item.instance == "first":
        return [_made(item.name, item, made[0])]
    if item.instance == "last":
        return [_made(item.name, item, made[-1])]
    return [_made(f"{item.name}.{one}", item, one) for one in made]


def _inherited(
    item: Input, instances: Mapping[str, list[str]], inherited: Collection[str]
) -> list[Resolved]:
    found = [one for one in instances.get(item.step, []) if f"{item.step}.{one}" in inherited]
    return [_made(item.name, item, found[-1])] if found else []


def _made(name: str, item: Input, instance: str | None) -> Resolved:
    job = item.step if instance is None else f"{item.step}.{instance}"
    path = f"records/{job}.json" if item.kind == "record" else data_path(item.step, instance)
    return Resolved(name, item.kind, path, job)
