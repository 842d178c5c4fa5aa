"""The step `confirm`: a proxy on the chosen mixture, beside the one on the natural mix and what the laws said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from regrow.learn.search import proxy as proxies
from regrow.learn.search import supply, swarm
from regrow.learn.search.names import CONFIRMED, MIXTURE, SCORES
from regrow.learn.search.scores import score
from regrow.numerics import exact
from regrow.params.search import Search


def run(inputs: dict[str, Path], params: Any, output: Path, *, scratch: Path) -> dict[str, Any]:
    """Write confirm.json: per target the bits per byte of the natural mix and of the chosen one, measured and predicted.

    Args:
        inputs: `domains`, `mixture`, `proxy_scores.<instance>` of every proxy, `tokenizer`, `decontaminate`.
        params: carries `search`.
        output: the folder to fill.
        scratch: keeps a partial state of the training.

    Raises:
        SystemExit: 130, after Ctrl-C or SIGTERM; the partial state was saved.
    """
    p: Search = params.search
    told = json.loads((inputs["mixture"] / MIXTURE).read_text(encoding="utf-8"))
    scored_natural = inputs[f"proxy_scores.{p.natural()}"] / SCORES
    natural = json.loads(scored_natural.read_text(encoding="utf-8"))["targets"]
    shares = {name: one["share"] for name, one in told["domains"].items()}
    pack, trained = scratch / "pack", scratch / "trained"
    whole = p.proxy.steps * p.proxy.batch_sequences
    swarm.pack(pack, supply.read(inputs["domains"]), shares, whole)
    counts = proxies.train(pack, trained, scratch, p.proxy.model_dump(mode="json"))
    scored = p.scored.model_dump(mode="json")
    chosen = score(trained, inputs["tokenizer"], inputs["decontaminate"], scored)
    targets = {
        name: {
            "natural": natural[name]["bits_per_byte"],
            "chosen": one["bits_per_byte"],
            "predicted_natural": told["targets"][name]["natural"],
            "predicted": told["targets"][name]["chosen"],
        }
        for name, one in chosen.items()
    }
    weights = {name: told["targets"][name]["weight"] for name in targets}
    mean = {
        field: exact.total(weights[name] * one[field] for name, one in targets.items())
        for field in ("natural", "chosen", "predicted_natural", "predicted")
    }
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"mean": mean, "targets": targets}, indent=2, sort_keys=True) + "\n"
    (output / CONFIRMED).write_text(text, encoding="utf-8")
    return {"tokens": counts["tokens"], **mean}
