"""Which answer of a pair the model prefers: length-normalised log-probabilities (Olmo 3, DPO)."""

from __future__ import annotations

from pathlib import Path

from transformers import Olmo3ForCausalLM

from regrow.data.tables import parquet
from regrow.learn.evaluate.items import Item
from regrow.learn.evaluate.windows import token_logprobs
from regrow.numerics import exact


def preferences(model: Olmo3ForCausalLM, path: Path, *, most: int) -> list[Item]:
    """Of each held-out pair: is the chosen answer the likelier, and by how much.

    Probes `preference` (1 where it is) and `preference_margin` (mean log-probability per token of
    the chosen less that of the rejected answer, nats); families are the pairs' sources. No
    reference model: what counts is which answer this model itself finds likelier. At most `most`
    pairs per source, the first by id; pairs that exceed the context are left out.
    """
    columns = ["id", "source", "prompt", "chosen", "rejected"]
    table = (
        parquet.read(path, columns).sort("id").group_by("source", maintain_order=True).head(most)
    )
    room = int(model.config.max_position_embeddings) + 1
    pairs, windows = [], []
    for identity, source, prompt, chosen, rejected in table.select(columns).iter_rows():
        if chosen and rejected and len(prompt) + max(len(chosen), len(rejected)) <= room:
            pairs.append((identity, source))
            windows += [(list(prompt), list(chosen)), (list(prompt), list(rejected))]
    scored = [exact.mean(logprobs) for logprobs, _ in token_logprobs(model, windows)]
    items = []
    for (identity, source), chosen, rejected in zip(pairs, scored[::2], scored[1::2], strict=True):
        items.append(Item("preference", identity, source, 0, float(chosen > rejected)))
        items.append(Item("preference_margin", identity, source, 0, chosen - rejected))
    return items
