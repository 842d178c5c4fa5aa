"""Preference optimisation against the base, on pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.learn.model import files
from regrow.learn.train import digest
from regrow.learn.train import dpo as preference
from regrow.learn.train.buckets import Buckets
from regrow.learn.train.kinds.chat import ends, seeded
from regrow.learn.train.stage import StageSpec
from regrow.learn.train.stage import run as train
from regrow.numerics.torch.install import install
from regrow.params.kinds.dpo import Dpo


def run(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Preference optimisation against `base`. `source`: `judged` or `delta` pairs; `seed`; `stage`,
    `settings`: see `kinds`."""
    return train(plan, inputs, params, output, **more)


def plan(
    inputs: dict[str, Path], params: Any, *, stage: str, settings: str, source: str, seed: int
) -> StageSpec:
    """See `run`."""
    block: Dpo = getattr(params, settings)
    config = files.load_config(inputs["base"])
    path = inputs["data"] / "pairs.parquet"
    pairs = preference.read(
        path, source, context=int(config.max_position_embeddings), vocabulary=config.vocab_size
    )
    buckets = Buckets(
        preference.lengths(pairs),
        block.micro_batch_sequences,
        f"{stage} order seed {block.seed + seed}",
    )
    _, pad = ends(config)
    reference = preference.Reference(install(files.load(inputs["base"])))
    return StageSpec(
        name=seeded(stage, seed),
        config=config,
        block=block,
        objective=preference.Dpo(block.beta, reference),
        source=preference.Pairs(pairs, buckets, block.batch_sequences, pad=pad),
        order={"key": buckets.key, "pairs": len(pairs), "bucket": buckets.size},
        depends=(digest.files(path),),
    )
