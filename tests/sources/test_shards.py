"""No output byte depends on how a source is cut: into files, into shards, or in which order they come."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from determinism import hashes, run_twice
from regrow import selection
from regrow.data.dedup import signatures
from regrow.data.dedup import step as dedup
from regrow.data.filters import step as filters
from regrow.data.sources import gather
from regrow.data.sources.kinds import jsonl, text
from regrow.data.tables import stream
from regrow.data.tables.conservation import Lost
from regrow.params.schema import Params, check

LOOSE = {"max_top_ngram": {}, "max_duplicate_ngram": {}, "language_min_score": 0.0}
PARAMS = check({"stages": ["pretrain"], "filter": LOOSE}, "x")
HERE = Path(__file__).resolve().parent
ENTRY = {"name": "mine", "licence": "CC0-1.0", "origin": "written for a test"}
TOLD = [{"name": "mine", "kind": "jsonl", "files": [], "licence": "CC0-1.0", "origin": "x"}]


def _rows() -> list[dict[str, Any]]:
    """120 rows: texts, a few exact and near copies, short ones, one that is there twice, one that is no JSON object."""
    rng = random.Random(7)
    words = [
        f"{a}{b}" for a in ("stone", "river", "garden", "letter") for b in ("", "s", "ed", "ing")
    ]

    def prose(seed: int) -> str:
        own = random.Random(seed)
        said = " ".join(
            "the " + " ".join(own.choices(words, k=6)) + " of a day." for _ in range(30)
        )
        return f"{said} {own.random()}"

    rows = [{"id": f"r{n}", "text": prose(n)} for n in range(100)]
    rows += [{"id": f"copy{n}", "text": prose(n)} for n in range(4)]
    rows += [
        {"id": f"near{n}", "text": prose(n) + " And one more sentence of the day."}
        for n in range(4, 8)
    ]
    rows += [{"id": f"short{n}", "text": "Too short."} for n in range(10)]
    rows += [{"id": "r5", "text": prose(5)}, {"id": "empty"}]
    rng.shuffle(rows)
    return rows


def _files(folder: Path, count: int, seed: int) -> Path:
    """The rows in so many files, in an order of their own."""
    rows = _rows()
    random.Random(seed).shuffle(rows)
    folder.mkdir(parents=True)
    for n in range(count):
        lines = "".join(json.dumps(row) + "\n" for row in rows[n::count])
        (folder / f"{seed}-{n:02d}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return folder


def _prepared(files: Path, shards: int, work: Path, kind: Any = jsonl) -> Path:
    """From files to deduplicated documents, as the steps of a recipe do it; the counts beside them."""
    read: dict[str, Path] = {}
    kept: dict[str, Path] = {}
    signed: dict[str, Path] = {}
    entry = ENTRY | {"kind": kind.__name__.rpartition(".")[2], "files": [str(files)]}
    for n in range(shards):
        name = selection.instance(n, shards)
        place = f"{files}#{name}" if shards > 1 else str(files)
        read[f"mine.{name}"] = work / "read" / name
        kept[f"mine.{name}"] = work / "part" / name
        signed[f"signatures.mine.{name}"] = work / "signatures" / name
        kind.run(
            {"files.000": Path(place)}, PARAMS, work / "read" / name, source=entry, instance=name
        )
        filters.run({"text": work / "read" / name}, PARAMS, work / "part" / name)
        signatures.run({"filter": work / "part" / name}, PARAMS, work / "signatures" / name)
    out = work / "out"
    counts = {"text": gather.text(read, PARAMS, out / "text", sources=TOLD)}
    (work / "text.json").write_text(json.dumps({"counts": counts["text"]}))
    counts["filter"] = gather.filtered({"text": work / "text.json", **kept}, PARAMS, out / "filter")
    counts["dedup"] = dedup.run({"filter": out / "filter", **signed}, PARAMS, out / "dedup")
    (out / "counts.json").write_text(json.dumps(counts, sort_keys=True))
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file, one shard."""
    folder = tmp_path_factory.mktemp("whole")
    return _prepared(_files(folder / "files", 1, 0), 1, folder / "work")


@pytest.mark.parametrize(("files", "shards"), [(2, 2), (7, 3), (7, 7), (5, 32)])
def test_files_and_shards_decide_no_byte(
    whole: Path, files: int, shards: int, tmp_path: Path
) -> None:
    cut = _prepared(_files(tmp_path / "files", files, files), shards, tmp_path / "work")
    assert hashes(cut) == hashes(whole)


def test_the_counts_add_up_and_every_row_is_somewhere(whole: Path) -> None:
    counts = json.loads((whole / "counts.json").read_text())
    assert counts["text"]["in"] == 120
    assert counts["text"]["dropped"] == {"missing_text": 1, "recorded_twice": 1}
    assert counts["filter"]["in"] == counts["text"]["kept"] == 118
    assert counts["filter"]["dropped"] == {"length.characters": 10}
    assert counts["dedup"] == {"in": 108, "kept": 100, "dropped": {"exact": 4, "near": 4}}


def test_parts_are_filtered_as_the_whole_is(whole: Path, tmp_path: Path) -> None:
    filters.run({"text": whole / "text"}, PARAMS, tmp_path)
    assert hashes(tmp_path) == hashes(whole / "filter")


def test_dedup_without_signatures_of_parts_is_the_same(whole: Path, tmp_path: Path) -> None:
    dedup.run({"filter": whole / "filter"}, PARAMS, tmp_path)
    assert hashes(tmp_path) == hashes(whole / "dedup")


