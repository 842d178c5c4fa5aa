"""More than one process, through DeepSpeed, with the bits of one.

Every process owns a subtree of the micro-batches; the processes combine their sums level by
level with the partner that differs in one bit of the rank (recursive doubling), which is the
upper part of the same tree. DeepSpeed's own averaging is switched off, as its order of
summation depends on the number of processes.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def processes() -> int:
    """REGROW_PROCESSES, 1 if it is not set. Raises ValueError unless a power of two."""
    text = os.environ.get("REGROW_PROCESSES", "1")
    if not text.isdigit() or (count := int(text)) < 1 or count & (count - 1):
        raise ValueError(f"REGROW_PROCESSES is {text!r}: it must be a power of two, e.g. 2")
    return count


class DeepSpeed:
    """A group of processes under a DeepSpeed engine (ZeRO stage 0)."""

    def __init__(self, model: Any, optimizer: Any) -> None:
        import deepspeed
        import torch.distributed as dist

        self.rank = dist.get_rank()
        self.size = dist.get_world_size()
        self._dist = dist
        self._engine, *_ = deepspeed.initialize(
            model=model,
            optimizer=optimizer,
            dist_init_required=False,
            config={
                "train_micro_batch_size_per_gpu": 1,
                "gradient_accumulation_steps": 1,
                "gradient_clipping": 0.0,  # the engine clips; DeepSpeed's default is 1.0
                "zero_optimization": {"stage": 0},
                "zero_allow_untested_optimizer": True,
                "zero_force_ds_cpu_optimizer": False,
            },
        )
        self._engine.enable_backward_allreduce = False
        self.model: Callable[..., Any] = self._engine

    def backward(self, loss: Tensor) -> None:
        """See ProcessGroup."""
        self._engine.backward(loss)

    def combine(self, tensors: list[Tensor]) -> None:
        """See ProcessGroup."""
        for kind in sorted({str(t.dtype) for t in tensors}):
            alike = [t for t in tensors if str(t.dtype) == kind]
            flat = torch.cat([t.reshape(-1) for t in alike])
            other = torch.empty_like(flat)
            distance = 1
            while distance < self.size:
                partner = self.rank ^ distance
                send = self._dist.isend(flat, partner)
                self._dist.recv(other, partner)
                assert send is not None
                send.wait()
                flat = flat + other
                distance *= 2
            for tensor, piece in zip(alike, flat.split([t.numel() for t in alike]), strict=True):
                tensor.copy_(piece.view_as(tensor))

    def update(self) -> None:
        """See ProcessGroup."""
        self._engine.step()

    def agree(self, flag: bool) -> bool:
        """See ProcessGroup."""
        value = torch.tensor([int(flag)])
        self._dist.all_reduce(value, self._dist.ReduceOp.MAX)
        return bool(value)


def _worker(rank: int, size: int, meeting: str, function: Callable[..., None], args: Any) -> None:
    os.environ |= {
        "DS_ACCELERATOR": "cpu",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
    }
    import deepspeed.comm.torch
    import torch.distributed as dist

    # DeepSpeed would compile an inference-only collective at start, and a compilation that is
    # killed leaves a lock that stops every later run on the account without a word.
    sys.modules["deepspeed.comm.torch"].build_shm_op = lambda: None  # type: ignore[attr-defined]
    import deepspeed

    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=size)
    deepspeed.init_distributed(dist_backend="gloo", dist_init_required=False)
    try:
        function(*args, DeepSpeed)
    finally:
        dist.destroy_process_group()


def launch(size: int, function: Callable[..., None], args: tuple[Any, ...]) -> None:
    """Run `function(*args, DeepSpeed)` in `size` processes of this machine and wait for them.

    Raises:
        SystemExit: a process asked for it (130 after Ctrl-C).
        RuntimeError: a process failed.
    """
    folder = Path(tempfile.mkdtemp(prefix="regrow-"))
    try:
        work = partial(
            _worker, size=size, meeting=f"file://{folder}/meeting", function=function, args=args
        )
        context = torch.multiprocessing.start_processes(
            work, nprocs=size, join=False, start_method="spawn"
        )
        assert context is not None
        _join(context)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _join(context: Any) -> None:
    from torch.multiprocessing import ProcessExitedException

    while True:
        try:
            if context.join():
                return
        except KeyboardInterrupt:
            continue  # the workers have it too: they save and leave by themselves
        except ProcessExitedException as error:
            if error.exit_code == 130:
                raise SystemExit(130) from None
            raise
