"""One address and one content, read in several ways: several texts under one id, of which one is kept."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from determinism import hashes
from regrow.data.dedup import signatures
from regrow.data.dedup import step as dedup
from regrow.data.filters import step as filters
from regrow.data.sources import gather, table
from regrow.data.tables import stream
from regrow.data.tables.parquet import DROPS
from regrow.params.schema import Params, check

PARAMS: Params = check(
    {
        "stages": ["pretrain"],
        "filter": {
            "max_top_ngram": {}, "max_duplicate_ngram": {}, "language_min_score": 0.0, "min_words": 20, "min_characters": 40,
        },
    },
    "x",
)  # fmt: skip
PROSE = "\n".join(
    f"The stones of the river and the garden number {n} are of the day." for n in range(12)
)
OTHER = "\n".join(
    f"A letter to the house, and sheet {n} of it is for the garden." for n in range(12)
)


def _part(folder: Path, rows: list[dict[str, str | None]], schema: dict[str, type]) -> Path:
    with stream.Writer(folder / "documents.parquet", schema) as writer:
        for row in rows:
            writer.add(row)
    with stream.Writer(folder / "drops.parquet", DROPS):
        pass
    return folder


def _row(own: str, text: str, **more: str) -> dict[str, str | None]:
    return {
        "id": own, "url": f"http://h/{own}", "host": "h", "source": "s", "licence": "MIT", "mime": "text/html",
        "charset": "utf-8", "title": "", "text": text, "date": None, "metadata": None,
    } | more  # fmt: skip


def _gathered(root: Path, parts: list[Path]) -> dict[str, str]:
    read = {f"s.{n:03d}": part for n, part in enumerate(parts)}
    kept, signed = {}, {}
    for name, part in read.items():
        kept[name], signed[f"signatures.{name}"] = root / "kept" / name, root / "signed" / name
        filters.run({"text": part}, PARAMS, kept[name])
        signatures.run({"filter": kept[name]}, PARAMS, signed[f"signatures.{name}"])
    out = root / "out"
    counts = gather.text(read, PARAMS, out / "text", sources=[])
    (root / "text.json").write_text(json.dumps({"counts": counts}))
    gather.filtered({"text": root / "text.json", **kept}, PARAMS, out / "filter")
    dedup.run({"filter": out / "filter", **signed}, PARAMS, out / "dedup")
    return hashes(out)


def test_the_order_of_the_parts_decides_nothing(tmp_path: Path) -> None:
    """`a` has prose as UTF-8, other prose as Latin-1, and what no filter keeps as ASCII; `b` is a copy of the latter prose."""
    parts = [
        _part(tmp_path / "0", [_row("a", PROSE, charset="utf-8")], table.DOCUMENTS),
        _part(tmp_path / "1", [_row("a", OTHER, charset="latin-1"), _row("b", PROSE)], table.DOCUMENTS),
        _part(tmp_path / "2", [_row("a", "short", charset="ascii")], table.DOCUMENTS),
    ]  # fmt: skip
    found = [
        _gathered(tmp_path / "-".join(map(str, order)), [parts[n] for n in order])
        for order in permutations(range(3))
    ]
    assert all(one == found[0] for one in found)
    out = tmp_path / "0-1-2/out"
    kept = pl.read_parquet(out / "filter/documents.parquet")
    assert kept["text"].to_list() == [OTHER, PROSE] and kept["charset"].to_list() == [
        "latin-1",
        "utf-8",
    ]
    assert pl.read_parquet(out / "filter/drops.parquet").is_empty()
    assert pl.read_parquet(out / "dedup/drops.parquet").is_empty()  # `a` is no copy of `b`


def test_signatures_of_other_texts_are_refused(tmp_path: Path) -> None:
    schema = {name: table.DOCUMENTS[name] for name in ("id", "url", "source", "text")}
    parts = [
        _part(tmp_path / str(n), [_row("a", text)], schema) for n, text in enumerate((PROSE, OTHER))
    ]
    given = {}
    for n, part in enumerate(parts):
        given[f"signatures.{n}"] = tmp_path / f"signed{n}"
        signatures.run({"filter": part}, PARAMS, tmp_path / f"signed{n}")
    third = _part(tmp_path / "third", [_row("a", PROSE + " And more.")], schema)
    with pytest.raises(ValueError, match=r"signatures.parquet: .* rerun"):
        dedup.run({"filter": third, **given}, PARAMS, tmp_path / "out")


@pytest.mark.parametrize("fan_in", [2, 16])
def test_a_column_that_some_tables_lack_is_null(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fan_in: int
) -> None:
    """Tables that are merged in rounds get all columns on the way."""
    monkeypatch.setattr(stream, "FAN_IN", fan_in)
    crawled = {n: kind for n, kind in table.DOCUMENTS.items() if n not in ("date", "metadata")}
    parts = [_part(tmp_path / "0", [_row("a", PROSE, licence="A")], crawled)]
    parts += [
        _part(tmp_path / f"{n}", [_row("a", PROSE, licence="Z")], table.DOCUMENTS) for n in (1, 2)
    ]
    merged = stream.merged([part / "documents.parquet" for part in parts], ("id",), tmp_path)
    assert [row["licence"] for row in merged] == ["A", "Z", "Z"]
