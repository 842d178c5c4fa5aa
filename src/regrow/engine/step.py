"""What a step of the flow is: its function, inputs, instances and arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["data", "record", "source"]


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of a step, given to its function under `name`."""

    name: str
    kind: Kind = "data"
    """data: the folder that another step filled; record: another step's record (JSON);
    source: a git-tracked path that no step makes (`{instance}` in it is this job's)."""
    step: str = ""
    """the producing step (data, record)"""
    path: str = ""
    """the path (source)"""
    instance: Literal["none", "same", "previous", "all", "first", "last", "named", "inherited"] = (
        "none"
    )
    """which instance of an instanced step: the one of this job, the one before it (left out for
    the first), all of them (`name` is then given as `name.<instance>`), the first or the last;
    named: this job's instance is `<step>-<instance>`, or `<step>` alone where that step has no
    instances, and says both (`step` is then empty);
    inherited: the last that a fork takes from its parent, for the fork's own jobs (else left out)"""
    substitute: str = ""
    """a step whose last instance takes the place of `step` where the params call for any: so a fork
    exchanges an input. Without a fork this field has no effect, nor on the jobs that a fork takes
    from its parent (`Flow.inherited`)"""
    for_stages: tuple[str, ...] = ()
    """of a job whose instance is `<step>-<instance>`: the steps for which it has this input
    (empty: all)"""
    fix: str = ""
    """of a source: what to do where it is missing, for the message; `{params}` in it is the params file. Default:
    check it out"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step: `function(inputs, params, output)` fills the folder `output`.

    `inputs` maps names to paths, `params` carries only the declared sections. An
    instanced step also gets `instance=`; a resumable one also gets `scratch=`, a
    folder that survives a kill and is removed after success; `options` are given by name.
    """

    name: str
    function: str
    """"module:function" """
    params: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    numerics: Literal["exact", "fma32"] = "exact"
    """exact: integer, byte and correctly rounded work; fma32: see regrow.numerics"""
    instances: Callable[[Any], list[str]] | None = None
    """the instances under given params, in the order in which `previous` chains them"""
    resumable: bool = False
    options: Mapping[str, Any] | Callable[[str | None], Mapping[str, Any]] = field(
        default_factory=dict
    )
    """keyword arguments of the function by which steps that share it, or instances of one step, differ: JSON
    values, part of the key; with a callable they are a function of the instance"""
    models: Mapping[str, str] = field(default_factory=dict)
    """section of `params` that the params model does not name -> the field whose model it has"""
    doc: str = ""
    """what it does, in a sentence or two, for people; decides no byte and is in no key"""
    part: str = ""
    """of the flow, under which its rule is found (`Flow.rules`)"""
    priority: int = 0
    """of its jobs before others that could run: the longest way goes first"""
    group: Literal["main", "seeds"] = "main"
    """main: what `snakemake` builds; seeds: repetitions under other seeds, built by `snakemake seeds`"""
    replaces: str = ""
    """the step whose data this one's take the place of, in every job that a takedown has rebuilt
    (`regrow.engine.jobs.expand`); where the params call for no instance, nothing is replaced"""
    leaf: tuple[str, ...] = ()
    """files of the output that people ask for by name: declared to Snakemake as well"""
    network: bool = False
    """it asks hosts, for bytes that its inputs name by their SHA-256; a closed run (`hermetic`) does not let it"""
    packages: tuple[str, ...] = field(default=())
    """third-party distributions that the function reaches without importing them statically"""
    idle: tuple[str, ...] = ()
    """packages that what the function imports would import for nothing: hidden while it is loaded"""

    def options_of(self, instance: str | None) -> dict[str, Any]:
        """The keyword arguments of one job, sorted by name."""
        found = self.options(instance) if callable(self.options) else self.options
        return dict(sorted(found.items()))

    @property
    def model_sections(self) -> list[str]:
        """The fields of the params model whose code decides the sections that the step declares."""
        return list(dict.fromkeys(self.models.get(name, name) for name in self.params))
