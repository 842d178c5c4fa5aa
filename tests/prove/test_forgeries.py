"""Every forgery of docs/reference/tamper.md is refused by name; no random edit of a record is believed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import forgeries
from forgeries import FORGERIES, RELEASE, Forgery, Place
from regrow.ask.audit import audit
from regrow.cli.main import main
from regrow.engine import witness
from regrow.engine.commits import published
from regrow.engine.records import Book, encode
from regrow.engine.store import Store
from regrow.engine.verify import forged
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from regrow.prove.attest import keys
from regrow.prove.attest.envelope import seal
from regrow.prove.attest.export import Vouched
from small_records import GIT

SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def committed(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished flow as a clone of a published one: records committed, data there. Not to be changed."""
    root = Path(shutil.copytree(finished, tmp_path_factory.mktemp("committed") / "flow"))
    (root / ".gitignore").write_text("/data/\n/.regrow/\n/x/\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "published"]):
        subprocess.run(["git", "-C", str(root), *GIT, *words], check=True, capture_output=True)
    return root


@pytest.fixture(scope="module")
def chain(committed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The signed chain of the release, with its public key beside it."""
    folder = tmp_path_factory.mktemp("chain")
    ledger = Ledger.load(committed)
    found = Vouched.chain(ledger, resolve(ledger, RELEASE)).statements()
    (folder / "chain").write_bytes(b"".join(seal(item, SECRET) for item in found))
    (folder / "pub").write_bytes(keys.public_pem(SECRET.public_key()))
    return folder


@pytest.fixture
def place(committed: Path, chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A copy to forge in."""
    monkeypatch.setattr(witness, "_SAID", set())
    shutil.copytree(chain, tmp_path / "statements")

    def sign(name: str) -> bytes:
        ledger = Ledger.load(committed)
        return b"".join(
            seal(item, SECRET) for item in Vouched(ledger, [resolve(ledger, name)]).statements()
        )

    root = Path(shutil.copytree(committed, tmp_path / "deep/flow"))
    return Place(root, tmp_path / "statements/chain", sign)


def ask(
    place: Place, forgery: Forgery, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> tuple[int, str]:
    monkeypatch.chdir(place.root)
    for name, value in place.variables.items():
        monkeypatch.setenv(name, value)
    words = {"CHAIN": str(place.chain), "PUB": str(place.chain.with_name("pub"))}
    status = main([words.get(word, word) for word in forgery.asked])
    said = capsys.readouterr()
    return status, said.out + said.err


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda f: f"{f.of}: {f.what}")
def test_a_forgery_is_refused_by_name(
    place: Place,
    forgery: Forgery,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    before = {p for p in place.root.parent.parent.rglob("*") if place.root not in p.parents}
    forgery.forge(place)
    made = {p for p in place.root.parent.parent.rglob("*") if place.root not in p.parents}
    status, said = ask(place, forgery, monkeypatch, capsys)
    assert forgery.found in said
    assert status == (0 if "which is said" in forgery.what else 1)
    assert all(c.isprintable() or c == "\n" for c in said), "nothing of it reaches the terminal"
    assert not (place.root / "x").exists(), "nothing was laid out"
    after = {p for p in place.root.parent.parent.rglob("*") if place.root not in p.parents}
    assert after <= made | before, "nothing was written outside"


def test_without_a_forgery_nothing_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """A table that refuses everything would prove nothing."""
    shutil.copytree(place.root / forgeries.FOLDER, place.root / "D")
    for asked in sorted({forgery.asked for forgery in FORGERIES}):
        status, said = ask(place, Forgery("", "", asked, "", print), monkeypatch, capsys)
        assert status == 0, said
        shutil.rmtree(place.root / "x", ignore_errors=True)


def test_there_are_twenty_and_more_of_every_sort():
    assert len(FORGERIES) >= 20
    assert {forgery.of for forgery in FORGERIES} == {"names", "records", "witness", "statements"}
    assert len({forgery.what for forgery in FORGERIES}) == len(FORGERIES)


def test_the_page_prints_the_table():
    assert forgeries.table() in forgeries.PAGE.read_text()


def test_a_forged_record_is_not_repeated_by_the_audit(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    record = place.record("filter")
    record["parts"]["params"]["filter"]["min_words"] = 31337
    record["counts"]["kept"] = 31337
    place.write("filter", record)
    monkeypatch.chdir(place.root)
    assert main(["audit", RELEASE]) == 1
    said = capsys.readouterr().out
    assert "31337" not in said and "31,337" not in said
    assert "not believed" in said and "contradiction: records/filter.json" in said
    assert main(["audit", RELEASE, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    (step,) = (step for step in answer["steps"] if step["name"] == "filter")
    assert step["believed"] is False and "31337" not in json.dumps(answer)
    for question in (["trace", "x"], ["batch", "pretrain.000004", "--step", "2"], ["release"]):
        assert main(question) == 1
        assert "records/filter.json is not believed" in capsys.readouterr().err


def test_a_record_of_another_key_is_named_as_resting_on_this_tree_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    record = place.record("mix")
    params = record["parts"]["params"]
    params["mix"]["seed"] += 1
    place.write("mix", forgeries.redone(record, params=params))
    monkeypatch.chdir(place.root)
    assert main(["audit", "mix"]) == 0
    assert "git HEAD has records/mix.json otherwise" in capsys.readouterr().out


# Random edits

EDITS = 100


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value of a JSON document, itself first."""
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from leaves(item, (*path, key))


def other(value: Any, draw: Random) -> Any:
    """Another value, mostly of the same kind."""
    if isinstance(value, bool):
        return draw.choice([not value, int(value), None])
    if isinstance(value, int):
        return draw.choice([value + 1, -value - 1, float(value), str(value), value * 10**30 + 1])
    if isinstance(value, float):
        return draw.choice([value * 2 + 1, str(value)])
    if isinstance(value, str):
        at = draw.randrange(len(value) + 1)
        letter = draw.choice("0af./\\\n\u202e ")
        return draw.choice([value[:at] + letter + value[at:], value[1:], value.upper() + "x", None])
    if isinstance(value, list):
        return draw.choice([[*value, *value[:1], 0], value[::-1] or [0], value[1:], {}])
    if isinstance(value, dict):
        return draw.choice([{**value, "more": 1}, {}, list(value), None])
    return draw.choice([0, "", [], {}])


def edited(content: bytes, draw: Random) -> bytes:
    """One random edit of a record's bytes: of a value, a key, a list, the white space or a byte."""
    if draw.random() < 0.3:
        at = draw.randrange(len(content))
        kind = draw.randrange(4)
        if kind == 0:
            return (
                content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]
            )
        if kind == 1:
            return content[:at]
        if kind == 2:
            return content.replace(
                b"\n", draw.choice([b"\r\n", b"\n ", b" "]), draw.randrange(1, 9)
            )
        return content[:at] + content[max(0, at - 9) :]
    record = json.loads(content)
    *above, last = draw.choice([path for path in leaves(record) if path])
    place = record
    for key in above:
        place = place[key]
    kind = draw.randrange(5)
    if kind == 0:
        del place[last]
    elif kind == 1 and isinstance(place, dict):
        place[f"{last}{draw.choice(['x', ' ', '.'])}"] = place.pop(last)
    elif kind == 2 and isinstance(place, list):
        place.insert(draw.randrange(len(place) + 1), place[last])
    else:
        place[last] = other(place[last], draw)
    return encode(record)


@pytest.fixture(scope="module")
def chain_of_mix(committed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of mix and all before it, committed, with their sources."""
    root = Path(shutil.copytree(committed, tmp_path_factory.mktemp("edits") / "flow"))
    ledger = Ledger.load(root)
    kept = {record.file for record in ledger.ancestry(ledger.by_name["mix"])}
    for record in ledger.records:
        if record.file not in kept:
            (root / record.file).unlink()
    for words in (["add", "-A"], ["commit", "-qm", "the chain of mix"]):
        subprocess.run(["git", "-C", str(root), *GIT, *words], check=True, capture_output=True)
    return root


def begins(root: Path, ledger: Ledger, name: str) -> bool:
    """Whether the start of a run (`flow.assess`) believes the record of a job as the honest one says it."""
    honest = ledger.by_name[name]
    job: Any = SimpleNamespace(
        name=name,
        record=honest.file,
        step=SimpleNamespace(name=honest.step),
        instance=honest.instance,
    )
    book = Book(root)
    found = book.record(job)
    if found is None:
        assert book.fault(job)
        return False
    doubts, _ = witness.doubts(root, Store(root), book, [job])
    # What no key fixes is compared with the present, which is that of the honest record.
    present = found["parts"] == honest.raw["parts"] and found["inputs"] == honest.raw["inputs"]
    return present and not doubts


def test_no_random_edit_of_a_record_is_believed(chain_of_mix: Path):
    root = chain_of_mix
    ledger, head = Ledger.load(root), published(root, "HEAD")
    artifact = resolve(ledger, "mix")
    assert audit(ledger, artifact)["problems"] == [] and forged(root, head, "HEAD") == []
    draw = Random(20_241_130)
    refused = Counter[str]()
    for number in range(EDITS):
        record = draw.choice(ledger.records)
        path = root / record.file
        content = path.read_bytes()
        while (lie := edited(content, draw)) == content:
            pass
        path.write_bytes(lie)
        try:
            answer = audit(Ledger.load(root, faulty=True), artifact)
            found = [text for text in answer["problems"] if record.file in text]
            refused["a contradiction"] += 1
        except Unanswerable as error:
            found = [str(error)] if record.file in str(error) else []
            refused["no record"] += 1
        assert found, f"edit {number} of {record.file} is believed by audit"
        assert all(text.isprintable() for text in found)
        (said,) = forged(root, head, "HEAD")
        assert record.file in said, f"edit {number} of {record.file} is believed by verify"
        assert not begins(root, ledger, record.name), f"edit {number} is believed by a run"
        path.write_bytes(content)
    assert refused.total() == EDITS and min(refused.values()) > 10
    assert begins(root, ledger, "mix"), "what nobody edited is believed"
