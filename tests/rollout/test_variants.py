"""The sampler's kernels in other builds: the wide tiles of AVX-512, and every set that runs here."""

import numpy as np
import pytest
import torch

from kernel_builds import builds
from regrow.learn.model.build import empty, initialise
from regrow.learn.model.config import olmo3_config
from regrow.learn.rollout.decoder import Decoder
from regrow.numerics import torch as numerics
from regrow.numerics.torch.install import install
from regrow.params.model import Model


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    return builds(tmp_path_factory.mktemp("wide"))


@pytest.mark.parametrize("hidden, heads, kv_heads, ffn", [(64, 4, 2, 96), (240, 3, 3, 112)])
def test_builds_agree(variants, hidden, heads, kv_heads, ffn):
    numerics.activate()
    shape = Model(
        hidden=hidden,
        layers=3,
        heads=heads,
        kv_heads=kv_heads,
        ffn=ffn,
        sliding_window=16,
        context=96,
    )
    built = empty(olmo3_config(shape, vocabulary=384, eos=1, pad=0))
    initialise(built, 1)
    with torch.no_grad():
        for weight in built.parameters():
            weight.mul_(4.0)
    model = install(built.eval())
    rng = np.random.default_rng(0)
    prompts = [rng.integers(0, 384, n) for n in (1, 40, 17, 64, 7, 90)]
    slots = np.concatenate([np.full(len(p), i) for i, p in enumerate(prompts)])
    positions = np.concatenate([np.arange(len(p)) for p in prompts])
    wanted = np.cumsum([len(p) for p in prompts]) - 1
    found = {}
    for name, kernels in variants.items():
        decoder = Decoder(model, len(prompts), 96)
        decoder._kernels = kernels
        logits = decoder.logits(np.concatenate(prompts), slots, positions, wanted)
        tokens = np.empty(len(prompts), dtype=np.int64)
        uniforms = np.full(len(prompts), 0.5)
        kernels.draw(
            *(len(prompts), 384, logits.ctypes.data, 1.0),
            *(uniforms.ctypes.data, tokens.ctypes.data),
        )
        found[name] = (logits.tobytes(), tokens.tolist())
    with torch.no_grad():
        expected = [model(input_ids=torch.tensor(p)[None]).logits[0, -1].numpy() for p in prompts]
    for logits, _ in found.values():
        assert logits == np.stack(expected).tobytes()
    assert len({str(tokens) for _, tokens in found.values()}) == 1
