from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.lineage.errors import Unanswerable
from regrow.lineage.ledger import Ledger, find_root, parse
from regrow.lineage.naming import resolve


def test_records_come_in_flow_order_and_ancestry_is_closed(ledger: Ledger) -> None:
    names = [record.name for record in ledger.records]
    assert names[:5] == ["crawl", "text", "filter", "dedup", "decontaminate"]
    assert names[-1] == "release.000008"
    chain = [r.name for r in ledger.ancestry(ledger.by_name["pretrain.000004"])]
    assert chain == [*names[:9], "pretrain.000000", "pretrain.000004"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("dedup", "data/dedup"),
        ("pretrain.000004", "data/pretrain/000004"),
        ("data/pretrain/000004/", "data/pretrain/000004"),
        ("data/mix/mix.parquet", "data/mix/mix.parquet"),
        ("./data/mix/mix.parquet", "data/mix/mix.parquet"),
        ("records/pack.json", "data/pack"),
    ],
)
def test_names_and_paths(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    monkeypatch.chdir(ledger.root)
    assert resolve(ledger, name).path == path


def test_hash_prefixes_of_key_tree_and_file(ledger: Ledger) -> None:
    record = ledger.by_name["pack"]
    assert resolve(ledger, record.key[:8]).path == "data/pack"
    assert resolve(ledger, record.sha256.upper()).path == "data/pack"
    entry = record.files[0]
    found = resolve(ledger, f"sha256:{entry['sha256'][:10]}")
    assert (found.path, found.size) == (f"data/pack/{entry['path']}", entry["size"])


def test_equal_bytes_are_named_by_who_made_them(ledger: Ledger) -> None:
    weights = resolve(ledger, "data/release/000004/model.safetensors")
    found = resolve(ledger, weights.sha256)
    assert found.path == "data/pretrain/000004/model.safetensors"
    assert "data/release/000004/model.safetensors" in found.also


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pretrain", "`pretrain.000004`"),
        ("dedupe", "`dedup`"),
        ("abc", "at least 6"),
        ("0123456789", "begins with"),
        ("data/pack/tokens.json", "`data/pack/tokens.bin`"),
        ("data/pretrain/000120", "`data/pretrain/000000`"),
    ],
)
def test_errors_name_candidates(ledger: Ledger, name: str, says: str) -> None:
    with pytest.raises(Unanswerable, match=says.replace(".", r"\.")):
        resolve(ledger, name)


def test_ambiguous_prefix_lists_the_hashes(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regrow.lineage.naming.MIN_PREFIX", 1)
    with pytest.raises(Unanswerable, match=r"fits \d+ hashes:\n  [0-9a-f]{16}  data/"):
        for digit in "0123456789abcdef":
            resolve(ledger, digit)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(length=st.integers(6, 64), data=st.data())
def test_a_prefix_means_what_the_whole_hash_means_or_is_refused(
    ledger: Ledger, length: int, data: st.DataObject
) -> None:
    record = data.draw(st.sampled_from(ledger.records))
    whole = resolve(ledger, record.key)
    try:
        assert resolve(ledger, record.key[:length]) == whole
    except Unanswerable as error:
        assert "fits" in str(error)


def test_a_broken_record_is_named_with_its_mend(tree: Path) -> None:
    (tree / "records" / "mix.json").write_text('{"step": "mix"')
    with pytest.raises(Unanswerable, match=r"records/mix\.json: not a record.*git checkout"):
        Ledger.load(tree)
    with pytest.raises(Unanswerable, match="KeyError"):
        parse(b'{"step": "mix"}', "records/mix.json")


def test_no_repository_and_no_records(tmp_path: Path) -> None:
    with pytest.raises(Unanswerable, match="not inside a Regrow repository"):
        find_root(tmp_path)
    (tmp_path / "Snakefile").touch()
    assert find_root(tmp_path / ".") == tmp_path
    with pytest.raises(Unanswerable, match="nothing has been built here"):
        Ledger.load(tmp_path)
