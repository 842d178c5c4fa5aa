"""The optimizers against torch's own."""

from __future__ import annotations

import pytest
import torch

from regrow.learn.train.optimizer import Optimizer
from regrow.numerics.torch import activate
from regrow.numerics.torch.optim import orthogonalise
from regrow.params.train import Optimizer as Settings

activate()

SHAPES = {
    "model.embed_tokens.weight": (50, 16),
    "model.layers.0.mlp.up_proj.weight": (40, 16),
    "model.layers.0.mlp.down_proj.weight": (16, 40),
    "model.norm.weight": (16,),
    "lm_head.weight": (50, 16),
}


def weights() -> dict[str, torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.nn.Parameter(torch.randn(shape, generator=generator) * 0.1)
        for name, shape in SHAPES.items()
    }


def walk(ours: dict[str, torch.nn.Parameter], theirs: dict[str, torch.nn.Parameter]):
    """Eight rounds of the same gradients for both."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(8):
        for name, weight in ours.items():
            weight.grad = torch.randn(weight.shape, generator=generator)
            theirs[name].grad = weight.grad.clone()
        yield


def test_adamw_equals_torch() -> None:
    ours, theirs = weights(), weights()
    mine = Optimizer(ours.items(), Settings(name="adamw", learning_rate=0.01))
    plain = [w for n, w in theirs.items() if "norm" in n or "embed" in n]
    decayed = [w for n, w in theirs.items() if not ("norm" in n or "embed" in n)]
    reference = torch.optim.AdamW(
        [{"params": plain, "weight_decay": 0.0}, {"params": decayed, "weight_decay": 0.1}],
        lr=0.01,
        betas=(0.9, 0.95),
        eps=1e-8,
    )
    for _ in walk(ours, theirs):
        mine.step()
        reference.step()
    for name in SHAPES:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-5, atol=1e-6)


def test_muon_equals_torch_on_hidden_matrices() -> None:
    ours, theirs = weights(), weights()
    hidden = [name for name in SHAPES if "proj" in name]
    mine = Optimizer(ours.items(), Settings(name="muon", learning_rate=0.01))
    reference = torch.optim.Muon(
        [theirs[name] for name in hidden],
        lr=0.01,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        adjust_lr_fn="match_rms_adamw",
    )
    start = weights()
    for _ in walk(ours, theirs):
        mine.step()
        reference.step()
    for name in hidden:
        # torch orthogonalises in bfloat16, hence the tolerance: 3 % of the way travelled.
        way = (theirs[name] - start[name]).norm()
        assert (ours[name] - theirs[name]).norm() < 0.03 * way


def test_muon_leaves_embedding_head_and_norms_to_adamw() -> None:
    mine = Optimizer(weights().items(), Settings(name="muon"))
    rules = {name: g["rule"] for g in mine.param_groups for name in g["names"]}
    assert rules == {
        "model.embed_tokens.weight": "adamw",
        "model.layers.0.mlp.up_proj.weight": "muon",
        "model.layers.0.mlp.down_proj.weight": "muon",
        "model.norm.weight": "adamw",
        "lm_head.weight": "adamw",
    }
    decay = {name: g["decay"] for g in mine.param_groups for name in g["names"]}
    assert decay["model.embed_tokens.weight"] == decay["model.norm.weight"] == 0.0
    assert decay["lm_head.weight"] == decay["model.layers.0.mlp.up_proj.weight"] == 0.1


@pytest.mark.parametrize("shape", [(40, 16), (16, 40), (24, 32)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    values = torch.linalg.svdvals(orthogonalise(matrix, 5))
    assert float(values.min()) > 0.3 and float(values.max()) < 1.4


def test_a_restored_optimizer_goes_on_alike() -> None:
    whole, first = weights(), weights()
    one = Optimizer(whole.items(), Settings())
    two = Optimizer(first.items(), Settings())
    for count, _ in enumerate(walk(whole, first)):
        one.step()
        if count == 4:
            saved = {name: value.clone() for name, value in two.tensors().items()}
            two = Optimizer(first.items(), Settings())
            two.restore(saved, applied=4)
        two.step()
    assert one.applied == two.applied == 8
    for name in SHAPES:
        assert torch.equal(whole[name], first[name])
