"""The tokenizer step: byte-level BPE learned from a sample of the mix and of the tasks' text.

Without the tasks a small vocabulary has no tokens for what they spell out, such as single
letters after a space.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
from tokenizers import Tokenizer

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import conserved
from regrow.data.tokens import bpe, chat, template
from regrow.data.tokens.instances import ordered
from regrow.params.data import Tokenizer as Params


def sample(mix: pl.DataFrame, texts: dict[str, str], size: int, seed: int) -> list[str]:
    """Instances of the mix in a keyed order, up to `size` bytes; the last one is cut to fit."""
    chosen: list[str] = []
    left = size
    if left <= 0:
        return chosen
    pairs = zip(mix["id"].to_list(), mix["repeats"].to_list(), strict=True)
    for instance in ordered(pairs, f"tokenizer {seed}"):
        data = texts[instance.id].encode()
        # A character cut in two at the end is left out.
        chosen.append(data[:left].decode("utf-8", "ignore"))
        left -= len(data)
        if left <= 0:
            break
    return chosen


def run(inputs: dict[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Fill `output` with tokenizer.json, tokenizer_config.json and stats.json.

    Raises:
        ValueError: fewer than two special tokens, or one named twice.
    """
    p: Params = params.tokenizer
    if len(p.special_tokens) < 2 or len(set(p.special_tokens)) < len(p.special_tokens):
        raise ValueError(
            "tokenizer.special_tokens: wants at least two different tokens (padding, end of "
            f"document) and none twice, got {p.special_tokens}."
        )
    columns = ["id", "domain", "text"]
    documents = tables.read(inputs["decontaminate"] / "train.parquet", columns)
    heldout = tables.read(inputs["decontaminate"] / "heldout.parquet", columns)
    mix = tables.read(inputs["mix"] / "mix.parquet", ["id", "repeats"]).filter(
        pl.col("repeats") > 0
    )
    documents = documents.join(mix, on="id", how="semi").sort("id")
    texts = dict(zip(documents["id"].to_list(), documents["text"].to_list(), strict=True))
    conserved("tokenizer", "documents of the mix", mix["id"], documents["id"], ())

    of_tasks = _tasks(inputs["tasks"], p)
    task_size = sum(len(text.encode()) for text in of_tasks)
    chosen = sample(mix, texts, p.sample_bytes - task_size, p.seed)
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
        "mix": by_domain(tokenizer, documents),
        "heldout": by_domain(tokenizer, heldout.sort("id")),
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


def by_domain(tokenizer: Tokenizer, frame: pl.DataFrame) -> dict[str, Any]:
    """Documents, bytes, tokens and bytes per token of each domain (repeats not counted)."""
    table: dict[str, Any] = {}
    texts = frame["text"].to_list()
    rows = zip(frame["domain"].to_list(), texts, bpe.encode(tokenizer, texts), strict=True)
    for domain, text, tokens in rows:
        row = table.setdefault(domain, {"documents": 0, "bytes": 0, "tokens": 0})
        row["documents"] += 1
        row["bytes"] += len(text.encode())
        row["tokens"] += len(tokens)
    for row in table.values():
        row["bytes_per_token"] = row["bytes"] / row["tokens"] if row["tokens"] else None
    return table
