"""The rules say the same as the table of steps, and are written as the house wants them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import default_flow
from real_repository import fresh
from regrow.engine.present import Present
from small_repository import ROOT

RULES = sorted(ROOT.glob("workflow/rules/*.smk"))
FLOW = default_flow.flow()
MAIN = [step for step in FLOW.steps if step.group == "main"]


FORKS = (
    "",
    "fork: {name: mine, stage: midtrain, checkpoint: 2, chats: true}",
    "fork: {name: mine, stage: soup, checkpoint: 4}",
)


@pytest.mark.workflow
@pytest.mark.parametrize("fork", FORKS, ids=["none", "midtrain", "soup"])
def test_every_job_has_the_inputs_and_outputs_of_the_table(tmp_path: Path, fork: str):
    repository = fresh(tmp_path / "repository")
    params = repository.path / "params/mine.yaml"
    params.write_text(repository.read("params/tiny.yaml") + fork)
    for name in ("documents", "chats"):
        (repository.path / "forks/mine").mkdir(parents=True, exist_ok=True)
        (repository.path / f"forks/mine/{name}.parquet").write_bytes(b"read by no dry run")
    dry = ("-n", "--forceall", "--quiet", "progress", "--cores", "1")
    text = repository.run("snakemake", *dry, "--configfile", "params/mine.yaml").stdout
    found = {}
    for block in text.split("\nrule ")[1:]:
        fields = dict(re.findall(r"^    (input|output|log|benchmark): (.*)$", block, re.MULTILINE))
        if not block.startswith("all:"):
            outputs = fields["output"].split(", ")
            found[outputs[0]] = (set(fields["input"].split(", ")), outputs, fields)
    present = Present(repository.path, "params/mine.yaml")
    main = [job for job in present.jobs.values() if job.step.group == "main"]
    assert set(found) == {job.record for job in main}
    for job in main:
        inputs, outputs, fields = found[job.record]
        records = {f"records/{name}.json" for name in job.upstream}
        assert inputs == {f".regrow/stamps/{job.step.name}", *records}, job.name
        assert outputs == [job.record, *(f"{job.data}/{leaf}" for leaf in job.step.leaf)], job.name
        assert fields["log"].startswith(f"logs/{job.name}.log")
        assert fields["benchmark"] == f"benchmarks/out/{job.name}.tsv"


def test_the_snakefile_is_short_and_its_parts_make_every_step_in_flow_order():
    text = (ROOT / "Snakefile").read_text()
    assert len(text.splitlines()) < 65
    included = re.findall(r'include: "workflow/rules/(\w+)\.smk"', text)
    assert sorted(included) == [path.stem for path in RULES]
    parts = [
        part
        for name in included
        for part in re.findall(
            r'^for step in FLOW\.rules\("(\w+)"\):',
            (RULES[0].parent / f"{name}.smk").read_text(),
            re.MULTILINE,
        )
    ]
    made = [step.name for part in parts for step in MAIN if step.part == part]
    assert made == [step.name for step in MAIN]
    assert sum(len(path.read_text().splitlines()) for path in RULES) < 350


@pytest.mark.workflow
def test_the_list_of_rules_says_what_each_step_does_reads_and_writes(tmp_path: Path):
    repository = fresh(tmp_path / "repository")
    listed = repository.run("snakemake", "--list", "--configfile", "params/tiny.yaml").stdout
    for step in MAIN:
        found = re.search(rf"^{step.name} \((.*)\)$", listed, re.MULTILINE)
        assert found, step.name
        assert step.doc.endswith("."), step.name
        assert found[1].startswith(f"{step.doc} Reads "), step.name
        assert f"writes data/{step.name}" in found[1], step.name
    said = re.search(r"^midtrain_data_masked \((.*)\)$", listed, re.MULTILINE)
    assert said
    assert said[1].endswith(
        "Reads takedowns/{instance}/documents.json, data/midtrain_data (or data/forkmix); "
        "writes data/midtrain_data_masked/{instance}."
    )


@pytest.mark.workflow
def test_lint_and_format(tmp_path: Path):
    repository = fresh(tmp_path / "repository")
    lint = repository.run("snakemake", "--lint", "--cores", "1", check=False)
    assert lint.returncode == 0, lint.stdout + lint.stderr
    style = repository.run("snakefmt", "--check", "Snakefile", "workflow", check=False)
    assert style.returncode == 0, style.stderr


@pytest.mark.workflow
def test_seeds_asked_for_in_a_clone_are_made_from_what_is_nowhere(tmp_path: Path):
    repository = fresh(tmp_path / "repository")
    shutil.copytree(ROOT / "records", repository.path / "records", dirs_exist_ok=True)
    dry = repository.run("snakemake", "-n", "--quiet", "progress", "--cores", "1", "seeds").stdout
    planned = re.findall(r"^rule (\w+_seed\d):", dry, re.MULTILINE)
    assert {"sft_seed1", "dpo_seed2", "rlvr_seed1", "evaluate_seed2"} <= set(planned)


@pytest.mark.workflow
def test_the_default_profile_is_found_and_changes_no_result(tmp_path: Path):
    repository = fresh(tmp_path / "repository")
    done = repository.run("snakemake", "-n", "--configfile", "params/tiny.yaml")
    assert "profiles/default" in done.stdout + done.stderr


def test_dvc_misses_nothing_that_a_plain_run_does_not_make():
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    assert "  rlvr:\n" in text
    assert "_seed" not in text


@pytest.mark.workflow
def test_other_seeds_are_a_target_of_their_own(tmp_path: Path):
    repository = fresh(tmp_path / "repository")
    plain = repository.snakemake("-n", "--quiet", "progress").stdout
    assert "seed1" not in plain
    text = repository.snakemake("-n", "seeds", "--quiet", "progress").stdout
    present = Present(repository.path, "params/tiny.yaml")
    for job in present.jobs.values():
        if job.step.group == "seeds":
            assert job.record in text, job.name
