"""What kinds share that predict every next token of a pack."""

from __future__ import annotations

from transformers import Olmo3Config

from regrow.data.tokens.order import Order
from regrow.learn.model.config import PAD_TO
from regrow.learn.train import stage
from regrow.learn.train.data import Packed, Sequences
from regrow.learn.train.objective import LanguageModelling
from regrow.params.train import Training


def language_modelling(
    name: str,
    config: Olmo3Config,
    block: Training,
    sequences: Sequences,
    init_seed: int | None = None,
) -> stage.StageSpec:
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
    return stage.StageSpec(
        name=name,
        config=config,
        block=block,
        objective=LanguageModelling(block.z_loss, block.document_mask),
        source=Packed(sequences, order, block.batch_sequences, block.micro_batch_sequences),
        order={"key": order.key, "sequences": order.sequences},
        init_seed=init_seed,
        depends=(sequences.digest,),
    )
