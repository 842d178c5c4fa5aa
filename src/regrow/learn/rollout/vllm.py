"""vLLM behind the interface of `regrow.learn.rollout.sampler.sample`: an optional, faster, inexact engine.

vLLM (Kwon et al., "Efficient Memory Management for Large Language Model Serving with
PagedAttention", SOSP 2023) sums in another order than the trainer, so its log-probabilities
differ in the last bits (`benchmarks/vllm_gap.py` measures by how much) and no step of the flow
that must repeat bit for bit may use it. It is for teachers, whose answers are frozen as a
source, and for bulk generation by hand.

The engine runs in a process of its own (`vllm_worker`), under this Python or, where vLLM has
an environment of its own, under the one that `REGROW_VLLM_PYTHON` names.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from regrow.learn.rollout import draw
from regrow.learn.rollout.sampler import Request, Rollout
from regrow.numerics.random import Stream

WORKER = Path(__file__).with_name("vllm_worker.py")
INSTALL = (
    "vLLM is not installed for {python} ({why}). Fix: `make vllm` adds it to this environment; "
    "or set REGROW_VLLM_PYTHON to the Python of an environment that has it."
)


class Unavailable(RuntimeError):
    """vLLM cannot be used; the message says how to install it."""


class Engine:
    """A checkpoint in Hugging Face format, loaded into vLLM in a process of its own.

    Use as a context manager; the process ends with it.
    """

    def __init__(
        self,
        checkpoint: Path,
        *,
        slots: int = 64,
        context: int | None = None,
        dtype: str = "float32",
        eager: bool = True,
        threads: int = 1,
        cache_gib: int = 1,
    ) -> None:
        """Start the process and load `checkpoint` (a folder with config.json and weights).

        `slots`: sequences that are decoded together; `context`: positions (default: the
        config's); `eager`: do not compile (compiling takes a minute and pays off later);
        `cache_gib`: memory for keys and values.

        Raises:
            Unavailable: vLLM is not installed, or not for that Python.
            RuntimeError: vLLM did not start (its own messages are on standard error).
        """
        config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
        self.context = context or int(config["max_position_embeddings"])
        self.python = os.environ.get("REGROW_VLLM_PYTHON") or sys.executable
        environment = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_CPU_KVCACHE_SPACE": str(cache_gib),
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "VLLM_LOGGING_LEVEL": "ERROR",
            "OMP_NUM_THREADS": str(threads),
        }
        try:
            # -P: this folder holds a module `vllm`, which must not shadow the package.
            self._process = subprocess.Popen(
                [self.python, "-P", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=environment,
            )
        except OSError as error:
            raise Unavailable(INSTALL.format(python=self.python, why=error)) from error
        settings = {
            "checkpoint": str(checkpoint.resolve()),
            "context": self.context,
            "slots": slots,
            "dtype": dtype,
            "eager": eager,
        }
        try:
            started = self._ask(settings)
            if "absent" in started:
                raise Unavailable(INSTALL.format(python=self.python, why=started["absent"]))
        except BaseException:
            self.close()
            raise
        self.version = str(started["version"])

    def rows(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What the worker says to requests (see `vllm_worker`), in the same order."""
        found: list[dict[str, Any]] = self._ask(requests)["rows"]
        return found

    def _ask(self, value: object) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # the missing answer tells
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"the vLLM process ended (exit status {self._process.wait()}); its messages are above"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def seed(name: tuple[str | int, ...]) -> int:
    """The seed that vLLM gets for a request of this name: 0 .. 2**63 - 1."""
    return int(Stream(*name).bits64(1)[0] >> 1)


def sample(
    model: Engine,
    requests: Sequence[Request],
    *,
    max_new_tokens: int,
    temperature: float,
    end_tokens: Sequence[int] = (),
    context: int | None = None,
    stop: Callable[[Sequence[int]], bool] | None = None,
) -> list[Rollout]:
    """Continue every request by up to `max_new_tokens` tokens, as `sampler.sample` does.

    Log-probabilities are the model's at temperature 1. The draws are vLLM's own, seeded per
    request by its name: other tokens than the sampler's, and not promised to be the same on
    another machine. `stop` cuts a rollout after the first token at which it says yes.

    Raises:
        ValueError: a temperature below 0, an empty prompt, or one that leaves no room in the context.
    """
    draw.check(temperature)
    context = min(context or model.context, model.context)
    for request in requests:
        if not 0 < len(request.prompt) < context:
            raise ValueError(
                f"a prompt has {len(request.prompt)} tokens; it needs 1 to {context - 1} "
                f"(the context is {context})"
            )
    if not requests or max_new_tokens < 1:
        return [Rollout(prompt=list(request.prompt)) for request in requests]
    asked = [
        {
            "prompt": [int(token) for token in request.prompt],
            "max_tokens": min(max_new_tokens, context - len(request.prompt)),
            "temperature": float(temperature),
            "seed": seed(request.name),
            "end_tokens": [int(token) for token in end_tokens],
            "score": False,
        }
        for request in requests
    ]
    return [
        _rollout(request, row, end_tokens, stop)
        for request, row in zip(requests, model.rows(asked), strict=True)
    ]


def _rollout(
    request: Request,
    row: dict[str, Any],
    end_tokens: Sequence[int],
    stop: Callable[[Sequence[int]], bool] | None,
) -> Rollout:
    tokens: list[int] = row["tokens"]
    stopped = False
    if stop is not None:
        for n in range(1, len(tokens) + 1):
            if stop(tokens[:n]):
                tokens, stopped = tokens[:n], True
                break
    return Rollout(
        prompt=list(request.prompt),
        tokens=tokens,
        logprobs=row["logprobs"][: len(tokens)],
        ended=stopped or bool(tokens and tokens[-1] in end_tokens),
    )


def score(model: Engine, texts: Sequence[Sequence[int]]) -> list[list[float]]:
    """Natural log-probability of every token of each text after its first, by vLLM.

    Raises:
        ValueError: a text of fewer than two tokens, or one that fills the context.
    """
    for text in texts:
        if not 2 <= len(text) < model.context:
            raise ValueError(
                f"a text has {len(text)} tokens; it needs 2 to {model.context - 1} "
                f"(the context is {model.context}, and vLLM always draws one token more)"
            )
    asked = [
        {
            "prompt": [int(token) for token in text],
            "max_tokens": 1,
            "temperature": 0.0,
            "seed": 0,
            "end_tokens": [],
            "score": True,
        }
        for text in texts
    ]
    return [row["prompt_logprobs"] for row in model.rows(asked)] if asked else []
