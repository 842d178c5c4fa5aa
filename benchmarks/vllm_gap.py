"""How far vLLM's log-probabilities lie from the trainer's: prints JSON, and a table to standard error.

    python benchmarks/vllm_gap.py [CHECKPOINT ...] [--texts 32] [--tokens 200] [--yarn 4]

CHECKPOINT: folders in Hugging Face format (default: the last of data/release/). Each is also run
stretched by YaRN (`--yarn`, 1: not), as the long-context stage exports it, if it is not yet. Three
kinds of tokens are compared: held-out text that both score; what vLLM draws at temperature 1, with
the log-probabilities it reports while drawing; and greedy continuations, where the share of equal
tokens counts too. vLLM runs in its own process (`make vllm`, or REGROW_VLLM_PYTHON).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from regrow.data.tables import parquet
from regrow.data.tokens import bpe
from regrow.learn.model import files, yarn
from regrow.learn.rollout import vllm
from regrow.learn.rollout.sampler import Request, sample
from regrow.numerics import torch as numerics
from regrow.numerics.torch import functional
from regrow.numerics.torch.install import install

ROOT = Path(__file__).resolve().parent.parent
LIMITS = (1e-7, 1e-6, 1e-5, 1e-4)


def main() -> None:
    """Compare every checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="*", type=Path)
    parser.add_argument("--texts", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=200, help="drawn per text")
    parser.add_argument("--yarn", type=float, default=4.0)
    parser.add_argument("--heldout", type=Path, default=ROOT / "data/decontaminate/heldout.parquet")
    options = parser.parse_args()
    checkpoints = options.checkpoints or sorted((ROOT / "data/release").glob("*"))[-1:]
    if not checkpoints:
        print("skipped: no checkpoint; name one, or run the flow first", file=sys.stderr)
        return
    numerics.activate()
    found: list[dict[str, Any]] = []
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for number, checkpoint in enumerate(checkpoints):
                found += compare(checkpoint, checkpoint.name, options)
                stretched = Path(scratch) / str(number)
                if options.yarn > 1 and stretch(checkpoint, stretched, options.yarn):
                    name = f"{checkpoint.name} + YaRN {options.yarn:g}"
                    found += compare(stretched, name, options)
    except vllm.Unavailable as absent:
        print(f"skipped: {absent}", file=sys.stderr)
        return
    print(json.dumps(found, indent=2))
    show(found)


def stretch(checkpoint: Path, output: Path, factor: float) -> bool:
    """Save the checkpoint with YaRN on its full-attention layers; False if it has it already."""
    config = files.load_config(checkpoint)
    if any(rope.get("rope_type") == "yarn" for rope in config.rope_parameters.values()):
        return False
    model = files.load(checkpoint)
    context = int(config.max_position_embeddings * factor)
    model.config = yarn.extend(
        config, context=context, factor=factor, beta_fast=32.0, beta_slow=1.0
    )
    files.save(model, output)
    for path in checkpoint.glob("tokenizer*.json"):
        shutil.copyfile(path, output / path.name)
    return True


def compare(checkpoint: Path, name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The gaps of one checkpoint, a row per kind of tokens."""
    print(f"{name} ...", file=sys.stderr)
    model = install(files.load(checkpoint))
    context = int(model.config.max_position_embeddings)
    tokenizer, _ = bpe.load(checkpoint)
    texts = windows(options.heldout, tokenizer, options.texts, context - 1)
    prompts = [text[: context // 2] for text in texts]
    requests = [Request(prompt=p, name=("vllm gap", i)) for i, p in enumerate(prompts)]
    new = min(options.tokens, context - max(len(p) for p in prompts))
    with vllm.Engine(checkpoint) as engine:
        version = engine.version
        scored = vllm.score(engine, texts)
        drawn = vllm.sample(engine, requests, max_new_tokens=new, temperature=1.0)
        greedy = vllm.sample(engine, requests, max_new_tokens=new, temperature=0.0)
    own = [trainer(model, text) for text in texts]
    rows = [{"kind": "held-out text", **gaps(own, scored)}]
    for kind, rollouts in (("drawn", drawn), ("greedy", greedy)):
        exact = [trainer(model, r.prompt + r.tokens)[len(r.prompt) - 1 :] for r in rollouts]
        rows.append({"kind": kind, **gaps(exact, [r.logprobs for r in rollouts])})
    ours = sample(model, requests, max_new_tokens=new, temperature=0.0)
    pairs = [
        pair
        for x, y in zip(ours, greedy, strict=True)
        for pair in zip(x.tokens, y.tokens, strict=True)
    ]
    rows[-1]["equal_tokens"] = sum(a == b for a, b in pairs) / len(pairs)
    return [{"checkpoint": name, "context": context, "vllm": version, **row} for row in rows]


def windows(path: Path, tokenizer: Any, n: int, length: int) -> list[list[int]]:
    """n windows of `length` tokens, one per held-out document in turn."""
    texts = parquet.read(path, ["id", "text"]).sort("id")["text"].to_list()
    encoded = [tokens.tolist() for tokens in bpe.encode(tokenizer, texts)]
    found: list[list[int]] = []
    start = 0
    while len(found) < n:
        more = [t[start : start + length] for t in encoded if len(t) >= start + length]
        if not more:
            break
        found += more
        start += length
    return found[:n]


@torch.no_grad()
def trainer(model: Any, tokens: Sequence[int]) -> list[float]:
    """The trainer's log-probability of every token after the first, from one forward pass."""
    ids = torch.tensor([list(tokens)], dtype=torch.int64)
    logits = model(input_ids=ids, use_cache=False).logits[0, :-1]
    values: list[float] = functional.token_logprobs(logits, ids[0, 1:]).tolist()
    return values


def gaps(own: list[list[float]], theirs: list[list[float]]) -> dict[str, Any]:
    """Absolute differences over all tokens."""
    pairs = [(a, b) for x, y in zip(own, theirs, strict=True) for a, b in zip(x, y, strict=True)]
    differences = [abs(a - b) for a, b in pairs]
    n = len(differences)
    return {
        "tokens": n,
        "max": max(differences),
        "mean": sum(differences) / n,
        "equal": sum(d == 0 for d in differences) / n,
        "over": {f"{limit:g}": sum(d > limit for d in differences) / n for limit in LIMITS},
    }


def show(rows: list[dict[str, Any]]) -> None:
    """A table in Markdown."""
    heads = ["checkpoint", "tokens of", "n", "max", "mean", "bit-equal"]
    heads += [f"> {limit:g}" for limit in LIMITS] + ["equal tokens"]
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        equal = f"{row['equal_tokens']:.4f}" if "equal_tokens" in row else ""
        lines.append(
            [row["checkpoint"], row["kind"], f"{row['tokens']:,}", f"{row['max']:.2g}"]
            + [f"{row['mean']:.2g}", f"{row['equal']:.3f}"]
            + [f"{share:.4f}" for share in row["over"].values()]
            + [equal]
        )
    for line in lines:
        print("| " + " | ".join(line) + " |", file=sys.stderr)


if __name__ == "__main__":
    main()
