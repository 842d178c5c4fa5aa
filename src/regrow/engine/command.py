"""What the command line of Snakemake asks for, as far as Snakemake itself cannot do it.

Snakemake reads a Snakefile before it tells it of targets, so the words of the command are parsed with its
own parser, and only if one of them is the name of a step that has instances.

* A rule with wildcards is no target: `snakemake train` ends with "Target rules may not contain wildcards".
* `--until RULE` loses all but the first job of a rule whose jobs depend on each other
  (https://github.com/snakemake/snakemake/issues/823).

For both there is the target `STEP_all`.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from regrow.engine.errors import FlowError
from regrow.engine.jobs import Job
from regrow.engine.step import Step

SUFFIX = "_all"
"""ends the name of the target that makes all instances of a step"""


def target(step: Step) -> str:
    """What makes a whole step: its rule, or the target of all its instances."""
    return step.name if step.instances is None else f"{step.name}{SUFFIX}"


def stages(jobs: Collection[Job]) -> dict[str, list[str]]:
    """Target -> the files of all instances of its step, for the steps that have instances."""
    found: dict[str, list[str]] = {}
    for job in jobs:
        if job.instance is not None:
            leaves = [f"{job.data}/{leaf}" for leaf in job.step.leaf]
            found.setdefault(target(job.step), []).extend([*leaves, job.record])
    return found


def chained(jobs: Collection[Job]) -> set[str]:
    """Names of the steps of which one instance reads another."""
    by_name = {job.name: job for job in jobs}
    return {
        job.step.name
        for job in jobs
        if any(by_name[up].step is job.step for up in job.upstream if up in by_name)
    }


def check(words: Sequence[str], jobs: Collection[Job]) -> None:
    """Refuse what Snakemake would begin and not finish.

    Args:
        words: the command line, without the program.
        jobs: of the flow.

    Raises:
        FlowError: with the command that does it.
    """
    instanced = {job.step.name for job in jobs if job.instance is not None}
    if not instanced.intersection(words):
        return
    asked = _parsed(words)
    for name in asked.get("targets") or ():
        if name in instanced:
            raise FlowError(
                f"`{name}` is made in several instances, and Snakemake takes no such rule for a target. "
                f"Fix: `snakemake {name}{SUFFIX}` makes all of them, `snakemake records/{name}.<instance>.json` one."
            )
    for name in sorted(set(asked.get("until") or ()) & chained(jobs)):
        raise FlowError(
            f"--until {name}: Snakemake would stop after the first of its instances, which depend on each other. "
            f"Fix: `snakemake {name}{SUFFIX}` makes all of them and what they need, and nothing further."
        )


def _parsed(words: Sequence[str]) -> Mapping[str, Any]:
    """The command line as Snakemake reads it; empty where it cannot be read that way."""
    from snakemake.cli import get_argument_parser

    try:
        return vars(get_argument_parser().parse_args(list(words)))
    except (Exception, SystemExit):  # another front end (the API, a test) has words of its own
        return {}


def words() -> list[str]:
    """The command line of this process, without the program."""
    return sys.argv[1:]
