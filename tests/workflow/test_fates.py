"""What is said of every document of the tiny run, against the packed streams themselves."""

from __future__ import annotations

import polars as pl
import pytest

from real_repository import Real
from regrow.ask.trace.answer import trace
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.publish.explorer.documents import documents

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(900)]

STREAMS = {
    "pack": "pack",
    "midtrain_data": "midtrain_data",
    "longcontext_data": "longcontext_data",
    "longcontext_data/short": "longcontext_data",
}
"""folder of a packed stream -> the step whose documents.parquet says what its passages were made of"""


def packed(tree: Real) -> set[str]:
    """Ids of all documents of which a stream of training holds any text."""
    found: set[str] = set()
    for folder, step in STREAMS.items():
        ids = set(pl.read_parquet(tree.path / f"data/{folder}/index.parquet")["id"])
        table = tree.path / f"data/{step}/documents.parquet"
        if table.exists():
            made = pl.read_parquet(table).filter(pl.col("id").is_in(sorted(ids)))
            ids |= set(made["parent"].drop_nulls())
        found |= ids
    return found


def test_no_document_that_is_packed_is_called_dropped(grown: Real) -> None:
    """The mix of pretraining leaves documents out that long context reads."""
    ledger = Ledger.load(grown.path)
    inside = packed(grown)
    every = [d for d in documents(Outputs(ledger)) if d.id]
    said = {d.id: d.fate for d in every}
    wrong = {id: fate for id, fate in said.items() if id in inside and fate.startswith("dropped")}
    assert wrong == {}
    assert not any(fate.startswith("seen") for id, fate in said.items() if id not in inside)
    late = [
        d.id
        for d in every
        if d.fate.startswith("seen")
        and any(s.step == "mix" and s.outcome == "dropped" for s in d.stops)
    ]
    assert late, "the tiny run has such a document"
    for id in late:
        assert trace(ledger, str(id))["fate"] == said[id]
