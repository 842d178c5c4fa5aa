"""What a user sees: the behaviour table of docs/concepts/flow.md, on the toy, with real Snakemake and DVC."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from small_repository import Repository

TRAIN = ["train.000", "train.001", "train.002"]
EVALUATE = ["evaluate.000", "evaluate.001", "evaluate.002"]


def configure(repository: Repository, address: str) -> None:
    """Point the default remote at `address`."""
    repository.dvc("remote", "add", "--local", "-d", "store", address)


def test_a_finished_tree_does_nothing_and_stays_clean(repository: Repository):
    assert repository.pending() == []
    assert repository.build() == {}
    assert repository.dirty() == ""
    assert "up to date" in repository.dvc("status")


def test_clone_and_pull_over_http_has_nothing_to_do(clone: Repository, address: str):
    configure(clone, address)
    clone.dvc("pull", "-q")
    assert clone.pending() == []
    assert clone.build() == {}
    assert "up to date" in clone.dvc("status")
    assert clone.dirty() == ""
    answer = clone.run("regrow", "verify")
    assert answer.stdout.splitlines()[-1] == "12 of 12 artifacts equal to the published hashes"


def test_clone_with_a_remote_fetches_what_is_asked_for_by_name(clone: Repository, address: str):
    configure(clone, address)
    assert clone.pending() == ["evaluate"]
    assert clone.build() == {"fetched": EVALUATE}
    have = sorted(p.relative_to(clone.path).as_posix() for p in clone.path.glob("data/**/*.*"))
    assert have == [f"data/evaluate/{n}/score.txt" for n in ("000", "001", "002")]
    assert clone.dirty() == ""
    assert clone.pending() == []


def test_clone_without_data_or_remote_regrows_everything(clone: Repository):
    outcomes = clone.build()
    assert set(outcomes) == {"run"}
    assert len(outcomes["run"]) == 12
    assert clone.dirty() == ""
    assert "up to date" in clone.dvc("status")
    assert clone.pending() == []


def test_clone_with_an_unreachable_remote_says_so_and_regrows(clone: Repository):
    configure(clone, "http://127.0.0.1:9")
    done = clone.snakemake()
    assert "remote could not be asked" in done.stderr
    assert clone.steps(clone.outcomes()["run"])["evaluate"] == 3
    assert clone.dirty() == ""


def test_edit_before_the_first_call_in_a_clone_is_seen(clone: Repository, address: str):
    configure(clone, address)
    clone.dvc("pull", "-q")
    clone.edit("src/toy/nn.py", "+ 1", "+ 2")
    assert clone.build() == {"run": EVALUATE + TRAIN}


def test_module_three_imports_away_reruns_its_steps_and_a_revert_none(repository: Repository):
    repository.edit("src/toy/nn.py", "+ 1", "+ 2")
    plan = repository.run("regrow", "plan", **repository.toy_table())
    assert "toy.nn.activate: changed" in plan.stdout
    assert repository.pending() == ["evaluate", "train"]
    assert repository.build() == {"run": EVALUATE + TRAIN}
    assert "up to date" in repository.dvc("status")
    repository.edit("src/toy/nn.py", "+ 2", "+ 1")
    assert repository.build() == {"hit": EVALUATE + TRAIN}
    assert repository.dirty() == ""
    assert "up to date" in repository.dvc("status")


def test_comment_docstring_and_layout_rerun_nothing(repository: Repository):
    repository.edit(
        "src/toy/shared.py", '"""Runs of white space to one space."""', '"""Else."""  # x'
    )
    repository.edit(
        "src/toy/nn.py", "return max(value, 0) + 1", "return (\n        max(value, 0)\n        + 1)"
    )
    assert repository.pending() == []
    assert "up to date" in repository.dvc("status")


def test_equal_bytes_stop_the_rebuild(repository: Repository):
    repository.edit("src/toy/shared.py", "text.split()", "text.split(None)")
    outcomes = repository.build()
    assert outcomes["run"] == ["clean.0", "clean.1", "clean.2", "tokenize"]
    assert outcomes["hit"] == [*EVALUATE, "mix", *TRAIN]


def test_param_edit_reruns_its_readers(repository: Repository):
    repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.6")
    plan = repository.run("regrow", "plan", **repository.toy_table())
    assert "train.lr: 0.5 -> 0.6" in plan.stdout
    assert "params/demo.yaml" in repository.dvc("status")
    assert repository.build() == {"run": EVALUATE + TRAIN}
    assert "up to date" in repository.dvc("status")


def test_a_default_that_the_params_file_does_not_name_counts_too(repository: Repository):
    repository.edit("src/toy/params/__init__.py", "seed: int = 0", "seed: int = 1")
    assert repository.build() == {"run": EVALUATE + TRAIN}
    assert "up to date" in repository.dvc("status")


def test_an_unread_param_reruns_nothing(repository: Repository):
    repository.edit(
        "src/toy/params/__init__.py",
        "class Clean(Block):",
        "class Other(Block):\n    x: int = 1\n\n\nclass Clean(Block):",
    )
    assert repository.pending() == []


def test_partial_pull_works_and_fetches_only_what_a_run_reads(clone: Repository, address: str):
    configure(clone, address)
    clone.dvc("pull", "-q", "data/evaluate")
    assert clone.pending() == []
    clone.edit("src/toy/evaluate.py", "sum(values)", "sum(values) + 1")
    assert clone.build() == {"run": EVALUATE}
    assert not (clone.path / "data/split").exists()
    assert not (clone.path / "data/mix").exists()
    assert (clone.path / "data/train/001/weights.txt").exists()


def test_partial_pull_without_a_remote_regrows_what_a_run_reads(clone: Repository, address: str):
    configure(clone, address)
    clone.dvc("pull", "-q", "data/evaluate", "data/tokenize")
    clone.dvc("remote", "remove", "--local", "store")
    assert clone.pending() == []
    clone.edit("src/toy/evaluate.py", "sum(values)", "sum(values) + 1")
    # train is read; tokenize, which train reads, is here, so nothing before it runs.
    assert clone.build() == {"run": EVALUATE + TRAIN}


@pytest.mark.parametrize("path", ["data/mix/mix.txt", "data/evaluate/001/score.txt"])
def test_tampered_output_is_named_and_repaired(repository: Repository, path: str):
    file = repository.path / path
    before, stat = file.read_bytes(), file.stat()
    with file.open("r+b") as handle:  # the inode, the size and the modification time stay
        handle.write(b"X" if before[:1] != b"X" else b"Y")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    done = repository.snakemake("-n")
    assert f"{path} differs from its record" in done.stderr
    verify = repository.run("regrow", "verify", check=False)
    assert verify.returncode == 1
    assert f"{path} differs" in verify.stdout
    assert verify.stdout.splitlines()[-1].startswith("11 of 12 artifacts equal")
    outcomes = repository.build()
    assert set(outcomes) == {"hit"}
    assert file.read_bytes() == before
    assert repository.dirty() == ""


def test_tampered_cache_object_is_not_restored(repository: Repository):
    record = repository.run(
        "python",
        "-c",
        "import json;print(json.load(open('records/evaluate.001.json'))['output']['files'][1]['md5'])",
    ).stdout.strip()
    item = repository.path / ".dvc/cache/files/md5" / record[:2] / record[2:]
    item.chmod(0o644)
    item.write_text("forged\n")
    (repository.path / "data/evaluate/001/score.txt").unlink()
    repository.snakemake()
    assert repository.dirty() == ""
    assert repository.pending() == []
    assert "up to date" in repository.dvc("status")


def test_foreign_file_in_an_output_is_removed(repository: Repository):
    (repository.path / "data/mix/stray.txt").write_text("x")
    assert "stray.txt is not in its record" in repository.snakemake("-n").stderr
    repository.snakemake()
    assert not (repository.path / "data/mix/stray.txt").exists()
    assert repository.dirty() == ""


def test_deleted_leaf_is_restored_and_a_deleted_middle_waits(repository: Repository):
    (repository.path / "data/mix/mix.txt").unlink()
    assert repository.pending() == []
    (repository.path / "data/evaluate/001/score.txt").unlink()
    assert repository.build() == {"hit": ["evaluate.001"]}
    assert repository.dirty() == ""
    repository.edit("src/toy/tokenize.py", "sorted(set(words))", "sorted(set(words), reverse=True)")
    repository.build()
    assert (repository.path / "data/mix/mix.txt").exists()


def test_fewer_and_more_instances(repository: Repository):
    repository.edit("params/demo.yaml", "steps: 2", "steps: 1")
    said = repository.snakemake().stderr
    assert (
        "params/demo.yaml does not ask for 2 of the records here (evaluate.002, train.002)" in said
    )
    assert not (repository.path / "records/train.002.json").exists()
    assert not (repository.path / "data/evaluate/002").exists()
    assert "up to date" in repository.dvc("status")
    repository.edit("params/demo.yaml", "steps: 1", "steps: 2")
    # The count of steps is a param of train, so all of its keys come back with it.
    assert set(repository.build()) == {"hit"}
    assert repository.dirty() == ""
    assert "up to date" in repository.dvc("status")


def test_branch_switch_with_and_without_checkout(repository: Repository):
    repository.git("checkout", "-q", "-b", "other")
    repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.7")
    repository.build()
    repository.commit("other")
    repository.git("checkout", "-q", "main")
    repository.dvc("checkout", "-q")
    assert repository.pending() == []
    assert "up to date" in repository.dvc("status")
    repository.git("checkout", "-q", "other")
    # The data is main's: `reconcile` names it, the run restores it.
    assert set(repository.build()) == {"hit"}
    assert repository.dirty() == ""
    assert "up to date" in repository.dvc("status")


def test_old_records_under_new_params_fire_every_time(repository: Repository):
    for _ in range(2):
        repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.8")
        repository.build()
        repository.git("checkout", "-q", "records", "dvc.lock", "code.json")
        assert "train" in repository.pending()
        repository.git("checkout", "-q", ".")
        repository.build()


def test_two_calls_at_once(repository: Repository):
    repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.9")
    environment = repository.env | {"REGROW_TOY_PAUSE": "0.3"}
    command = ["snakemake", "--cores", "2"]
    first = subprocess.Popen(
        command,
        cwd=repository.path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait_for(repository.path / "logs/train.000.log", newer_than=time.time())
    second = repository.run(*command, check=False)
    assert second.returncode != 0
    assert "Another snakemake is at work here" in second.stderr
    assert first.wait(120) == 0
    assert repository.pending() == []
    assert repository.steps(repository.outcomes()["run"]) == {"train": 3, "evaluate": 3}
    assert "up to date" in repository.dvc("status")


def _wait_for(path: Path, newer_than: float = 0.0, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.exists() and path.stat().st_mtime >= newer_than:
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")


def test_until_then_all(repository: Repository):
    repository.edit("src/toy/shared.py", "text.split()", 'text.replace("lazy", "idle").split()')
    assert repository.build("--until", "tokenize")["run"] == [
        "clean.0",
        "clean.1",
        "clean.2",
        "mix",
        "tokenize",
    ]
    assert repository.build() == {"run": EVALUATE + TRAIN}


def test_another_params_file(repository: Repository):
    (repository.path / "params/other.yaml").write_text("train: {lr: 0.25, steps: 1}\n")
    repository.build("--configfile", "params/other.yaml")
    assert (
        repository.snakemake("-n", "--configfile", "params/other.yaml").stdout.count("rule ") == 0
    )
    assert "params/other.yaml" in repository.read("dvc.lock")
    assert "up to date" in repository.dvc("status")
    done = repository.snakemake("-n", "--config", "lr=3", check=False)
    assert done.returncode != 0
    assert "live in a params file" in done.stdout + done.stderr
    assert repository.build() != {}
    assert repository.dirty() == "?? params/other.yaml"


def test_wrong_params_are_a_message(repository: Repository):
    repository.edit("params/demo.yaml", "lr: 0.5", "lrr: 0.5")
    done = repository.snakemake(check=False)
    assert done.returncode != 0
    assert "params/demo.yaml" in done.stderr
    assert "lrr" in done.stderr


def test_killed_anywhere_then_rerun_gives_the_same_lock(clone: Repository):
    expected = clone.read("dvc.lock")
    environment = clone.env | {"REGROW_TOY_PAUSE": "0.1"}
    for wait in (1.6, 2.6, 3.3, 4.1, 5.2):
        process = subprocess.Popen(
            ["snakemake", "--cores", "2"],
            cwd=clone.path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    clone.snakemake()
    assert clone.read("dvc.lock") == expected
    assert clone.dirty() == ""
    assert clone.pending() == []


def test_a_job_left_behind_by_a_killed_snakemake_is_waited_for(repository: Repository):
    repository.edit("params/demo.yaml", "lr: 0.5", "lr: 0.35")
    began = time.time()
    process = subprocess.Popen(
        ["snakemake", "--cores", "1"],
        cwd=repository.path,
        # Longer than the next snakemake needs to come up, however busy the machine is.
        env=repository.env | {"REGROW_TOY_PAUSE": "6"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait_for(repository.path / "logs/train.000.log", newer_than=began)
    process.kill()  # only snakemake: the job goes on
    process.wait()
    outcomes = repository.build()
    assert repository.steps(outcomes["run"]) == {"train": 3, "evaluate": 3}
    assert outcomes.get("hit") == ["train.000"]
    assert repository.pending() == []
