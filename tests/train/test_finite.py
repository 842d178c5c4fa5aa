"""Weights, losses and gradients that are no longer numbers end a run: step, tensor and cause are named."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

import small_run
from regrow.learn.train import checkpoint, finite, metrics, stage
from regrow.learn.train.engine import Engine
from regrow.learn.train.skip import Skip
from regrow.params.train import Optimizer as Settings
from small_run import grow, small
from small_stages import OBJECTIVES, params, train


def optimizer(**values: Any) -> dict[str, Any]:
    return {"optimizer": values}


@pytest.mark.parametrize(
    "betas", [(0.9, 1.5), (1.0, 1.0), (-0.1, 0.9), (0.9, 1.0), (math.nan, 0.9)]
)
def test_betas_outside_zero_to_one_are_refused(betas: tuple[float, float]) -> None:
    with pytest.raises(ValidationError, match="betas"):
        Settings(betas=betas)


def test_rates_that_are_no_numbers_are_refused() -> None:
    for rate in (math.inf, math.nan, 0.0, -1.0):
        with pytest.raises(ValidationError, match="learning_rate"):
            Settings(learning_rate=rate)


@pytest.mark.parametrize("name", ["adamw", "muon"])
@pytest.mark.parametrize("rate", [1e9, 1e15, 1e19, 1e25, 1e37, 1e300])
def test_a_rate_that_overflows_stops_the_run_at_once(pack: Path, name: str, rate: float) -> None:
    block = {"name": name, "learning_rate": rate}
    engine = small_run.engine(pack, small(steps=8, checkpoint_every=8, **optimizer(**block)))
    with pytest.raises(FloatingPointError, match=r"step [123]: .*model\.\S+ .*learning_rate"):
        for _ in range(8):
            engine.train_step()
    assert engine.step <= 3


@pytest.mark.parametrize("stage_name", ["midtrain", "sft", "dpo"])
def test_every_stage_stops_and_writes_no_checkpoint(
    world: Path, tmp_path: Path, stage_name: str
) -> None:
    values = params(steps=2, checkpoint_every=2, **optimizer(learning_rate=1e25))
    with pytest.raises(FloatingPointError, match=r"step \d: .* holds "):
        train(stage_name, world, tmp_path / "run", values, until=2)
    assert not list((tmp_path / "run").glob("*/model.safetensors"))


def test_an_epsilon_that_float32_rounds_to_zero_stops_at_once(pack: Path) -> None:
    """Rows of the embedding that were never read are then 0 / 0."""
    values = small(steps=8, checkpoint_every=8, **optimizer(name="adamw", eps=1e-60))
    values.model = values.model.model_copy(update={"tied_embeddings": False})
    engine = small_run.engine(pack, values)
    with pytest.raises(FloatingPointError, match=r"step 1: model\.embed_tokens\.weight holds NaN"):
        engine.train_step()


def test_moments_that_overflow_are_named(pack: Path) -> None:
    """Weights stay finite and never move again."""
    block = optimizer(name="adamw", clip=1e30)
    engine = small_run.engine(pack, small(steps=8, checkpoint_every=8, **block))
    objective = engine.objective.loss

    def loud(*args: Any) -> Any:
        loss, parts = objective(*args)
        return loss * 1e25, parts

    engine.objective.loss = loud  # type: ignore[method-assign]
    with pytest.raises(FloatingPointError, match=r"step 1: \S+\.exp_avg_sq holds infinity"):
        engine.train_step()


def poison(folder: Path, file: str, value: float) -> str:
    """Put `value` into the middle of one tensor; returns its name."""
    tensors = load_file(folder / file)
    name = sorted(tensors)[len(tensors) // 2]
    tensors[name].view(-1)[tensors[name].numel() // 2] = value
    save_file(tensors, folder / file, metadata={"format": "pt"})
    return name


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("stage_name", [name for name in OBJECTIVES if name != "grpo"])
def test_a_base_with_one_weight_that_is_no_number_is_refused(
    world: Path, tmp_path: Path, stage_name: str, value: float
) -> None:
    root = tmp_path / "world"
    shutil.copytree(world, root)
    name = poison(root / "pretrain/000020", "model.safetensors", value)
    with pytest.raises(ValueError, match=rf"model\.safetensors: {name} holds NaN, infinity"):
        train(stage_name, root, tmp_path / "run", params(), until=3)


def test_a_carried_optimizer_state_that_is_no_number_is_refused(
    world: Path, tmp_path: Path
) -> None:
    root = tmp_path / "world"
    shutil.copytree(world, root)
    name = poison(root / "pretrain/000020", "optimizer.safetensors", math.nan)
    with pytest.raises(ValueError, match=rf"optimizer\.safetensors: {name} holds NaN"):
        train("midtrain", root, tmp_path / "run", params(), until=3)


def broken_from(engine: Engine, steps: set[int]) -> None:
    """Make the loss of these steps NaN, whatever the weights are."""
    objective = engine.objective.loss

    def odd(*args: Any) -> Any:
        loss, parts = objective(*args)
        if engine.step + 1 in steps:
            return loss * math.nan, tuple(part * math.nan for part in parts)
        return loss, parts

    engine.objective.loss = odd  # type: ignore[method-assign]


def test_one_odd_batch_is_skipped_and_three_in_a_row_stop(pack: Path) -> None:
    engine = small_run.engine(pack, small(steps=20, checkpoint_every=20))
    broken_from(engine, {2, 3, 5, 7, 8, 9})
    rows = [engine.train_step() for _ in range(8)]
    assert [row.step for row in rows if row.skipped] == [2, 3, 5, 7, 8]
    assert engine.optimizer.applied == 3
    with pytest.raises(FloatingPointError, match=r"step 9: loss nan.*first in the gradient of \S+"):
        engine.train_step()


def test_odd_steps_are_counted_over_segments(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments of one step: the third in a row stops, though each segment is a process of its own."""
    step = Engine.train_step

    def odd(engine: Engine) -> metrics.Row:
        if engine.step:
            broken_from(engine, {engine.step + 1})
        return step(engine)

    monkeypatch.setattr(Engine, "train_step", odd)
    values = small(steps=8, checkpoint_every=1)
    with pytest.raises(FloatingPointError, match=r"step 4: .*step 3 in a row"):
        grow(pack, tmp_path / "run", values, 8)
    done = sorted(path.parent.name for path in (tmp_path / "run").glob("*/state.json"))
    assert done == ["000000", "000001", "000002", "000003"]
    states = [checkpoint.state(tmp_path / "run" / name) for name in done]
    assert [state.get("lost_steps") for state in states] == [None, None, 1, 2]


