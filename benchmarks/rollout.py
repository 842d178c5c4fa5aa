"""Sampling speed: Regrow's rollout engine beside transformers' generate, same policy and prompts.

The policy is a demo-size model after a short SFT on the real tasks (made once, a minute), so that
answers have the lengths that answers have. Both sample at temperature 1 in float32 on one thread:
4 batches of questions at batch 1, 16 and 64, with Regrow's slots set to the batch. Counted are the
tokens of the answers up to their end. `fixed`: nothing ends an answer before 64 tokens, which shows the cost of a step alone.

Every contestant is a process of its own; they take turns, so that a busy machine is busy for both.
Medians over the turns, in tokens per second of CPU time. `python benchmarks/rollout.py [turns]`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contest import ask, start

HERE = Path(__file__).resolve().parent
POLICY = HERE / "out" / "policy"
OUT = HERE / "out" / "rollout.json"
KINDS = ("regrow", "transformers")
BATCHES = (1, 16, 64)
MOST, FIXED, STEPS, TASKS = 90, 64, 300, 1_000


def make_policy(folder: Path = POLICY) -> Path:
    """tasks/, tokenizer/ and policy/ (a checkpoint) below `folder`, unless they are there."""
    if (folder / "policy" / "model.safetensors").is_file():
        return folder
    from pydoc_data.topics import topics
    from types import SimpleNamespace

    import polars as pl
    from tokenizers import Tokenizer

    from regrow.data.tables import parquet
    from regrow.data.tokens import bpe, chat
    from regrow.learn.model import build, files
    from regrow.learn.model.config import olmo3_config
    from regrow.learn.tasks import step
    from regrow.learn.train import checkpoint, digest
    from regrow.learn.train.kinds import sft
    from regrow.numerics.torch import activate
    from regrow.params.data import Tokenizer as TokenizerParams
    from regrow.params.kinds.sft import Sft
    from regrow.params.model import Model
    from regrow.params.posttrain import Tasks
    from regrow.params.train import Optimizer

    activate()
    step.run({}, SimpleNamespace(tasks=Tasks(train=TASKS, dev=1, test=1)), folder / "tasks")
    rows = parquet.read(folder / "tasks" / "train.parquet").to_dicts()
    texts = [chat.plain(r["question"], r["trace"], r["answer"]) for r in rows]
    known: Tokenizer = bpe.train([*texts, *topics.values()], 2048, TokenizerParams().special_tokens)
    (folder / "tokenizer").mkdir(parents=True, exist_ok=True)
    known.save(str(folder / "tokenizer" / "tokenizer.json"))
    examples = []
    for row in rows:
        turn = {"role": "assistant", "reasoning_content": row["trace"], "content": row["answer"]}
        asked = {"role": "user", "content": row["question"]}
        tokens, mask = chat.example(known, [asked, turn])
        examples.append({"id": row["id"], "tokens": tokens, "mask": mask})
    parquet.write(pl.DataFrame(examples), folder / "data" / "think.parquet")
    model = build.empty(olmo3_config(Model(), vocabulary=2048, eos=1, pad=0))
    build.initialise(model, 0)
    files.save(model, folder / "base")
    link = digest.link(0, dict(model.named_parameters()), {}, digest.FIRST)
    digest.write([link], folder / "base" / checkpoint.DIGESTS)
    block = Sft(steps=STEPS, checkpoint_every=STEPS, optimizer=Optimizer(weight_decay=0.0))
    (folder / "scratch").mkdir(exist_ok=True)
    sft.run(
        {"data": folder / "data", "base": folder / "base"},
        SimpleNamespace(sft=block),
        folder / "policy",
        instance=f"{STEPS:06d}",
        scratch=folder / "scratch",
        stage="sft",
        settings="sft",
        branch="think",
        seed=0,
    )
    return folder


def questions(count: int) -> tuple[list[list[int]], list[int]]:
    """Prompts as tokens, and the tokens that end an answer."""
    from regrow.data.tokens import chat
    from regrow.learn.rl.prompts import choose, load_tokenizer

    tokenizer = load_tokenizer(POLICY / "tokenizer")
    path = POLICY / "tasks" / "train.parquet"
    found, _ = choose(
        path, tokenizer, "think", count=count, room=160, key="benchmark", step="benchmark"
    )
    return [prompt.tokens for prompt in found], chat.end_tokens(tokenizer, "think")


Turn = Callable[[int, bool, int], int]
"""(batch, fixed, number of the turn) -> tokens"""


def regrow() -> Turn:
    from regrow.numerics.torch import activate

    activate(threads=1)
    from regrow.learn.model import files
    from regrow.learn.rollout.sampler import Request, sample
    from regrow.numerics.torch.install import install

    model = install(files.load(POLICY / "policy"))
    prompts, ends = questions(4 * max(BATCHES))

    def turn(batch: int, fixed: bool, number: int) -> int:
        rollouts = sample(
            model,
            [
                Request(prompt=p, name=("turn", number, i))
                for i, p in enumerate(prompts[: 4 * batch])
            ],
            max_new_tokens=FIXED if fixed else MOST,
            temperature=1.0,
            end_tokens=() if fixed else ends,
            slots=batch,
        )
        return sum(len(rollout.tokens) for rollout in rollouts)

    return turn


def transformers() -> Turn:
    import torch
    from transformers import Olmo3ForCausalLM

    torch.set_num_threads(1)
    model = Olmo3ForCausalLM.from_pretrained(
        POLICY / "policy", attn_implementation="sdpa", dtype=torch.float32
    ).eval()
    prompts, ends = questions(4 * max(BATCHES))

    def generate(rows: list[list[int]], fixed: bool) -> int:
        longest = max(map(len, rows))
        ids = torch.tensor([[0] * (longest - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        out = model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            max_new_tokens=FIXED if fixed else MOST,
            eos_token_id=None if fixed else ends,
            pad_token_id=0,
        )[:, longest:]
        if fixed:
            return int(out.numel())
        ended = (out == ends[0]).int().cumsum(1)
        return int((ended - (out == ends[0]).int() == 0).sum())

    def turn(batch: int, fixed: bool, number: int) -> int:
        torch.manual_seed(number)
        if fixed:
            model.generation_config.eos_token_id = None
        with torch.no_grad():
            return sum(generate(prompts[i * batch : (i + 1) * batch], fixed) for i in range(4))

    return turn


def contestant(kind: str) -> None:
    """Child process: batch, fixed, turn per line in; tokens, CPU and wall seconds per line out."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    turn: Turn = {"regrow": regrow, "transformers": transformers}[kind]()
    turn(1, False, 0)
    print("ready", file=answer, flush=True)
    for line in sys.stdin:
        batch, fixed, number = map(int, line.split())
        cpu, wall = time.process_time(), time.perf_counter()
        tokens = turn(batch, bool(fixed), number)
        seconds = time.process_time() - cpu, time.perf_counter() - wall
        print(tokens, *seconds, file=answer, flush=True)


