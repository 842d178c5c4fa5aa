"""Every stage: equal bytes in other settings, on more processes, after kills; what crosses stages."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

import small_stages
from determinism import AS_A_JOB, hashes, run_twice
from regrow.learn.model import files
from regrow.learn.train import checkpoint, digest, metrics, parallel, stage
from regrow.learn.train.engine import Engine
from regrow.params.train import Optimizer
from small_run import EOS, LENGTH, PAD
from small_stages import OBJECTIVES, STAGES, inputs, params, train

TESTS = str(Path(__file__).resolve().parents[1] / "support")
RUN = (
    AS_A_JOB
    + """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import small_stages as s
if __name__ == "__main__":
    for name in s.OBJECTIVES:
        out = Path(sys.argv[1])
        s.train(name, Path(sys.argv[3]), out / name, s.params())
"""
)


@pytest.fixture(scope="session")
def trained(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every stage, uninterrupted: a folder with `<stage>/000003` and `<stage>/000006`."""
    root = tmp_path_factory.mktemp("trained")
    for name in STAGES:
        train(name, world, root / name, params())
    return root


def checkpoints(root: Path) -> dict[str, str]:
    return {k: v for k, v in hashes(root).items() if k.split("/")[0] in OBJECTIVES}


def test_two_processes_with_other_settings_write_the_same_bytes(
    world: Path, trained: Path, tmp_path: Path
) -> None:
    found = run_twice(RUN, tmp_path, TESTS, str(world))
    assert {k: v for k, v in found.items() if not k.startswith("scratch")} == checkpoints(trained)


def test_two_processes_under_deepspeed_give_the_bits_of_one(
    world: Path, trained: Path, tmp_path: Path
) -> None:
    parallel.launch(2, small_stages.segments, (world, tmp_path))
    for name in OBJECTIVES:
        assert hashes(tmp_path / name / "000003") == hashes(trained / name / "000003"), name


