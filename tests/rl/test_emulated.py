"""Real segments of every training stage on emulated processors of both vendors: every file is the same.

Two steps of pretraining and one of every objective after it: language modelling at both lengths (YaRN),
fine-tuning, preferences, reinforcement learning, and a whole step of RLVR (sampling, verdicts, refill). Initialisation,
data order, engine, optimizer, digests, checkpoint, metrics and tables are the flow's own. One process runs
them all: emulated, most of its time is the loading of torch.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from determinism import AS_A_JOB, hashes
from small_stages import OBJECTIVES

QEMU = shutil.which("qemu-x86_64")
TESTS = str(Path(__file__).resolve().parents[1] / "support")
RUN = f"""{AS_A_JOB}
import gc, shutil, sys
from pathlib import Path
gc.disable()  # emulated, a walk through all objects is slow
sys.path.insert(0, {TESTS!r})
import small_policy, small_stages
from small_run import grow, small, write_pack
from regrow.learn.rl import rlvr
from regrow.params.train import Optimizer

def stages(top):
    shallow = small().model.model_copy(update={{"layers": 2}})  # one with a window, one without
    pack = write_pack(top / "pack", documents=2)
    params = small(
        steps=2, checkpoint_every=2, batch_sequences=2, micro_batch_sequences=1, digest_every=1
    )
    params.model = shallow
    grow(pack, top / "out", params, 2)
    shutil.copytree(top / "out/000002", top / "world/pretrain/000020")
    small_stages.data(top / "world")
    one = dict(steps=1, checkpoint_every=1, digest_every=1)
    params = small_stages.params(**one, batch_sequences=2, micro_batch_sequences=1)
    params.model = shallow
    for name in small_stages.OBJECTIVES:
        small_stages.train(name, top / "world", top / "out" / name, params, until=1)

def reinforced(root, top):
    scratch = top / "scratch"
    scratch.mkdir()
    inputs = {{
        "data": root / "difficulty_think",
        "tokenizer": root / "tokenizer",
        "base": small_policy.inputs(root)["strong"],
    }}
    # Every stage above but preferences steps by Muon, which an emulator takes longest for.
    adamw = Optimizer(name="adamw", learning_rate=1e-3, betas=(0.9, 0.99), weight_decay=0.0)
    params = small_policy.params(
        steps=1, checkpoint_every=1, digest_every=1, prompts=2, batch_sequences=8, max_refills=1,
        optimizer=adamw,
    )
    rlvr.run(
        inputs, params, top / "out/rlvr", instance="000001", scratch=scratch,
        stage="rlvr", settings="rlvr", form="think", reward="verified", seed=0,
    )

if __name__ == "__main__":
    root, top = Path(sys.argv[1]), Path(sys.argv[2])
    stages(top)
    reinforced(root, top)
"""


def run(command: list[str], world: Path, top: Path, **env: str) -> dict[str, str]:
    top.mkdir()
    script = top / "run.py"
    script.write_text(RUN)
    done = subprocess.run(
        [*command, str(script), str(world), str(top)],
        env=os.environ
        | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
        | env,
        capture_output=True,
        text=True,
        timeout=1700,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {
        name: sha for name, sha in hashes(top / "out").items() if not name.startswith("scratch")
    }


@pytest.fixture(scope="module")
def native(world: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = run([sys.executable], world, tmp_path_factory.mktemp("native") / "run")
    assert {Path(name).name for name in found} >= {"model.safetensors", "digests.jsonl"}
    assert {f"{name}/000001/model.safetensors" for name in OBJECTIVES} <= found.keys()
    assert {"rlvr/model.safetensors", "rlvr/rollouts.parquet"} <= found.keys()
    return found


@pytest.mark.qemu
@pytest.mark.timeout(1800)  # two minutes on a quiet machine
@pytest.mark.skipif(
    QEMU is None, reason="qemu-x86_64 is not installed (Debian: apt-get install qemu-user)"
)
@pytest.mark.parametrize(("vendor", "cpu"), [("Intel", "Haswell"), ("AMD", "EPYC")])
def test_every_stage_is_the_same_on_an_emulated_processor(
    native: dict[str, str], world: Path, tmp_path: Path, vendor: str, cpu: str
) -> None:
    assert QEMU
    python = str(Path(sys.executable).resolve())
    path = os.pathsep.join(p for p in sys.path if p)
    emulated = run([QEMU, "-cpu", cpu, python], world, tmp_path / "run", PYTHONPATH=path)
    assert emulated == native
