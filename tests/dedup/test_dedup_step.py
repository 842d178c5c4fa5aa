"""The dedup step: exact copies, near copies, chains; one of each cluster stays."""

import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from determinism import run_twice
from regrow.data.dedup import exact, step
from regrow.data.dedup.shingles import Shingler
from regrow.data.dedup.texts import Texts
from regrow.params.data import Dedup

PARAMS = SimpleNamespace(dedup=Dedup())
SCHEMA = {"id": pl.String, "url": pl.String, "source": pl.String, "text": pl.String}


def words(seed: int, n: int) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices("abcdefghij", k=6)) for _ in range(n)]


def edited(base: list[str], seed: int, edits: int) -> list[str]:
    """`edits` words replaced, far enough apart that each touches five 5-grams of its own."""
    text = base[:]
    for k in range(edits):
        text[5 + 10 * k] = f"edit{seed}x{k}"
    return text


def row(id_: str, text: str | None, version: str = "1.0") -> dict[str, str | None]:
    return {"id": id_, "url": f"http://h/{version}/{id_}", "source": f"s-{version}", "text": text}


def run(tmp_path: Path, rows: list[dict[str, str | None]], params: object = PARAMS):
    tmp_path.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, SCHEMA).write_parquet(tmp_path / "documents.parquet")
    counts = step.run({"filter": tmp_path}, params, tmp_path / "out")
    return (
        counts,
        pl.read_parquet(tmp_path / "out/documents.parquet"),
        pl.read_parquet(tmp_path / "out/drops.parquet"),
    )


BASE = words(0, 1_000)
ROWS = [
    row("a", " ".join(BASE), "1.0"),
    row("b", "  " + "\n".join(BASE) + "\n", "2.0"),  # exact but for white space; newer
    row("c", " ".join(edited(BASE, 1, 10)), "3.0"),  # 50 of 1,046 5-grams differ on each side
    row("d", " ".join(words(1, 1_000)), "1.0"),
    row("e", " ".join(edited(BASE, 2, 40)), "1.0"),  # 0.66: another document
    row("f", "cafe\u0301 " * 80),
    row("g", "caf\u00e9 " * 80),
]


def test_copies_go_and_the_newest_stays(tmp_path):
    counts, kept, drops = run(tmp_path, ROWS)
    assert kept["id"].to_list() == ["c", "d", "e", "f"]
    found = {r["id"]: r for r in drops.to_dicts()}
    assert {k: (r["reason"], r["detail"]) for k, r in found.items()} == {
        "a": ("near", "c"),
        "b": ("near", "c"),
        "g": ("exact", "f"),
    }
    assert found["b"]["value"] == pytest.approx((996 - 50) / (996 + 50))
    assert found["b"]["threshold"] == 0.8
    assert counts == {"in": 7, "kept": 4, "dropped": {"exact": 1, "near": 2}}


@pytest.mark.parametrize(("limit", "kept"), [(0.904, 1), (0.906, 2)])
def test_candidates_are_verified_at_the_threshold(tmp_path, limit, kept):
    """10 of 1,000 words differ: (996 - 50) / (996 + 50) = 0.9044."""
    rows = [ROWS[0], ROWS[2]]
    params = SimpleNamespace(dedup=Dedup(jaccard=limit))
    assert run(tmp_path, rows, params)[0]["kept"] == kept