def main(turns: int) -> None:
    make_policy()
    children = start(__file__, KINDS)
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for fixed in (False, True):
        for batch in BATCHES:
            name = f"{'fixed' if fixed else 'answers'} {batch}"
            found[name] = {kind: {"cpu": [], "wall": []} for kind in KINDS}
            for number in range(turns):
                for kind in KINDS if number % 2 else KINDS[::-1]:
                    tokens, cpu, wall = ask(children[kind], batch, int(fixed), number)
                    found[name][kind]["cpu"].append(tokens / cpu)
                    found[name][kind]["wall"].append(tokens / wall)
    for child in children.values():
        assert child.stdin
        child.stdin.close()
        child.wait()
    medians: dict[str, Any] = {}
    print(f"{'tokens per CPU second':22}" + "".join(f"{k:>14}" for k in KINDS) + f"{'ratio':>8}")
    for name, speeds in found.items():
        middle = {kind: statistics.median(speeds[kind]["cpu"]) for kind in KINDS}
        ratio = middle["regrow"] / middle["transformers"]
        medians[name] = middle | {"ratio": ratio}
        print(f"{name:22}" + "".join(f"{middle[k]:14,.0f}" for k in KINDS) + f"{ratio:8.2f}")
    OUT.parent.mkdir(exist_ok=True)
    report = {"tokens_per_second": found, "medians": medians, "turns": turns}
    OUT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--contestant"]:
        contestant(sys.argv[2])
    else:
        main(*([int(x) for x in sys.argv[1:] if x.isdigit()] or [5]))
