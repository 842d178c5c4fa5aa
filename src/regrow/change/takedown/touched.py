"""What documents touched: data sets, classifiers, tokenizer, evaluations, training steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from regrow.data.takedown import slots
from regrow.data.takedown.first import first_steps
from regrow.evidence.errors import Unanswerable
from regrow.evidence.outputs import Outputs
from regrow.params.schema import Params
from regrow.recipe.data import told
from regrow.recipe.lines import MIXES, Recipe

TABLES = (
    ("text", "documents.parquet"),
    ("filter", "documents.parquet"),
    ("dedup", "documents.parquet"),
    ("decontaminate", "train.parquet"),
    ("decontaminate", "heldout.parquet"),
    ("classify", "scores.parquet"),
    ("mix", "mix.parquet"),
)
"""of the data steps, with a column `id`"""


def touched(outputs: Outputs, ids: Sequence[str], params: Params) -> dict[str, Any]:
    """What the flow made of the documents.

    Returns:
        `documents` (id, url, title), `tables` (job/file -> rows), `learned` (tokenizer and classifiers that
        were fitted on any), `datasets` (job -> slots, tokens), `first` (stage -> first step that saw any),
        `heldout` (how many are evaluated on).

    Raises:
        Unanswerable: a data set of training is not on disk.
    """
    here = pl.col("id").is_in(list(ids))
    tables = {}
    for job, file in TABLES:
        if rows := outputs.rows(job, file, here, ["id"]):
            tables[f"{job}/{file}"] = len(rows)
    trained = outputs.rows("decontaminate", "train.parquet", here, ["id"])
    mixed = outputs.rows("mix", "mix.parquet", here & (pl.col("repeats") > 0), ["id"])
    datasets: dict[str, dict[str, int]] = {}
    first: dict[str, int] = {}
    asked = Recipe(params.model_dump(mode="json"))
    for data in asked.sources():
        if asked.data_kind(data) not in MIXES:
            continue
        source = _job(outputs, data, asked.fork_step(data))
        if source is None:
            continue
        index = outputs.path(source, "index.parquet")
        if index is None or outputs.path(source, "meta.json") is None:
            raise Unanswerable(outputs.hint() or f"data of {source} are not here: `dvc checkout`.")
        folder = index.parent
        family = slots.family(folder, ids)
        packed = pl.scan_parquet(index, glob=False).filter(pl.col("id").is_in(sorted(family)))
        slot = packed.select("start", "end").collect()
        if slot.height:
            datasets[source] = {
                "slots": slot.height,
                "tokens": int((slot["end"] - slot["start"]).sum()),
            }
        first |= first_steps(told(asked, data), folder, family, params)
    return {
        "documents": outputs.rows("text", "documents.parquet", here, ["id", "url", "title"]),
        "tables": tables,
        "learned": [
            *(["classify"] if trained else []),
            *(["tokenizer"] if mixed else []),
        ],
        "datasets": datasets,
        "first": first,
        "heldout": tables.get("decontaminate/heldout.parquet", 0),
    }


def _job(outputs: Outputs, data: str, fork_step: str) -> str | None:
    """The data set that training read: of a fork, its own mix."""
    forked = [r.name for r in outputs.ledger.of_step(fork_step)]
    names = [*forked, data]
    return next((name for name in names if name in outputs.ledger.by_name), None)
