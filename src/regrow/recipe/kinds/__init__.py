"""The kinds of training, a module each: an objective is added here, in `regrow.params` and in `regrow.learn.train.kinds`."""

from __future__ import annotations

from regrow.recipe.kind import Kind
from regrow.recipe.kinds import dpo, longcontext, midtrain, pretrain, rl, sft, soup

KINDS: dict[str, Kind] = {
    module.KIND.name: module.KIND
    for module in (pretrain, midtrain, soup, longcontext, sft, dpo, rl)
}
"""by name, in the order of the recipe after Olmo 3"""
_BY_FUNCTION = {kind.function: kind for kind in KINDS.values()}


def of(function: str) -> Kind | None:
    """The kind whose stages a function trains, None for any other step's."""
    return _BY_FUNCTION.get(function)
