"""The optimizers of the engine, as one `torch.optim.Optimizer` with a rule per weight.

AdamW (Loshchilov and Hutter, arXiv 1711.05101) with Olmo 3's settings for every weight, or
Muon (Jordan et al., 2024, "Muon: an optimizer for hidden layers in neural networks"; learning
rate matched to AdamW's update size as in Liu et al., arXiv 2502.16982) for the 2-D weights
between embedding and head, and AdamW for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from regrow.numerics.torch import optim
from regrow.params.train import Optimizer as Settings

KINDS = {"adamw": ("exp_avg", "exp_avg_sq"), "muon": ("momentum",)}
"""what each rule remembers of a weight"""


class Optimizer(torch.optim.Optimizer):
    """AdamW, or Muon and AdamW. Each parameter group names its rule."""

    def __init__(self, named: Iterable[tuple[str, torch.nn.Parameter]], settings: Settings) -> None:
        self.settings = settings
        groups: dict[tuple[str, bool], dict[str, Any]] = {}
        for name, weight in sorted(named):
            matrix = weight.dim() == 2 and not _is_embedding(name)
            head = name == "lm_head.weight"
            rule = "muon" if settings.name == "muon" and matrix and not head else "adamw"
            group = groups.setdefault(
                (rule, matrix),
                {"rule": rule, "decay": settings.weight_decay if matrix else 0.0}
                | {"params": [], "names": []},
            )
            group["params"].append(weight)
            group["names"].append(name)
        ordered = [groups[key] for key in sorted(groups)]
        super().__init__(ordered, {"lr": settings.learning_rate, "applied": 0})

    def set_rate(self, rate: float) -> None:
        """The learning rate of the next step, for all groups."""
        for group in self.param_groups:
            group["lr"] = rate

    @property
    def applied(self) -> int:
        """Updates applied so far (skipped steps do not count)."""
        return int(self.param_groups[0]["applied"])

    @applied.setter
    def applied(self, count: int) -> None:
        for group in self.param_groups:
            group["applied"] = count

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every weight that has a gradient."""
        for group in self.param_groups:
            group["applied"] += 1
            rule = self._muon if group["rule"] == "muon" else self._adamw
            for weight in group["params"]:
                if weight.grad is not None:
                    rule(weight, weight.grad, self.state[weight], group)

    def _adamw(self, weight: Tensor, gradient: Tensor, state: Any, group: dict[str, Any]) -> None:
        if not state:
            state["exp_avg"] = torch.zeros_like(weight)
            state["exp_avg_sq"] = torch.zeros_like(weight)
        optim.adamw_step(
            weight,
            gradient,
            state["exp_avg"],
            state["exp_avg_sq"],
            step=group["applied"],
            lr=group["lr"],
            betas=self.settings.betas,
            eps=self.settings.eps,
            wd=group["decay"],
        )

    def _muon(self, weight: Tensor, gradient: Tensor, state: Any, group: dict[str, Any]) -> None:
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        optim.muon_step(
            weight,
            gradient,
            state["momentum"],
            lr=group["lr"],
            momentum=self.settings.muon_momentum,
            wd=group["decay"],
            iterations=self.settings.muon_iterations,
        )

    def tensors(self) -> dict[str, Tensor]:
        """The state by name, sorted: `<weight>.<exp_avg | exp_avg_sq | momentum>`."""
        found = {}
        for group in self.param_groups:
            for name, weight in zip(group["names"], group["params"], strict=True):
                for kind, value in self.state.get(weight, {}).items():
                    found[f"{name}.{kind}"] = value
        return dict(sorted(found.items()))

    def forget(self) -> None:
        """Back to the state before the first update."""
        self.state.clear()
        self.applied = 0

    def restore(self, tensors: dict[str, Tensor], applied: int) -> None:
        """Take over a saved state.

        Raises:
            KeyError: a tensor belongs to no weight, or to another rule than the weight's.
        """
        owner = {
            name: (weight, KINDS[group["rule"]])
            for group in self.param_groups
            for name, weight in zip(group["names"], group["params"], strict=True)
        }
        for full in sorted(tensors):
            name, kind = full.rsplit(".", 1)
            weight, kinds = owner[name]
            if kind not in kinds:
                raise KeyError(f"{full} does not belong to a weight under {' and '.join(kinds)}")
            self.state[weight][kind] = tensors[full].clone()
        self.applied = applied


def _is_embedding(name: str) -> bool:
    return name.endswith("embed_tokens.weight")
