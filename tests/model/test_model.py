from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regrow.learn.model import build, files
from regrow.learn.model.config import layer_types, olmo3_config
from regrow.params.model import Model


def test_three_sliding_one_full_and_the_last_full() -> None:
    s, f = "sliding_attention", "full_attention"
    assert layer_types(1) == [f]
    assert layer_types(4) == [s, s, s, f]
    assert layer_types(6) == [s, s, s, f, s, f]


def test_the_configuration_is_olmo_3s() -> None:
    config = olmo3_config(Model(), vocabulary=2_000, eos=1, pad=0)
    assert config.vocab_size == 2_048
    rope = {"rope_type": "default", "rope_theta": 500_000.0}
    assert config.rope_parameters == {"sliding_attention": rope, "full_attention": rope}
    assert config.sliding_window == 128 and config.eos_token_id == 1 and config.pad_token_id == 0
    with pytest.raises(ValueError, match="eos token 9"):
        olmo3_config(Model(), vocabulary=9, eos=9, pad=0)


def make(layers: int = 2, seed: int = 0, tied: bool = True) -> torch.nn.Module:
    shape = Model(
        hidden=64, layers=layers, heads=2, kv_heads=1, ffn=128, context=64, tied_embeddings=tied
    )
    model = build.empty(olmo3_config(shape, vocabulary=300, eos=1, pad=0))
    build.initialise(model, seed)
    return model


def test_initial_weights_are_a_truncated_normal() -> None:
    values = torch.cat([p.flatten() for p in make().parameters() if p.dim() == 2])
    assert float(values.abs().max()) <= 0.06 + 1e-6
    assert float(values.std()) == pytest.approx(0.02 * 0.9866, rel=0.01)  # cut at three sigma
    assert abs(float(values.mean())) < 2e-4
    assert all(bool((p == 1).all()) for p in make().parameters() if p.dim() == 1)


def test_initial_weights_depend_on_name_and_seed_alone() -> None:
    torch.manual_seed(1)
    small = dict(make(layers=2).named_parameters())
    torch.manual_seed(2)
    large = dict(make(layers=4).named_parameters())
    assert all(torch.equal(small[name], large[name]) for name in small)
    other = dict(make(seed=1).named_parameters())
    name = "model.layers.0.mlp.up_proj.weight"
    assert not torch.equal(small[name], other[name])
    assert not torch.equal(small[name], large[name.replace("0", "1")])


@pytest.mark.parametrize("tied", [True, False])
def test_saving_and_loading(tmp_path: Path, tied: bool) -> None:
    model = make(tied=tied)
    files.save(model, tmp_path / "a")
    loaded = files.load(tmp_path / "a")
    files.save(loaded, tmp_path / "b")
    for name in (files.WEIGHTS, files.CONFIG):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (loaded.lm_head.weight is loaded.model.embed_tokens.weight) == tied
    tokens = torch.arange(2, 34)[None]
    assert torch.equal(model.eval()(tokens).logits, loaded(tokens).logits)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    files.save(make(layers=2), tmp_path)
    with pytest.raises(ValueError, match="do not fit"):
        files.load_weights(make(layers=3), tmp_path)
