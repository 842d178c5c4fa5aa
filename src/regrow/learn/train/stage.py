"""One segment of a training stage: from a checkpoint to the next, whatever the objective.

A stage is a `StageSpec`: a model's configuration, a parameter block, an objective and a source.
Instance 000000 (pretraining only) writes the initial weights; the first other one starts from
the last checkpoint of the stage before (`base`), every later one from its predecessor
(`previous`). Inside a segment a partial state is kept in `scratch`, so that a kill costs at
most `SAVE_EVERY` steps; the bytes of the checkpoint are the same either way.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from transformers import Olmo3Config, Olmo3ForCausalLM

from regrow.learn.model import build
from regrow.learn.train import checkpoint, digest, finite, metrics, parallel, runtime
from regrow.learn.train.batch_source import BatchSource
from regrow.learn.train.engine import Engine
from regrow.learn.train.interrupt import Interrupt
from regrow.learn.train.objective import Objective
from regrow.learn.train.optimizer import Optimizer
from regrow.learn.train.process_group import ProcessGroup, SingleProcess
from regrow.learn.train.progress import Progress, say
from regrow.learn.train.schedule import Schedule
from regrow.learn.train.skip import Skip
from regrow.numerics.torch.install import install
from regrow.params.train import Training

SAVE_EVERY = 20
"""steps between two partial states"""

MakeGroup = Callable[[Olmo3ForCausalLM, Optimizer], ProcessGroup]


@dataclass(frozen=True)
class StageSpec:
    """What a stage trains."""

    name: str
    """of the stage, for `state.json` and messages"""
    config: Olmo3Config
    block: Training
    """the stage's parameters"""
    objective: Objective
    source: BatchSource
    order: Mapping[str, Any]
    """how the data order is computed, for `state.json`"""
    init_seed: int | None = None
    """of the initial weights, for the stage that starts from none"""
    depends: tuple[Any, ...] = field(default=())
    """JSON values that, with block and chain, tell a partial state of this run from others"""


MakePlan = Callable[..., StageSpec]
"""(inputs, params, **options) -> StageSpec, under fma32; at the top of a module, so that further
processes can import it"""


def run(
    make_plan: MakePlan,
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    instance: str,
    scratch: Path,
    **options: Any,
) -> dict[str, Any]:
    """Fill `output` with the checkpoint of step `instance` (six digits) and return its counts.

    The environment variable REGROW_PROCESSES says on how many processes (a power of two, at
    most the micro-batches of a step); it does not change a bit.

    Raises:
        ValueError: parameters and data do not fit each other.
        FloatingPointError: weights or losses are no longer finite; see `finite`.
        SystemExit: 130, after Ctrl-C or SIGTERM; the partial state was saved.
    """
    output.mkdir(parents=True, exist_ok=True)
    processes = parallel.processes()
    args = (make_plan, inputs, params, output, instance, scratch, options)
    if int(instance) == 0:
        initial(make_plan, inputs, params, output, options)
    elif processes == 1:
        segment(*args, SingleProcess)
    else:
        parallel.launch(processes, segment, args)
    return counts(output)


def counts(output: Path) -> dict[str, Any]:
    """What a finished checkpoint says about its segment."""
    rows = metrics.read(output / checkpoint.METRICS)
    state = checkpoint.state(output)
    return {
        "step": state["step"],
        "tokens": state["tokens"],
        "sequences": state["position"],
        "skipped": sum(row.skipped for row in rows),
    }


def assemble(plan: StageSpec, make_group: MakeGroup = SingleProcess) -> Engine:
    """The engine of a plan, its model's weights still to be written."""
    block = plan.block
    model = install(build.empty(plan.config))
    optimizer = Optimizer(model.named_parameters(), block.optimizer)
    return Engine(
        model=model,
        objective=plan.objective,
        optimizer=optimizer,
        schedule=Schedule.of(block),
        skip=Skip(block.optimizer.skip_window, block.optimizer.skip_sigmas),
        source=plan.source,
        group=make_group(model, optimizer),
        clip=block.optimizer.clip,
    )


