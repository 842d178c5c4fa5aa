from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger, find_root
from regrow.evidence.naming import resolve
from regrow.evidence.record import parse


def test_records_come_in_flow_order_and_ancestry_is_closed(ledger: Ledger) -> None:
    names = [record.name for record in ledger.records]
    assert names[:5] == ["crawl", "text", "filter", "tasks", "dedup"]
    assert names[-1] == "release.rlzero-000002"
    at = names.index("release.pretrain-000000")
    assert names[at : at + 3] == [f"release.pretrain-00000{n}" for n in (0, 4, 8)]
    chain = [r.name for r in ledger.ancestry(ledger.by_name["pretrain.000004"])]
    assert chain == [*names[:10], "pretrain.000000", "pretrain.000004"]
    long = {r.step for r in ledger.ancestry(ledger.by_name["rlvr.000004"])}
    assert {
        "pretrain",
        "midtrain_b",
        "soup",
        "longcontext_data",
        "sft",
        "pairs",
        "difficulty",
    } <= long
    assert not {"anneal", "dpo_delta", "evaluate", "rlzero"} & long


def test_the_final_checkpoint_and_what_is_about_it(ledger: Ledger) -> None:
    final = ledger.final
    assert final is not None and final.name == "rlvr.000004"
    release = ledger.about("release", final)
    assert release is not None and release.trained == final.trained == ("rlvr", 4)
    assert ledger.by_name["midtrain_data"].trained is None
    early = Ledger(ledger.root, [r for r in ledger.records if r.step in ("pack", "pretrain")])
    assert early.final is not None and early.final.name == "pretrain.000008"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("dedup", "data/dedup"),
        ("pretrain.000004", "data/pretrain/000004"),
        ("data/pretrain/000004/", "data/pretrain/000004"),
        ("data/mix/mix.parquet", "data/mix/mix.parquet"),
        ("./data/mix/mix.parquet", "data/mix/mix.parquet"),
        ("records/pack.json", "data/pack"),
        ("rlvr.000002", "data/rlvr/000002"),
        ("rlvr-000002", "data/rlvr/000002"),
        ("rlvr-step2", "data/rlvr/000002"),
        ("rlvr", "data/rlvr/000004"),
        ("pretrain", "data/pretrain/000008"),
        ("evaluate.sft-000004", "data/evaluate/sft-000004"),
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
    weights = resolve(ledger, "data/release/pretrain-000004/model.safetensors")
    found = resolve(ledger, weights.sha256)
    assert found.path == "data/pretrain/000004/model.safetensors"
    assert "data/release/pretrain-000004/model.safetensors" in found.also


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("evaluate", "`evaluate.midtrain_b-000004`"),
        ("rlvr-000003", "`rlvr.000002`, `rlvr.000004`"),
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
    monkeypatch.setattr("regrow.evidence.naming.MIN_PREFIX", 1)
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