@pytest.mark.parametrize("name", OBJECTIVES)
def test_killed_at_random_steps_and_resumed_is_uninterrupted(
    world: Path, trained: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    monkeypatch.setattr(stage, "SAVE_EVERY", 1)
    step = Engine.train_step
    deaths = random.Random(name).sample(range(1, 6), 3)
    seen: list[int] = []

    def deadly(engine: Engine) -> metrics.Row:
        row = step(engine)
        seen.append(row.step)
        if row.step in deaths:
            deaths.remove(row.step)
            raise Killed
        return row

    values = params(checkpoint_every=6)
    whole = train(name, world, tmp_path / "whole", values)
    monkeypatch.setattr(Engine, "train_step", deadly)
    scratch = tmp_path / "scratch"
    for _ in range(3):
        with pytest.raises(Killed):
            train(name, world, tmp_path / "killed", values, scratch=scratch)
        shutil.rmtree(tmp_path / "killed")
    train(name, world, tmp_path / "killed", values, scratch=scratch)
    assert len(seen) == 9 and seen.count(1) <= 2, "every kill repeats one step, not the segment"
    assert hashes(tmp_path / "killed/000006") == hashes(whole)
    same = ("model.safetensors", "optimizer.safetensors", "state.json")
    for file in same:  # one segment or two: the same state
        left, right = (p / file for p in (whole, trained / name / "000006"))
        assert left.read_bytes() == right.read_bytes()


def test_the_state_says_where_a_checkpoint_stands(trained: Path) -> None:
    state = checkpoint.state(trained / "longcontext_control/000006")
    assert (state["stage"], state["step"], state["position"]) == ("longcontext_control", 6, 48)
    assert state["tokens"] == 6 * 8 * LENGTH
    assert state["order"]["key"] == "longcontext_control order seed 0"
    assert checkpoint.state(trained / "sft/000003")["order"]["examples"] == 50


def test_weights_and_moments_are_carried_and_the_trainer_starts_anew(world: Path) -> None:
    base = world / "pretrain/000020"
    engine = begun("midtrain", world, params())
    moments = load_file(base / checkpoint.OPTIMIZER)
    assert moments and engine.optimizer.tensors().keys() == moments.keys()
    for name, value in engine.optimizer.tensors().items():
        assert torch.equal(value, moments[name]), name
    weights = load_file(base / files.WEIGHTS)
    assert all(torch.equal(value, weights[name]) for name, value in engine.weights.items())
    assert engine.optimizer.applied == 20
    assert (engine.step, engine.tokens, engine.skip.state()["losses"]) == (0, 0, [])


def test_sft_starts_with_a_fresh_optimizer(world: Path) -> None:
    engine = begun("sft", world, params())
    assert engine.optimizer.tensors() == {} and engine.optimizer.applied == 0


def test_another_optimizer_cannot_take_over_the_state(world: Path) -> None:
    values = params(optimizer=Optimizer(name="adamw"))
    with pytest.raises(ValueError, match=r"same optimizer\.name, or carry_optimizer: false"):
        begun("midtrain", world, values)


def begun(name: str, world: Path, values: SimpleNamespace) -> Engine:
    """The engine of a stage's first segment, before its first step."""
    _, plan, _, options = STAGES[name]
    made = plan(inputs(name, world), values, **options)
    engine = stage.assemble(made)
    checkpoint.begin(world / "pretrain/000020", engine, carry_optimizer=made.block.carry_optimizer)
    return engine


def test_the_chain_of_digests_goes_on_from_the_stage_before(world: Path, trained: Path) -> None:
    import hashlib

    chain = digest.read(world / "pretrain/000020" / checkpoint.DIGESTS)[-1]["chain"]
    for step in ("000003", "000006"):
        for link in digest.read(trained / "dpo" / step / checkpoint.DIGESTS):
            chain = hashlib.sha256(f"{chain} {link['digest']}".encode()).hexdigest()
            assert link["chain"] == chain


def test_the_second_midtraining_reads_the_same_data_in_another_order(
    world: Path, trained: Path
) -> None:
    a, b = (checkpoint.state(trained / name / "000006") for name in ("midtrain", "midtrain_b"))
    assert a["order"]["sequences"] == b["order"]["sequences"]
    assert a["order"]["key"] != b["order"]["key"]
    assert a["tokens"] == b["tokens"]


def test_the_long_model_has_yarn_on_full_layers_and_the_control_is_as_it_was(
    world: Path, trained: Path
) -> None:
    base, control, long = (
        json.loads((folder / files.CONFIG).read_text())
        for folder in (
            world / "pretrain/000020",
            trained / "longcontext_control/000006",
            trained / "longcontext/000006",
        )
    )
    assert control == base
    assert long["max_position_embeddings"] == 2 * base["max_position_embeddings"]
    rope = long["rope_parameters"]
    assert rope["full_attention"]["rope_type"] == "yarn"
    assert rope["sliding_attention"] == base["rope_parameters"]["sliding_attention"]
    tokens = [checkpoint.state(trained / n / "000006")["tokens"] for n in ("longcontext", "longcontext_control")]  # fmt: skip
    assert tokens[0] == tokens[1], "the control must read as much"


def test_the_long_context_goes_on_from_its_own_checkpoint(world: Path, trained: Path) -> None:
    """A base that has YaRN already (a longer run goes on) is taken as it is."""
    given = inputs("longcontext", world) | {"base": trained / "longcontext/000006"}
    made = STAGES["longcontext"][1](given, params(), **STAGES["longcontext"][3])
    assert made.config.rope_parameters == files.load_config(given["base"]).rope_parameters


def test_padding_between_documents_is_not_learned(world: Path) -> None:
    made = STAGES["longcontext"][1](
        inputs("longcontext", world), params(), **STAGES["longcontext"][3]
    )
    seen = 0
    for index in range(made.source.per_step):
        batch = made.source.get(1, index)
        if batch.learned is not None:
            assert torch.equal(batch.learned, batch.tokens != PAD)
            seen += int((~batch.learned).sum())
            assert made.objective.weight(batch) == int((batch.tokens[:, 1:] != PAD).sum())
    assert seen, "the test data must have padding"


def test_data_of_another_tokenizer_is_refused(world: Path, tmp_path: Path) -> None:
    shutil.copytree(world / "midtrain_data", tmp_path / "midtrain_data")
    meta = json.loads((tmp_path / "midtrain_data/meta.json").read_text())
    (tmp_path / "midtrain_data/meta.json").write_text(json.dumps(meta | {"eos": EOS + 5}))
    given = inputs("midtrain", world) | {"data": tmp_path / "midtrain_data"}
    with pytest.raises(ValueError, match="tokenised with 258 tokens, eos 6"):
        STAGES["midtrain"][1](given, params(), **STAGES["midtrain"][3])


def test_seeds_give_other_orders_and_names(world: Path) -> None:
    _, plan, _, options = STAGES["sft"]
    one, two = (plan(inputs("sft", world), params(), **options | {"seed": s}) for s in (0, 2))
    assert (one.name, two.name) == ("sft", "sft_seed2")
    assert not torch.equal(one.source.get(1, 0).tokens, two.source.get(1, 0).tokens)
