"""A text of midtraining that longcontext_data loses, renames or makes up stops the step."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from regrow.data.tables import parquet
from regrow.data.tables.conservation import Lost
from regrow.learn.tasks import longcontext_data
from regrow.params.posttrain import LongContextData

P = LongContextData(tokens=1_024, sequence_length=64, short_length=32, shares={"midtraining": 1.0})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight texts of as many tokens as words; `text3` has none."""
    rows = [
        {"id": f"text{k}", "source": "s", "generator": None, "licence": "CC0-1.0", "parent": None}
        | {"text": "" if k == 3 else "word " * (k + 1)}
        for k in range(8)
    ]
    parquet.write(pl.DataFrame(rows), tmp_path / "documents.parquet")
    encode = lambda tokenizer, texts: [np.full(len(t.split()), 7, np.uint16) for t in texts]  # noqa: E731
    monkeypatch.setattr(longcontext_data.bpe, "encode", encode)
    return tmp_path


def builder(drops: list[dict[str, object]]) -> Any:
    return longcontext_data.MixBuilder(P, None, SimpleNamespace(eos=1), None, None, [], drops)  # type: ignore[arg-type]


def test_every_text_is_a_piece_or_a_drop(folder: Path) -> None:
    made = builder([{"id": "earlier", "step": "longcontext_data", "reason": "short"}])
    pieces = list(longcontext_data._midtraining(made, folder))
    assert (
        {p.id for p in pieces}
        == {row["id"] for row in made.rows}
        == {f"text{k}" for k in range(8) if k != 3}
    )
    assert sum(len(p.tokens) for p in pieces) == sum(k + 2 for k in range(8) if k != 3)
    assert [drop["id"] for drop in made.drops] == ["earlier", "text3"]


class _Renaming(list[dict[str, object]]):
    """Drops that name another text than the one that is lost."""

    def append(self, drop: dict[str, object]) -> None:
        super().append(drop | {"id": "elsewhere"})


def _losing(*parts: Any, strict: bool = False) -> Iterator[tuple[Any, ...]]:
    """A `zip` without the texts that have no tokens."""
    return iter([one for one in builtins.zip(*parts, strict=strict) if len(one[1])])


def test_a_planted_loss(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Lost) as lost:
        longcontext_data._midtraining(builder(_Renaming()), folder)
    said = str(lost.value)
    assert said.startswith("longcontext_data: 8 midtraining texts in, 7 kept and 1 dropped")
    assert "1 without a trace (text3), 1 too many (elsewhere)" in said
    monkeypatch.setattr(longcontext_data, "zip", _losing, raising=False)
    with pytest.raises(
        Lost, match=r"7 kept and 0 dropped: 1 without a trace \(text3\), 0 too many"
    ):
        longcontext_data._midtraining(builder([]), folder)
