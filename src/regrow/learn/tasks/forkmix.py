"""The forkmix step: what the midtraining of a fork reads: its own documents beside the parent's mix.

The parent's mix (midtrain_data) is taken as it is, packed and checked; of its instances as many stay, in their
order, as the own share leaves room for. Own documents are cut into passages as the flow's are, and dropped
where they repeat each other, hold eval items or held-out tasks, or share n-grams with held-out documents
(`regrow.learn.tasks.forkdocs`).
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced
from regrow.data.tokens import bpe, stream
from regrow.data.tokens.instances import Instance
from regrow.learn.tasks.forkdocs import ASIDE, COMPONENT, Documents
from regrow.learn.tasks.mid.leaks import Leaks
from regrow.learn.tasks.mid.text import rank
from regrow.learn.tasks.midtrain_data import DOCUMENTS, Component, MixBuilder
from regrow.params.fork import Fork
from regrow.params.posttrain import MidtrainData

FATES = ("kept", "held out", "dropped", "unused")
OWN: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "url": pl.String,
    "source": pl.String,
    "licence": pl.String,
    "outcome": pl.String,  # one of FATES; unused: no passage of it was packed
    "bytes": pl.Int64,  # of its text
    "passages": pl.Int64,  # that were packed
    "instances": pl.Int64,  # of them, repeats counted
    "tokens": pl.Int64,  # of those, end-of-document tokens included
}
"""contributions.parquet: one row per document that the fork brings"""
Tokens = NDArray[np.uint16]


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    instance: str,
    settings: str = "midtrain_data",
) -> dict[str, Any]:
    """Fill `output` with a pack, documents.parquet, contributions.parquet, drops.parquet and heldout/.

    Args:
        inputs: `documents` (the table of documents: id, url, source, licence, text), `midtrain_data`,
            `tokenizer`, `tasks`, `decontaminate`, `evals`.
        params: carries `fork` and `midtrain_data` (length of sequences, thresholds).
        output: the folder to fill.
        instance: the name of the fork.

    Raises:
        ValueError: there is no text of one's own that may enter, or too little for one sequence.
    """
    fork: Fork = params.fork
    p: MidtrainData = getattr(params, settings)
    tokenizer, config = bpe.load(inputs["tokenizer"])
    leaks = Leaks(inputs["evals"], inputs["tasks"], p.leak_ngram, p.leak_overlap)
    eos = bpe.control(tokenizer, config, "eos_token")
    builder = MixBuilder(tokenizer, eos, leaks, "forkmix")
    documents = Documents(inputs, fork, p, leaks)
    order, encoded = _parent(inputs["midtrain_data"])
    whole = fork.tokens or sum(len(encoded[i.id]) for i in order)
    # No more is checked and tokenised than could be read: a fork may bring gigabytes.
    wanted = int(whole * fork.share)
    own = builder.fill(COMPONENT, documents.passages(COMPONENT), wanted)
    if not own.texts:
        raise ValueError(
            f"forkmix {instance}: no document of forks/{instance} may enter: give other ones; "
            f"{len(documents.drops)} documents and {len(builder.drops)} passages were dropped as "
            "repeats or leaks"
        )
    mine = _own(own, wanted, fork.max_repeats)
    room = whole - sum(len(own.encoded[i.id]) for i in mine)
    theirs = _fill(order, encoded, room)
    chosen = sorted(
        [*mine, *theirs], key=lambda i: (rank(f"fork {fork.seed}", f"{i.id} {i.repeat}"), i)
    )
    meta = stream.write(output, chosen, encoded | own.encoded, p.sequence_length, tokenizer, config)

    shutil.copytree(
        inputs["midtrain_data"] / "heldout", output / "heldout", copy_function=shutil.copyfile
    )
    aside = builder.fill(ASIDE, documents.passages(ASIDE), p.heldout_tokens)
    if aside.tokens >= p.sequence_length:
        folder = output / "heldout" / COMPONENT
        stream.write(
            folder, aside.take(aside.tokens), aside.encoded, p.sequence_length, tokenizer, config
        )
    dropped = [*documents.drops, *builder.drops]
    _write(inputs["midtrain_data"], documents.rows, own, chosen, dropped, output)
    outcomes = documents.outcomes({str(drop["id"]) for drop in builder.drops})
    about = _about(documents.rows, outcomes, own, mine)
    tables.write(about, output / "contributions.parquet")
    fates = Counter(about["outcome"].to_list())
    balanced("forkmix", "documents", documents.rows.height, **{f: fates[f] for f in FATES})
    reasons = [str(drop["reason"]) for drop in dropped]
    return {
        "tokens": int(meta["tokens"]),
        "own": {
            "documents": fates["kept"] + fates["unused"],
            "unused": fates["unused"],
            "heldout": fates["held out"],
            "passages": len({i.id for i in mine}),
            "passages_there": len(own.texts),
            "tokens": sum(len(own.encoded[i.id]) for i in mine),
            "repeats": max(i.repeat for i in mine) + 1,
        },
        "parent": {"instances": len(theirs), "of": len(order)},
        "dropped": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }


def _parent(midtrain_data: Path) -> tuple[list[Instance], dict[str, Tokens]]:
    """The instances of the parent's pack in their order, and their tokens; not the one cut off at the end."""
    index = tables.read(midtrain_data / "index.parquet").to_dicts()
    tokens = np.fromfile(midtrain_data / "tokens.bin", dtype="<u2").astype(np.uint16)
    order, encoded = [], {}
    for row in index[:-1]:
        order.append(Instance(row["id"], row["repeat"]))
        encoded[row["id"]] = tokens[row["start"] : row["end"]]
    return order, encoded


