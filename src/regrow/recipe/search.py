"""The steps of a mix search: domains, swarm, proxies, their scores, the mixture, and a proxy of that one.

Only a params file with a section `search` has them. A proxy gets its own settings as options and reads its pack
alone: what is changed elsewhere in the section, a round more or other weights, moves no key of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regrow.engine.step import Input, Step
from regrow.recipe.lines import FMA32


def _instances(params: Any) -> list[str]:
    return params.search.instances() if params.search else []


def steps(params: Mapping[str, Any]) -> list[Step]:
    """The steps, producers first; none where nothing is searched. `params`: values of a params file, as JSON."""
    search = params.get("search")
    if not search:
        return []
    mix = params["mix"]
    swarm: dict[str, Any] = {"part": "base", "instances": _instances}
    heldout = tuple(Input(name=s, step=s) for s in ("tokenizer", "decontaminate"))
    return [
        Step(
            name="domains", part="base", doc="Of a mix search only: the training documents once, packed by domain.",
            function="regrow.learn.search.supply:run", params=("search",),
            inputs=tuple(Input(name=s, step=s) for s in ("decontaminate", "classify", "tokenizer")),
        ),
        Step(
            name="swarm", doc="Of a mix search only: a drawn mixture of the domains, packed.",
            function="regrow.learn.search.swarm:run", params=("search",),
            inputs=(Input(name="domains", step="domains"),), **swarm,
        ),
        Step(
            name="proxy", doc="Of a mix search only: a small model of one mixture.",
            function="regrow.learn.search.proxy:run", params=(),
            inputs=(Input(name="swarm", step="swarm", instance="same"),),
            options={"proxy": search["proxy"]}, resumable=True, **swarm, **FMA32,
        ),
        Step(
            name="proxy_scores", doc="Of a mix search only: a proxy's bits per byte, for each hold-out domain.",
            function="regrow.learn.search.scores:run", params=(),
            inputs=(Input(name="proxy", step="proxy", instance="same"), *heldout),
            options={"scored": search["scored"]}, **swarm, **FMA32,
        ),
        Step(
            name="mixture", part="base", doc="Of a mix search only: laws of the evaluations, and the best mixture by them.",
            function="regrow.learn.search.mixture:run", params=("search",), leaf=("mixture.json",),
            inputs=(
                Input(name="domains", step="domains"),
                Input(name="proxy_scores", step="proxy_scores", instance="all"),
            ),
            options={"tokens": mix["tokens"], "most": mix["max_repeats"] * (1 - mix["cutoff"])},
        ),
        Step(
            name="confirm", part="base", doc="Of a mix search only: a proxy of the chosen mixture, beside the natural one.",
            function="regrow.learn.search.confirm:run", params=("search",), leaf=("confirm.json",),
            inputs=(
                Input(name="domains", step="domains"), Input(name="mixture", step="mixture"),
                Input(name="proxy_scores", step="proxy_scores", instance="all"), *heldout,
            ),
            resumable=True, **FMA32,
        ),
    ]  # fmt: skip
