"""Partial states that a crash or a bad disk has damaged: passed over, whatever the damage."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import small_run
from determinism import hashes
from regrow.learn.train import anneal, checkpoint, seal, stage
from regrow.learn.train.engine import Engine
from small_run import grow, small
from small_stages import params, train

FILES = {
    "model.safetensors",
    "optimizer.safetensors",
    "config.json",
    "state.json",
    "metrics.parquet",
    "digests.jsonl",
    "seal.json",
}


class Killed(BaseException):
    pass


def damage(path: Path, kind: str, random: random.Random) -> None:
    """Change a file in one of the ways of a crash, always to other bytes than before."""
    data = bytearray(path.read_bytes())
    if kind == "bit":
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    elif kind == "cut":
        data = data[: random.randrange(len(data))]
    elif kind == "empty":
        data = bytearray()
    elif kind == "zeros":
        nonzero = [i for i, byte in enumerate(data) if byte]
        begin = random.choice(nonzero)
        end = min(len(data), begin + 64)
        data[begin:end] = bytes(end - begin)
    elif kind == "longer":
        data += bytes(8)
    elif kind == "text":
        data = bytearray(b'{"step": 3}\n')
    elif kind == "missing":
        path.unlink()
        return
    path.write_bytes(bytes(data))


KINDS = ("bit", "cut", "empty", "zeros", "longer", "text", "missing")


@pytest.fixture(scope="module")
def killed(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A run of 6 steps killed in step 5, its partial state of step 4, and the run uninterrupted."""
    root = tmp_path_factory.mktemp("killed")
    values = small(steps=6, checkpoint_every=6, digest_every=2)
    whole = grow(pack, root / "whole", values, 6)
    step = Engine.train_step

    def deadly(engine: Engine) -> object:
        if engine.step == 4:
            raise Killed
        return step(engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "SAVE_EVERY", 2)
        patch.setattr(Engine, "train_step", deadly)
        scratch = root / "scratch"
        with pytest.raises(Killed):
            grow(pack, root / "run", values, 6, scratch)
    shutil.rmtree(root / "run/000006")
    return SimpleNamespace(root=root, whole=whole, scratch=scratch, values=values, pack=pack)


def again(killed: SimpleNamespace, tmp_path: Path, change: Callable[[Path], None]) -> list[int]:
    """Run on from a copy of the partial state after `change`; returns the steps that were done.

    The checkpoint must be that of the uninterrupted run.
    """
    seen: list[int] = []
    step = Engine.train_step

    def counting(engine: Engine) -> object:
        seen.append(engine.step + 1)
        return step(engine)

    shutil.rmtree(tmp_path, ignore_errors=True)
    shutil.copytree(killed.root / "run", tmp_path / "run")
    shutil.copytree(killed.scratch, tmp_path / "scratch")
    change(tmp_path / "scratch" / "step-000000004")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "train_step", counting)
        grow(killed.pack, tmp_path / "run", killed.values, 6, tmp_path / "scratch")
    assert hashes(tmp_path / "run/000006") == hashes(killed.whole)
    return seen


def test_a_whole_partial_state_is_taken_up(killed: SimpleNamespace, tmp_path: Path) -> None:
    assert {path.name for path in (killed.scratch / "step-000000004").iterdir()} == FILES
    assert again(killed, tmp_path / "a", lambda _: None) == [5, 6]


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_flipped_bit_in_any_file_costs_steps_but_never_a_bit_of_the_checkpoint(
    killed: SimpleNamespace, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flip = random.Random(name)
    steps = again(killed, tmp_path / "a", lambda folder: damage(folder / name, "bit", flip))
    assert steps == [1, 2, 3, 4, 5, 6]
    said = capsys.readouterr().err
    assert "the partial state step-000000004 is passed over: " in said
    assert name == "seal.json" or f"{name} is damaged" in said


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.sampled_from(KINDS), st.integers(0, 2**32))
def test_a_damaged_state_is_never_taken_up(
    killed: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory, name: str, kind: str, n: int
) -> None:
    folder = tmp_path_factory.mktemp("state") / "step-000000004"
    shutil.copytree(killed.scratch / "step-000000004", folder)
    origin = json.loads((folder / seal.NAME).read_text())["origin"]
    seal.check(folder, origin)
    damage(folder / name, kind, random.Random(n))
    try:
        seal.check(folder, origin)
    except seal.Broken:
        pass
    else:  # white space of the seal's own text
        assert name == seal.NAME
        before = json.loads((killed.scratch / "step-000000004" / seal.NAME).read_text())
        assert json.loads((folder / seal.NAME).read_text()) == before
    shutil.rmtree(folder.parent)