def test_a_chain_is_one_cluster_and_says_so(tmp_path):
    """Neighbours are 0.84 similar, the ends are not."""
    chain = [BASE]
    for k in range(3):
        text = chain[-1][:]
        for j in range(17):
            text[5 + 10 * (17 * k + j)] = f"edit{k}x{j}"
        chain.append(text)
    rows = [row(f"r{k}", " ".join(text), f"{k}.0") for k, text in enumerate(chain)]
    _, kept, drops = run(tmp_path, rows)
    assert kept["id"].to_list() == ["r3"]
    assert dict(zip(drops["id"], drops["reason"], strict=True)) == {
        "r0": "near_chain",
        "r1": "near_chain",
        "r2": "near",
    }


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_exactly_one_of_each_cluster_stays_in_any_order(tmp_path, sizes, rng):
    rows = [
        row(f"{c}-{k}", " ".join(edited(words(c, 300), k, k % 3)), f"{k}.{c}")
        for c, size in enumerate(sizes)
        for k in range(size)
    ]
    shuffled = rows[:]
    rng.shuffle(shuffled)
    counts, kept, drops = run(tmp_path / "one", rows)
    assert [i.split("-")[0] for i in kept["id"]] == [str(c) for c in range(len(sizes))]
    assert set(kept["id"]) | set(drops["id"]) == {r["id"] for r in rows}
    assert set(drops["detail"]) <= set(kept["id"])
    assert counts["in"] == len(rows) == counts["kept"] + sum(counts["dropped"].values())
    run(tmp_path / "two", shuffled)
    for file in ("documents.parquet", "drops.parquet"):
        one, two = (tmp_path / n / "out" / file for n in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_odd_rows(tmp_path):
    """No words, null, one id twice: kept or dropped, never an exception."""
    rows = [row("a", None), row("b", "..."), row("c", "!!!"), row("d", "one"), row("d", "one")]
    counts, kept, _ = run(tmp_path, rows)
    assert kept["id"].to_list() == ["a", "b", "c", "d"]  # a text without words is no one's double
    assert counts["dropped"] == {"exact": 1}
    assert run(tmp_path / "none", [])[0] == {"in": 0, "kept": 0, "dropped": {}}


def test_one_big_cluster_is_quick(tmp_path):
    rows = [row(f"{k:04d}", " ".join(edited(words(0, 60), k, 1)), "1.0") for k in range(1_500)]
    counts, _, _ = run(tmp_path, rows)
    assert counts["kept"] < 10


@given(st.text())
def test_fingerprint_forgets_white_space_only(text):
    assert exact.fingerprint(text) == exact.fingerprint(f" {text}\n".replace(" ", "\n "))
    assert exact.fingerprint(text) != exact.fingerprint(text + "x")


def test_fingerprint_stands_lone_surrogates():
    assert exact.fingerprint("\udc80") != exact.fingerprint("\udc81")


CODE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from regrow.data.dedup import step
from regrow.params.data import Dedup
step.run({"filter": Path(sys.argv[2])}, SimpleNamespace(dedup=Dedup()), Path(sys.argv[1]))
"""


def test_same_bytes_under_other_settings(tmp_path):
    folder = tmp_path / "filter"
    folder.mkdir()
    pl.DataFrame(ROWS, SCHEMA).write_parquet(folder / "documents.parquet")
    assert set(run_twice(CODE, tmp_path, str(folder))) == {"documents.parquet", "drops.parquet"}


def test_a_document_without_an_address_is_dropped_without_one(tmp_path):
    rows = [row("a", "one text of some words", "2.0"), row("b", "one text of some words", "1.0")]
    _, _, drops = run(tmp_path, [rows[0], {**rows[1], "url": None}])
    assert drops.select("id", "url", "detail").rows() == [("b", None, "a")]


def test_documents_are_read_from_a_file_of_their_own(tmp_path):
    """The table is passed over, never asked for a row: copies are anywhere in it."""
    _, documents, _ = run(tmp_path, ROWS)
    table = tmp_path / "out/documents.parquet"
    texts = Texts(table, 5, tmp_path)
    texts.read(np.array([0, 2]), texts=False)
    texts.read(np.array([1, 3]), texts=True)
    table.unlink()
    assert [texts.about(n)[2] for n in range(4)] == documents["id"].head(4).to_list()
    shingler = Shingler(5)
    expected = [shingler.sequence(documents["text"][n]) for n in (3, 1)]
    found = [*texts.sequences([3, 1])]
    texts.close()
    assert all(
        len(np.unique(a)) == len(np.unique(b)) and len(a) == len(b)
        for a, b in zip(found, expected, strict=True)
    )
