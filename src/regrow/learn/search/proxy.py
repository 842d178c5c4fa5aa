"""The step `proxy`: a small model trained on the pack of one mixture.

It reads nothing but the pack. So a mixture whose bytes are what they were has the proxy that it had, whatever happens
to other domains, to the evaluation or to the laws.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from regrow.learn.model.config import olmo3_config
from regrow.learn.model.files import CONFIG, WEIGHTS
from regrow.learn.search.names import MIXTURE
from regrow.learn.train import checkpoint, stage
from regrow.learn.train.data import Sequences
from regrow.learn.train.kinds.causal import language_modelling
from regrow.params.proxy import Proxy

KEPT = (WEIGHTS, CONFIG, "state.json", checkpoint.METRICS)
"""of the checkpoint: nothing goes on from a proxy, so its optimizer state is left out"""
NAME = "proxy"
"""of all proxies alike: their orders of positions and their initial weights are the same"""


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    instance: str,
    scratch: Path,
    proxy: dict[str, Any],
) -> dict[str, Any]:
    """Fill `output` with the trained model, its metrics and mixture.json.

    Args:
        inputs: `swarm`, the pack.
        params: none are read.
        output: the folder to fill.
        instance: of the proxy.
        scratch: keeps a partial state.
        proxy: the fields of `regrow.params.proxy.Proxy`.

    Raises:
        ValueError: pack and model do not fit each other.
        SystemExit: 130, after Ctrl-C or SIGTERM; the partial state was saved.
    """
    return train(inputs["swarm"], output, scratch, proxy)


def train(pack: Path, output: Path, scratch: Path, proxy: dict[str, Any]) -> dict[str, Any]:
    """Train on a pack and keep what is asked of a proxy: see `run`."""
    first, made, partial = (scratch / name for name in ("first", "made", "partial"))
    partial.mkdir(parents=True, exist_ok=True)
    for left in (first, made):
        shutil.rmtree(left, ignore_errors=True)
    inputs, at = {"data": pack}, f"{int(proxy['steps']):06d}"
    stage.run(plan, inputs, None, first, instance=f"{0:06d}", scratch=partial, proxy=proxy)
    inputs["previous"] = first
    counts = stage.run(plan, inputs, None, made, instance=at, scratch=partial, proxy=proxy)
    output.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        shutil.copyfile(made / name, output / name)
    shutil.copyfile(pack / MIXTURE, output / MIXTURE)
    return counts


def plan(inputs: dict[str, Path], params: Any, *, proxy: dict[str, Any]) -> stage.StageSpec:
    """The run of a proxy, from initial weights."""
    block = Proxy.model_validate(proxy)
    sequences = Sequences(inputs["data"])
    config = olmo3_config(
        block.model, vocabulary=sequences.vocabulary, eos=sequences.eos, pad=sequences.pad
    )
    return language_modelling(NAME, config, block, sequences, block.model.seed)
