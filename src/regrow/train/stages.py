"""The stages, each a parameter block, an objective and a source; `stage` does the rest.

`inputs` of a stage: `data`, `previous` (its own checkpoint before, from the second on) and, for
all but pretraining, `base` (the last checkpoint of the stage before, whose `config.json` says
what the model is). See `stage.run` for what they return and raise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import Olmo3Config

from regrow.model import files, yarn
from regrow.model.config import PAD_TO, olmo3_config
from regrow.numerics.torch.install import install
from regrow.params.train import Dpo as DpoParams
from regrow.params.train import LongContext, Midtrain, Sft, Stage
from regrow.train import digest, examples, stage
from regrow.train import dpo as preference
from regrow.train.buckets import Buckets
from regrow.train.data import Packed, Sequences
from regrow.train.objective import LanguageModelling
from regrow.train.order import Order

Inputs = dict[str, Path]


def pretrain(inputs: Inputs, params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Stage 1, on a pack. Instance 000000 writes the initial weights."""
    return stage.run(plan_pretrain, inputs, params, output, **more)


def plan_pretrain(inputs: Inputs, params: Any) -> stage.Plan:
    """See `pretrain`. Raises ValueError if the sequences are longer than the context."""
    sequences = Sequences(inputs["data"])
    if sequences.length > params.model.context:
        raise ValueError(
            f"pack.sequence_length ({sequences.length}) is longer than model.context "
            f"({params.model.context}): raise model.context"
        )
    config = olmo3_config(
        params.model, vocabulary=sequences.vocabulary, eos=sequences.eos, pad=sequences.pad
    )
    return language_modelling("pretrain", config, params.pretrain, sequences, params.model.seed)


