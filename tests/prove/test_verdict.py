"""The verdict of a rebuild as a signed statement, and what is asked before one starts."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from regrow.ask.doctor import cpu
from regrow.cli.main import main
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.prove.attest import keys, terms
from regrow.prove.attest.check import check
from regrow.prove.attest.envelope import Refused, seal
from regrow.prove.rebuild import numerics
from regrow.prove.rebuild.parents import lay_parents
from sound_records import write_sound
from toy_repository import git, write_repository

LATER = "if 'TOY_PUBLISH' not in os.environ and sys.argv[1] == 'b': "
WITHOUT_FMA = cpu.Cpu("x86_64", "Some", "Old", frozenset({"sse2"}), 1)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    keys.create(tmp_path / "key")
    return tmp_path / "key"


def regrow(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def believed_by_others(line: bytes, key: Path) -> dict[str, Any]:
    """The predicate, after securesystemslib and in-toto's schema have accepted the statement."""
    public = keys.load_public(keys.public_file(key))
    other = Envelope.from_dict(json.loads(line))
    other.verify([SSlibKey.from_crypto(public, keyid=keys.key_id(public))], 1)
    statement = json.loads(other.payload)
    Statement.copy_from_pb(json_format.ParseDict(statement, statement_pb2.Statement())).validate()
    predicate: dict[str, Any] = statement["predicate"]
    # Strict but for what SLSA 1.1 added to the schema of 1.0 and for the extension.
    known = {name: value for name, value in predicate.items() if name != terms.REBUILD}
    known["verifier"] = {"id": known["verifier"]["id"]}
    # Release 0.9.3 of that schema has one level where SLSA's text has a list.
    (known["verifiedLevels"],) = known["verifiedLevels"]
    json_format.ParseDict(known, vsa_pb2.VerificationSummary())
    return predicate


def test_equal_bytes_pass(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "r")
    monkeypatch.chdir(root)
    lines = []
    for number in range(2):
        out = tmp_path / f"verdict{number}"
        status, text, _ = regrow(capsys, "rebuild", "c", "--cores", 1, "--key", key, "--out", out)
        assert status == 0 and "PASSED, signed" in text and "numerics exact" in text
        lines.append(out.read_bytes())
    assert lines[0] == lines[1], "no clock, folder or process number in it"
    predicate = believed_by_others(lines[0], key)
    record = Ledger.load(root).by_name["c"]
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifiedLevels"] == ["REGROW_REBUILT_FROM_SOURCES"]
    assert predicate["dependencyLevels"] == {"REGROW_REBUILT_FROM_SOURCES": 2}
    assert len(predicate["inputAttestations"]) == 3
    found = predicate[terms.REBUILD]
    assert found["rebuilt"] == found["recorded"] == {"dirHash": record.sha256}
    assert found["commit"] == {"gitCommit": git(root, "rev-parse", "HEAD")}
    public = keys.public_file(key)
    assert regrow(capsys, "attest", "--check", out, "--public-key", public, "c")[0] == 0
    status, _, told = regrow(capsys, "attest", "--check", out, "--public-key", public, "b")
    assert status == 1 and "about another artifact: data/c" in told


def test_other_bytes_fail_and_a_signed_no_is_no_yes(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "r", LATER + "body = lambda step: 'no ' + step")
    monkeypatch.chdir(root)
    out, public = tmp_path / "verdict", keys.public_file(key)
    arguments = ("--cores", 1, "--key", key, "--out", out)
    for name, kind in (("b", "dirHash"), ("data/b/out.txt", "sha256")):
        status, text, _ = regrow(capsys, "rebuild", name, *arguments)
        assert status == 1 and "FAILED, signed" in text
        predicate = believed_by_others(out.read_bytes(), key)
        assert predicate["verificationResult"] == "FAILED"
        assert predicate["verifiedLevels"] == ["FAILED"]
        found = predicate[terms.REBUILD]
        assert found["rebuilt"][kind] != found["recorded"][kind]
        assert len(found["rebuilt"][kind]) == 64
        assert found["first"]["job"] == "b" and found["first"]["key_equal"] is True
        status, text, _ = regrow(capsys, "attest", "--check", out, "--public-key", public, name)
        assert status == 1 and "FAILED" in text
    # c itself would come out equal, but not all that it was made from does
    assert regrow(capsys, "rebuild", "c", *arguments)[0] == 1
    predicate = believed_by_others(out.read_bytes(), key)
    assert (predicate["verificationResult"], predicate["dependencyLevels"]) == (
        "FAILED",
        {"REGROW_REBUILT_FROM_SOURCES": 1},
    )


