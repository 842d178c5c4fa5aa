"""The mean of two midtraining runs that differ in the order of their data.

Source: OLMo 3 report, section 3.5.4 (the 32B model is the mean of two runs; the 7B one is not,
as it gained nothing): so the mean is kept only if its held-out loss is lower than both.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import Olmo3ForCausalLM

from regrow.model import files
from regrow.numerics.torch.install import install
from regrow.train import checkpoint, digest, heldout, runtime

DECISION = "decision.json"


def run(inputs: dict[str, Path], params: Any, output: Path, *, instance: str) -> dict[str, Any]:
    """Fill `output` with the checkpoint of step `instance` and `decision.json`.

    `inputs`: `a`, `b` (checkpoints of the same step), `midmix` (with `heldout/`). The mean is that
    of the weights and of the optimizer's state. Losses are means over the held-out packs.

    Raises:
        ValueError: the runs are of different models or steps, or there is no held-out pack.
    """
    runtime.prepare()
    output.mkdir(parents=True, exist_ok=True)
    states = {name: checkpoint.state(inputs[name]) for name in ("a", "b")}
    steps = {state["step"] for state in states.values()}
    if steps != {int(instance)}:
        raise ValueError(f"soup {instance}: the two runs are at steps {sorted(steps)}")
    ingredients = {name: files.read(inputs[name] / files.WEIGHTS) for name in ("a", "b")}
    moments = {name: files.read(inputs[name] / checkpoint.OPTIMIZER) for name in ("a", "b")}
    weights = ingredients | {"mean": average(ingredients["a"], ingredients["b"])}
    moments["mean"] = average(moments["a"], moments["b"])

    model = install(files.load(inputs["a"]))
    scored = {}
    for name, tensors in weights.items():
        _write(model, tensors)
        scored[name] = heldout.score_all(model, inputs["midmix"] / "heldout")
    losses = {name: heldout.mean(found) for name, found in scored.items()}
    better = min(("a", "b"), key=lambda name: losses[name])
    kept = "mean" if losses["mean"] < losses[better] else better

    _write(model, weights[kept])
    source = states[kept if kept != "mean" else "a"]
    state = source | {
        "stage": "soup",
        "skip": {"losses": [], "norms": []},
        "updates": max(s["updates"] for s in states.values()) if kept == "mean" else source["updates"],
        "kept": kept,
    }  # fmt: skip
    position = {key: state[key] for key in ("step", "tokens", "updates", "skip")}
    named = {f"model/{key}": value for key, value in files.weights(model).items()}
    named |= {f"optimizer/{key}": value for key, value in moments[kept].items()}
    chains = [digest.read(inputs[name] / checkpoint.DIGESTS)[-1]["chain"] for name in ("a", "b")]
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
                f"soup {name}",
            )
            for name in ("a", "b")
        },
    }
    text = json.dumps(decision, indent=2, sort_keys=True) + "\n"
    (output / DECISION).write_text(text, encoding="utf-8")
    return {"step": state["step"], "kept": kept, "losses": losses}


def average(left: dict[str, Tensor], right: dict[str, Tensor]) -> dict[str, Tensor]:
    """(left + right) / 2, element by element, two roundings at most.

    Raises:
        ValueError: the two have other tensors or shapes.
    """
    if {k: v.shape for k, v in left.items()} != {k: v.shape for k, v in right.items()}:
        raise ValueError("soup: the two runs have different tensors: other model or optimizer")
    return {name: (left[name] + right[name]) * 0.5 for name in sorted(left)}


def _write(model: Olmo3ForCausalLM, tensors: dict[str, Tensor]) -> None:
    for name, weight in files.weights(model).items():
        weight.copy_(tensors[name])