def test_added_files_and_things_that_are_no_folders_are_passed_over(
    killed: SimpleNamespace, tmp_path: Path
) -> None:
    def odd(folder: Path) -> None:
        (folder / "rollouts.parquet").write_bytes(b"")
        (folder.parent / "step-000000005").write_text("no folder")
        (folder.parent / "step-000000006").symlink_to("nowhere")
        (folder.parent / "step-000000007").mkdir()

    assert again(killed, tmp_path / "a", odd) == [1, 2, 3, 4, 5, 6]


def test_a_state_that_is_sealed_but_cannot_be_read_is_passed_over(
    killed: SimpleNamespace, tmp_path: Path
) -> None:
    """As another version of Regrow may leave it: half of it is read before it fails."""

    def reseal(folder: Path) -> None:
        origin = json.loads((folder / seal.NAME).read_text())["origin"]
        saved = json.loads((folder / checkpoint.STATE).read_text())
        del saved["skip"]
        (folder / checkpoint.STATE).write_text(json.dumps(saved))
        seal.write(folder, origin)

    assert again(killed, tmp_path / "a", reseal) == [1, 2, 3, 4, 5, 6]


def test_forgetting_leaves_nothing_of_a_state(pack: Path) -> None:
    values = small(steps=6, checkpoint_every=6)
    engine = small_run.engine(pack, values)
    first = engine.position(), sorted(engine.tensors())
    engine.train_step()
    assert engine.optimizer.tensors()
    engine.forget()
    assert (engine.position(), sorted(engine.tensors())) == first


@pytest.mark.parametrize("place", ["base.scores/scores.json", "questions/model.safetensors"])
def test_what_an_anneal_keeps_is_compared_with_its_seal(
    world: Path, tmp_path: Path, place: str
) -> None:
    values = params()
    values.anneal = values.anneal.model_copy(update={"candidates": ["questions"]})
    inputs = {"base": world / "pretrain/000020", "midtrain_data": world / "midtrain_data"}
    scratch = tmp_path / "scratch"
    anneal.run(inputs, values, tmp_path / "first", scratch=scratch)
    damage(scratch / place, "bit", random.Random(1))
    if place.startswith("questions/"):
        shutil.rmtree(scratch / "questions.scores")
    anneal.run(inputs, values, tmp_path / "second", scratch=scratch)
    assert hashes(tmp_path / "second") == hashes(tmp_path / "first")


def test_a_later_stage_passes_over_a_damaged_state(world: Path, tmp_path: Path) -> None:
    values = params(steps=4, checkpoint_every=4)
    whole = train("sft", world, tmp_path / "whole", values, until=4)
    scratch = tmp_path / "scratch"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "SAVE_EVERY", 1)
        train("sft", world, tmp_path / "first", values, until=4, scratch=scratch)
    (left,) = scratch.iterdir()
    damage(left / "optimizer.safetensors", "zeros", random.Random(2))
    damage(left / "digests.jsonl", "bit", random.Random(2))
    after = train("sft", world, tmp_path / "second", values, until=4, scratch=scratch)
    assert hashes(after) == hashes(whole)
