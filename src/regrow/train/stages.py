"""The stages, each a parameter block, an objective and a source; `stage` does the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from regrow.model.config import olmo3_config
from regrow.train import stage
from regrow.train.data import Packed, Sequences
from regrow.train.objective import LanguageModelling
from regrow.train.order import Order


def pretrain(inputs: dict[str, Path], params: Any, output: Path, **more: Any) -> dict[str, Any]:
    """Stage 1. `inputs`: `data` (a pack), and `previous` except for instance 000000."""
    return stage.run(plan_pretrain, inputs, params, output, **more)


def plan_pretrain(inputs: dict[str, Path], params: Any) -> stage.Plan:
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
    return _language_modelling(
        "pretrain", config, params.pretrain, sequences, inputs["data"], init=params.model.seed
    )


def _language_modelling(
    name: str, config: Any, block: Any, sequences: Sequences, pack: Path, init: int | None = None
) -> stage.Plan:
    order = Order(sequences.count, block.seed, name)
    return stage.Plan(
        name=name,
        config=config,
        block=block,
        objective=LanguageModelling(block.z_loss, block.document_mask),
        source=Packed(sequences, order, block.batch_sequences, block.micro_batch_sequences),
        order={"key": order.key, "sequences": order.sequences},
        init_seed=init,
        depends=((pack / "meta.json").read_text(encoding="utf-8"),),
    )
