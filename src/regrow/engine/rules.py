"""What Snakemake needs to know of a step, so that a loop over the table writes the rules."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from regrow.engine.step import Input, Step

Needs = Callable[[str, str | None], list[str]]
"""(step, instance) -> the records that the job reads"""


class Rule:
    """The parts of the rule of one step; with instances it has the wildcard `instance`."""

    def __init__(self, step: Step, params_file: str, needs: Needs) -> None:
        """Work the parts out. `params_file`: relative to the root."""
        place = f"{step.name}.{{instance}}" if step.instances else step.name
        self.name = step.name
        self.doc = said(step)
        self.priority = step.priority
        self.stamp = f".regrow/stamps/{step.name}"
        """an input that is older than every record unless the step itself changed"""
        self.record = f"records/{place}.json"
        self.leaves = [f"data/{place.replace('.', '/')}/{leaf}" for leaf in step.leaf]
        """outputs that people ask for by name"""
        self.log = f"logs/{place}.log"
        self.benchmark = f"benchmarks/out/{place}.tsv"
        instance = "--instance {instance} " if step.instances else ""
        file = shlex.quote(params_file).replace("{", "{{").replace("}", "}}")
        self.command = f"regrow run {step.name} {instance}--params {file} --log {self.log}"
        """for `params:`, as Snakemake reads `shell:` only when the loop is over"""
        self._needs = needs

    def records(self, wildcards: Any) -> list[str]:
        """The records that the job reads: an input function."""
        return self._needs(self.name, getattr(wildcards, "instance", None))


def said(step: Step) -> str:
    """What the step does, reads and writes: the text of its rule."""
    read: dict[str, None] = {}
    for item in step.inputs:
        match item.kind:
            case "source":
                read[item.path] = None
            case "data":
                read[_place(item)] = None
    sentences = [
        step.doc,
        f"Reads {', '.join(read) or 'nothing'}; writes data/{step.name}{'/{instance}' if step.instances else ''}.",
    ]
    return " ".join(part for part in sentences if part)


def _place(item: Input) -> str:
    at = {"none": "", "same": "/{instance}"}.get(item.instance, f"/<{item.instance}>")
    if item.instance == "named":
        return "data/<stage>/<step>"
    other = f" (or data/{item.substitute})" if item.substitute else ""
    return f"data/{item.step}{at}{other}"
