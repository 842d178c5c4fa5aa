"""DPO's and GRPO's loss and gradients equal TRL's on the same batch, model and reference."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from regrow.learn.model import files
from regrow.learn.train import dpo, runtime
from regrow.learn.train.buckets import Buckets
from regrow.learn.train.grpo import Answer, Answers, Grpo
from regrow.numerics.random import Stream
from regrow.numerics.torch.install import install
from small_stages import ids, logprobs

SCRIPT = Path(__file__).parent / "peer_trl.py"
CLIP = {"clip_low": 0.2, "clip_high": 0.272}
CAP = 1.3
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("trl") is None, reason="TRL is not installed (the extra `dev` has it)"
)


def pairs() -> list[dpo.Pair]:
    """Prompts and answers of unequal length, around the training data."""
    texts = [("1+2=", "3", "no, 5"), ("40+7=", "47 of course", "4"), ("What is 6+6?", "12", "1"), ("9=", "9", "nine")]  # fmt: skip
    return [dpo.Pair(ids(p), [*ids(c), 1], [*ids(r), 1]) for p, c, r in texts]


def answers(net: Any) -> list[dict[str, Any]]:
    """Two groups of four; the old policy and the sampler have drifted from the model."""
    made = []
    for i, (prompt, text) in enumerate(
        [("1+2=", "3"), ("1+2=", "30"), ("1+2=", "no idea"), ("1+2=", "4")]
        + [("How much is 20+22?", t) for t in ("42", "42!", "4", "I do not know")]
    ):
        tokens = [*ids(text), 1]
        noise = Stream("peer", i).normal(2 * len(tokens)).tolist()
        now = logprobs(net, ids(prompt), tokens)
        old = [a + 0.4 * z for a, z in zip(now, noise[: len(tokens)], strict=True)]
        sampler = [a + 0.3 * z for a, z in zip(old, noise[len(tokens) :], strict=True)]
        advantages = [(i % 4 - 1.5) / 2 + 0.1 * (t % 2) for t in range(len(tokens))]
        made.append(
            {"prompt": ids(prompt), "tokens": tokens, "logprobs": sampler, "old": old}
            | {"now": now, "advantages": advantages}
        )
    return made


@pytest.fixture(scope="module")
def model(world: Path) -> Any:
    runtime.prepare()
    return install(files.load(world / "pretrain/000020"))


@pytest.fixture(scope="module")
def reference(model: Any, world: Path) -> Any:
    """The model, a little off, so that the difference to the reference is not zero."""
    other = install(files.load(world / "pretrain/000020"))
    with torch.no_grad():
        for number, (_, weight) in enumerate(sorted(other.named_parameters())):
            noise = Stream("reference", number).normal(weight.numel())
            weight.add_(torch.from_numpy(noise).float().view_as(weight) * 0.01)
    return other


@pytest.fixture(scope="module")
def peer(model: Any, reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peer")
    files.save(model, folder / "model")
    files.save(reference, folder / "reference")
    given = answers(model)
    batches = {
        "dpo": {
            "beta": 5.0,
            "pairs": [
                {"prompt_ids": p.prompt, "chosen_ids": p.chosen, "rejected_ids": p.rejected}
                for p in pairs()
            ],
        },
        "grpo": CLIP | {"cap": CAP, "given": True, "answers": given},
        "grpo_first": CLIP
        | {"cap": CAP, "given": False, "answers": [a | {"old": a["now"]} for a in given]},
    }
    (folder / "batches.json").write_text(json.dumps(batches))
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ATEN_", "ONEDNN_"))}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        env=env | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    shutil.rmtree(folder / "trl", ignore_errors=True)
    return folder


def compare(model: Any, loss: torch.Tensor, path: Path) -> None:
    """Within float32: the loss to 1e-5, each gradient to 1e-4 of its largest element."""
    model.zero_grad(set_to_none=True)
    loss.backward()
    theirs = load_file(path)
    torch.testing.assert_close(loss.detach().reshape(1), theirs.pop("loss"), rtol=1e-5, atol=1e-6)
    ours = {name: p.grad for name, p in model.named_parameters()}
    assert ours.keys() == theirs.keys()
    for name, gradient in ours.items():
        assert gradient is not None
        scale = float(theirs[name].abs().max())
        assert scale > 1e-7, f"{name}: there must be a gradient to compare"
        off = float((gradient - theirs[name]).abs().max()) / scale
        assert off < 1e-4, f"{name}: off by {off:.1e} of its largest element"
    model.zero_grad(set_to_none=True)


def test_dpo_equals_trl(model: Any, reference: Any, peer: Path) -> None:
    given = pairs()
    source = dpo.Pairs(given, Buckets(dpo.lengths(given), 4, "peer"), 4, pad=0)
    objective = dpo.Dpo(5.0, dpo.Reference(reference))
    loss, parts = objective.loss(model, source.get(1, 0), 4)
    compare(model, loss, peer / "dpo.safetensors")
    named = dict(zip(objective.names, parts, strict=True))
    assert 0.0 < float(named["accuracy"]) < 1.0, "the batch must have pairs of both kinds"


@pytest.mark.parametrize("name", ["grpo", "grpo_first"])
def test_grpo_equals_trl(model: Any, peer: Path, name: str) -> None:
    """With the old policy's log-probabilities given, and in the first update, which has none."""
    batch = json.loads((peer / "batches.json").read_text())[name]
    made = [
        Answer(a["prompt"], a["tokens"], a["logprobs"], a["advantages"]) for a in batch["answers"]
    ]
    source = Answers(made, per_step=1)
    if batch["given"]:
        source.set_old([a["old"] for a in batch["answers"]])
    objective = Grpo(**CLIP, importance_cap=CAP)
    rows = source.get(1, 0)
    loss, parts = objective.loss(model, rows, objective.weight(rows))
    compare(model, loss, peer / f"{name}.safetensors")
    named = dict(zip(objective.names, parts, strict=True))
    assert (float(named["clipped"]) > 0) == batch["given"]
    assert float(named["truncated"]) > 0