def test_what_cannot_be_built_fails(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "r", LATER + "sys.exit('the reason')")
    monkeypatch.chdir(root)
    out = tmp_path / "verdict"
    assert regrow(capsys, "rebuild", "c", "--cores", 1, "--key", key, "--out", out)[0] == 1
    found = believed_by_others(out.read_bytes(), key)[terms.REBUILD]
    assert found["rebuilt"] is None and found["first"]["state"] == "not built"


def test_key_and_place_are_looked_at_before_the_work(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "r", LATER + "Path('/nonexistent/ran').write_text('')")
    monkeypatch.chdir(root)
    folder = tmp_path / "work"
    out = tmp_path / "verdict"
    for arguments, message in (
        (("--key", key), "add --out"),
        (("--out", out), "add --key"),
        (("--key", tmp_path / "none", "--out", out), "cannot be read"),
        (("--key", keys.public_file(key), "--out", out), "is a public key"),
        (("--key", key, "--out", key), "is not overwritten"),
    ):
        status, _, told = regrow(capsys, "rebuild", "c", "--folder", folder, *arguments)
        assert status == 1 and message in told
        assert not folder.exists() and not out.exists()


def test_a_summary_that_contradicts_itself_is_refused(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "r")
    monkeypatch.chdir(root)
    out = tmp_path / "verdict"
    regrow(capsys, "rebuild", "a", "--cores", 1, "--key", key, "--out", out)
    statement = json.loads(base64.b64decode(json.loads(out.read_bytes())["payload"]))
    mine = Ed25519PrivateKey.generate()

    def resigned(**fields: Any) -> bytes:
        return seal({**statement, "predicate": {**statement["predicate"], **fields}}, mine)

    assert check(resigned(), mine.public_key(), "f")[0].result == "PASSED"
    other = {**statement["predicate"][terms.REBUILD], "rebuilt": {"dirHash": "0" * 64}}
    for fields in (
        {terms.REBUILD: other},
        {"verificationResult": "FAILED"},
        {"verifiedLevels": ["FAILED"]},
        {"verificationResult": "MAYBE"},
        {"verifiedLevels": None},
        {terms.REBUILD: "fine"},
    ):
        with pytest.raises(Refused):
            check(resigned(**fields), mine.public_key(), "f")


# The numerics class


def test_a_machine_without_the_class_says_so_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_repository(tmp_path / "r")
    for name, kind in (("b", "exact"), ("c", "fma32")):
        file = root / f"records/{name}.json"
        raw = json.loads(file.read_text())
        raw["parts"]["numerics"] = kind
        write_sound(file, raw)
    git(root, "commit", "-qam", "classes")
    monkeypatch.chdir(root)
    monkeypatch.setattr(cpu, "read", lambda *_: WITHOUT_FMA)
    folder = tmp_path / "work"
    for origin in ("sources", "parents"):
        status, text, told = regrow(capsys, "rebuild", "c", "--folder", folder, "--from", origin)
        assert (status, text) == (1, "") and not folder.exists()
        assert "`fma32`, which c needs; nothing was started" in told and "no AVX2 and FMA" in told
    assert "`regrow rebuild b`" in regrow(capsys, "rebuild", "c")[2]
    assert regrow(capsys, "rebuild", "b", "--cores", 1)[0] == 0, "exact steps need no such thing"


def test_classes_are_known_or_refused(ledger: Ledger) -> None:
    assert list(numerics.needed(ledger.ancestry(ledger.by_name["mix"]))) == ["exact"]
    with pytest.raises(Unanswerable, match=r"`exact`, which .* need; .* the installed polars"):
        numerics.certify(ledger.ancestry(ledger.by_name["mix"]), WITHOUT_FMA)
    crawl = Record("records/crawl.json", {**ledger.by_name["crawl"].raw})
    crawl.raw["parts"] = {**crawl.parts, "packages": {}}
    assert numerics.certify([crawl], WITHOUT_FMA) == ["exact"]
    chain = ledger.ancestry(ledger.final or ledger.records[-1])
    assert numerics.certify(chain) == ["exact", "fma32"]
    with pytest.raises(Unanswerable, match=r"fma32.*more jobs need"):
        numerics.certify(chain, WITHOUT_FMA)
    raw = {**ledger.by_name["mix"].raw}
    raw["parts"] = {**raw["parts"], "numerics": "cuda-sm90"}
    with pytest.raises(Unanswerable, match="of that class"):
        numerics.certify([Record("records/mix.json", raw)])


