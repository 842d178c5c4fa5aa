"""`regrow diff` finds what was planted, all of it and no more."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.ask.diff.answer import diff
from regrow.ask.diff.parts import Difference
from regrow.evidence.errors import Unanswerable
from small_records import Job, World

CODE = {
    "src/toy/clean.py": "def strip(x):\n    'Doc.'\n    return x.strip()\n\ndef other():\n    return 1\n",
    "src/toy/nn.py": "RATE = 1\n\nclass Net:\n    'A net.'\n    size = 3\n    def go(self):\n        return self.size\n",
}
PAGES = [
    {"id": f"{n:032x}", "url": f"http://a/{n}", "source": "s", "text": f"t{n}"} for n in range(9)
]


def flow() -> list[Job]:
    steps = {"steps": 4, "rate": 0.1}
    return [
        Job("text", {"sources": "source:sources"}, {"max": 9}, table=PAGES),
        Job("filter", {"text": "text"}, {"min": 1}, modules=("toy.clean",)),
        Job("mix", {"filter": "filter", "evals": "source:evals"}, {"share": 0.5}),
        Job(
            "pretrain",
            {"data": "mix"},
            steps,
            instance="000002",
            modules=("toy.nn",),
        ),
        Job(
            "pretrain",
            {"data": "mix", "previous": "pretrain.000002"},
            steps,
            instance="000004",
            modules=("toy.nn",),
        ),
        Job("card", {"checkpoint": "pretrain.000004", "record.mix": "record:mix"}),
    ]


def find(jobs: list[Job], name: str) -> Job:
    return next(job for job in jobs if job.name == name)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "world")
    for path, text in CODE.items():
        world.write(path, text)
    world.write("sources/a.txt", "one")
    world.write("evals/e.txt", "quiz")
    world.build(flow())
    world.commit("main")
    return world


def texts(answer: dict[str, Any]) -> set[str]:
    return {f"{cause['part']} {cause['text']}" for cause in answer["causes"]}


def test_equal_is_equal(world: World) -> None:
    world.commit("other")
    answer = diff(world.root, "pretrain.000004@main", "pretrain.000004@other")
    assert answer["equal"] and answer["equal_keys"] and not answer["causes"]
    assert not answer["early_cutoff"] and not answer["consequences"]


def test_one_param_upstream_is_the_only_cause(world: World) -> None:
    jobs = flow()
    find(jobs, "filter").params = {"min": 2}
    world.build(jobs)
    answer = diff(world.root, "@main", "pretrain.000004")
    assert texts(answer) == {"param filter.min: 1 -> 2"}
    assert answer["causes"][0]["jobs"] == ["filter"] and answer["causes"][0]["moves"] == ["filter"]
    assert answer["consequences"] == ["mix", "pretrain.000002", "pretrain.000004"]


def test_a_param_of_a_chain_is_named_once_with_all_its_jobs(world: World) -> None:
    jobs = flow()
    for name in ("pretrain.000002", "pretrain.000004"):
        find(jobs, name).params = {"steps": 4, "rate": 0.2}
    world.build(jobs)
    (cause,) = diff(world.root, "pretrain@main", "pretrain")["causes"]
    assert cause["text"] == "pretrain.rate: 0.1 -> 0.2"
    assert cause["jobs"] == ["pretrain.000004", "pretrain.000002"]
    assert cause["moves"] == ["pretrain.000002"]


def test_a_function_is_named_and_shown_as_it_ran(world: World) -> None:
    world.commit("other")
    world.write(
        "src/toy/clean.py", CODE["src/toy/clean.py"].replace("x.strip()", "x.rstrip()  # why")
    )
    world.build(flow())
    answer = diff(world.root, "mix@main", "mix")
    assert texts(answer) == {"function toy.clean.strip: changed"}
    lines = answer["causes"][0]["change"]["lines"]
    assert "-    return x.strip()" in lines and "+    return x.rstrip()" in lines
    assert not any("Doc" in line or "why" in line for line in lines)
    # Edited again after the run: what is there now did not run, so it is not shown.
    world.write("src/toy/clean.py", "def strip(x):\n    return 0\n")
    assert diff(world.root, "mix@main", "mix")["causes"][0]["change"] is None


def test_a_method_a_constant_and_an_import(world: World) -> None:
    source = (
        CODE["src/toy/nn.py"]
        .replace("return self.size", "return 2")
        .replace("RATE = 1", "RATE = 2")
    )
    world.write("src/toy/nn.py", source)
    world.build(flow())
    found = texts(diff(world.root, "pretrain@main", "pretrain"))
    assert found == {"function toy.nn.Net.go: changed", "function toy.nn.RATE: changed"}
    world.write("src/toy/nn.py", "import os\n" + CODE["src/toy/nn.py"])
    world.build(flow())
    (cause,) = diff(world.root, "pretrain@main", "pretrain")["causes"]
    assert cause["name"] == "toy.nn" and "+import os" in cause["change"]["lines"]


def test_a_new_module_is_folded_into_the_change_that_reaches_it(world: World) -> None:
    world.write("src/toy/more.py", "X = 1\n")
    world.write("src/toy/clean.py", "from toy.more import X\n" + CODE["src/toy/clean.py"])
    jobs = flow()
    find(jobs, "filter").modules = ("toy.clean", "toy.more")
    world.build(jobs)
    (cause,) = diff(world.root, "mix@main", "mix")["causes"]
    assert cause["name"] == "toy.clean" and cause["reached"] == ["toy.more"]


def test_early_cutoff_is_said_and_ends_the_walk(world: World) -> None:
    jobs = flow()
    find(jobs, "filter").numb = ("text",)  # whatever the text, the filter's bytes stay
    world.build(jobs)
    world.commit("main")
    find(jobs, "text").params = {"max": 8}
    find(jobs, "mix").params = {"share": 0.7}
    world.build(jobs)
    answer = diff(world.root, "pretrain@main", "pretrain")
    assert texts(answer) == {"param mix.share: 0.5 -> 0.7"}
    assert [cut["job"] for cut in answer["early_cutoff"]] == ["filter"]


def test_equal_bytes_under_another_key(world: World) -> None:
    jobs = flow()
    find(jobs, "mix").packages = {"python": "3.11", "polars": "2"}
    find(jobs, "mix").numb = ("polars",)
    world.build(jobs)
    answer = diff(world.root, "mix@main", "mix")
    assert answer["equal"] and not answer["equal_keys"]
    assert not answer["causes"]
    assert [cause["text"] for cause in answer["without_effect"]] == ["polars: (none) -> 2"]
    # What reads the record differs all the same: the key stands in it.
    assert texts(diff(world.root, "card@main", "card")) == {"package polars: (none) -> 2"}


def test_bits_that_do_not_repeat_are_named(world: World) -> None:
    world.build(flow(), salt="cosmic ray")
    (cause,) = diff(world.root, "text@main", "text")["causes"]
    assert cause["part"] == "bits"
    (cause,) = diff(world.root, "pretrain@main", "pretrain")["causes"]
    assert (cause["part"], cause["name"]) == ("bits", "text")


def test_a_stale_record_is_not_explained_away(world: World) -> None:
    jobs = flow()
    find(jobs, "text").params = {"max": 8}
    world.build(jobs)
    # Someone restores an old record: the filter's input is not what the record of text says.
    world.git("checkout", "-q", "main", "--", "records/text.json")
    (cause,) = diff(world.root, "mix@main", "mix")["causes"]
    assert (cause["part"], cause["name"], cause["unexplained"]) == ("input", "text", True)


def test_documents_of_a_changed_source(world: World) -> None:
    world.write("sources/b.txt", "two")
    jobs = flow()
    changed = PAGES[0] | {"id": "f" * 32, "text": "new text under the old address"}
    find(jobs, "text").table = [
        changed,
        *PAGES[2:],
        {**PAGES[1], "id": "e" * 32, "url": "http://b/"},
    ]
    world.build(jobs)
    world.commit("other")
    answer = diff(world.root, "pretrain.000004@main", "pretrain.000004@other")
    (cause,) = answer["causes"]
    assert (cause["part"], cause["name"]) == ("source", "sources")
    assert cause["files"] == {"added": ["b.txt"], "removed": [], "changed": []}
    found = cause["documents"]
    assert [found[kind]["count"] for kind in ("added", "removed", "changed")] == [1, 1, 1]
    assert found["changed"]["examples"][0]["id"] == "f" * 32
    assert found["removed"]["examples"][0]["id"] == PAGES[1]["id"]
    rows = diff(world.root, "text@main", "text@other")["documents"]
    assert rows == found


def test_a_tampered_table_is_not_believed(world: World) -> None:
    jobs = flow()
    find(jobs, "text").table = PAGES[1:]
    find(jobs, "text").params = {"max": 8}
    record = world.build(jobs)["text"]
    entry = next(f for f in record["output"]["files"] if f["path"] == "documents.parquet")
    content = (world.root / "data/text/documents.parquet").read_bytes()
    for path in (
        world.root / "data/text/documents.parquet",
        world.root / ".dvc/cache/files/md5" / entry["md5"][:2] / entry["md5"][2:],
    ):
        path.chmod(0o644)
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    answer = diff(world.root, "text@main", "text")
    assert answer["documents"] is None and "data/text/documents.parquet" in answer["not_here"][0]


def test_further_along_the_same_chain(world: World) -> None:
    answer = diff(world.root, "filter", "pretrain.000004")
    (cause,) = answer["causes"]
    assert cause["part"] == "further" and not answer["equal"]
    assert cause["between"] == ["mix", "pretrain.000002", "pretrain.000004"]
    assert cause["brings"] == [
        {"path": "evals", "sha256": cause["brings"][0]["sha256"], "job": "mix", "documents": None}
    ]


def test_another_position_and_fewer_steps(world: World) -> None:
    jobs = flow()[:4]
    find(jobs, "pretrain.000002").params = {"steps": 2, "rate": 0.1}
    world.build(jobs)
    # Both are the end of their stage: the param says it all.
    assert texts(diff(world.root, "pretrain@main", "pretrain")) == {"param pretrain.steps: 4 -> 2"}


def test_names_that_do_not_exist(world: World) -> None:
    for one, words in (
        ("mix@nowhere", "git knows no commit"),
        ("mixx", "Did you mean"),
        ("mix@", "must follow the @"),
    ):
        with pytest.raises(Unanswerable, match=words):
            diff(world.root, one, "mix")
    world.git("checkout", "-q", "--orphan", "empty")
    world.git("rm", "-rqf", ".")
    world.commit()
    with pytest.raises(Unanswerable, match="no records"):
        diff(world.root, "mix@empty", "mix@main")


PLANTS = {
    "text.max": ("text", "params", {"max": 8}),
    "filter.min": ("filter", "params", {"min": 2}),
    "mix.share": ("mix", "params", {"share": 0.6}),
    "polars": ("mix", "packages", {"python": "3.11", "polars": "2"}),
    "run": ("filter", "options", {"run": "b"}),
}


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    planted=st.sets(st.sampled_from(sorted(PLANTS))),
    numb=st.sets(st.sampled_from(["text", "filter", "mix"])),
)
def test_causes_are_exactly_those_that_reach_the_artifact(
    world: World, planted: set[str], numb: set[str]
) -> None:
    """Plant any changes, make any of the edges numb: found are those with a feeling way down."""
    jobs = flow()
    base = copy.deepcopy(jobs)
    for name in planted:
        step, field, value = PLANTS[name]
        setattr(find(jobs, step), field, value)
    for side in (base, jobs):
        for job in side:
            job.numb = tuple(sorted(numb & job.inputs.keys()))
    world.git("checkout", "-q", "-f", "main")
    world.build(base)
    world.commit("base")
    world.build(jobs)
    answer = diff(world.root, "mix@base", "mix")
    # A job's bytes differ if something that it feels does; a cause counts if all bytes down from it differ.
    own = {step: any(PLANTS[n][0] == step for n in planted) for step in ("text", "filter", "mix")}
    text = own["text"]
    filtered = own["filter"] or (text and "text" not in numb)
    mixed = own["mix"] or (filtered and "filter" not in numb)
    arrives = {"mix": mixed, "filter": mixed and filtered, "text": mixed and filtered and text}
    assert answer["equal"] == (not mixed)
    found = {cause["name"]: cause for cause in answer["causes"]}
    assert set(found) == {name for name in planted if arrives[PLANTS[name][0]]}
    for name, cause in found.items():
        assert not cause["moves"] or cause["moves"] == [PLANTS[name][0]]
    if len(found) == 1:
        assert next(iter(found.values()))["moves"]


def test_the_answer_does_not_depend_on_where_and_when(world: World) -> None:
    jobs = flow()
    find(jobs, "text").table = PAGES[1:]
    world.write("sources/c.txt", "three")
    world.write("src/toy/clean.py", CODE["src/toy/clean.py"].replace("1", "2"))
    world.build(jobs)
    world.commit("other")
    seen = set()
    for seed, zone, folder in (("0", "UTC", "."), ("7", "Asia/Tokyo", "records")):
        done = subprocess.run(
            [sys.executable, "-m", "regrow.cli.main", "diff", "@main", "@other", "--json"],
            cwd=world.root / folder,
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LANG": "C"},
            capture_output=True,
        )
        assert done.returncode == 1, done.stderr
        seen.add(done.stdout)
    assert len(seen) == 1 and json.loads(seen.pop())["causes"]


@pytest.mark.parametrize(
    ("name", "declares"),
    [
        ("regrow.params.train.Training", True),
        ("regrow.params.kinds.dpo.Dpo", True),
        ("regrow.params.kinds.rl.Rlvr._group", False),
        ("regrow.params.model.Model._divides", False),
        ("regrow.learn.train.dpo.Dpo", False),
    ],
)
def test_the_fields_of_a_params_model_are_told_from_its_methods(name: str, declares: bool) -> None:
    assert Difference("function", name, "old", "new").declares is declares
