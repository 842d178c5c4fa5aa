"""A small checkpoint, a tokenizer and a held-out set, written as the steps before would write them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl

from regrow.params.data import Tokenizer
from regrow.params.model import Model
from regrow.tables import parquet
from regrow.tokens import bpe
from regrow.tokens.train import _config

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

    from regrow.model.build import empty, initialise
    from regrow.model.config import olmo3_config
    from regrow.model.files import save
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


def inputs(root: Path) -> dict[str, Path]:
    """What the evaluate step reads."""
    return {
        "checkpoint": checkpoint(root / "pretrain" / "000020"),
        "tokenizer": tokenizer(root / "tokenizer"),
        "decontaminate": heldout(root / "decontaminate"),
    }


def params(**changes: object) -> SimpleNamespace:
    from regrow.params.evaluate import Evaluate

    values = {"max_documents": 4, "max_bytes": 700, "sample_tokens": 20, "bootstrap": 400}
    return SimpleNamespace(evaluate=Evaluate(**(values | changes)))