def test_a_stage_without_one_good_step_is_no_success(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assemble = stage.assemble

    def odd(*args: Any) -> Engine:
        engine = assemble(*args)
        broken_from(engine, {1, 2})
        return engine

    monkeypatch.setattr(stage, "assemble", odd)
    with pytest.raises(FloatingPointError, match="none of the 2 steps"):
        grow(pack, tmp_path / "run", small(steps=2, checkpoint_every=2), 2)
    assert not (tmp_path / "run/000002/state.json").exists()


def test_healthy_runs_are_not_touched(grown: Path) -> None:
    rows = metrics.read(grown / "000040/metrics.parquet")
    assert all(finite.finite(row) for row in rows)
    assert json.loads((grown / "000040/state.json").read_text())["updates"] == 40
    tensors = load_file(grown / "000040/model.safetensors")
    assert finite.unsound(tensors, finite.LARGE) is None
    assert finite.unsound({"a": torch.ones(3), "b": torch.tensor([0.0, math.nan])}) is not None


@pytest.mark.parametrize("level", [0.0, 2.0, -3.0, 1e-9])
def test_rounding_above_equal_values_is_no_outlier(level: float) -> None:
    for noise in (1e-12, 1e-9, 1e-7 * max(1.0, abs(level))):
        skip = Skip(8, 6.0)
        for _ in range(6):
            assert not skip.judge(level, 1.0)
        assert not skip.judge(level + noise, 1.0)
        assert not skip.judge(level, 1.0 + noise)


def test_rounding_above_nearly_equal_values_is_no_outlier() -> None:
    skip = Skip(8, 6.0)
    for value in (0.0, 1e-12, 0.0, -1e-12, 0.0, 0.0):
        assert not skip.judge(value, 1.0)
    assert not skip.judge(3e-9, 1.0)


def test_a_real_outlier_above_equal_values_is_one() -> None:
    for level in (0.0, 2.0):
        skip = Skip(8, 6.0)
        for _ in range(6):
            skip.judge(level, 1.0)
        assert skip.judge(level + 0.01 * max(1.0, level), 1.0)
