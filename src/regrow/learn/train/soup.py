"""The mean of midtraining runs that differ in the order of their data.

Source: OLMo 3 report, section 3.5.4 (the 32B model is the mean of two runs; the 7B one is not,
as it gained nothing): so the mean is kept only if its held-out loss is lower than each of theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import Olmo3ForCausalLM

from regrow.learn.model import files
from regrow.learn.train import checkpoint, digest, heldout, runtime
from regrow.numerics.torch.install import install

DECISION = "decision.json"


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, instance: str, stage: str
) -> dict[str, Any]:
    """Fill `output` with the checkpoint of step `instance` and `decision.json`.

    `inputs`: `a`, `b`, ... (checkpoints of the same step), `midtrain_data` (with `heldout/`). The mean is that
    of the weights and of the optimizer's state. `stage`: the name of the stage. Losses are means over the held-out packs.

    Raises:
        ValueError: the runs are of different models or steps, or there is no held-out pack.
    """
    runtime.prepare()
    output.mkdir(parents=True, exist_ok=True)
    runs = sorted(name for name in inputs if len(name) == 1)
    states = {name: checkpoint.state(inputs[name]) for name in runs}
    steps = {state["step"] for state in states.values()}
    if steps != {int(instance)}:
        raise ValueError(f"{stage} {instance}: the runs are at steps {sorted(steps)}")
    ingredients = {name: files.read(inputs[name] / files.WEIGHTS) for name in runs}
    moments = {name: files.read(inputs[name] / checkpoint.OPTIMIZER) for name in runs}
    weights = ingredients | {"mean": average(list(ingredients.values()))}
    moments["mean"] = average(list(moments.values()))

    model = install(files.load(inputs["a"]))
    scored = {}
    for name, tensors in weights.items():
        _write(model, tensors)
        scored[name] = heldout.score_all(model, inputs["midtrain_data"] / "heldout")
    losses = {name: heldout.mean(found) for name, found in scored.items()}
    better = min(runs, key=lambda name: losses[name])
    kept = "mean" if losses["mean"] < losses[better] else better

    _write(model, weights[kept])
    source = states[kept if kept != "mean" else "a"]
    state = source | {
        "stage": stage,
        "skip": {"losses": [], "norms": []},
        "updates": max(s["updates"] for s in states.values()) if kept == "mean" else source["updates"],
        "kept": kept,
    }  # fmt: skip
    position = {key: state[key] for key in ("step", "tokens", "updates", "skip")}
    named = {f"model/{key}": value for key, value in files.weights(model).items()}
    named |= {f"optimizer/{key}": value for key, value in moments[kept].items()}
    chains = [digest.read(inputs[name] / checkpoint.DIGESTS)[-1]["chain"] for name in runs]
    before = hashlib.sha256(" ".join(chains).encode()).hexdigest()
    link = digest.link(state["step"], named, position, before)
    checkpoint.write(output, model, moments[kept], state, [], [link])
    packs = sorted(scored["mean"])
    decision = {
        "kept": kept,
        "losses": {
            name: {pack: found[pack].mean() for pack in packs} | {"mean": losses[name]}
            for name, found in scored.items()
        },
        "difference": {
            f"mean - {name}": heldout.difference(
                [scored["mean"][pack] for pack in packs],
                [scored[name][pack] for pack in packs],
                f"{stage} {name}",
            )
            for name in runs
        },
    }
    text = json.dumps(decision, indent=2, sort_keys=True) + "\n"
    (output / DECISION).write_text(text, encoding="utf-8")
    return {"step": state["step"], "kept": kept, "losses": losses}


def average(runs: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean, element by element: summed in the order of the runs, then divided, each rounded once.

    Raises:
        ValueError: the runs have other tensors or shapes.
    """
    first, *others = runs
    for other in others:
        if {k: v.shape for k, v in first.items()} != {k: v.shape for k, v in other.items()}:
            raise ValueError("soup: the runs have different tensors: other model or optimizer")
    found = {}
    for name in sorted(first):
        total = first[name]
        for other in others:
            total = total + other[name]
        found[name] = total / len(runs)
    return found


def _write(model: Olmo3ForCausalLM, tensors: dict[str, Tensor]) -> None:
    for name, weight in files.weights(model).items():
        weight.copy_(tensors[name])
