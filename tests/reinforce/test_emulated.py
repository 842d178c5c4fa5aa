"""A step of reinforcement learning on emulated processors of both vendors: every file is the same.

Sampling, verdicts, refill, log-probabilities, update and table are the flow's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from determinism import hashes

QEMU = shutil.which("qemu-x86_64")
TESTS = str(Path(__file__).resolve().parents[1])
RUN = f"""
import sys
from pathlib import Path
sys.path.insert(0, {TESTS!r})
import small_policy
from regrow.reinforce import rlvr
root, top = Path(sys.argv[1]), Path(sys.argv[2])
scratch = top / "scratch"
scratch.mkdir()
inputs = {{
    "data": root / "difficulty_think",
    "tokenizer": root / "tokenizer",
    "base": small_policy.inputs(root)["strong"],
}}
params = small_policy.params(
    steps=1, checkpoint_every=1, digest_every=1, prompts=4, batch_sequences=16, max_refills=1
)
rlvr.run(
    inputs, params, top / "out", instance="000001", scratch=scratch,
    section="rlvr", form="think", reward="verified", seed=0,
)
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
        timeout=560,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return hashes(top / "out")


@pytest.fixture(scope="module")
def native(world: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = run([sys.executable], world, tmp_path_factory.mktemp("native") / "run")
    assert {"model.safetensors", "rollouts.parquet"} <= found.keys()
    return found


@pytest.mark.qemu
@pytest.mark.skipif(
    QEMU is None, reason="qemu-x86_64 is not installed (Debian: apt-get install qemu-user)"
)
@pytest.mark.parametrize(("vendor", "cpu"), [("Intel", "Haswell"), ("AMD", "EPYC")])
def test_a_step_is_the_same_on_an_emulated_processor(
    native: dict[str, str], world: Path, tmp_path: Path, vendor: str, cpu: str
) -> None:
    assert QEMU
    python = str(Path(sys.executable).resolve())
    path = os.pathsep.join(p for p in sys.path if p)
    emulated = run([QEMU, "-cpu", cpu, python], world, tmp_path / "run", PYTHONPATH=path)
    assert emulated == native
