"""The soup of two runs, micro-anneals, and the held-out losses that judge both."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

import small_stages
from determinism import AS_A_JOB, hashes, run_twice
from regrow.learn.model import files
from regrow.learn.train import anneal, checkpoint, digest, heldout, runtime, soup
from regrow.learn.train.data import Sequences
from regrow.learn.train.engine import Engine
from regrow.learn.train.heldout import Scored
from regrow.numerics.torch.install import install
from small_stages import params

TESTS = str(Path(__file__).resolve().parents[1] / "support")
RUN = (
    AS_A_JOB
    + """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import small_stages as s
from regrow.learn.train import anneal, soup
if __name__ == "__main__":
    out, world, runs = (Path(p) for p in (sys.argv[1], *sys.argv[3:]))
    inputs = {"a": runs / "a/000006", "b": runs / "b/000006", "midtrain_data": world / "midtrain_data"}
    soup.run(inputs, s.params(), out / "soup", instance="000006", stage="soup")
    inputs = {"base": world / "pretrain/000020", "midtrain_data": world / "midtrain_data"}
    scratch = out.parent / "scratch"
    anneal.run(inputs, s.params(), out / "anneal", scratch=scratch)
"""
)


@pytest.fixture(scope="module")
def runs(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two midtraining runs in a folder, `a` and `b`."""
    root = tmp_path_factory.mktemp("runs")
    for name, stage in (("a", "midtrain"), ("b", "midtrain_b")):
        small_stages.train(stage, world, root / name, params())
    return root