def test_signatures_of_other_documents_are_refused(whole: Path, tmp_path: Path) -> None:
    signatures.run({"filter": whole / "dedup"}, PARAMS, tmp_path / "s")
    with pytest.raises((ValueError, IndexError), match="signatures"):
        dedup.run({"filter": whole / "filter", "signatures.mine": tmp_path / "s"}, PARAMS, tmp_path)


def test_a_part_that_lost_a_document_is_noticed(whole: Path, tmp_path: Path) -> None:
    short = pl.read_parquet(whole / "filter/documents.parquet").head(50)
    (tmp_path / "part").mkdir()
    short.write_parquet(tmp_path / "part/documents.parquet")
    pl.read_parquet(whole / "filter/drops.parquet").write_parquet(tmp_path / "part/drops.parquet")
    (tmp_path / "text.json").write_text(json.dumps({"counts": {"kept": 118}}))
    with pytest.raises(Lost, match="118 documents in"):
        gather.filtered(
            {"text": tmp_path / "text.json", "mine.000of001": tmp_path / "part"},
            PARAMS,
            tmp_path / "out",
        )


def test_a_new_file_changes_one_part(tmp_path: Path) -> None:
    names = [f"notes/{n:03d}.md" for n in range(50)]
    before = [_chosen(names, n, 8) for n in range(8)]
    after = [_chosen([*names, "notes/new.md"], n, 8) for n in range(8)]
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert sorted(name for part in after for name in part) == sorted([*names, "notes/new.md"])


def _chosen(names: Sequence[str], part: int, parts: int) -> list[str]:
    return selection.parse(f"corpus#{selection.instance(part, parts)}").chosen(names)


def test_files_that_are_no_documents_are_rows(tmp_path: Path) -> None:
    files = tmp_path / "notes"
    (files / "deep").mkdir(parents=True)
    (files / "a.md").write_text("A note.\n")
    (files / "deep/b.rst").write_text("Another note.\n")
    (files / "picture.png").write_bytes(b"\x89PNG")
    entry = ENTRY | {"kind": "text", "files": [str(files)]}
    counts = text.run(
        {"files.000": files}, PARAMS, tmp_path / "out", source=entry, instance="000of001"
    )
    assert (counts["in"], counts["kept"], counts["dropped"]) == (3, 2, {"other_file": 1})
    table = pl.read_parquet(tmp_path / "out/documents.parquet")
    assert set(table["url"]) == {"source://mine/a.md", "source://mine/deep/b.rst"}
    assert table["licence"].to_list() == ["CC0-1.0"] * 2 and table["host"].to_list() == ["mine"] * 2
    assert "other_file\tpicture.png\t" in (tmp_path / "out/places.tsv").read_text()


class TestTables:
    def test_many_tables_merge_in_rounds_to_the_same_bytes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        schema: dict[str, Any] = {"id": pl.String, "n": pl.Int64}
        rows = [{"id": hashlib.sha256(str(n).encode()).hexdigest(), "n": n % 3} for n in range(400)]
        rows += [{"id": "same", "n": n} for n in (2, 1, 3, 1)]
        monkeypatch.setattr(stream, "FAN_IN", 3)
        found = set()
        for run_size in (500, 7_000, 1 << 20):
            place = tmp_path / str(run_size)
            place.mkdir()
            random.Random(run_size).shuffle(rows)
            runs = stream.sorted_runs(rows, schema, ("id",), place, "run", run_size)
            with stream.Writer(place / "all.parquet", schema) as writer:
                for row in stream.merged(runs, ("id",), place):
                    writer.add(row)
            found.add((place / "all.parquet").read_bytes())
            assert pl.read_parquet(place / "all.parquet").filter(id="same")["n"].to_list() == [
                1,
                1,
                2,
                3,
            ]
        assert len(found) == 1

    def test_a_large_table_has_groups_that_its_rows_decide(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stream, "SMALL", 4_000)
        monkeypatch.setattr(stream, "GROUP_SIZE", 2_000)
        rows = [{"id": f"{n:04d}", "text": "x" * (n * 37 % 900)} for n in range(60)]
        schema: dict[str, Any] = {"id": pl.String, "text": pl.String}
        with stream.Writer(tmp_path / "a.parquet", schema) as writer:
            for row in rows:
                writer.add(row)
        groups = pl.scan_parquet(tmp_path / "a.parquet").collect()
        assert groups.rows(named=True) == rows
        meta = pq.ParquetFile(tmp_path / "a.parquet").metadata
        sizes = [meta.row_group(n).num_rows for n in range(meta.num_row_groups)]
        assert len(sizes) > 10 and sum(sizes) == 60
        assert list(stream.rows(tmp_path / "a.parquet", ["id"])) == [
            {"id": row["id"]} for row in rows
        ]


def test_a_source_is_an_entry_of_the_params() -> None:
    made: Params = check(
        {
            "sources": [{"notes": {"files": "a/*.md", "licence": "unknown", "origin": "x"}}],
            "stages": ["pretrain"],
        },
        "x",
    )
    assert made.sources[0].kind == "text" and made.sources[0].shards == 1


_TWICE = """
import json, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:5]
import test_shards
test_shards._prepared(Path(sys.argv[2]), 3, Path(sys.argv[1]) / "work")
"""


def test_processes_threads_and_locales_decide_no_byte(whole: Path, tmp_path: Path) -> None:
    files = _files(tmp_path / "files", 4, 4)
    found = run_twice(_TWICE, tmp_path, str(files), str(HERE), str(HERE.parent / "support"))
    made = {
        name.removeprefix("work/out/"): digest
        for name, digest in found.items()
        if name.startswith("work/out/")
    }
    assert made == hashes(whole)
