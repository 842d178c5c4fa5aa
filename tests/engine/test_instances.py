"""Instances that name another step's checkpoint, options, and groups of steps."""

from __future__ import annotations

import json

import pytest

from default_flow import STEPS
from regrow.engine.jobs import Flow, expand
from regrow.engine.present import Present
from regrow.engine.step import Input, Step
from small_repository import ROOT


def flow(*steps: Step) -> Flow:
    return Flow("regrow.recipe.table", steps, lambda path: None, "regrow.params.schema:Params")


def two(_: object) -> list[str]:
    return ["000001", "000002"]


A = Step(name="a", function="m:a", instances=two)
B = Step(
    name="b",
    function="m:b",
    instances=two,
    inputs=(
        Input(name="base", step="a", instance="last"),
        Input(name="early", step="a", instance="first"),
        Input(name="previous", step="b", instance="previous"),
    ),
)
SCORE = Step(
    name="score",
    function="m:score",
    instances=lambda params: ["a-000001", "b-000002"],
    inputs=(
        Input(name="checkpoint", instance="named"),
        Input(name="record.checkpoint", kind="record", instance="named"),
        Input(name="early", step="a", instance="first", for_stages=("b",)),
    ),
)
NAMES = {"a": two(None), "b": two(None), "score": ["a-000001", "b-000002"]}


def test_first_last_and_previous():
    made = expand(flow(A, B), NAMES)
    assert {i.name: i.path for i in made["b.000001"].inputs} == {
        "base": "data/a/000002",
        "early": "data/a/000001",
    }
    assert {i.name: i.job for i in made["b.000002"].inputs}["previous"] == "b.000001"


def test_a_named_instance_says_step_and_checkpoint():
    made = expand(flow(A, B, SCORE), NAMES)
    first, second = made["score.a-000001"], made["score.b-000002"]
    assert {i.name: i.path for i in first.inputs} == {
        "checkpoint": "data/a/000001",
        "record.checkpoint": "records/a.000001.json",
    }
    assert {i.name: i.path for i in second.inputs} == {
        "checkpoint": "data/b/000002",
        "record.checkpoint": "records/b.000002.json",
        "early": "data/a/000001",
    }


def test_no_two_steps_share_a_key():
    """Steps with the same function, params and inputs must differ by an option."""
    seen: dict[object, str] = {}
    for step in STEPS:
        mark = (
            step.function,
            step.params,
            tuple((i.name, i.step, i.instance) for i in step.inputs if i.name != "previous"),
            json.dumps(step.options_of("a-1"), sort_keys=True)
            if not callable(step.options)
            else "",
        )
        assert mark not in seen, f"{step.name} and {seen[mark]} would be the same job"
        seen[mark] = step.name


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_nothing_that_a_plain_run_makes_needs_another_seed(step: Step):
    group = {s.name: s.group for s in STEPS}
    if step.group == "main":
        assert all(group[i.step] == "main" for i in step.inputs if i.step)


def test_what_no_job_reads_is_asked_for_by_name():
    """Else a clone without data, interrupted once, takes its published record for the artifact."""
    made = Present(ROOT, "params/demo.yaml").jobs
    read = {item.job for job in made.values() for item in job.inputs if item.kind == "data"}
    for name, job in made.items():
        assert name in read or job.step.leaf, name


def test_a_command_names_the_params_file_that_is_not_the_default() -> None:
    assert Present(ROOT, "params/demo.yaml").command == "snakemake --cores all"
    own = Present(ROOT, "tests/params/tiny.yaml").command
    assert own == "snakemake --cores all --configfile tests/params/tiny.yaml"
