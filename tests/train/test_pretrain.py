"""Whole segments: determinism, kills, interrupts, processes, and that something is learned."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

import small_run
from determinism import AS_A_JOB, hashes, run_python, run_twice
from regrow.data.tokens.order import Order
from regrow.learn.model import files
from regrow.learn.train import checkpoint, digest, metrics, stage
from regrow.learn.train.engine import Engine
from regrow.learn.train.kinds import pretrain
from regrow.numerics import library
from regrow.numerics.torch.install import install
from small_run import LENGTH, grow, small

RUN = (
    AS_A_JOB
    + """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from small_run import grow, small
if __name__ == "__main__":
    grow(Path(sys.argv[3]), Path(sys.argv[1]), small(), int(sys.argv[4]))
"""
)
TESTS = str(Path(__file__).resolve().parents[1] / "support")


def test_two_processes_with_other_settings_write_the_same_bytes(
    pack: Path, grown: Path, tmp_path: Path
) -> None:
    found = run_twice(RUN, tmp_path, TESTS, str(pack), "20")
    assert found == {k: v for k, v in hashes(grown).items() if not k.startswith("000040")}


def test_the_slower_instruction_set_writes_the_same_bytes(
    pack: Path, grown: Path, tmp_path: Path
) -> None:
    if library.chosen() == "avx2":
        pytest.skip("this processor has AVX2 only: the other tests have shown it already")
    done = run_python(
        RUN, str(tmp_path / "o"), TESTS, str(pack), "20", cwd=tmp_path, REGROW_ISA="avx2"
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert hashes(tmp_path / "o/000020") == hashes(grown / "000020")


def test_the_files_of_a_checkpoint(grown: Path) -> None:
    names = {path.name for path in (grown / "000020").iterdir()}
    assert names == {
        "model.safetensors",
        "optimizer.safetensors",
        "config.json",
        "state.json",
        "metrics.parquet",
        "digests.jsonl",
    }
    state = json.loads((grown / "000040/state.json").read_text())
    assert (state["step"], state["position"], state["tokens"]) == (40, 320, 320 * LENGTH)
    rows = metrics.read(grown / "000040/metrics.parquet")
    assert [row.step for row in rows] == list(range(21, 41))
    assert state["order"]["key"] == Order(1, 0).key


def test_the_chain_of_digests_runs_over_the_checkpoints(grown: Path) -> None:
    links = [
        link
        for step in ("000000", "000020", "000040")
        for link in digest.read(grown / step / checkpoint.DIGESTS)
    ]
    assert [link["step"] for link in links] == [0, 5, 10, 15, 20, 25, 30, 35, 40]
    import hashlib

    chain = digest.FIRST
    for link in links:
        chain = hashlib.sha256(f"{chain} {link['digest']}".encode()).hexdigest()
        assert link["chain"] == chain


def test_the_last_digest_is_that_of_the_files(grown: Path) -> None:
    """Whoever has a released checkpoint can recompute its link."""
    from safetensors.torch import load_file

    folder = grown / "000020"
    last = digest.read(folder / checkpoint.DIGESTS)[-1]
    tensors = {f"model/{k}": v for k, v in load_file(folder / "model.safetensors").items()}
    tensors |= {f"optimizer/{k}": v for k, v in load_file(folder / "optimizer.safetensors").items()}
    state = checkpoint.state(folder)
    position = {name: state[name] for name in ("step", "tokens", "updates", "skip")}
    assert digest.link(20, tensors, position, digest.FIRST)["digest"] == last["digest"]


def test_loss_falls_on_real_text(grown: Path) -> None:
    rows = [r for s in ("000020", "000040") for r in metrics.read(grown / s / "metrics.parquet")]
    assert rows[0].loss == pytest.approx(5.95, abs=0.15)  # near log 384, the rows of the embedding
    assert rows[-1].loss < 3.5
    assert not any(row.skipped for row in rows)


def test_transformers_loads_a_checkpoint_as_it_is(grown: Path) -> None:
    folder = grown / "000040"
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    own = install(files.load(folder))
    tokens = torch.arange(2, 66)[None]
    with torch.no_grad():
        torch.testing.assert_close(model(tokens).logits, own(tokens).logits, rtol=1e-4, atol=1e-4)
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_killed_at_random_steps_and_resumed_is_uninterrupted(
    pack: Path, grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    monkeypatch.setattr(stage, "SAVE_EVERY", 3)
    step = Engine.train_step
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    root = tmp_path / "run"
    deaths = sorted(random.Random(5).sample(range(24, 40), 5))
    seen: list[int] = []

    def deadly(engine: Engine) -> metrics.Row:
        row = step(engine)
        seen.append(row.step)
        if deaths and row.step >= deaths[0]:
            deaths.pop(0)
            raise Killed
        return row

    grow(pack, root, small(), 20)
    monkeypatch.setattr(Engine, "train_step", deadly)
    for _ in range(5):
        with pytest.raises(Killed):
            grow(pack, root, small(), 40, scratch)
        shutil.rmtree(root / "000040")
        # What a kill in the middle of saving leaves behind.
        (scratch / "unfinished").mkdir(exist_ok=True)
        (scratch / "step-000000999").mkdir(exist_ok=True)
        (scratch / "step-000000999" / "state.json").write_text('{"step":')
    grow(pack, root, small(), 40, scratch)
    assert len(seen) > 20, "nothing was repeated: the kills did not happen"
    assert seen.count(21) == 1, "a resumed run began again from the checkpoint"
    assert hashes(root / "000040") == hashes(grown / "000040")


def test_a_partial_state_of_another_run_is_not_taken_up(
    pack: Path, grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "SAVE_EVERY", 1)
    root = tmp_path / "run"
    shutil.copytree(grown / "000000", root / "000000")
    scratch = tmp_path / "scratch"
    inputs = {"data": pack, "previous": root / "000000"}
    other = small(seed=1)
    pretrain.run(
        inputs,
        other,
        root / "other",
        instance="000020",
        scratch=scratch,
        stage="pretrain",
        settings="pretrain",
    )
    assert list(scratch.iterdir()), "no partial state was left"
    pretrain.run(
        inputs,
        small(),
        root / "000020",
        instance="000020",
        scratch=scratch,
        stage="pretrain",
        settings="pretrain",
    )
    assert hashes(root / "000020") == hashes(grown / "000020")


def test_ctrl_c_saves_and_says_how_to_go_on(pack: Path, grown: Path, tmp_path: Path) -> None:
    slow = RUN.replace(
        "if __name__",
        "from regrow.learn.train.engine import Engine\n"
        "step = Engine.train_step\n"
        "def told(engine):\n"
        "    row = step(engine)\n"
        "    if row.step == 27:\n"
        "        print('now', flush=True)\n"
        "        sys.stdin.readline()\n"
        "    return row\n"
        "Engine.train_step = told\n"
        "if __name__",
    )
    root = tmp_path / "run"
    for step in ("000000", "000020"):
        shutil.copytree(grown / step, root / step)
    args = [str(root), TESTS, str(pack), "40"]
    process = subprocess.Popen(
        [sys.executable, "-c", slow, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdin and process.stderr
    assert process.stdout.readline() == "now\n"
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate("\n", timeout=120)
    assert process.returncode == 130, errors
    assert "stopped at step 27; the state is saved" in errors
    assert "Traceback" not in errors
    shutil.rmtree(root / "000040")
    done = subprocess.run(
        [sys.executable, "-c", RUN, *args], text=True, capture_output=True, check=True
    )
    assert "goes on from step 27" in done.stderr
    assert hashes(root / "000040") == hashes(grown / "000040")


def test_a_skipped_step_leaves_weights_and_optimizer_alone(pack: Path, tmp_path: Path) -> None:
    params = small(optimizer={"skip_window": 4, "skip_sigmas": 6.0})
    engine = small_run.engine(pack, params)
    for _ in range(6):
        assert not engine.train_step().skipped
    before = {name: value.clone() for name, value in engine.tensors().items()}
    objective = engine.objective.loss
    engine.objective.loss = lambda *a: tuple_scaled(objective(*a))  # type: ignore[method-assign]
    assert engine.train_step().skipped
    assert engine.step == 7 and engine.optimizer.applied == 6
    assert all(torch.equal(before[k], v) for k, v in engine.tensors().items())


def tuple_scaled(result: tuple) -> tuple:
    loss, parts = result
    return loss * 1e3, tuple(part * 1e3 for part in parts)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_two_processes_under_deepspeed_give_the_bits_of_one(
    pack: Path, tmp_path: Path, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = small(optimizer={"name": optimizer}, steps=6, checkpoint_every=6, digest_every=2)
    found = []
    for processes in ("1", "2"):
        monkeypatch.setenv("REGROW_PROCESSES", processes)
        found.append(hashes(grow(pack, tmp_path / processes, params, 6)))
    norms = [row.grad_norm for row in metrics.read(tmp_path / "1/000006/metrics.parquet")]
    assert max(norms) > 1.0, "clipping must be at work for this to show that only one side clips"
    assert found[0] == found[1]


def test_processes_must_be_a_power_of_two(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGROW_PROCESSES", "3")
    with pytest.raises(ValueError, match="power of two"):
        grow(pack, tmp_path, small(), 0)


def test_a_context_too_short_for_the_sequences(pack: Path, tmp_path: Path) -> None:
    params = small()
    params.model = params.model.model_copy(update={"context": 32})
    with pytest.raises(ValueError, match=r"raise model\.context"):
        grow(pack, tmp_path, params, 0)
