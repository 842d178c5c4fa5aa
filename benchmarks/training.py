"""Training speed of the demo model: Regrow beside plain torch loops and the Hugging Face Trainer.

Every contestant is a process of its own (numerics are set per process); they take turns, a few
steps each, so that a busy machine is busy for all. Tokens per second of CPU time and of wall
time, one thread; medians over the turns. `python benchmarks/training.py [turns] [steps]`.

regrow         fma32, install(), micro-batches of 4, tree sum, exact norm, Muon + AdamW
regrow-adamw   the same with AdamW for all weights
plain          torch, sdpa, batch of 8 in one piece, clip_grad_norm_, AdamW(fused=True)
trainer        transformers.Trainer with the same model, sdpa, adamw_torch_fused
deterministic  torch, eager, use_deterministic_algorithms, AdamW
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contest import ask, start

OUT = Path(__file__).parent / "out" / "training.json"
KINDS = ("regrow", "regrow-adamw", "plain", "trainer", "deterministic")
ROWS, MICRO, LENGTH, VOCABULARY = 8, 4, 256, 2048


def model(attention: str) -> Any:
    import torch
    from transformers import Olmo3ForCausalLM

    from regrow.learn.model.config import olmo3_config
    from regrow.params.model import Model

    torch.manual_seed(0)
    config = olmo3_config(Model(), vocabulary=VOCABULARY, eos=0, pad=1)
    return Olmo3ForCausalLM._from_config(config, attn_implementation=attention).float().train()


def regrow(muon: bool) -> Callable[[int], None]:
    from regrow.numerics.torch import activate

    activate(threads=1)
    import torch

    from regrow.numerics.torch import functional, optim
    from regrow.numerics.torch.install import install

    net = install(model("eager"))
    named = dict(net.named_parameters())
    state = {n: (torch.zeros_like(p), torch.zeros_like(p)) for n, p in named.items()}
    total, done = ROWS * (LENGTH - 1), 0

    def step(tokens: Any) -> None:
        nonlocal done
        done += 1
        left: list[Any] = []
        for rows in tokens.split(MICRO):
            logits = net(input_ids=rows, use_cache=False).logits
            functional.next_token_loss(logits, rows, total=total, z_loss=1e-5)[0].backward()
            grads = [p.grad for p in named.values()]
            if left:
                optim.tree_add(left, grads)
            left = left or grads
            for p in named.values():
                p.grad = None
        norm = optim.grad_norm(left)
        if norm > 1.0:
            optim.scale(left, 1.0 / norm)
        with torch.no_grad():
            for (name, p), g in zip(named.items(), left, strict=True):
                first, second = state[name]
                if muon and p.dim() == 2 and "embed" not in name:
                    optim.muon_step(p, g, first, lr=1e-2, momentum=0.95, wd=0.1)
                else:
                    optim.adamw_step(
                        *(p, g, first, second),
                        step=done,
                        lr=1e-2,
                        betas=(0.9, 0.95),
                        eps=1e-8,
                        wd=0.0,
                    )

    def turn(steps: int) -> None:
        for _ in range(steps):
            step(torch.randint(VOCABULARY, (ROWS, LENGTH)))

    return turn


def plain(deterministic: bool) -> Callable[[int], None]:
    import torch

    torch.set_num_threads(1)
    if deterministic:
        torch.use_deterministic_algorithms(True)
    net = model("eager" if deterministic else "sdpa")
    fused = not deterministic
    adam = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.1, fused=fused)

    def turn(steps: int) -> None:
        for _ in range(steps):
            tokens = torch.randint(VOCABULARY, (ROWS, LENGTH))
            net(input_ids=tokens, labels=tokens, use_cache=False).loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            adam.step()
            adam.zero_grad(set_to_none=True)

    return turn


def trainer() -> Callable[[int], None]:
    import torch
    from transformers import Trainer, TrainingArguments

    torch.set_num_threads(1)
    net = model("sdpa")

    class Tokens(torch.utils.data.Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 1 << 20

        def __getitem__(self, index: int) -> dict[str, Any]:
            tokens = torch.randint(VOCABULARY, (LENGTH,))
            return {"input_ids": tokens, "labels": tokens}

    def turn(steps: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                folder,
                per_device_train_batch_size=ROWS,
                max_steps=steps,
                optim="adamw_torch_fused",
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                use_cpu=True,
                logging_strategy="no",
            )
            Trainer(net, arguments, train_dataset=Tokens()).train()

    return turn


def contestant(kind: str) -> None:
    """Child process: a number of steps per line in, CPU and wall seconds per line out."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    turn = {
        "regrow": lambda: regrow(True),
        "regrow-adamw": lambda: regrow(False),
        "plain": lambda: plain(False),
        "trainer": trainer,
        "deterministic": lambda: plain(True),
    }[kind]()
    turn(2)
    print("ready", file=answer, flush=True)
    for line in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        turn(int(line))
        print(time.process_time() - cpu, time.perf_counter() - wall, file=answer, flush=True)


def main(turns: int, steps: int, kinds: tuple[str, ...] = KINDS) -> None:
    children = start(__file__, kinds)
    speeds: dict[str, dict[str, list[float]]] = {k: {"cpu": [], "wall": []} for k in kinds}
    for number in range(turns):
        for kind in kinds[number % len(kinds) :] + kinds[: number % len(kinds)]:
            child = children[kind]
            cpu, wall = ask(child, steps)
            speeds[kind]["cpu"].append(steps * ROWS * LENGTH / cpu)
            speeds[kind]["wall"].append(steps * ROWS * LENGTH / wall)
    for child in children.values():
        assert child.stdin
        child.stdin.close()
        child.wait()
    medians = {k: {c: statistics.median(v) for c, v in s.items()} for k, s in speeds.items()}
    peers = [k for k in ("plain", "trainer") if k in medians]
    print(
        f"{'tokens per second':16} {'CPU':>8} {'wall':>8}   of the better of {' and '.join(peers)}"
    )
    best = {c: max((medians[k][c] for k in peers), default=1.0) for c in ("cpu", "wall")}
    for kind, found in medians.items():
        ratio = found["cpu"] / best["cpu"]
        print(f"{kind:16} {found['cpu']:8.0f} {found['wall']:8.0f}   {ratio:.2f} (CPU)")
    OUT.parent.mkdir(exist_ok=True)
    report = {"tokens_per_second": speeds, "medians": medians, "turns": turns, "steps": steps}
    OUT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--contestant"]:
        contestant(sys.argv[2])
    else:
        numbers = [int(x) for x in sys.argv[1:] if x.isdigit()]
        main(
            *(numbers + [7, 5][len(numbers) :]),
            *[tuple(a.split("=")[1].split(",")) for a in sys.argv if a.startswith("--kinds=")],
        )
