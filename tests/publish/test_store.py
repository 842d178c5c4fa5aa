"""The DVC remote that git carries: what is in it, that it is checked, and that runs leave it alone."""

from __future__ import annotations

import hashlib
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from regrow.engine.store import Store
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.publish.hub import serve, store


def objects(root: Path) -> dict[str, Path]:
    """Address -> file, of all that lies in the store."""
    folder = root / store.FOLDER / "files" / "md5"
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.parent.name + path.name: path for path in found}


def test_the_last_release_of_every_branch_is_in_the_store(ledger: Ledger) -> None:
    assert {revision.name for revision in store.finals(ledger)} == {
        "rlvr-step4",
        "sft_instruct-step2",
        "rlzero-step2",
    }


def test_the_store_holds_the_releases_and_what_questions_read(tree: Path) -> None:
    ledger = Ledger.load(tree)
    added, removed, total = store.fill(ledger)
    there = objects(tree)
    assert (added, removed) == (len(there), 0)
    assert total == sum(path.stat().st_size for path in there.values())
    for address, path in there.items():
        name = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        assert address.removesuffix(".dir") == name, "an object is named by its content"
    whole = ledger.by_name["release.rlvr-000004"]
    assert {entry["md5"] for entry in whole.files} <= set(there)
    on_the_way = ledger.by_name["release.sft-000004"]
    assert not {e["md5"] for e in on_the_way.files if e["path"] == "README.md"} & set(there)
    held = {f"{record.name}/{name}" for record, names in store.chosen(ledger) for name in names}
    assert {"rlvr.000002/state.json", "pack/index.parquet", "decontaminate/train.parquet"} <= held
    assert not any(
        name.startswith(("crawl/", "text/documents")) for name in held - {"crawl/fetches.parquet"}
    )
    assert store.faults(ledger) == []


def test_filling_again_adds_nothing_and_another_run_replaces_what_changed(tree: Path) -> None:
    ledger = Ledger.load(tree)
    _, _, total = store.fill(ledger)
    assert store.fill(ledger) == (0, 0, total)
    fewer = Ledger(tree, [r for r in ledger.records if r.name != "release.rlzero-000002"])
    _, removed, less = store.fill(fewer)
    assert removed and less < total and store.faults(fewer) == []


@pytest.mark.parametrize("harm", ["missing", "changed", "stray"])
def test_a_damaged_store_is_named(tree: Path, harm: str) -> None:
    ledger = Ledger.load(tree)
    store.fill(ledger)
    address, path = sorted(objects(tree).items())[3]
    if harm == "missing":
        path.unlink()
    elif harm == "changed":
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    else:
        path.with_name("0" * 30).write_bytes(b"x")
    (fault,) = store.faults(ledger)
    assert {"missing": address, "changed": "other bytes", "stray": "no record"}[harm] in fault
    store.fill(ledger)
    assert store.faults(ledger) == []


def test_other_bytes_than_recorded_are_not_published(tree: Path) -> None:
    ledger = Ledger.load(tree)
    store.fill(ledger)
    before = {address: path.read_bytes() for address, path in objects(tree).items()}
    record = ledger.by_name["release.rlvr-000004"]
    (tree / record.path / "README.md").write_text("mine")
    objects(tree)[next(f["md5"] for f in record.files if f["path"] == "README.md")].unlink()
    with pytest.raises(Unanswerable, match=r"README.md is neither .* recorded bytes"):
        store.fill(ledger)
    after = {address: path.read_bytes() for address, path in objects(tree).items()}
    assert len(after) == len(before) - 1, "nothing is written by halves"


def test_too_large_a_store_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "CEILING", 1000)
    with pytest.raises(Unanswerable, match="git shall carry at most 1,000"):
        store.fill(Ledger.load(tree))
    assert not objects(tree)


@pytest.mark.parametrize(
    ("config", "fetches"),
    [
        ("[core]\n    remote = published\n['remote \"published\"']\n    url = x\n", False),
        ("[core]\n    remote = mine\n['remote \"mine\"']\n    url = x\n", True),
    ],
)
def test_a_run_never_fetches_from_the_store_of_the_repository(
    tmp_path: Path, config: str, fetches: bool
) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text(config)
    assert Store(tmp_path).remote is fetches


@pytest.fixture
def served(tree: Path) -> Iterator[tuple[Ledger, str]]:
    ledger = Ledger.load(tree)
    cache = Store(tree)
    for record in ledger.records:
        for entry in record.files:
            cache.insert_file(tree / record.path / entry["path"])
    (tree / "secret").write_bytes(b"mine")
    cache.insert_file(tree / "secret")
    serving = serve.server(ledger, "127.0.0.1", 0, lambda line: None)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield ledger, f"http://127.0.0.1:{serving.server_address[1]}"
    serving.shutdown()
    serving.server_close()
    thread.join()


def get(url: str) -> bytes | int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        return error.code


def test_the_cache_is_served_by_content(served: tuple[Ledger, str]) -> None:
    ledger, url = served
    record = ledger.by_name["release.rlvr-000004"]
    for entry in record.files:
        body = get(f"{url}/files/md5/{entry['md5'][:2]}/{entry['md5'][2:]}")
        assert isinstance(body, bytes) and hashlib.sha256(body).hexdigest() == entry["sha256"]


@pytest.mark.parametrize(
    "path",
    [
        "/files/md5/ab/../../../../../etc/passwd",
        "/files/md5/ab/%2e%2e%2f",
        "/records/mix.json",
        "/files/md5/ab",
        "/files/md5/AB/" + "c" * 30,
        "//files/md5/ab/" + "c" * 30,
        "/files/md5/ab/" + "c" * 30 + "?x",
    ],
)
def test_nothing_else_is_served(served: tuple[Ledger, str], path: str) -> None:
    assert get(served[1] + path) == 404


def test_what_no_record_names_is_not_served(served: tuple[Ledger, str]) -> None:
    secret = hashlib.md5(b"mine", usedforsecurity=False).hexdigest()
    assert Store(served[0].root).has(secret)
    assert get(f"{served[1]}/files/md5/{secret[:2]}/{secret[2:]}") == 404
