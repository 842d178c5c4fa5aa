"""The tokenizer step: byte-level BPE learned from a sample of the mix and of the tasks' text.

Without the tasks a small vocabulary has no tokens for what they spell out, such as single
letters after a space.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from tokenizers import Tokenizer

from regrow.data.tables import groups
from regrow.data.tables import parquet as tables
from regrow.data.tokens import bpe, chat, template
from regrow.data.tokens.instances import arranged
from regrow.data.tokens.stored import encoded
from regrow.params.data import Tokenizer as Params


def sample(mix: pl.DataFrame, texts: Mapping[str, str], size: int, seed: int) -> list[str]:
    """Instances of the mix in a keyed order, up to `size` bytes; the last one is cut to fit."""
    mix = mix.filter(pl.col("repeats") > 0).sort("id")
    sizes = np.array([len(texts[name].encode()) for name in mix["id"]], dtype=np.int64)
    rows = _chosen(mix, sizes, size, seed)
    return _cut([texts[name] for name in mix["id"].gather(rows)], size)


def _chosen(mix: pl.DataFrame, sizes: NDArray[np.int64], size: int, seed: int) -> NDArray[np.int64]:
    """The rows of the mix (sorted by id) that the sample takes, one after the other; `sizes` are their bytes."""
    if size <= 0:
        return np.zeros(0, dtype=np.int64)
    rows = arranged(mix["id"], mix["repeats"].to_numpy(), f"tokenizer {seed}").rows
    return rows[: np.searchsorted(np.cumsum(sizes[rows]), size) + 1]


def _cut(texts: list[str], size: int) -> list[str]:
    """The texts, the last one cut so that there are at most `size` bytes."""
    if texts:
        left = size - sum(len(text.encode()) for text in texts[:-1])
        # A character cut in two at the end is left out.
        texts[-1] = texts[-1].encode()[:left].decode("utf-8", "ignore")
    return texts


def _sampled(table: Path, mix: pl.DataFrame, size: int, seed: int) -> list[str]:
    """`sample` of the documents of a table: their sizes are read first, then the chosen texts alone are held."""
    sizes = np.zeros(mix.height, dtype=np.int64)
    times = np.zeros(mix.height, dtype=np.int32)
    for frame in groups.frames_of(table, ["text"], mix["id"]):
        rows = frame["row"].to_numpy()
        sizes[rows] = frame["text"].str.len_bytes()
        np.add.at(times, rows, 1)
    groups.each_once("tokenizer", "documents of the mix", mix["id"], times)
    chosen = _chosen(mix, sizes, size, seed).tolist()
    wanted = set(chosen)
    texts = {
        row: text
        for frame in groups.frames_of(table, ["text"], mix["id"])
        for row, text in zip(frame["row"], frame["text"], strict=True)
        if row in wanted
    }
    return _cut([texts[row] for row in chosen], size)


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with tokenizer.json, tokenizer_config.json and stats.json.

    Held are the texts of the sample (`sample_bytes`), a row group of the table, and about 200 bytes of each document
    and repeat of the mix.

    Raises:
        ValueError: fewer than two special tokens, or one named twice.
    """
    p: Params = params.tokenizer
    if len(p.special_tokens) < 2 or len(set(p.special_tokens)) < len(p.special_tokens):
        raise ValueError(
            "tokenizer.special_tokens: wants at least two different tokens (padding, end of "
            f"document) and none twice, got {p.special_tokens}."
        )
    train, heldout = (inputs["decontaminate"] / f"{name}.parquet" for name in ("train", "heldout"))
    mix = tables.read(inputs["mix"] / "mix.parquet", ["id", "repeats"])
    mix = mix.filter(pl.col("repeats") > 0).sort("id")

    of_tasks = _tasks(inputs["tasks"], p)
    task_size = sum(len(text.encode()) for text in of_tasks)
    chosen = _sampled(train, mix, p.sample_bytes - task_size, p.seed)
    size = sum(len(text.encode()) for text in chosen)
    print(
        f"  training on {len(chosen)} documents, {size} bytes, and {len(of_tasks)} tasks, "
        f"{task_size} bytes",
        file=sys.stderr,
    )
    tokenizer = bpe.train([*chosen, *of_tasks], p.vocabulary, p.special_tokens)
    vocabulary = tokenizer.get_vocab_size()
    if vocabulary < p.vocabulary:
        print(
            f"  only {vocabulary} of {p.vocabulary} tokens: the mix holds too little text; "
            "raise mix.tokens or lower tokenizer.vocabulary",
            file=sys.stderr,
        )

    output.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(output / "tokenizer.json"), pretty=True)
    write(output / "tokenizer_config.json", config(p))
    stats = {
        "vocabulary": vocabulary,
        "sample_documents": len(chosen),
        "sample_bytes": size,
        "sample_tasks": len(of_tasks),
        "sample_task_bytes": task_size,
        "mix": by_domain(tokenizer, groups.frames_of(train, ["domain", "text"], mix["id"])),
        "heldout": by_domain(tokenizer, groups.frames(heldout, ["domain", "text"])),
    }
    write(output / "stats.json", stats)
    return {
        "documents": len(chosen),
        "bytes": size,
        "tasks": len(of_tasks),
        "task_bytes": task_size,
        "vocabulary": vocabulary,
    }


def _tasks(folder: Path, p: Params) -> list[str]:
    """Train tasks with their worked answers, up to their share of the sample, in a keyed order.

    The rest of the sample is the mix's, so a table with fewer tasks leaves it more.
    """
    columns = ["id", "question", "trace", "answer"]
    rows = tables.read(folder / "train.parquet", columns).iter_rows()
    texts = {name: chat.plain(question, trace, answer) for name, question, trace, answer in rows}
    frame = pl.DataFrame(
        {"id": sorted(texts), "repeats": [1] * len(texts)},
        schema={"id": pl.String, "repeats": pl.Int32},
    )
    return sample(frame, texts, int(p.sample_bytes * p.task_share), p.seed)


def write(path: Path, value: dict[str, Any]) -> None:
    """JSON with sorted keys."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")


def config(p: Params) -> dict[str, Any]:
    """What `AutoTokenizer` needs beside tokenizer.json."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": p.special_tokens[0],
        "eos_token": p.special_tokens[1],
        "bos_token": None,
        "unk_token": None,
        "additional_special_tokens": p.special_tokens[2:],
        "clean_up_tokenization_spaces": False,
        "padding_side": "right",
        "chat_template": template.JINJA,
    }


def by_domain(tokenizer: Tokenizer, frames: Iterable[pl.DataFrame]) -> dict[str, Any]:
    """Documents, bytes, tokens and bytes per token of each domain (repeats not counted); a frame is held at a time."""
    table: dict[str, Any] = {}
    rows = (
        ((domain, size), text)
        for frame in frames
        for domain, size, text in zip(
            frame["domain"], frame["text"].str.len_bytes(), frame["text"], strict=True
        )
    )
    for (domain, size), tokens in encoded(tokenizer, rows):
        row = table.setdefault(domain, {"documents": 0, "bytes": 0, "tokens": 0})
        row["documents"] += 1
        row["bytes"] += size
        row["tokens"] += len(tokens)
    for row in table.values():
        row["bytes_per_token"] = row["bytes"] / row["tokens"] if row["tokens"] else None
    return table