# Parents


def test_parents_are_laid_byte_for_byte(tree: Path, tmp_path: Path) -> None:
    ledger = Ledger.load(tree)
    record = ledger.by_name["decontaminate"]
    folder = tmp_path / "work"
    lay_parents(ledger, folder, record)
    here = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert here == [
        "data/dedup/documents.parquet",
        "data/dedup/drops.parquet",
        "data/tasks/dev.parquet",
        "data/tasks/test.parquet",
        "data/tasks/train.parquet",
        "records/dedup.json",
        "records/tasks.json",
    ]
    for name in here:
        assert (folder / name).read_bytes() == (tree / name).read_bytes()
    release = next(r for r in ledger.records if r.step == "release")
    lay_parents(ledger, tmp_path / "release", release)
    assert (tmp_path / "release/records/crawl.json").is_file(), "a record alone"
    assert not (tmp_path / "release/data/crawl").exists()


def test_other_parents_are_refused(tree: Path, tmp_path: Path) -> None:
    ledger = Ledger.load(tree)
    record = ledger.by_name["decontaminate"]
    file = tree / "data/dedup/documents.parquet"
    before = file.read_bytes()
    file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    with pytest.raises(Unanswerable, match=r"data/dedup/documents.parquet is not what"):
        lay_parents(ledger, tmp_path / "1", record)
    file.unlink()
    with pytest.raises(Unanswerable, match="dvc pull data/dedup"):
        lay_parents(ledger, tmp_path / "2", record)
    # From the cache, if it holds what it should: its name is an MD5, which proves nothing.
    entry = next(e for e in ledger.by_name["dedup"].files if e["path"] == "documents.parquet")
    cached = tree / ".dvc/cache/files/md5" / entry["md5"][:2] / entry["md5"][2:]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(before)
    lay_parents(ledger, tmp_path / "3", record)
    cached.write_bytes(before + b"x")
    with pytest.raises(Unanswerable, match="is not what"):
        lay_parents(ledger, tmp_path / "4", record)
    made = ledger.by_name["dedup"].raw
    made["output"] = {**made["output"], "sha256": "0" * 64}
    with pytest.raises(Unanswerable, match="made from another dedup"):
        lay_parents(ledger, tmp_path / "5", record)
    del ledger.by_file["records/dedup.json"]
    with pytest.raises(Unanswerable, match="is missing"):
        lay_parents(ledger, tmp_path / "6", record)


@pytest.mark.workflow
def test_a_real_step_from_its_parents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from real_repository import fresh

    repository = fresh(tmp_path / "real")
    repository.snakemake("records/text.json")
    repository.commit("records")
    keys.create(tmp_path / "key")
    public = keys.public_file(tmp_path / "key")
    out, verdict = tmp_path / "verdict", None
    for wrong in (False, True):
        if wrong:  # a record that was published with another digest than the step gives
            file = repository.path / "records/text.json"
            raw = json.loads(file.read_text())
            entry = raw["output"]["files"][0]
            entry["sha256"] = "0" * 64
            write_sound(file, raw)
        done = repository.run(
            *("regrow", "rebuild", "text", "--from", "parents", "--key", str(tmp_path / "key")),
            *("--out", str(out), "--json"),
            check=False,
        )
        verdict = json.loads(done.stdout)
        assert (verdict["from"], verdict["of"]) == ("parents", 1)
        assert done.returncode == (1 if wrong else 0), done.stderr
        predicate = believed_by_others(out.read_bytes(), tmp_path / "key")
        assert predicate["verificationResult"] == ("FAILED" if wrong else "PASSED")
        assert "dependencyLevels" not in predicate
    assert verdict is not None and verdict["first"]["key_equal"] is True
    assert verdict["first"]["file"]["recorded"] == "0" * 64
    assert predicate["verifiedLevels"] == ["FAILED"]
    monkeypatch.chdir(repository.path)
    assert main(["attest", "--check", str(out), "--public-key", str(public)]) == 1
    capsys.readouterr()
