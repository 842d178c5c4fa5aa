"""The pretrain step: one segment of the run, from a checkpoint to the next.

Instance 000000 writes the initial weights; every other one goes on from its predecessor.
Inside a segment a partial state is kept in `scratch`, so that a kill costs at most
`SAVE_EVERY` steps; the bytes of the checkpoint are the same either way.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import Olmo3ForCausalLM

from regrow.model import build
from regrow.model.config import olmo3_config
from regrow.numerics.torch.install import install
from regrow.train import checkpoint, digest, metrics, parallel, runtime
from regrow.train.data import Batches, Sequences
from regrow.train.engine import Engine
from regrow.train.group import Alone, Group
from regrow.train.interrupt import Interrupt
from regrow.train.objective import LanguageModelling
from regrow.train.optimizer import Optimizer
from regrow.train.order import Order
from regrow.train.progress import Progress
from regrow.train.schedule import Cosine
from regrow.train.skip import Skip

SAVE_EVERY = 20
"""steps between two partial states"""

MakeGroup = Callable[[Olmo3ForCausalLM, Optimizer], Group]


def run(
    inputs: dict[str, Path], params: Any, output: Path, *, instance: str, scratch: Path
) -> dict[str, Any]:
    """Fill `output` with the checkpoint of step `instance` (six digits).

    `inputs`: `pack`, and `previous` except for 000000. `params`: `model`, `pretrain`.
    The environment variable REGROW_PROCESSES says on how many processes (a power of two, at
    most the micro-batches of a step); it does not change a bit.

    Raises:
        ValueError: parameters and packed sequences do not fit each other.
        SystemExit: 130, after Ctrl-C or SIGTERM; the partial state was saved.
    """
    output.mkdir(parents=True, exist_ok=True)
    processes = parallel.processes()
    if int(instance) == 0:
        initial(inputs, params, output)
    elif processes == 1:
        segment(inputs, params, output, instance, scratch, Alone)
    else:
        parallel.launch(processes, segment, (inputs, params, output, instance, scratch))
    rows = metrics.read(output / checkpoint.METRICS)
    state = checkpoint.state(output)
    return {
        "step": state["step"],
        "tokens": state["tokens"],
        "sequences": state["position"],
        "skipped": sum(row.skipped for row in rows),
    }


def assemble(
    pack: Path, params: Any, make_group: MakeGroup
) -> tuple[Olmo3ForCausalLM, Engine, dict[str, Any]]:
    """An untrained model, its engine, and what `state.json` says about the data order."""
    runtime.prepare()
    pretrain = params.pretrain
    sequences = Sequences(pack)
    if sequences.length > params.model.context:
        raise ValueError(
            f"pack.sequence_length ({sequences.length}) is longer than model.context "
            f"({params.model.context}): raise model.context"
        )
    config = olmo3_config(
        params.model, vocabulary=sequences.vocabulary, eos=sequences.eos, pad=sequences.pad
    )
    model = install(build.empty(config))
    optimizer = Optimizer(model.named_parameters(), pretrain.optimizer)
    order = Order(sequences.count, pretrain.seed)
    steps = pretrain.steps
    engine = Engine(
        weights=dict(sorted(model.named_parameters())),
        objective=LanguageModelling(pretrain.z_loss, pretrain.document_mask),
        optimizer=optimizer,
        schedule=Cosine(
            peak=pretrain.optimizer.learning_rate,
            steps=steps,
            warmup=round(pretrain.warmup * steps),
            final=pretrain.final_lr,
        ),
        skip=Skip(pretrain.optimizer.skip_window, pretrain.optimizer.skip_sigmas),
        source=Batches(sequences, order, pretrain.batch_sequences, pretrain.micro_batch_sequences),
        group=make_group(model, optimizer),
        clip=pretrain.optimizer.clip,
    )
    about = {
        "order": {"key": order.key, "sequences": order.sequences},
        "batch_sequences": pretrain.batch_sequences,
    }
    return model, engine, about


def _extra(engine: Engine, about: dict[str, Any]) -> dict[str, Any]:
    return about | {"position": engine.step * about["batch_sequences"]}


def initial(inputs: dict[str, Path], params: Any, output: Path) -> None:
    """Write the checkpoint of step 0: the initial weights."""
    model, engine, about = assemble(inputs["pack"], params, Alone)
    build.initialise(model, params.model.seed)
    first = digest.link(0, engine.tensors(), engine.position(), digest.FIRST)
    checkpoint.save(output, model, engine, [], [first], _extra(engine, about))


def segment(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    instance: str,
    scratch: Path,
    make_group: MakeGroup,
) -> None:
    """Train from `previous`, or from a partial state of this segment, to step `instance`."""
    last = int(instance)
    previous = inputs["previous"]
    model, engine, about = assemble(inputs["pack"], params, make_group)
    chain = digest.read(previous / checkpoint.DIGESTS)[-1]["chain"]
    origin = _origin(params, chain, instance, inputs["pack"])
    progress = Progress(f"pretrain {instance}", last, engine.source.tokens_per_step)
    found = checkpoint.partial(scratch, origin)
    checkpoint.restore(found or previous, model, engine)
    rows = metrics.read(found / checkpoint.METRICS) if found else []
    links = digest.read(found / checkpoint.DIGESTS) if found else []
    writes = engine.group.rank == 0
    if found and writes:
        progress.say(f"goes on from step {engine.step}, saved before it was stopped")

    def save(folder: Path, extra: dict[str, Any]) -> None:
        checkpoint.save(folder, model, engine, rows, links, _extra(engine, about) | extra)

    def save_partial() -> None:
        if writes:
            fresh = scratch / "unfinished"
            shutil.rmtree(fresh, ignore_errors=True)
            save(fresh, {"origin": origin})
            checkpoint.replace(fresh, scratch)

    with Interrupt() as interrupt:
        while engine.step < last:
            row = engine.train_step()
            rows.append(row)
            if writes:
                progress.step(row)
            if engine.step % params.pretrain.digest_every == 0 or engine.step == last:
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
        if writes:
            save(output, {})


def _origin(params: Any, chain: str, instance: str, pack: Path) -> str:
    """What a partial state must have in common with this segment to be taken up."""
    text = json.dumps(
        [
            params.model.model_dump(mode="json"),
            params.pretrain.model_dump(mode="json"),
            (pack / "meta.json").read_text(encoding="utf-8"),
            chain,
            instance,
        ],
        sort_keys=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()
