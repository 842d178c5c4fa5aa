"""Supervised fine-tuning: the answers of conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.learn.model import files
from regrow.learn.train import digest, examples
from regrow.learn.train.buckets import Buckets
from regrow.learn.train.kinds.chat import ends, seeded
from regrow.learn.train.objective import LanguageModelling
from regrow.learn.train.stage import StageSpec
from regrow.learn.train.stage import run as train
from regrow.params.kinds.sft import Sft


def run(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Supervised fine-tuning: loss on the answers. `branch`: `think` or `instruct`; `seed`; `stage`,
    `settings`: see `kinds`."""
    return train(plan, inputs, params, output, **more)


def plan(
    inputs: dict[str, Path], params: Any, *, stage: str, settings: str, branch: str, seed: int
) -> StageSpec:
    """See `run`."""
    block: Sft = getattr(params, settings)
    config = files.load_config(inputs["base"])
    path = inputs["data"] / f"{branch}.parquet"
    found = examples.read(
        path, context=int(config.max_position_embeddings), vocabulary=config.vocab_size
    )
    buckets = Buckets(
        [len(example.tokens) for example in found],
        block.micro_batch_sequences,
        f"{stage} order seed {block.seed + seed}",
    )
    eos, pad = ends(config)
    return StageSpec(
        name=seeded(stage, seed),
        config=config,
        block=block,
        objective=LanguageModelling(block.z_loss, document_mask=False),
        source=examples.Examples(found, buckets, block.batch_sequences, eos=eos, pad=pad),
        order={"key": buckets.key, "examples": len(found), "bucket": buckets.size},
        depends=(digest.files(path),),
    )
