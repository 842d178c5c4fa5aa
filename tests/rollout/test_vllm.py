"""vLLM behind the sampler's interface. What needs vLLM is skipped where it is absent."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from regrow.learn.rollout import vllm
from regrow.learn.rollout.sampler import Request, Rollout

PYTHON = os.environ.get("REGROW_VLLM_PYTHON") or sys.executable


def installed() -> bool:
    if sys.executable == PYTHON:
        return importlib.util.find_spec("vllm") is not None
    code = "import importlib.util as u, sys; sys.exit(u.find_spec('vllm') is None)"
    return subprocess.run([PYTHON, "-c", code], check=False).returncode == 0


needs_vllm = pytest.mark.skipif(
    not installed(), reason="vLLM is not installed (`make vllm`, or set REGROW_VLLM_PYTHON)"
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """As released, in its own process: `activate()` is for life."""
    folder = tmp_path_factory.mktemp("vllm") / "checkpoint"
    shape = "Model(hidden=64, layers=4, heads=2, kv_heads=2, ffn=96, sliding_window=16, context=64)"
    code = f"""
import sys, torch
from regrow.learn.model import files
from regrow.learn.model.build import empty, initialise
from regrow.learn.model.config import olmo3_config
from regrow.numerics import torch as numerics
from regrow.params.model import Model
numerics.activate()
model = empty(olmo3_config({shape}, vocabulary=400, eos=1, pad=0))
initialise(model, 5)
with torch.no_grad():
    for weight in model.parameters():
        weight.mul_(2.0)
from pathlib import Path
files.save(model, Path(sys.argv[1]))
"""
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def engine(checkpoint):
    with vllm.Engine(checkpoint, slots=8) as found:
        yield found
        assert found._process.poll() is None
    assert found._process.returncode == 0


@pytest.fixture(scope="module")
def model(checkpoint):
    from regrow.learn.model.files import load
    from regrow.numerics import torch as numerics
    from regrow.numerics.torch.install import install

    numerics.activate()
    return install(load(checkpoint))


def requests(n: int = 6) -> list[Request]:
    return [
        Request(prompt=[(7 * i + j) % 390 + 2 for j in range(5 + 3 * i)], name=("test", i))
        for i in range(n)
    ]


def test_a_python_that_cannot_be_started_says_how_to_install(checkpoint, monkeypatch):
    monkeypatch.setenv("REGROW_VLLM_PYTHON", "/nowhere/python")
    with pytest.raises(vllm.Unavailable, match=r"make vllm.*REGROW_VLLM_PYTHON"):
        vllm.Engine(checkpoint)


def test_a_python_without_vllm_says_how_to_install(checkpoint, monkeypatch, tmp_path):
    # A Python that imports nothing from this environment.
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("REGROW_VLLM_PYTHON", str(bare))
    with pytest.raises(vllm.Unavailable, match=r"No module named 'vllm'.*make vllm"):
        vllm.Engine(checkpoint)


def test_seeds_are_named():
    seeds = {vllm.seed(("a", i)) for i in range(100)}
    assert len(seeds) == 100 and all(0 <= seed < 1 << 63 for seed in seeds)
    assert vllm.seed(("a", 1)) == vllm.seed(("a", 1)) != vllm.seed(("b", 1))


def test_a_stop_cuts_after_the_first_token_at_which_it_says_yes():
    row = {"tokens": [5, 6, 7, 8], "logprobs": [-1.0, -2.0, -3.0, -4.0]}
    request = Request(prompt=[2], name=("x",))
    found = vllm._rollout(request, row, [8], lambda tokens: sum(tokens) >= 18)
    assert found == Rollout(prompt=[2], tokens=[5, 6, 7], logprobs=[-1.0, -2.0, -3.0], ended=True)
    assert vllm._rollout(request, row, [8], None).ended
    assert not vllm._rollout(request, row, [5], None).ended


@needs_vllm
def test_greedy_is_the_samplers_and_logprobs_are_near(engine, model):
    from regrow.learn.rollout.sampler import sample

    asked = requests()
    settings = {"max_new_tokens": 12, "temperature": 0.0, "end_tokens": [1]}
    ours = sample(model, asked, **settings)
    theirs = vllm.sample(engine, asked, **settings)
    for a, b in zip(ours, theirs, strict=True):
        assert (a.prompt, a.tokens, a.ended) == (b.prompt, b.tokens, b.ended)
        assert a.logprobs == pytest.approx(b.logprobs, abs=2e-5)


@needs_vllm
def test_drawn_tokens_carry_the_models_logprobs_at_temperature_1(engine, model):
    import torch

    from regrow.numerics.torch import functional

    drawn = vllm.sample(engine, requests(), max_new_tokens=20, temperature=0.7)
    assert len({tuple(row.tokens) for row in drawn}) == 6
    texts = [row.prompt + row.tokens for row in drawn]
    scored = vllm.score(engine, texts)
    for row, text, own in zip(drawn, texts, scored, strict=True):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([text]), use_cache=False).logits[0, :-1]
            exact = functional.token_logprobs(logits, torch.tensor(text[1:])).tolist()
        assert own == pytest.approx(exact, abs=2e-5)
        assert row.logprobs == pytest.approx(exact[len(row.prompt) - 1 :], abs=2e-5)


@needs_vllm
def test_draws_depend_on_the_name_alone(engine):
    asked = requests()
    settings = {"max_new_tokens": 8, "temperature": 1.0}
    together = vllm.sample(engine, asked, **settings)
    alone = vllm.sample(engine, asked[3:4], **settings)
    assert alone[0].tokens == together[3].tokens
    renamed = [Request(prompt=asked[3].prompt, name=("other",))]
    assert vllm.sample(engine, renamed, **settings)[0].tokens != together[3].tokens


@needs_vllm
def test_end_tokens_and_the_context_end_a_row(engine):
    asked = requests(2)
    free = vllm.sample(engine, asked, max_new_tokens=100, temperature=1.0)
    assert all(len(row.prompt) + len(row.tokens) == 64 and not row.ended for row in free)
    end = free[0].tokens[3]
    first = free[0].tokens.index(end)
    (row,) = vllm.sample(engine, asked[:1], max_new_tokens=100, temperature=1.0, end_tokens=[end])
    assert row.tokens == free[0].tokens[: first + 1] and row.ended
    (row,) = vllm.sample(engine, asked[:1], max_new_tokens=100, temperature=1.0, context=20)
    assert len(row.prompt) + len(row.tokens) == 20
    for prompt in ([], [5] * 64):
        with pytest.raises(ValueError, match="1 to 63"):
            vllm.sample(
                engine, [Request(prompt=prompt, name=("x",))], max_new_tokens=1, temperature=1.0
            )