def _own(own: Component, tokens: int, most: int) -> list[Instance]:
    """Own instances that hold so many tokens, none more often than `most` times."""
    return [i for i in own.take(min(tokens, own.tokens * most)) if i.repeat < most]


def _fill(order: list[Instance], encoded: dict[str, Tokens], room: int) -> list[Instance]:
    """The first instances of the parent that fill the room; its order is random: a fair sample."""
    taken: list[Instance] = []
    for instance in order:
        if room <= 0:
            break
        taken.append(instance)
        room -= len(encoded[instance.id])
    return taken


def _about(
    rows: pl.DataFrame, outcomes: dict[str, str], own: Component, mine: list[Instance]
) -> pl.DataFrame:
    """contributions.parquet."""
    parents = {text.id: str(text.parent) for text in own.texts}
    packed = pl.DataFrame(
        [(parents[i.id], i.id, len(own.encoded[i.id])) for i in mine],
        schema={"id": pl.String, "passage": pl.String, "tokens": pl.Int64},
        orient="row",
    )
    used = packed.group_by("id").agg(
        passages=pl.col("passage").n_unique(), instances=pl.len(), tokens=pl.col("tokens").sum()
    )
    fate = pl.col("id").replace_strict(outcomes, default=None, return_dtype=pl.String)
    used_or_not = pl.when(pl.col("instances") > 0).then(pl.lit("kept")).otherwise(pl.lit("unused"))
    return (
        rows.join(used, on="id", how="left")
        .with_columns(
            pl.col("text").str.len_bytes().alias("bytes"),
            pl.col("passages", "instances", "tokens").fill_null(0),
        )
        .with_columns(fate.fill_null(used_or_not).alias("outcome"))
        .select(pl.col(name).cast(kind) for name, kind in OWN.items())
        .sort("id")
    )


def _write(
    midtrain_data: Path,
    documents: pl.DataFrame,
    own: Component,
    chosen: list[Instance],
    drops: list[dict[str, object]],
    output: Path,
) -> None:
    ids = pl.DataFrame({"id": sorted({i.id for i in chosen})})
    parent = tables.read(midtrain_data / "documents.parquet").select(list(DOCUMENTS))
    rows = [{name: getattr(text, name) for name in DOCUMENTS} for text in own.texts]
    urls = documents.select(pl.col("id").alias("parent"), "url")
    mine = pl.DataFrame(rows, schema=DOCUMENTS).join(urls, on="parent", how="left")
    frame = pl.concat([parent.with_columns(url=pl.lit(None, pl.String)), mine])
    tables.write(frame.join(ids, on="id", how="semi").sort("id"), output / "documents.parquet")
    tables.write(tables.drops(drops), output / "drops.parquet")
