"""The small finished flow, with a real tokenizer, real text in its packs, and indexes of them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from tokenizers import Tokenizer

from regrow.ask.explain.answer import Explainer
from regrow.data.index import step as index
from regrow.data.tables import parquet
from regrow.data.tokens import bpe, chat, stream
from regrow.data.tokens.instances import Instance
from regrow.data.tokens.train import config as _config
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from regrow.params.data import Tokenizer as TokenizerParams
from small_tree import ID, LENGTH, TEXTS, params, write_records, write_tree

CLOSED = "The planner decides how to answer it."
"""in `queries`"""


def write(root: Path) -> Path:
    """The tree of small_tree, its tokens those of its texts."""
    write_tree(root)
    data = root / "data"
    config = TokenizerParams()
    tokenizer = bpe.train(list(TEXTS.values()), 300, config.special_tokens)
    tokenizer.save(str(data / "tokenizer/tokenizer.json"))
    (data / "tokenizer/tokenizer_config.json").write_text(json.dumps(_config(config)))
    eos = bpe.control(tokenizer, _config(config), "eos_token")

    def pack(folder: Path, texts: dict[str, str], order: list[str], length: int = LENGTH) -> None:
        encoded = {
            id: [*next(iter(bpe.encode(tokenizer, [text]))).tolist(), eos]
            for id, text in texts.items()
        }
        seen: dict[str, int] = {}
        instances = []
        for id in order:
            instances.append(Instance(id, seen.get(id, 0)))
            seen[id] = seen.get(id, 0) + 1
        import numpy as np

        stream.write(
            folder,
            instances,
            {id: np.array(tokens, dtype=np.uint16) for id, tokens in encoded.items()},
            length,
            tokenizer,
            _config(config),
        )

    crawled = {ID[name]: TEXTS[name] for name in ("joins", "indexes", "queries", "views")}
    order = [ID[n] for n in ("joins", "queries", "indexes", "joins", "views", "indexes", "joins")]
    pack(data / "pack", crawled, order)
    made = {
        "passage1": TEXTS["joins"],
        "question1": "Question: 3 + 4?\n\nAnswer: 7\n\n",
        "question2": "Question: reverse of dog?\n\nAnswer: god\n\n",
    }
    pack(data / "midtrain_data", made, ["question1", "passage1", "question2", "question1"])
    long = {
        ID["queries"]: TEXTS["queries"],
        ID["joins"]: TEXTS["joins"],
        "question1": made["question1"],
    }
    for folder, length in (
        (data / "longcontext_data", 2 * LENGTH),
        (data / "longcontext_data/short", LENGTH),
    ):
        pack(folder, long, [ID["queries"], "question1", ID["joins"], ID["queries"]], length)
    _examples(data, tokenizer)
    _answers(data, tokenizer)
    values = params()
    for step in ("pack", "midtrain_data", "longcontext_data", "sft_data", "pairs"):
        index.run({"data": data / step}, None, data / "index" / step, instance=step, kind=step)
    write_records(root)
    assert values.pack.sequence_length == LENGTH
    return root


def _examples(data: Path, tokenizer: Tokenizer) -> None:
    for branch in ("think", "instruct"):
        path = data / f"sft_data/{branch}.parquet"
        rows = parquet.read(path).to_dicts()
        for row in rows:
            messages = [
                {"role": "user", "content": f"What is asked in {row['id']} of the rows?"},
                {"role": "assistant", "content": f"The reply of {row['id']} is learned well."},
            ]
            row["tokens"], row["mask"] = chat.example(tokenizer, messages)
        parquet.write(pl.DataFrame(rows), path)


def _answers(data: Path, tokenizer: Tokenizer) -> None:
    def said(text: str) -> list[int]:
        return [int(t) for part in bpe.encode(tokenizer, [text]) for t in part]

    path = data / "pairs/pairs.parquet"
    rows = parquet.read(path).to_dicts()
    for row in rows:
        row["prompt"] = said(f" pick one for {row['id']} now")
        row["chosen"], row["rejected"] = said(" a good answer here"), said(" a poor answer there")
    parquet.write(pl.DataFrame(rows), path)
    for file in sorted(data.glob("rl*/0*/rollouts.parquet")):
        rows = parquet.read(file).to_dicts()
        for row in rows:
            row["prompt"] = said(" roll it")
            row["tokens"] = said(f" drawn in step {row['step']} of {row['group']}")
            row["used"] = row["group"] == 0
        parquet.write(pl.DataFrame(rows), file)


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree; tests only read it."""
    return write(tmp_path_factory.mktemp("explained") / "tree")


@pytest.fixture(scope="session")
def explainers(texts: Path) -> dict[str, Explainer]:
    """By checkpoint, opened once."""
    ledger = Ledger.load(texts)
    names = ["pretrain.000004", "pretrain.000008", "midtrain.000004", "longcontext_control.000002",
             "sft.000004", "sft_instruct.000002", "dpo.000002", "dpo_delta.000002", "rlvr.000002",
             "rlvr.000004", "rlzero.000002"]  # fmt: skip
    return {name: Explainer(ledger, resolve(ledger, name).record) for name in names}
