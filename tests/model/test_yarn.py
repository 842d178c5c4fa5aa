"""YaRN: full-attention layers only, the published formula, and no C library in its numbers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from regrow.learn.model import build, files, yarn
from regrow.learn.model.config import olmo3_config
from regrow.numerics.torch import activate
from regrow.numerics.torch.install import install
from regrow.params.model import Model

SHAPE = Model(hidden=64, layers=4, heads=2, kv_heads=2, ffn=96, sliding_window=16, context=64)
RAMP = {"factor": 4.0, "beta_fast": 32.0, "beta_slow": 1.0}


def configs() -> tuple[object, object]:
    short = olmo3_config(SHAPE, vocabulary=300, eos=1, pad=0)
    return short, yarn.extend(short, context=256, **RAMP)


def test_the_configuration_is_nested_and_complete() -> None:
    short, long = configs()
    assert short.max_position_embeddings == 64, "the given configuration stays as it is"
    assert long.max_position_embeddings == 256
    assert long.rope_parameters["sliding_attention"] == short.rope_parameters["sliding_attention"]
    assert long.rope_parameters["full_attention"] == {
        "rope_type": "yarn",
        "rope_theta": 500_000.0,
        "factor": 4.0,
        "original_max_position_embeddings": 64,
        "attention_factor": pytest.approx(0.1 * math.log(4.0) + 1.0),
        "beta_fast": 32.0,
        "beta_slow": 1.0,
    }


def test_frequencies_follow_the_paper() -> None:
    """Peng et al., section 3.2: interpolated, as they were, and a ramp over dimensions between."""
    activate()
    _, long = configs()
    rotary = install(build.empty(long)).model.rotary_emb
    dim, theta, factor, before = 32, 5e5, 4.0, 64

    def place(turns: float) -> float:
        return dim * math.log(before / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = max(math.floor(place(32)), 0), min(math.ceil(place(1)), dim - 1)
    for i in range(dim // 2):
        plain = theta ** (-2 * i / dim)
        ramp = min(max((i - low) / (high - low), 0.0), 1.0)
        want = plain / factor * ramp + plain * (1 - ramp)
        assert float(rotary.full_attention_inv_freq[i]) == pytest.approx(want, rel=1e-6)
        assert float(rotary.sliding_attention_inv_freq[i]) == pytest.approx(plain, rel=1e-6)
    assert rotary.full_attention_attention_scaling == pytest.approx(1.138629436)
    assert rotary.sliding_attention_attention_scaling == 1.0


def test_only_full_layers_change() -> None:
    activate()
    outputs = []
    for config in configs():
        model = install(build.empty(config))
        build.initialise(model, 0)
        seen: list[torch.Tensor] = []
        for layer in model.model.layers:
            layer.register_forward_hook(lambda m, a, out, seen=seen: seen.append(out))
        with torch.no_grad():
            model(torch.arange(2, 66)[None])
        outputs.append(seen)
    short, long = outputs
    assert all(torch.equal(a, b) for a, b in zip(short[:3], long[:3], strict=True)), "sliding"
    assert not torch.equal(short[3], long[3]), "the full layer has YaRN"


def test_saved_loaded_and_read_by_transformers(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    activate()
    _, long = configs()
    model = build.empty(long)
    build.initialise(model, 0)
    files.save(model, tmp_path)
    own = install(files.load(tmp_path))
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="eager")
    tokens = torch.arange(256)[None] % 298 + 2
    with torch.no_grad():
        torch.testing.assert_close(own(tokens).logits, theirs(tokens).logits, rtol=1e-4, atol=1e-4)
    assert theirs.config.rope_parameters["full_attention"]["rope_type"] == "yarn"


def test_the_c_library_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logarithm that is off in its last places gives the same frequencies and factor."""
    activate()
    _, long = configs()
    straight = install(build.empty(long)).model.rotary_emb
    log = math.log
    monkeypatch.setattr(math, "log", lambda x: log(x) * (1 + 1e-12))
    _, other = configs()
    bent = install(build.empty(other)).model.rotary_emb
    assert torch.equal(straight.full_attention_inv_freq, bent.full_attention_inv_freq)
    assert straight.full_attention_attention_scaling == bent.full_attention_attention_scaling


@pytest.mark.parametrize("context", [64, 300])
def test_a_context_that_the_factor_does_not_reach(context: int) -> None:
    with pytest.raises(ValueError, match=r"longcontext\.context"):
        yarn.extend(configs()[0], context=context, **RAMP)


def test_what_cannot_be_extended() -> None:
    with pytest.raises(ValueError, match="yarn already"):
        yarn.extend(configs()[1], context=512, **RAMP)
    short = configs()[0]
    turns = 64 / (2 * math.pi) / 500_000.0 ** (3 / 16)  # the ramp begins at dimension 3 exactly
    with pytest.raises(ValueError, match="change it a little"):
        yarn.extend(short, context=256, factor=4.0, beta_fast=32.0, beta_slow=turns)
