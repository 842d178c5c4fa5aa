"""Reinforcement learning end to end: Regrow's RLVR step beside TRL's GRPOTrainer.

Same policy (benchmarks/rollout.py), prompts, lengths, batch (8 prompts x 8 answers of at most 90
tokens), reward (the verifier's score less a thousandth per token, so that next to no group is without
a gradient and both learn from all they sample) and loss (token level, advantages not divided,
clip 0.2/0.272, no KL, one update per batch), float32, one thread. TRL generates with transformers.
The learning rate is next to nothing, so that the lengths stay those of the policy. AdamW in both.

Every contestant is a process of its own; they take turns of a few steps. Medians over the turns, in
sampled answers per second of CPU time. `python benchmarks/rlvr.py [turns] [steps]`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from contest import ask, start
from rollout import HERE, MOST, POLICY, make_policy

OUT = HERE / "out" / "rlvr.json"
KINDS = ("regrow", "trl")
PROMPTS, GROUP, MICRO, RATE, PRICE = 8, 8, 16, 1e-7, 0.001

Turn = Callable[[int, int], dict[str, float]]
"""(steps, number of the turn) -> cpu and wall seconds, answer tokens"""


def prompts() -> tuple[Any, list[Any]]:
    """Tokenizer and prompts."""
    from regrow.learn.rl.prompts import choose, load_tokenizer

    tokenizer = load_tokenizer(POLICY / "tokenizer")
    path = POLICY / "tasks" / "train.parquet"
    found, _ = choose(
        path, tokenizer, "think", count=512, room=160, key="benchmark", step="benchmark"
    )
    return tokenizer, found


def regrow() -> Turn:
    from regrow.numerics.torch import activate

    activate(threads=1)
    from regrow.learn.model import files
    from regrow.learn.rl.ask import Answer, Asker
    from regrow.learn.rl.groups import Sampler
    from regrow.learn.rl.order import Pools
    from regrow.learn.rl.rlvr import Rollouts
    from regrow.learn.train import checkpoint, stage
    from regrow.learn.train.grpo import Grpo
    from regrow.params.kinds.rl import Rlvr
    from regrow.params.train import Optimizer

    tokenizer, known = prompts()
    block = Rlvr(
        steps=10_000,
        checkpoint_every=10_000,
        prompts=PROMPTS,
        group=GROUP,
        batch_sequences=PROMPTS * GROUP,
        micro_batch_sequences=MICRO,
        max_new_tokens=MOST,
        max_refills=0,
        warmup=0.0,
        optimizer=Optimizer(name="adamw", learning_rate=RATE, weight_decay=0.0),
    )

    def reward(name: Any, sample: int, answer: Answer) -> tuple[float, str]:
        return answer.verdict.score - PRICE * len(answer.rollout.tokens), answer.verdict.reason

    asker = Asker(tokenizer, "think", max_new_tokens=MOST, temperature=1.0)
    source = Rollouts(block, Sampler(block, Pools(known, {}, "b"), asker, reward, "b"), pad=0)
    objective = Grpo(clip_low=0.2, clip_high=0.272, importance_cap=2.0)
    plan = stage.StageSpec(
        "rlvr", files.load_config(POLICY / "policy"), block, objective, source, order={}
    )
    engine = stage.assemble(plan)
    checkpoint.begin(POLICY / "policy", engine, carry_optimizer=False)

    def turn(steps: int, number: int) -> dict[str, float]:
        cpu, wall = time.process_time(), time.perf_counter()
        rows = [engine.train_step() for _ in range(steps)]
        seconds = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
        learned = sum(row.extra["groups_learned"] for row in rows) / steps / PROMPTS
        length = sum(row.extra["answer_tokens"] for row in rows) / steps
        gap = max(row.extra["max_abs_logprob_difference"] for row in rows)
        assert gap == 0.0
        return seconds | {"length": length, "learned": learned}

    return turn


def trl() -> Turn:
    import torch
    from datasets import Dataset
    from transformers import Olmo3ForCausalLM, PreTrainedTokenizerFast
    from trl import GRPOConfig, GRPOTrainer

    from regrow.data.tokens import chat
    from regrow.learn.verifiers.judge import judge

    torch.set_num_threads(1)
    tokenizer, known = prompts()
    fast = PreTrainedTokenizerFast(
        tokenizer_file=str(POLICY / "tokenizer" / "tokenizer.json"),
        eos_token=chat.END,
        pad_token="<|pad|>",
        padding_side="left",
    )
    texts = [chat.decode(tokenizer, prompt.tokens) for prompt in known]
    assert fast(texts)["input_ids"] == [prompt.tokens for prompt in known]
    model = Olmo3ForCausalLM.from_pretrained(
        POLICY / "policy", attn_implementation="sdpa", dtype=torch.float32
    )
    model.config.eos_token_id = model.generation_config.eos_token_id = fast.eos_token_id
    lengths: list[int] = []

    def reward(
        completion_ids: list[list[int]], verifier: list[str], arguments: list[str], **_: Any
    ) -> list[float]:
        lengths.extend(map(len, completion_ids))
        return [
            judge(name, json.loads(needs), chat.decode(tokenizer, ids), "think").score
            - PRICE * len(ids)
            for ids, name, needs in zip(completion_ids, verifier, arguments, strict=True)
        ]

    rows = [
        {"prompt": text, "verifier": prompt.verifier, "arguments": prompt.arguments}
        for text, prompt in zip(texts, known, strict=True)
    ]

    def turn(steps: int, number: int) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            settings = GRPOConfig(
                folder,
                per_device_train_batch_size=PROMPTS * GROUP,
                gradient_accumulation_steps=1,
                num_generations=GROUP,
                max_completion_length=MOST,
                temperature=1.0,
                top_k=0,
                beta=0.0,
                loss_type="dapo",
                scale_rewards="none",
                epsilon=0.2,
                epsilon_high=0.272,
                learning_rate=RATE,
                lr_scheduler_type="constant",
                max_steps=steps,
                optim="adamw_torch_fused",
                use_cpu=True,
                bf16=False,
                gradient_checkpointing=False,
                report_to=[],
                logging_strategy="no",
                save_strategy="no",
                disable_tqdm=True,
                seed=number,
            )
            trainer = GRPOTrainer(
                model,
                reward,
                args=settings,
                train_dataset=Dataset.from_list(rows).shuffle(seed=number),
                processing_class=fast,
            )
            lengths.clear()
            cpu, wall = time.process_time(), time.perf_counter()
            trainer.train()
            seconds = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
        assert len(lengths) == steps * PROMPTS * GROUP, len(lengths)
        return seconds | {"length": sum(lengths) / len(lengths), "learned": 1.0}

    return turn


def contestant(kind: str) -> None:
    """Child process: steps and turn per line in, figures per line out."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    turn: Turn = {"regrow": regrow, "trl": trl}[kind]()
    turn(1, 0)
    print("ready", file=answer, flush=True)
    for line in sys.stdin:
        steps, number = map(int, line.split())
        found = turn(steps, number)
        print(*(found[k] for k in ("cpu", "wall", "length", "learned")), file=answer, flush=True)


