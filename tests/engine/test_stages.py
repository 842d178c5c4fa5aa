"""A whole stage, asked for by name: with `dvc repro`, as a target, with --until."""

from __future__ import annotations

import re

import pytest

from regrow.engine import command
from regrow.engine.errors import FlowError
from regrow.engine.present import Present
from small_repository import ROOT, Repository

STAGES = {
    "split": ["split"],
    "clean": ["clean.0", "clean.1", "clean.2"],
    "mix": ["mix"],
    "tokenize": ["tokenize"],
    "train": ["train.000", "train.001", "train.002"],
    "evaluate": ["evaluate.000", "evaluate.001", "evaluate.002"],
}


def test_repro_of_every_stage_makes_all_of_its_instances_again(repository: Repository):
    """Forced: DVC removes the stage's data, the workflow restores every instance of it."""
    for stage, jobs in STAGES.items():
        repository.dvc("repro", "-q", "-f", "-s", stage)
        assert repository.outcomes() == {"hit": jobs}, stage
        assert (repository.path / f"data/{stage}").is_dir()
    assert "up to date" in repository.dvc("status")
    assert repository.pending() == []
    assert repository.dirty() == ""


def test_repro_after_an_edit_runs_every_checkpoint_of_a_chain(repository: Repository):
    repository.edit("src/toy/nn.py", "+ 1", "+ 2")
    repository.pending()  # tells DVC of the edit
    repository.dvc("repro", "-q", "train")
    assert repository.outcomes() == {"run": STAGES["train"]}
    repository.dvc("repro", "-q")
    assert repository.outcomes()["run"] == STAGES["evaluate"]
    assert "up to date" in repository.dvc("status")


def test_a_target_makes_all_instances_of_a_step_and_nothing_behind_them(repository: Repository):
    repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.6")
    done = repository.snakemake("train_all")
    assert repository.outcomes() == {"run": STAGES["train"]}
    assert "The released checkpoint" not in done.stderr
    assert "3 jobs of the flow do not describe the present yet (evaluate.000, " in done.stderr
    done = repository.snakemake("evaluate_all")
    assert repository.outcomes() == {"run": STAGES["evaluate"]}
    assert "The released checkpoint is data/evaluate/002/" in done.stderr


@pytest.mark.parametrize(
    "words", [["train"], ["--until", "train"], ["-U", "train", "-R", "train"], ["evaluate"]]
)
def test_what_snakemake_cannot_finish_is_refused_with_the_command_that_can(
    repository: Repository, words: list[str]
):
    repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.7")
    done = repository.snakemake(*words, check=False)
    assert done.returncode != 0
    step = "evaluate" if words == ["evaluate"] else "train"
    assert f"`snakemake {step}_all` makes all of them" in done.stderr
    assert "wildcards" not in done.stderr and "BUG" not in done.stderr
    assert repository.outcomes() == {}


def test_until_is_left_alone_where_snakemake_can_do_it():
    jobs = Present(ROOT, "params/demo.yaml").jobs.values()
    command.check(["-n", "--until", "mix", "-R", "pretrain"], jobs)
    command.check(["--until", "evaluate"], jobs)  # instances that do not depend on each other
    command.check(["pretrain", "--no-such-option"], jobs)  # not Snakemake's own command line
    with pytest.raises(FlowError, match="pretrain_all"):
        command.check(["-c", "2", "-U", "mix", "pretrain"], jobs)


def test_every_stage_of_dvc_yaml_calls_a_target_that_finishes(built: Repository):
    """No `--until`, and the target is a rule without instances or the one of all instances."""
    cmds = re.findall(r"^  (\w+):\n    cmd: (.*)$", built.read("dvc.yaml"), re.MULTILINE)
    assert [stage for stage, _ in cmds] == list(STAGES)
    for stage, cmd in cmds:
        target = stage if len(STAGES[stage]) == 1 else f"{stage}_all"
        assert cmd == f"snakemake {target} -c all -q rules progress host reason -R {stage}"


def test_the_real_flow_has_a_target_for_every_step_with_instances():
    present = Present(ROOT, "params/demo.yaml")
    stages = command.stages(present.jobs.values())
    for job in present.jobs.values():
        if job.instance is not None:
            files = stages[f"{job.step.name}_all"]
            assert job.record in files
            assert {f"{job.data}/{leaf}" for leaf in job.step.leaf} <= set(files)
    names = {step.name for step in present.flow.steps}
    assert not names & stages.keys()


def test_a_target_behind_configfile_is_told_to_stand_before_it(repository: Repository):
    """Snakemake takes every word after --configfile for a params file."""
    (repository.path / "params/other.yaml").write_text("train: {lr: 0.25, steps: 1}\n")
    words = ["-n", "--configfile", "params/other.yaml", "records/mix.json"]
    done = repository.snakemake(*words, check=False)
    assert done.returncode != 0
    assert (
        "`snakemake records/mix.json --configfile params/other.yaml`" in done.stdout + done.stderr
    )