@pytest.fixture(scope="module")
def made(world: Path, runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`soup` and `anneal`, the same from two processes with other settings."""
    top = tmp_path_factory.mktemp("made")
    run_twice(RUN, top, TESTS, str(world), str(runs))
    return top / "run-0/output"


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / files.WEIGHTS) | load_file(folder / checkpoint.OPTIMIZER)


def test_the_soup_is_the_mean_of_weights_and_moments(made: Path, runs: Path) -> None:
    decision = json.loads((made / "soup/decision.json").read_text())
    means = {name: values["mean"] for name, values in decision["losses"].items()}
    assert decision["kept"] == min(means, key=lambda name: means[name]) == "mean"
    a, b = (tensors(runs / name / "000006") for name in "ab")
    found = tensors(made / "soup")
    assert found.keys() == a.keys() == b.keys()
    assert any(not torch.equal(a[name], b[name]) for name in a)
    for name, value in found.items():
        torch.testing.assert_close(value, (a[name].double() + b[name].double()).div(2).float())


def test_the_soup_is_a_checkpoint_that_a_stage_can_start_from(
    made: Path, runs: Path, world: Path
) -> None:
    folder = made / "soup"
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in (runs / "a/000006").iterdir()} | {"decision.json"}
    state = checkpoint.state(folder)
    assert (state["stage"], state["step"], state["updates"]) == ("soup", 6, 26)
    last = digest.read(folder / checkpoint.DIGESTS)[-1]
    held = {f"model/{k}": v for k, v in load_file(folder / files.WEIGHTS).items()}
    held |= {f"optimizer/{k}": v for k, v in load_file(folder / checkpoint.OPTIMIZER).items()}
    position = {name: state[name] for name in ("step", "tokens", "updates", "skip")}
    assert digest.link(6, held, position, digest.FIRST)["digest"] == last["digest"]
    given = {"data": world / "longcontext_data", "base": folder}
    function, _, _, options = small_stages.STAGES["longcontext"]
    function(given, params(), made / "next", instance="000003", scratch=made, **options)
    assert checkpoint.state(made / "next")["step"] == 3


def test_a_soup_that_does_not_win_is_not_kept(world: Path, runs: Path, tmp_path: Path) -> None:
    """One ingredient is spoilt, so that the mean is worse than the other."""
    from safetensors.torch import save_file

    shutil.copytree(runs / "b/000006", tmp_path / "b")
    spoilt = {k: v * -1.0 for k, v in load_file(tmp_path / "b" / files.WEIGHTS).items()}
    save_file(spoilt, tmp_path / "b" / files.WEIGHTS, metadata={"format": "pt"})
    inputs = {"a": runs / "a/000006", "b": tmp_path / "b", "midtrain_data": world / "midtrain_data"}
    counts = soup.run(inputs, params(), tmp_path / "soup", instance="000006", stage="soup")
    assert counts["kept"] == "a"
    for name in (files.WEIGHTS, checkpoint.OPTIMIZER):
        assert (tmp_path / "soup" / name).read_bytes() == (inputs["a"] / name).read_bytes()


def test_runs_that_do_not_belong_together(world: Path, runs: Path, tmp_path: Path) -> None:
    inputs = {
        "a": runs / "a/000003",
        "b": runs / "b/000006",
        "midtrain_data": world / "midtrain_data",
    }
    with pytest.raises(ValueError, match=r"steps \[3, 6\]"):
        soup.run(inputs, params(), tmp_path / "soup", instance="000006", stage="soup")


def test_the_table_of_anneals(made: Path) -> None:
    results = json.loads((made / "anneal/results.json").read_text())
    assert results["losses"].keys() == {"base", "pretraining", "questions", "retrieval"}
    assert results["differences"].keys() == {"questions", "retrieval"}
    assert results["tokens"] == 6 * 8 * 64
    for name, packs in results["differences"].items():
        for pack, found in packs.items():
            losses = results["losses"]
            gap = losses[name][pack] - losses["pretraining"][pack]
            assert found["value"] == pytest.approx(gap, abs=1e-12)
            assert found["low"] < found["value"] < found["high"]


def test_half_of_a_candidates_sequences_are_the_controls(world: Path) -> None:
    runtime.prepare()
    inputs = {"base": world / "pretrain/000020", "midtrain_data": world / "midtrain_data"}
    rows = {
        name: {
            tuple(r)
            for r in Sequences(world / "midtrain_data/components" / name).take(range(30)).tolist()
        }
        for name in ("questions", "pretraining")
    }
    for component, share in (("questions", 4), ("pretraining", 0)):
        source = anneal.plan(inputs, params(), component=component).source
        taken = [tuple(r) for i in range(source.per_step) for r in source.get(1, i).tokens.tolist()]
        assert sum(row in rows["questions"] for row in taken) == share
        assert sum(row in rows["pretraining"] for row in taken) == 8 - share


def test_a_killed_anneal_goes_on_with_the_run_that_it_was_at(
    world: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    step = Engine.train_step
    seen: list[int] = []

    def deadly(engine: Engine) -> object:
        seen.append(engine.step)
        if len(seen) == 9:
            raise Killed
        return step(engine)

    monkeypatch.setattr(Engine, "train_step", deadly)
    inputs = {"base": world / "pretrain/000020", "midtrain_data": world / "midtrain_data"}
    with pytest.raises(Killed):
        anneal.run(inputs, params(), tmp_path / "out", scratch=tmp_path / "scratch")
    anneal.run(inputs, params(), tmp_path / "out", scratch=tmp_path / "scratch")
    assert len(seen) == 9 + 2 * 6, "the finished run is not repeated"
    assert hashes(tmp_path / "out") == hashes(made / "anneal")


def test_a_component_that_is_not_there(world: Path, tmp_path: Path) -> None:
    values = params()
    values.anneal = values.anneal.model_copy(update={"candidates": ["poems"]})
    inputs = {"base": world / "pretrain/000020", "midtrain_data": world / "midtrain_data"}
    with pytest.raises(ValueError, match="no component 'poems'; it has"):
        anneal.run(inputs, values, tmp_path / "out", scratch=tmp_path / "scratch")


def test_the_held_out_loss_is_cross_entropy(world: Path) -> None:
    runtime.prepare()
    model = install(files.load(world / "pretrain/000020"))
    pack = world / "midtrain_data/heldout/tasks"
    found = heldout.score(model, pack)
    tokens = Sequences(pack).take(range(20))
    with torch.no_grad():
        logits = model(tokens).logits[:, :-1].flatten(0, 1)
    want = functional.cross_entropy(logits, tokens[:, 1:].flatten())
    assert found.mean() == pytest.approx(float(want), rel=1e-5)
    assert found.tokens == [63] * 20


def test_the_interval_of_a_paired_difference() -> None:
    base = Scored([100.0 + i % 7 for i in range(40)], [50] * 40)
    better = Scored([x - 1.0 - 0.01 * (i % 3) for i, x in enumerate(base.losses)], [50] * 40)
    found = heldout.difference([better], [base], "t")
    assert found["value"] == pytest.approx(-1.01 / 50, rel=0.01)
    assert found["low"] <= found["value"] <= found["high"] < 0
    assert found["high"] - found["low"] < 0.001, "paired: the spread of the documents is not in it"
    noise = Scored([x + (-1) ** i * 5.0 for i, x in enumerate(base.losses)], [50] * 40)
    none = heldout.difference([noise], [base], "t")
    assert none["low"] < 0 < none["high"]