def main(turns: int, steps: int) -> None:
    make_policy()
    children = start(__file__, KINDS)
    samples = steps * PROMPTS * GROUP
    found: dict[str, dict[str, list[float]]] = {
        kind: {"cpu": [], "wall": [], "length": [], "learned": []} for kind in KINDS
    }
    for number in range(turns):
        for kind in KINDS if number % 2 else KINDS[::-1]:
            cpu, wall, length, learned = ask(children[kind], steps, number + 1)
            for name, value in (
                ("cpu", samples / cpu),
                ("wall", samples / wall),
                ("length", length),
                ("learned", learned),
            ):
                found[kind][name].append(value)
    for child in children.values():
        assert child.stdin
        child.stdin.close()
        child.wait()
    medians = {k: {n: statistics.median(v) for n, v in f.items()} for k, f in found.items()}
    print(f"{'':10}{'samples/CPU s':>15}{'samples/s':>12}{'answer tokens':>15}{'learned':>9}")
    for kind, middle in medians.items():
        print(
            f"{kind:10}{middle['cpu']:15.1f}{middle['wall']:12.1f}{middle['length']:15.1f}"
            f"{middle['learned']:9.2f}"
        )
    print(f"ratio (CPU): {medians['regrow']['cpu'] / medians['trl']['cpu']:.2f}")
    OUT.parent.mkdir(exist_ok=True)
    report = {"turns": turns, "steps": steps, "runs": found, "medians": medians}
    OUT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--contestant"]:
        contestant(sys.argv[2])
    else:
        numbers = [int(x) for x in sys.argv[1:] if x.isdigit()]
        main(*(numbers + [5, 3][len(numbers) :]))
