"""The behaviour table of docs/concepts/flow.md on the real workflow, with real data and a tiny model."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from forked_imports import importer
from real_repository import Real
from regrow.data.tokens import bpe, chat
from regrow.data.tokens.reader import Packed
from regrow.engine.present import Present
from small_repository import served

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.timeout(2_400),
]

LAST = "release.rlvr-000002"
"""a release whose making runs every stage of the main chain"""


def named(repository: Real, *steps: str) -> list[str]:
    """The jobs of these steps, sorted."""
    return sorted(
        p.stem for p in repository.path.glob("records/*.json") if p.name.split(".")[0] in steps
    )


def descendants(repository: Real, step: str) -> set[str]:
    """The jobs that read what a step makes, or what they make."""
    found = {step}
    for job in Present(repository.path, "params/tiny.yaml").jobs.values():
        if found & set(job.upstream) and job.step.group == "main":
            found.add(job.name)
    return found - {step}


def all_equal(repository: Real) -> str:
    """What `regrow verify` says of a whole run."""
    count = len(list(repository.path.glob("records/*.json")))
    return f"{count} of {count} artifacts equal to the published hashes"


def flip(path: Path) -> bytes:
    """Change one byte; inode, size and modification time stay. Returns what was there."""
    before, stat = path.read_bytes(), path.stat()
    with path.open("r+b") as handle:
        handle.seek(len(before) // 2)
        handle.write(bytes([before[len(before) // 2] ^ 1]))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return before


def test_finished_tree_does_nothing(grown: Real):
    assert grown.pending() == []
    assert grown.build() == {}
    assert grown.dirty() == ""
    assert "up to date" in grown.dvc("status")
    last = grown.regrow("verify").stdout.splitlines()[-1]
    assert last == all_equal(grown)
    log = grown.read("logs/pretrain.000008.log")
    assert "step 8/8" in log


def test_clone_and_pull_over_http_has_nothing_to_do(grown: Real, tmp_path: Path):
    clone = grown.clone(tmp_path / "clone")
    with served(grown.path.parent / "remote") as address:
        clone.dvc("remote", "add", "--local", "-d", "store", address)
        clone.dvc("pull", "-q")
        assert clone.pending() == []
        assert clone.build() == {}
    assert "up to date" in clone.dvc("status")
    assert clone.dirty() == ""
    assert clone.regrow("verify").stdout.splitlines()[-1] == all_equal(clone)


def test_partial_pull_fetches_only_what_an_edit_needs(grown: Real, tmp_path: Path):
    clone = grown.clone(tmp_path / "clone")
    with served(grown.path.parent / "remote") as address:
        clone.dvc("remote", "add", "--local", "-d", "store", address)
        clone.dvc("pull", "-q", "data/release", "data/evaluate/pretrain-000008/results.json")
        # The reports that people ask for by name and that were not pulled are fetched, not made;
        # so are micro-anneals and indexes, which nothing else would bring (`engine/reconcile.py`).
        others = [n for n in named(clone, "evaluate") if n != "evaluate.pretrain-000008"]
        assert clone.build() == {
            "fetched": ["anneal", *others, *named(clone, "index")],
            "hit": [
                n for n in named(clone, "release") if n.replace("release", "evaluate") in others
            ],
        }
        clone.edit("params/tiny.yaml", "name: regrow-tiny", "name: regrow-other")
        assert clone.build() == {"run": named(clone, "release")}
    assert not (clone.path / "data/text").exists()
    assert not (clone.path / "data/pack").exists()
    assert (clone.path / "data/pretrain/000008/model.safetensors").exists()


def test_edits_and_reverts(grown: Real, tmp_path: Path):
    """One copy, one edit after the other: comment, param, equal bytes, tampering."""
    copy = grown.copy(tmp_path / "copy")
    # Comments, docstrings and layout in modules that every kind of step reaches.
    for path in (
        "learn/train/engine.py",
        "numerics/exact.py",
        "data/filters/words.py",
        "params/train.py",
    ):
        file = copy.path / "src/regrow" / path
        text = file.read_text().replace('"""', '"""Reworded. ', 1)
        file.write_text(text.replace("\n\n\n", "\n\n\n\n# a comment\n\n") + "# the end\n")
    assert copy.pending() == []
    assert "up to date" in copy.dvc("status")
    copy.git("checkout", "-q", ".")

    copy.edit("params/tiny.yaml", "name: regrow-tiny", "name: regrow-other")
    assert (
        'release.name: "regrow-tiny" -> "regrow-other"'
        in copy.regrow("plan", "--params", "params/tiny.yaml").stdout
    )
    assert copy.build() == {"run": named(copy, "release")}
    assert "up to date" in copy.dvc("status")
    copy.git("checkout", "-q", "params")
    assert copy.build() == {"hit": named(copy, "release")}
    assert copy.dirty() == ""
    assert "up to date" in copy.dvc("status")

    # A changed module of `mix` that gives equal bytes: everything after it is known.
    module = "src/regrow/data/mix/step.py"
    copy.edit(
        module,
        "from __future__ import annotations\n",
        "from __future__ import annotations\n\n_UNUSED = 1\n",
    )
    outcomes = copy.build()
    # The data card cites the record of mix.
    assert outcomes["run"] == ["mix", *named(copy, "release")]
    assert set(outcomes["hit"]) == descendants(copy, "mix") - set(named(copy, "release"))
    copy.git("checkout", "-q", ".")
    copy.build()
    assert copy.dirty() == ""

    path = copy.path / "data/release/pretrain-000008/model.safetensors"
    before = flip(path)
    assert "data/release/pretrain-000008/model.safetensors differs" in copy.snakemake("-n").stderr
    verify = copy.regrow("verify", check=False)
    assert verify.returncode == 1
    assert (
        "release.pretrain-000008: data/release/pretrain-000008/model.safetensors differs"
        in verify.stdout
    )
    count = len(list(copy.path.glob("records/*.json")))
    line = f"{count - 1} of {count} artifacts equal to the published hashes"
    assert verify.stdout.splitlines()[-1] == line
    assert copy.build() == {"hit": ["release.pretrain-000008"]}
    assert path.read_bytes() == before


def test_an_edited_module_reruns_the_steps_that_load_it_and_no_other(grown: Real, tmp_path: Path):
    copy = grown.copy(tmp_path / "copy")
    made = Present(copy.path, "params/tiny.yaml").made_steps  # no fork, so no step of forks
    with importer() as imports:
        by_function = {f: imports.load(copy.path / "src", f) for f in {s.function for s in made}}
    assert [found.failed for found in by_function.values() if found.failed] == []
    loads = {s.name: by_function[s.function].modules for s in made if s.group == "main"}
    for module in (
        "regrow.data.filters.words", "regrow.data.tables.parquet", "regrow.numerics.permutation",
        "regrow.data.crawl.robots", "regrow.learn.train.schedule", "regrow.release.data_card",
    ):  # fmt: skip
        path = copy.path / "src" / (module.replace(".", "/") + ".py")
        text = path.read_text()
        path.write_text(text + "\n_UNUSED = 1\n")
        plan = json.loads(copy.regrow("plan", "--json", "--params", "params/tiny.yaml").stdout)
        changed = {
            job["step"]
            for job in plan["jobs"]
            if any(r["part"] == "code" for r in job["reasons"]) and "_seed" not in job["step"]
        }
        assert changed == {step for step, modules in loads.items() if module in modules}, module
        assert changed
        path.write_text(text)
    # Three imports away from the step of the filters, for real.
    copy.edit(
        "src/regrow/data/filters/words.py",
        "from __future__ import annotations\n",
        "from __future__ import annotations\n\n_UNUSED = 1\n",
    )
    users = {step for step, modules in loads.items() if "regrow.data.filters.words" in modules}
    outcomes = copy.build()
    assert {name.split(".")[0] for name in outcomes["run"]} == users | {"release"}
    assert "up to date" in copy.dvc("status")


def test_killed_at_random_moments_under_other_settings_gives_the_same_lock(
    grown: Real, tmp_path: Path
):
    """No data, no remote, no cache: a release and all that it needs is grown anew, and comes out equal."""
    clone = grown.clone(tmp_path / "clone")
    expected = clone.read("dvc.lock")
    environment = clone.env | {
        "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1",
        "PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LANG": "C", "LC_ALL": "C",
    }  # fmt: skip
    seed = int(time.time())
    print(f"seed {seed}")
    moments = random.Random(seed)
    target = f"records/{LAST}.json"
    command = ["snakemake", "--cores", "2", target, "--configfile", "params/tiny.yaml"]
    for _ in range(4):
        process = subprocess.Popen(
            command, cwd=clone.path, env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(moments.uniform(2, 40))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    clone.env = environment
    clone.snakemake(target)
    assert clone.read("dvc.lock") == expected
    assert clone.dirty() == ""
    answer = json.loads(clone.regrow("verify", "--json", check=False).stdout)
    equal = {row["name"] for row in answer["artifacts"] if row["equal"]}
    assert {LAST, "rlvr.000002", "sft.000004", "midtrain_b.000004", "pretrain.000008"} <= equal


def test_explain_finds_what_a_step_took_by_the_index_of_the_flow(grown: Real, tmp_path: Path):
    step = json.loads(grown.regrow("batch", "pretrain.000008", "--step", "3", "--json").stdout)
    piece = max(step["documents"], key=lambda p: p["tokens"])
    packed = Packed(grown.path / "data/pack")
    tokens = packed.take(piece["sequence"])[piece["start"] : piece["end"]].tolist()
    tokenizer, _ = bpe.load(grown.path / "data/tokenizer")
    (tmp_path / "text").write_text(chat.decode(tokenizer, tokens).removesuffix("<|endoftext|>"))
    found = grown.regrow("explain", LAST, "--file", str(tmp_path / "text"), "--json", "--top", "50")
    answer = json.loads(found.stdout)
    assert {data["index"] for data in answer["data"]} == {
        f"data/index/{name}"
        for name in ("pack", "midtrain_data", "longcontext_data", "sft_data", "pairs")
    }  # a model this small earns nothing: no answer of its own was learned from
    span = max(answer["spans"], key=lambda s: s["tokens"])
    assert span["tokens"] >= len(tokens) - 3
    seen = [s for e in span["found_in"] if e["origin"] == piece["id"] for s in e["seen"]]
    assert any(s["stage"] == "pretrain" and 3 in s["steps"] for s in seen)