def _about(plan: StageSpec, engine: Engine) -> dict[str, Any]:
    batch = plan.block.batch_sequences
    return {
        "stage": plan.name,
        "order": dict(plan.order),
        "batch_sequences": batch,
        "position": engine.step * batch,
        **({checkpoint.LOST: engine.lost} if engine.lost else {}),
    }


def initial(
    make_plan: MakePlan,
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    options: dict[str, Any],
) -> None:
    """Write the checkpoint of step 0: the initial weights."""
    runtime.prepare()
    plan = make_plan(inputs, params, **options)
    engine = assemble(plan)
    assert plan.init_seed is not None, f"{plan.name} starts from a checkpoint"
    build.initialise(engine.model, plan.init_seed)
    if found := finite.unsound(engine.weights, finite.LIMIT):
        raise FloatingPointError(
            f"initial weights: {found[0]} holds {finite.describe(found[1])}: lower model.init_std"
        )
    first = digest.link(0, engine.tensors(), engine.position(), digest.FIRST)
    checkpoint.save(output, engine, [], [first], _about(plan, engine))


def segment(
    make_plan: MakePlan,
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    instance: str,
    scratch: Path,
    options: dict[str, Any],
    make_group: MakeGroup,
) -> None:
    """Train to step `instance`: from a partial state of this segment, `previous` or `base`."""
    runtime.prepare()
    plan = make_plan(inputs, params, **options)
    engine = assemble(plan, make_group)
    last = int(instance)
    start = inputs.get("previous") or inputs["base"]
    chain = digest.read(start / checkpoint.DIGESTS)[-1]["chain"]
    origin = _origin(plan, chain, instance)
    writes = engine.group.rank == 0
    label = f"{plan.name} {instance}"
    tell = partial(say, label) if writes else _silent
    taken = checkpoint.resume(scratch, origin, engine, tell)
    if taken is None and "previous" in inputs:
        checkpoint.restore(start, engine)
    elif taken is None:
        checkpoint.begin(start, engine, carry_optimizer=plan.block.carry_optimizer)
    rows, links = taken or ([], [])
    progress = Progress(label, last, engine.tokens)
    if taken and writes:
        progress.say(f"goes on from step {engine.step}, saved before it was stopped")

    def save(folder: Path, extra: dict[str, Any]) -> None:
        checkpoint.save(folder, engine, rows, links, _about(plan, engine) | extra)

    def save_partial() -> None:
        if writes:
            fresh = scratch / "unfinished"
            shutil.rmtree(fresh, ignore_errors=True)
            save(fresh, {})
            checkpoint.replace(fresh, scratch, origin)

    with Interrupt() as interrupt:
        while engine.step < last:
            row = engine.train_step()
            rows.append(row)
            if writes:
                progress.step(row)
            if engine.step % plan.block.digest_every == 0 or engine.step == last:
                before = links[-1]["chain"] if links else chain
                links.append(digest.link(engine.step, engine.tensors(), engine.position(), before))
            stop = engine.group.agree(interrupt.requested)
            if engine.step < last and (stop or engine.step % SAVE_EVERY == 0):
                save_partial()
            if stop:
                if writes:
                    progress.say(
                        f"stopped at step {engine.step}; the state is saved, and the same "
                        "command goes on from there"
                    )
                raise SystemExit(130)
        if engine.lost and engine.lost == engine.step:
            raise FloatingPointError(
                f"{label}: none of the {engine.step} steps had a finite loss and gradient, so nothing was "
                "learned: the model overflows on this data"
            )
        if writes:
            save(output, {})


def _silent(text: str) -> None:
    """Another process says it."""


def _origin(plan: StageSpec, chain: str, instance: str) -> str:
    """What a partial state must have in common with this segment to be taken up."""
    values = [
        plan.name,
        plan.config.to_json_string(use_diff=True),
        plan.block.model_dump(mode="json"),
        dict(plan.order),
        list(plan.depends),
        chain,
        instance,
    ]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