def midtrain(inputs: Inputs, params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Stage 2, on a pack; `run`: `a`, or `b` with the second seed of the data order."""
    return stage.run(plan_midtrain, inputs, params, output, **more)


def plan_midtrain(inputs: Inputs, params: Any, *, run: str) -> stage.Plan:
    """See `midtrain`."""
    block: Midtrain = params.midtrain
    if run == "b":
        block = block.model_copy(update={"seed": block.second_seed})
    name = {"a": "midtrain", "b": "midtrain_b"}[run]
    config = files.load_config(inputs["base"])
    return language_modelling(name, config, block, Sequences(inputs["data"]))


def longcontext(inputs: Inputs, params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Stage 3. `length`: `long`, with YaRN, or `short`, the control.

    The control reads the same tokens cut to the old length, as many per step, with the model as it was.
    """
    return stage.run(plan_longcontext, inputs, params, output, **more)


def plan_longcontext(inputs: Inputs, params: Any, *, length: str) -> stage.Plan:
    """See `longcontext`."""
    block: LongContext = params.longcontext
    config = files.load_config(inputs["base"])
    sequences = Sequences(inputs["data"])
    if length == "long":
        if sequences.length != block.context:
            raise ValueError(
                f"longmix.sequence_length ({sequences.length}) and longcontext.context "
                f"({block.context}) must be equal"
            )
        if int(config.max_position_embeddings) < block.context:
            config = yarn.extend(
                config,
                context=block.context,
                factor=block.yarn_factor,
                beta_fast=block.yarn_beta_fast,
                beta_slow=block.yarn_beta_slow,
            )
        return language_modelling("longcontext", config, block, sequences)
    short = Sequences(inputs["data"] / "short")
    times = sequences.length // short.length
    more = {
        "batch_sequences": block.batch_sequences * times,
        "micro_batch_sequences": block.micro_batch_sequences * times,
    }
    return language_modelling("longcontext_control", config, block.model_copy(update=more), short)


def language_modelling(
    name: str,
    config: Olmo3Config,
    block: Stage,
    sequences: Sequences,
    init_seed: int | None = None,
) -> stage.Plan:
    """A stage that predicts every next token of a pack.

    Raises:
        ValueError: the pack does not fit the model.
    """
    if sequences.length > int(config.max_position_embeddings):
        raise ValueError(
            f"{name}: sequences of {sequences.length} tokens are longer than the model's "
            f"{config.max_position_embeddings} positions"
        )
    rows = -(-sequences.vocabulary // PAD_TO) * PAD_TO
    if rows != config.vocab_size or sequences.eos != config.eos_token_id:
        raise ValueError(
            f"{name}: the data was tokenised with {sequences.vocabulary} tokens, eos "
            f"{sequences.eos}; the model has {config.vocab_size}, eos {config.eos_token_id}"
        )
    order = Order(sequences.count, block.seed, name)
    return stage.Plan(
        name=name,
        config=config,
        block=block,
        objective=LanguageModelling(block.z_loss, block.document_mask),
        source=Packed(sequences, order, block.batch_sequences, block.micro_batch_sequences),
        order={"key": order.key, "sequences": order.sequences},
        init_seed=init_seed,
        depends=(sequences.digest,),
    )


def sft(inputs: Inputs, params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Supervised fine-tuning: loss on the answers. `branch`: `think` or `instruct`; `seed`."""
    return stage.run(plan_sft, inputs, params, output, **more)


def plan_sft(inputs: Inputs, params: Any, *, branch: str, seed: int) -> stage.Plan:
    """See `sft`."""
    name = {"think": "sft", "instruct": "sft_instruct"}[branch]
    block: Sft = getattr(params, name)
    config = files.load_config(inputs["base"])
    path = inputs["data"] / f"{branch}.parquet"
    found = examples.read(
        path, context=int(config.max_position_embeddings), vocabulary=config.vocab_size
    )
    buckets = Buckets(
        [len(example.tokens) for example in found],
        block.micro_batch_sequences,
        f"{name} order seed {block.seed + seed}",
    )
    eos, pad = _control(config)
    return stage.Plan(
        name=_seeded(name, seed),
        config=config,
        block=block,
        objective=LanguageModelling(block.z_loss, document_mask=False),
        source=examples.Examples(found, buckets, block.batch_sequences, eos=eos, pad=pad),
        order={"key": buckets.key, "examples": len(found), "bucket": buckets.size},
        depends=(digest.files(path),),
    )


def dpo(inputs: Inputs, params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Preference optimisation against `base`. `source`: `judged` or `delta` pairs; `seed`."""
    return stage.run(plan_dpo, inputs, params, output, **more)


def plan_dpo(inputs: Inputs, params: Any, *, source: str, seed: int) -> stage.Plan:
    """See `dpo`."""
    block: DpoParams = params.dpo
    name = {"judged": "dpo", "delta": "dpo_delta"}[source]
    config = files.load_config(inputs["base"])
    path = inputs["data"] / "pairs.parquet"
    pairs = preference.read(
        path, source, context=int(config.max_position_embeddings), vocabulary=config.vocab_size
    )
    buckets = Buckets(
        preference.lengths(pairs),
        block.micro_batch_sequences,
        f"{name} order seed {block.seed + seed}",
    )
    _, pad = _control(config)
    reference = preference.Reference(install(files.load(inputs["base"])))
    return stage.Plan(
        name=_seeded(name, seed),
        config=config,
        block=block,
        objective=preference.Dpo(block.beta, reference),
        source=preference.Pairs(pairs, buckets, block.batch_sequences, pad=pad),
        order={"key": buckets.key, "pairs": len(pairs), "bucket": buckets.size},
        depends=(digest.files(path),),
    )


def _seeded(name: str, seed: int) -> str:
    return f"{name}_seed{seed}" if seed else name


def _control(config: Olmo3Config) -> tuple[int, int]:
    """End-of-text and padding token."""
    eos, pad = config.eos_token_id, config.pad_token_id
    if not isinstance(eos, int) or not isinstance(pad, int):
        raise ValueError("config.json of the base must name one eos_token_id and one pad_token_id")
    return eos, pad
