"""A small checkpoint, a tokenizer and a held-out set, written as the steps before would write them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl

from regrow.data.tables import parquet
from regrow.data.tokens import bpe
from regrow.data.tokens.train import config as _config
from regrow.params.data import Tokenizer
from regrow.params.model import Model

SHAPE = Model(hidden=64, layers=4, heads=4, kv_heads=2, ffn=96, sliding_window=16, context=64)
VOCABULARY = 400


def documents() -> pl.DataFrame:
    """Python's own manual by topic: odd topics are the domain `even`, and so on; some are odd cases."""
    from pydoc_data.topics import topics

    rows = [
        {"url": f"https://docs.example/{name}", "domain": f"{'ab'[i % 2]}.example", "text": text}
        for i, (name, text) in enumerate(sorted(topics.items())[:14])
    ]
    rows += [
        {"url": "https://c.example/1", "domain": "c.example", "text": "[1, 2] {{text}} äöü ☃ 𝄞"},
        {"url": None, "domain": None, "text": "a <|endoftext|> b, no domain"},
        {"url": "https://c.example/2", "domain": "c.example", "text": " \n"},
    ]
    for row in rows:
        row["id"] = hashlib.sha256(f"{row['url']}{row['text']}".encode()).hexdigest()[:32]
        row |= {"source": f"{row['domain']}-1.0", "licence": "PSF-2.0", "host": "docs.example"}
    return pl.DataFrame(rows).sort("id")


def tokenizer(folder: Path) -> Path:
    params = Tokenizer()
    found = bpe.train(documents()["text"].to_list(), VOCABULARY, params.special_tokens)
    folder.mkdir(parents=True, exist_ok=True)
    found.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(_config(params)))
    return folder


def checkpoint(folder: Path) -> Path:
    """Random weights under exact arithmetic, large enough to tell tokens apart."""
    import torch

    from regrow.learn.model.build import empty, initialise
    from regrow.learn.model.config import olmo3_config
    from regrow.learn.model.files import save
    from regrow.numerics import torch as numerics

    numerics.activate()
    model = empty(olmo3_config(SHAPE, vocabulary=VOCABULARY, eos=1, pad=0))
    initialise(model, 5)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2.0)
    save(model, folder)
    state = {"step": 20, "tokens": 40_960, "position": 160}
    (folder / "state.json").write_text(json.dumps(state))
    return folder


def heldout(folder: Path) -> Path:
    parquet.write(documents(), folder / "heldout.parquet")
    return folder


def questions(per_family: int, split: str) -> pl.DataFrame:
    """Tasks of three families, as the tasks step writes them."""
    rows = []
    for i in range(per_family):
        a, b, word = i % 10, (3 * i) % 7, ("cat", "dog", "owl")[i % 3] + "s" * (i // 3)
        rows += [
            (
                *("add", "math", f"What is {a} + {b} ({i})?", f"{a} + {b} = {a + b}", str(a + b)),
                *("integer", {"answer": a + b}, f"add(a={a}, b={b})"),
            ),
            ("copy", "string", f"Say {word}.", "", word, "exact", {"answer": word}, ""),
            (
                *("repeat", "instruction", f"Say {word} {b + 1} times.", f"{b + 1} times."),
                *(" ".join([word] * (b + 1)), "repeat", {"word": word, "n": b + 1}, ""),
            ),
        ]
    names = ("family", "domain", "question", "trace", "answer", "verifier", "arguments")
    table = [dict(zip((*names, "tool_call"), row, strict=True)) for row in rows]
    for row in table:
        row["id"] = hashlib.sha256(f"{split} {row['question']}".encode()).hexdigest()[:32]
        row["content"], row["arguments"] = row["question"], json.dumps(row["arguments"])
        row["tools"] = "Tools:\nadd(a: int, b: int)" if row["tool_call"] else ""
    return pl.DataFrame(table).sort("id")


def tasks(folder: Path, per_family: int = 6) -> Path:
    """What the tasks step writes."""
    for split in ("train", "dev", "test"):
        parquet.write(questions(per_family, split), folder / f"{split}.parquet")
    return folder


def longcontext_data(folder: Path, tokenizer: Path, length: int = 256, windows: int = 3) -> Path:
    """The held-out windows and the needles of the longcontext_data step."""
    import numpy as np

    from regrow.data.tokens.bpe import load
    from regrow.learn.tasks.long.pieces import Piece
    from regrow.learn.tasks.long.writing import Vocabulary, write

    loaded, _ = load(tokenizer)
    text = "\n".join(documents()["text"])
    tokens = np.array(loaded.encode(text, add_special_tokens=False).ids, dtype=np.uint16)
    tokens = np.resize(tokens, length * (windows + 1))
    cuts = [tokens[i * length : (i + 1) * length] for i in range(windows)]
    # The last two are of one document.
    names = [f"d{min(i, windows - 2)}" for i in range(windows)]
    pieces = [[Piece(n, "heldout", 0, t)] for n, t in zip(names, cuts, strict=True)]
    write(folder / "heldout", pieces, length, Vocabulary(VOCABULARY, 1, 0), [])
    rows = [
        {
            "id": f"{kind}-{number:04d}",
            "kind": kind,
            "distance": 100 + number,
            "prompt": tokens[number : number + length - 1].tolist(),
            "answer": [int(tokens[number + length - 1])],
            "arguments": "{}",
        }
        for kind in ("multi_needle", "needle")
        for number in range(3)
    ]
    schema = {"prompt": pl.List(pl.UInt16), "answer": pl.List(pl.UInt16)}
    parquet.write(pl.DataFrame(rows, schema_overrides=schema), folder / "needles.parquet")
    return folder


def pairs(folder: Path) -> Path:
    """Held-out preference pairs of both sources."""
    rows = [
        {
            "id": f"{source}-{number:04d}",
            "task": f"t{number}",
            "family": "add",
            "source": source,
            "prompt": [5, 20 + number, 30],
            "chosen": [40 + number, 41, 6],
            "rejected": [50 + number, 51, 52, 6],
        }
        for source in ("delta", "judged")
        for number in range(8)
    ]
    lists = {name: pl.List(pl.UInt16) for name in ("prompt", "chosen", "rejected")}
    parquet.write(pl.DataFrame(rows, schema_overrides=lists), folder / "heldout.parquet")
    return folder


def probes(root: Path) -> dict[str, Path]:
    """What the evaluate step reads of every stage."""
    found = inputs(root) | {"tasks": tasks(root / "tasks"), "pairs": pairs(root / "pairs")}
    return found | {
        "longcontext_data": longcontext_data(root / "longcontext_data", found["tokenizer"])
    }


def inputs(root: Path) -> dict[str, Path]:
    """What the evaluate step reads."""
    return {
        "checkpoint": checkpoint(root / "pretrain" / "000020"),
        "tokenizer": tokenizer(root / "tokenizer"),
        "decontaminate": heldout(root / "decontaminate"),
    }


def params(**changes: object) -> SimpleNamespace:
    from regrow.params.evaluate import Evaluate

    values: dict[str, object]
    values = {"max_documents": 4, "max_bytes": 700, "sample_tokens": 20, "bootstrap": 400}
    values |= {"max_new_tokens": 24, "short_context": 64, "bin": 64, "samples": 2, "drawn": 3}
    return SimpleNamespace(evaluate=Evaluate(**(values | changes)))
