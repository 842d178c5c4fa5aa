"""Two runs: the first step at which they differ, the tensor, the element and the distance."""

from __future__ import annotations

import copy
import json
import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import trained_tree
from regrow.cli.main import main
from regrow.data.tokens.order import Order
from regrow.engine.store import Store
from regrow.evidence.errors import Unanswerable
from regrow.learn.train import digest
from regrow.learn.train.engine import Engine
from regrow.prove.segments import chain
from regrow.prove.segments import links as links_of
from regrow.prove.segments.bisect import bisect
from regrow.prove.segments.sides import side

NAME = "model.layers.2.self_attn.q_proj.weight"
GIT = (
    "git",
    "-c",
    "user.name=Test",
    "-c",
    "user.email=test@example.org",
    "-c",
    "commit.gpgsign=false",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Up to SFT; only read."""
    root = tmp_path_factory.mktemp("trained") / "tree"
    return trained_tree.grow(root)


@pytest.fixture
def other(trained: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(trained, tmp_path / "other"))


def ask(root: Path, tmp_path: Path, a: str, b: str, **more: Any) -> dict[str, Any]:
    left, right = (side(root, name, tmp_path / label) for name, label in ((a, "a"), (b, "b")))
    return bisect(left, right, tmp_path / "bisect", lambda text: None, **more)


def next_up(weights: dict[str, torch.Tensor]) -> None:
    """Move element [3, 7] of one tensor up by one ULP."""
    weights[NAME][3, 7] = torch.nextafter(weights[NAME][3, 7], torch.tensor(math.inf))


def test_two_equal_runs_are_equal_without_a_rerun(trained: Path, tmp_path: Path) -> None:
    answer = ask(trained, tmp_path, "rlvr", f"{trained}:rlvr")
    assert answer["verdict"] == "equal" and answer["chains_read"] == 2


def test_one_ulp_planted_in_a_stored_checkpoint_is_named(
    trained: Path, other: Path, tmp_path: Path
) -> None:
    def plant(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        next_up(weights)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        links = digest.read(folder / "digests.jsonl")
        mine = chain.state_link(folder)
        links[-1] |= {key: mine[key] for key in ("digest", "tensors")}
        links[-1]["chain"] = links_of.joined(links[-2]["chain"], mine["digest"])
        digest.write(links, folder / "digests.jsonl")

    trained_tree.make(other, "midtrain.000003", change=plant)
    trained_tree.retrain(other, "midtrain.000003")
    answer = ask(trained, tmp_path, "rlvr", f"{other}:rlvr")
    assert answer["verdict"] == "differs"
    assert (answer["stage"], answer["step"]) == (["midtrain", "midtrain"], 3)
    assert answer["reproduced"] == [True, False]
    assert answer["tensors"] == [f"model/{NAME}"] == [item["tensor"] for item in answer["apart"]]
    (found,) = answer["apart"]
    assert found["elements"] == 1
    assert found["first"]["index"] == [3, 7] and found["first"]["ulps"] == 1
    assert answer["causes"] == []
    turned = ask(trained, tmp_path, f"{other}:rlvr", "rlvr")
    assert turned["reproduced"] == [False, True] and turned["step"] == 3


@pytest.mark.parametrize("at", [5, 6])
def test_a_flipped_bit_in_memory_is_found_between_two_links(
    trained: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """A machine that computed wrong once, after a step: its run does not follow from its recipe."""
    step = Engine.train_step

    def faulty(self: Engine) -> Any:
        row = step(self)
        if self.step == at:
            with torch.no_grad():
                next_up(dict(self.weights))
        return row

    with monkeypatch.context() as machine:
        machine.setattr(Engine, "train_step", faulty)
        trained_tree.make(other, "sft.000006")
    trained_tree.retrain(other, "sft.000006")
    answer = ask(trained, tmp_path, "rlvr", f"{other}:rlvr")
    assert answer["reproduced"] == [True, False] and answer["causes"] == []
    assert (answer["equal_at"], answer["link"], answer["state_at"]) == (4, 6, 6)
    assert "step" not in answer  # the faulty machine alone could say which of the two it was
    assert NAME in [item["tensor"].removeprefix("model/") for item in answer["apart"]]
    if at == 6:
        assert answer["tensors"] == [f"model/{NAME}"]
        assert answer["apart"][0]["first"]["ulps"] == 1
        assert answer["apart"][0]["first"]["index"] == [3, 7]


def test_another_token_is_found_at_the_very_step_that_reads_it(
    trained: Path, other: Path, tmp_path: Path
) -> None:
    """Links are at steps 4 and 6; the sequence that differs is read in step 5 and not before."""
    count = json.loads((other / "data/midtrain_data/meta.json").read_text())["sequences"]
    order = Order(count, 0, "midtrain")
    read = [set(order.at(8 * step, 8).tolist()) for step in range(6)]
    changed = min(read[4] - set.union(*read[:4]))
    path = other / "data/midtrain_data/tokens.bin"
    length = json.loads((other / "data/midtrain_data/meta.json").read_text())["sequence_length"]
    tokens = np.fromfile(path, dtype="<u2").reshape(-1, length)
    tokens[changed, 10] = 99 if tokens[changed, 10] != 99 else 98
    tokens.tofile(path)
    meta = json.loads((other / "data/midtrain_data/meta.json").read_text())
    (other / "data/midtrain_data/meta.json").write_text(json.dumps(meta))
    trained_tree.write_record(other, "midtrain_data")
    trained_tree.retrain(other, "pretrain.000006")
    answer = ask(trained, tmp_path, "rlvr", f"{other}:rlvr")
    assert (answer["stage"][0], answer["equal_at"], answer["link"]) == ("midtrain", 4, 6)
    assert answer["reproduced"] == [True, True]
    assert answer["step"] == answer["state_at"] == 5
    assert "inputs.data" in answer["causes"]
    assert answer["apart"] and all(item["first"] for item in answer["apart"])


def test_a_parameter_that_differs_is_named_with_the_first_step(
    trained: Path, other: Path, tmp_path: Path
) -> None:
    params = copy.deepcopy(trained_tree.PARAMS)
    rate = trained_tree.Params.model_validate(params).sft.optimizer.learning_rate
    params["sft"]["optimizer"] = {
        "learning_rate": rate * (1 + 2**-20),
        "weight_decay": 0.0,
    }
    for name in trained_tree.CHAIN[trained_tree.CHAIN.index("sft.000003") :]:
        trained_tree.make(other, name, params)
    answer = ask(trained, tmp_path, "sft", f"{other}:sft")
    assert answer["causes"] == ["params.sft"] and answer["stage"] == ["sft", "sft"]
    assert answer["reproduced"] == [True, True]
    assert answer["step"] == 1 and answer["link"] == 2


def test_two_orders_of_data_part_at_the_first_step(trained: Path, tmp_path: Path) -> None:
    answer = ask(trained, tmp_path, "midtrain", "midtrain_b")
    assert answer["stage"] == ["midtrain", "midtrain_b"] and answer["step"] == 1
    assert answer["reproduced"] == [True, True] and answer["link"] == 2
    only = ask(trained, tmp_path / "2", "midtrain", "midtrain_b", rerun=False)
    assert only["link"] == 2 and "reproduced" not in only


def test_a_revision_of_git_is_a_run_whose_bytes_lie_in_the_cache(
    trained: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (other / ".gitignore").write_text("/data/\n.dvc/\n")
    run: Callable[..., Any] = lambda *args: subprocess.run(  # noqa: E731
        [*GIT, *args], cwd=other, check=True, capture_output=True
    )
    run("init", "-q")
    run("add", "-A")
    run("commit", "-q", "-m", "published")
    store = Store(other)
    for path in (other / "data").rglob("*"):
        if path.is_file():
            store.insert_file(path)
    params = copy.deepcopy(trained_tree.PARAMS)
    params["midtrain"]["seed"] = 7
    for name in trained_tree.CHAIN[trained_tree.CHAIN.index("midtrain.000003") :][:2]:
        trained_tree.make(other, name, params)
    monkeypatch.chdir(other)
    assert main(["verify", "HEAD:midtrain", "midtrain"]) == 1
    said = capsys.readouterr().out
    assert "differ, first at midtrain step 1" in said and "params.midtrain" in said
    assert main(["verify", "HEAD:midtrain", str(trained) + ":midtrain"]) == 0
    assert main(["verify", "midtrain", "nowhere:sft"]) == 1
    assert "neither a folder with records/ nor a git revision" in capsys.readouterr().err


def test_runs_of_different_kinds_are_refused_or_parted(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(Unanswerable, match="is no checkpoint"):
        ask(trained, tmp_path, "pack", "sft")
