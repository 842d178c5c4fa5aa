"""The step: score a checkpoint on held-out documents and grow samples from it."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from regrow.evaluate import documents, offline, results
from regrow.params.evaluate import Evaluate


def run(inputs: dict[str, Path], params: Any, output: Path, *, instance: str) -> dict[str, Any]:
    """Write `results.json` and `samples.json` for the checkpoint `instance`.

    Args:
        inputs: `checkpoint` (Hugging Face format), `tokenizer`, `decontaminate`.
        params: carries `evaluate`.
        output: the folder to fill.
        instance: training step of the checkpoint, six digits.

    Returns:
        Counts: documents, bytes, and bits per byte overall.
    """
    settings: Evaluate = params.evaluate
    chosen = documents.choose(inputs["decontaminate"] / "heldout.parquet", settings)
    print(f"evaluate {instance}: {len(chosen)} documents", file=sys.stderr)

    offline.prepare()
    from regrow.numerics import torch as numerics

    numerics.activate()
    offline.import_model_class()
    from regrow.evaluate.harness import bits
    from regrow.evaluate.lm import CheckpointLM
    from regrow.evaluate.samples import grow
    from regrow.evaluate.vocabulary import Vocabulary
    from regrow.model.files import load
    from regrow.numerics.torch.install import install

    model = install(load(inputs["checkpoint"]))
    vocabulary = Vocabulary(inputs["tokenizer"])
    output.mkdir(parents=True, exist_ok=True)
    work = output / ".work"
    try:
        cost = bits(chosen, CheckpointLM(model, vocabulary, seed=settings.seed), work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    found = results.assemble(chosen, cost, settings)
    found |= {
        "checkpoint": instance,
        "context": int(model.config.max_position_embeddings),
        "harness": f"lm-eval {version('lm-eval')}",
        "trained": _trained(inputs["checkpoint"] / "state.json"),
    }
    results.write(found, output / "results.json")
    samples = grow(model, vocabulary, settings)
    results.write(
        {"checkpoint": instance, "temperature": settings.temperature, "samples": samples},
        output / "samples.json",
    )
    overall = found["overall"]
    return {
        "documents": overall["documents"],
        "bytes": overall["bytes"],
        "bits_per_byte": overall["bits_per_byte"],
    }


def _trained(path: Path) -> dict[str, int]:
    """Steps and tokens that the checkpoint has seen, as far as its state says."""
    if not path.is_file():
        return {}
    state = json.loads(path.read_text(encoding="utf-8"))
    return {name: state[name] for name in ("step", "tokens") if isinstance(state.get(name), int)}
