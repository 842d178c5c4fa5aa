"""Statements: what they say, that foreign tools believe them, and that nobody can alter them."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from regrow.cli.main import main
from regrow.engine.hashing import sha256_file
from regrow.engine.records import encode
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.naming import resolve
from regrow.prove.attest import envelope, keys
from regrow.prove.attest.check import check, unlinked
from regrow.prove.attest.envelope import Refused, open_envelope, seal
from regrow.prove.attest.export import Vouched
from regrow.prove.attest.provenance import Provenance, key_from

SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SECRET.public_key()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "a", "digest": {"sha256": "0" * 64}}],
    "predicateType": "https://example.org/nothing/v1",
    "predicate": {"said": "something"},
}


def foreign_key(public: Any = PUBLIC) -> SSlibKey:
    return SSlibKey.from_crypto(public, keyid=keys.key_id(public))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    file = tmp_path / "key"
    keys.create(file)
    return file, keys.public_file(file)


def test_a_provenance_says_all_parts_of_the_key(ledger: Ledger) -> None:
    record = ledger.by_name["mix"]
    statement = Provenance(ledger, resolve(ledger, "mix")).statement()
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["params"] == record.parts["params"]
    assert definition["internalParameters"]["numerics"] == "exact"
    assert definition["internalParameters"]["packages"] == record.parts["packages"]
    assert definition["internalParameters"]["code"]["digest"] == record.parts["code"]["digest"]
    inputs = {d["name"]: d["digest"]["dirHash"] for d in definition["resolvedDependencies"]}
    assert inputs == record.parts["inputs"]
    assert statement["subject"][0] == {"name": "data/mix", "digest": {"dirHash": record.sha256}}
    assert key_from(statement["predicate"]) == (record.key, record.key)


def test_every_record_gives_a_provenance_from_which_its_key_follows(ledger: Ledger) -> None:
    for record in ledger.records:
        statement = Provenance(ledger, resolve(ledger, record.name)).statement()
        claimed, follows = key_from(json.loads(envelope.encode(statement))["predicate"])
        assert claimed == follows == record.key, record.name


def test_a_single_file_is_the_only_subject(ledger: Ledger) -> None:
    statement = Provenance(ledger, resolve(ledger, "data/mix/mix.parquet")).statement()
    (subject,) = statement["subject"]
    assert subject["name"] == "data/mix/mix.parquet" and set(subject["digest"]) == {"sha256"}


def test_sources_and_records_are_named_by_what_they_are(ledger: Ledger) -> None:
    def kinds(name: str) -> dict[str, tuple[str, str]]:
        found = Provenance(ledger, resolve(ledger, name)).statement()["predicate"][
            "buildDefinition"
        ]
        return {
            d["name"]: (d["annotations"]["kind"], *d["digest"])
            for d in found["resolvedDependencies"]
        }

    assert kinds("crawl") == {"sources": ("source", "dirHash")}
    assert kinds("text") == {"crawl": ("data", "dirHash"), "sources": ("source", "sha256")}
    release = next(r for r in ledger.records if r.step == "release")
    assert kinds(release.name)["record.mix"] == ("record", "sha256")


def test_dirhash_is_that_of_the_standard(finished: Path, ledger: Ledger) -> None:
    """The command in in-toto's definition of `dirHash`, run in the folder itself."""
    command = (
        "find . -type f | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum | cut -f1 -d' '"
    )
    for name in ("mix", "dedup", "release.pretrain-000008"):
        record = ledger.by_name[name]
        done = subprocess.run(
            ["sh", "-c", command], cwd=finished / record.path, capture_output=True, text=True
        )
        assert done.stdout.strip() == record.sha256


# Foreign tools


@pytest.mark.parametrize("name", ["mix", "crawl", "pretrain", "release.pretrain-000008"])
def test_in_toto_and_securesystemslib_believe_it(ledger: Ledger, name: str) -> None:
    line = seal(Provenance(ledger, resolve(ledger, name)).statement(), SECRET)
    other = Envelope.from_dict(json.loads(line))
    assert list(other.verify([foreign_key()], 1)) == [keys.key_id(PUBLIC)]
    payload = json.loads(other.payload)
    parsed = json_format.ParseDict(payload, statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()
    # Strict: a field that SLSA's schema does not know is an error.
    found = json_format.ParseDict(payload["predicate"], provenance_pb2.Provenance())
    assert found.run_details.builder.id and found.build_definition.build_type
    assert not found.run_details.metadata.HasField("started_on"), "no clock in what is signed"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_openssl_verifies_the_signature(ledger: Ledger, tmp_path: Path) -> None:
    found = json.loads(seal(Provenance(ledger, resolve(ledger, "mix")).statement(), SECRET))
    signed = envelope.pae(found["payloadType"], base64.b64decode(found["payload"]))
    (tmp_path / "signed").write_bytes(signed)
    (tmp_path / "sig").write_bytes(base64.b64decode(found["signatures"][0]["sig"]))
    (tmp_path / "pub").write_bytes(keys.public_pem(PUBLIC))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pub"]
    command += ["-rawin", "-in", "signed", "-sigfile", "sig"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / "signed").write_bytes(signed.replace(b"mix", b"max", 1))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode != 0


def test_what_a_foreign_tool_signed_is_believed(tmp_path: Path) -> None:
    signer = CryptoSigner(OTHER, foreign_key(OTHER.public_key()))
    theirs = Envelope(envelope.encode(STATEMENT), envelope.PAYLOAD, {})
    theirs.sign(signer)
    indented = json.dumps(theirs.to_dict(), indent=2).encode()
    (found,) = check(indented, OTHER.public_key(), "f")
    assert found.opened.statement == STATEMENT
    # and both give the same bytes, since Ed25519 leaves nothing to chance
    assert json.loads(seal(STATEMENT, OTHER)) == theirs.to_dict()


def test_the_encoding_before_signing_is_that_of_the_standard() -> None:
    assert envelope.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


# Determinism


def test_equal_records_and_key_give_equal_bytes(
    finished: Path, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    seen = set()
    for number, zone in enumerate(("UTC", "Asia/Kathmandu")):
        out = tmp_path / f"out{number}"
        environment = os.environ | {
            "PYTHONHASHSEED": str(number + 1),
            "TZ": zone,
            "LANG": ["C", "de_DE.UTF-8"][number],
        }
        command = [sys.executable, "-m", "regrow.cli.main", "attest", "pretrain", "--chain"]
        subprocess.run(
            [*command, "--key", str(pair[0]), "--out", str(out)],
            cwd=finished / ("data" if number else "."),
            env=environment,
            check=True,
            capture_output=True,
        )
        seen.add(out.read_bytes())
    assert len(seen) == 1
    assert str(finished).encode() not in b"".join(
        base64.b64decode(json.loads(line)["payload"]) for line in seen.pop().splitlines()
    )


# Tampering


def test_no_byte_can_be_flipped(ledger: Ledger) -> None:
    line = seal(
        Provenance(ledger, resolve(ledger, "data/mix/mix.parquet")).statement(), SECRET
    ).strip()
    assert check(line, PUBLIC, "f")
    for position in range(len(line)):
        for bit in (1, 2, 16):
            forged = bytearray(line)
            forged[position] ^= bit
            with pytest.raises(Refused, match=r"^f: "):
                check(bytes(forged), PUBLIC, "f")


@given(st.binary(max_size=40), st.integers(min_value=0, max_value=400))
def test_nothing_can_be_inserted_or_cut(noise: bytes, place: int) -> None:
    line = seal(STATEMENT, SECRET).strip()
    place = min(place, len(line))
    forged = line[:place] + noise + line[place:]
    try:
        found = check(forged, PUBLIC, "f")
    except Refused:
        pass
    else:
        assert [item.opened.statement for item in found] == [STATEMENT]
    if place < len(line):
        with pytest.raises(Refused):
            check(line[:place], PUBLIC, "f")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_what_is_sealed_is_what_is_opened(predicate: dict[str, Any]) -> None:
    try:
        line = seal({**STATEMENT, "predicate": predicate}, SECRET)
    except (UnicodeEncodeError, ValueError):
        return  # lone surrogates and infinities are no JSON
    assert open_envelope(line, PUBLIC).statement["predicate"] == predicate
    assert line == seal({**STATEMENT, "predicate": predicate}, SECRET)
    with pytest.raises(Refused, match="not signed by this key"):
        open_envelope(line, OTHER.public_key())


def changed(**fields: Any) -> bytes:
    return json.dumps({**json.loads(seal(STATEMENT, SECRET)), **fields}).encode()


def test_each_forgery_is_told_from_the_others() -> None:
    good = json.loads(seal(STATEMENT, SECRET))
    mine = good["signatures"][0]
    payload = envelope.encode({**STATEMENT, "predicate": {"said": "another thing"}})
    theirs = json.loads(seal(STATEMENT, OTHER))["signatures"][0]
    attacks = {
        "do not|does not fit": changed(payload=base64.b64encode(payload).decode()),
        "does not fit": changed(signatures=[{**theirs, "keyid": mine["keyid"]}]),
        "not signed by this key": changed(signatures=[{**mine, "keyid": "0" * 64}]),
        "by nobody": changed(signatures=[]),
        r"by \(none\)": changed(signatures=[{"keyid": "", "sig": mine["sig"]}]),
        "payloadType is": changed(payloadType="application/json"),
        "`payload` is missing": changed(payload=None),
        "`sig` is missing": changed(signatures=[{"keyid": mine["keyid"]}]),
        "no list": changed(signatures={"keyid": mine["keyid"]}),
        "given twice": seal(STATEMENT, SECRET).replace(
            b'"payloadType"', b'"payload":"","payloadType"'
        ),
        "no JSON": b"{",
        "no JSON object": b"[]",
        "empty": b"\n\n",
    }
    for message, content in attacks.items():
        with pytest.raises(Refused, match=message):
            check(content, PUBLIC, "f")
    # One right signature does not excuse a wrong one under the same key, in either order.
    wrong = {**mine, "sig": theirs["sig"]}
    for order in ([mine, wrong], [wrong, mine]):
        with pytest.raises(Refused, match="does not fit"):
            check(changed(signatures=order), PUBLIC, "f")
    assert check(changed(signatures=[theirs, mine]), PUBLIC, "f"), "a second signer does no harm"


def test_an_unverified_key_id_cannot_drive_the_terminal() -> None:
    mine = json.loads(seal(STATEMENT, SECRET))["signatures"][0]
    with pytest.raises(Refused) as caught:
        check(changed(signatures=[{**mine, "keyid": "\x1b[2Jgone"}]), PUBLIC, "f")
    assert "\x1b" not in str(caught.value) and "?[2Jgone" in str(caught.value)


def test_spare_bits_of_base64_are_no_hiding_place() -> None:
    good = json.loads(seal(STATEMENT, SECRET))
    sig = good["signatures"][0]["sig"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(sig[-3]) ^ 1]
    twin = sig[:-3] + last + "=="
    assert base64.b64decode(twin) == base64.b64decode(sig), "the same bytes, written otherwise"
    with pytest.raises(Refused, match="changed after signing"):
        check(changed(signatures=[{**good["signatures"][0], "sig": twin}]), PUBLIC, "f")


@pytest.mark.parametrize(
    "part",
    [
        {"_type": "x"},
        {"subject": []},
        {"subject": [{"name": "a"}]},
        {"subject": [{"name": "a", "digest": {}}]},
        {"predicate": None},
    ],
)
def test_a_signed_thing_that_is_no_statement_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        check(seal({**STATEMENT, **part}, SECRET), PUBLIC, "f")


def test_a_signed_provenance_that_contradicts_itself_is_refused(ledger: Ledger) -> None:
    statement = Provenance(ledger, resolve(ledger, "mix")).statement()
    definition = statement["predicate"]["buildDefinition"]
    definition["externalParameters"]["params"]["mix"]["seed"] += 1
    try:
        with pytest.raises(Refused, match=r"claims the key .* follows from what it says"):
            check(seal(statement, SECRET), PUBLIC, "f")
    finally:
        definition["externalParameters"]["params"]["mix"]["seed"] -= 1
    definition["buildType"] = "https://example.org/other"
    with pytest.raises(Refused, match="buildType is"):
        check(seal(statement, SECRET), PUBLIC, "f")
    del definition["externalParameters"]
    with pytest.raises(Refused, match=r"buildType|no provenance"):
        check(seal(statement, SECRET), PUBLIC, "f")


# The command


def regrow(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_attest_and_check(
    tree: Path,
    tmp_path: Path,
    pair: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tree)
    key, public = pair
    out = tmp_path / "mix.intoto.jsonl"
    status, text, told = regrow(capsys, "attest", "mix", "--key", key, "--out", out)
    assert (status, text) == (0, "") and "1 statement" in told
    secret = "".join(key.read_text().splitlines()[1:-1])
    assert secret not in told + out.read_text()
    for name, how in (
        ("mix", "its record"),
        ("data/mix", "its bytes"),
        (Ledger.load(tree).by_name["mix"].sha256, "the digest"),
    ):
        status, text, _ = regrow(capsys, "attest", "--check", out, "--public-key", public, name)
        assert status == 0 and how in text, name
    status, text, _ = regrow(capsys, "attest", "--check", out, "--public-key", public)
    assert status == 0 and "No artifact was named" in text
    # Bytes that somebody sent, with no repository around them.
    sent = tmp_path / "sent"
    sent.mkdir()
    (sent / "m").write_bytes((tree / "data/mix/mix.parquet").read_bytes())
    monkeypatch.chdir(sent)
    status, text, _ = regrow(capsys, "attest", "--check", out, "--public-key", public, "m")
    assert status == 1 and "m is data/mix/mix.parquet: one file of data/mix" in text
    named = ("m", "--as", "data/mix/mix.parquet")
    assert regrow(capsys, "attest", "--check", out, "--public-key", public, *named)[0] == 0
    (sent / "m").write_bytes(b"another")
    status, _, told = regrow(capsys, "attest", "--check", out, "--public-key", public, "m")
    assert status == 1 and "about another artifact: data/mix" in told and "not m" in told


def test_a_statement_about_another_artifact_is_refused(
    tree: Path,
    tmp_path: Path,
    pair: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tree)
    out = tmp_path / "o"
    regrow(capsys, "attest", "dedup", "--key", pair[0], "--out", out)
    for name in ("mix", "data/mix", "0" * 64):
        status, text, told = regrow(capsys, "attest", "--check", out, "--public-key", pair[1], name)
        assert (status, text) == (1, "") and "about another artifact: data/dedup" in told
    # dedup is made from filter: a dependency is not what a statement is about
    status, _, told = regrow(capsys, "attest", "--check", out, "--public-key", pair[1], "filter")
    assert status == 1 and "about another artifact" in told


def test_the_same_bytes_by_another_key_are_told_apart(
    tree: Path,
    tmp_path: Path,
    pair: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from regrow.engine.definition import key_of

    monkeypatch.chdir(tree)
    out = tmp_path / "o"
    regrow(capsys, "attest", "mix", "--key", pair[0], "--out", out)
    file = tree / "records/mix.json"
    raw = json.loads(file.read_text())
    raw["parts"]["packages"]["polars"] = "2.1.1"
    raw["key"] = key_of(raw["parts"])
    file.write_bytes(encode(raw))
    status, _, told = regrow(capsys, "attest", "--check", out, "--public-key", pair[1], "mix")
    assert status == 1 and "made by key" in told


def test_the_chain_is_whole_or_says_what_it_lacks(ledger: Ledger) -> None:
    release = next(r for r in ledger.records if r.step == "release")
    found = Vouched.chain(ledger, resolve(ledger, release.name)).statements()
    assert len(found) == len(ledger.ancestry(release))
    checked = check(b"".join(seal(item, SECRET) for item in found), PUBLIC, "f")
    assert unlinked(checked) == []
    without = [item for item in checked if item.name != "data/dedup"]
    assert any("data/dedup" in text for text in unlinked(without))
    with pytest.raises(Refused, match="f, line 2"):
        check(seal(found[0], SECRET) + seal(found[1], OTHER), PUBLIC, "f")


@pytest.fixture(scope="module")
def chain(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The signed chain of a release, and the public key."""
    folder = tmp_path_factory.mktemp("chain")
    ledger = Ledger.load(finished)
    found = Vouched.chain(ledger, resolve(ledger, "release.rlvr-000004")).statements()
    (folder / "chain").write_bytes(b"".join(seal(item, SECRET) for item in found))
    (folder / "pub").write_bytes(keys.public_pem(PUBLIC))
    return folder / "chain", folder / "pub"


class TestWhichArtifactAFolderIs:
    """A right signature over something else is the oldest trick: the place of what is checked is said."""

    @pytest.fixture
    def sent(self, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A copy of the release under another name, far from any repository."""
        monkeypatch.chdir(tmp_path)
        return Path(shutil.copytree(finished / "data/release/rlvr-000004", tmp_path / "D"))

    def ask(self, capsys: Any, chain: tuple[Path, Path], *words: object) -> tuple[int, str]:
        status, text, told = regrow(
            capsys, "attest", "--check", chain[0], "--public-key", chain[1], *words
        )
        return status, text + told

    def test_the_head_is_accepted_and_named(self, sent: Path, chain: Any, capsys: Any) -> None:
        status, text = self.ask(capsys, chain, "D")
        assert status == 0
        assert "D is data/release/rlvr-000004: what the statements are about" in text
        assert self.ask(capsys, chain, "D", "--as", "release.rlvr-000004")[0] == 0

    @pytest.mark.parametrize("job", ["rlvr.000004", "sft.000004", "pretrain.000000", "mix"])
    def test_an_input_is_refused_by_name_unless_asked_for(
        self, finished: Path, sent: Path, chain: Any, capsys: Any, job: str
    ) -> None:
        path = f"data/{job.replace('.', '/')}"
        shutil.rmtree(sent)
        shutil.copytree(finished / path, sent)
        status, text = self.ask(capsys, chain, "D")
        assert status == 1
        assert f"not accepted: D is {path}: an input of data/release/rlvr-000004" in text
        for name in (path, job, job.replace(".", "/")):
            assert self.ask(capsys, chain, "D", "--as", name)[0] == 0
        status, text = self.ask(capsys, chain, "D", "--as", "release.rlvr-000004")
        assert status == 1 and f"D is not release.rlvr-000004, but {path}" in text
        digest = Ledger.load(finished).by_name[job].sha256
        assert self.ask(capsys, chain, digest)[0] == 1

    def test_one_file_of_the_head_is_not_the_head(
        self, sent: Path, chain: Any, capsys: Any
    ) -> None:
        status, text = self.ask(capsys, chain, "D/README.md")
        assert status == 1
        assert "data/release/rlvr-000004/README.md: one file of data/release/rlvr-000004" in text
        name = "data/release/rlvr-000004/README.md"
        assert self.ask(capsys, chain, "D/README.md", "--as", name)[0] == 0

    def test_json_says_the_place_and_the_answer(
        self, finished: Path, sent: Path, chain: Any, capsys: Any
    ) -> None:
        status, text = self.ask(capsys, chain, "D", "--json")
        answer = json.loads(text)
        place = {"name": "data/release/rlvr-000004", "place": "head"}
        assert (status, answer["accepted"], answer["why_not"]) == (0, True, None)
        assert answer["artifact"]["is"] == [place | {"of": place["name"]}]
        status, text = self.ask(capsys, chain, finished / "data/mix", "--json")
        answer = json.loads(text)
        assert (status, answer["accepted"]) == (1, False)
        assert (
            answer["artifact"]["is"][0]["place"] == "input" and "--as data/mix" in answer["why_not"]
        )

    def test_two_chains_in_one_file_have_no_single_head(
        self, finished: Path, sent: Path, chain: Any, capsys: Any
    ) -> None:
        """An older checkpoint's statement, put beside the release's, does not become the release."""
        ledger = Ledger.load(finished)
        other = Provenance(ledger, resolve(ledger, "release.sft-000004")).statement()
        both = sent.parent / "both"
        both.write_bytes(chain[0].read_bytes() + seal(other, SECRET))
        status, text = self.ask(capsys, (both, chain[1]), "D")
        assert status == 1 and "one of several things that the statements are about" in text
        assert self.ask(capsys, (both, chain[1]), "D", "--as", "release.rlvr-000004")[0] == 0

    def test_a_file_that_lists_a_folder_is_not_the_folder(
        self, sent: Path, chain: Any, capsys: Any
    ) -> None:
        """Its SHA-256 is the folder's number."""
        found = {p.name: sha256_file(p) for p in sent.iterdir()}
        listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(found.items()))
        (sent.parent / "listing").write_text(listing)
        status, text = self.ask(capsys, chain, "listing")
        assert status == 1 and "about another artifact" in text

    def test_a_file_folded_into_another_ones_name_is_refused(
        self, sent: Path, chain: Any, capsys: Any
    ) -> None:
        """The folder would have the digest of the one that was signed."""
        names = sorted(p.name for p in sent.iterdir())
        first, second = names[:2]
        folded = f"{first}\n{sha256_file(sent / second)}  {second}"
        (sent / first).rename(sent / folded)
        (sent / second).unlink()
        status, text = self.ask(capsys, chain, "D")
        assert status == 1 and "the control character U+000A" in text
        assert "⟨U+000A⟩" in text and second in text

    def test_what_is_too_much_or_lacking_is_named(
        self, sent: Path, chain: Any, capsys: Any
    ) -> None:
        (sent / ".DS_Store").write_bytes(b"x")
        status, text = self.ask(capsys, chain, "D")
        assert status == 1 and "it also has .DS_Store" in text
        (sent / ".DS_Store").unlink()
        (sent / "README.md").rename(sent / "readme.md")
        status, text = self.ask(capsys, chain, "D")
        assert "it also has readme.md" in text and "it lacks README.md" in text

    def test_as_is_for_a_check_of_something(self, sent: Path, chain: Any, capsys: Any) -> None:
        assert "name one" in self.ask(capsys, chain, "--as", "mix")[1]
        assert regrow(capsys, "attest", "mix", "--as", "mix")[0] == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("runDetails",), None),
        (("runDetails", "byproducts"), "x"),
        (("runDetails", "byproducts"), [1, {"digest": 3}]),
        (("buildDefinition", "resolvedDependencies", 0, "uri"), None),
        (("buildDefinition", "resolvedDependencies", 0, "annotations"), "source"),
        (("buildDefinition", "resolvedDependencies", 0, "digest"), {}),
        (("buildDefinition", "resolvedDependencies"), None),
        (("buildDefinition", "internalParameters"), []),
        (("buildDefinition", "externalParameters"), "x"),
        (("buildDefinition",), 7),
    ],
)
def test_an_odd_statement_of_a_trusted_signer_breaks_nothing(
    ledger: Ledger, path: tuple[Any, ...], value: Any
) -> None:
    statement = json.loads(envelope.encode(Provenance(ledger, resolve(ledger, "mix")).statement()))
    place = statement["predicate"]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    try:
        found = check(seal(statement, SECRET), PUBLIC, "f")
    except Refused:
        return
    assert len(unlinked(found)) == 2, "both inputs of mix, about which nothing is here"


def test_nothing_is_attested_that_does_not_hold(
    tree: Path,
    tmp_path: Path,
    pair: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tree)
    out = tmp_path / "out"

    def refused(name: str) -> str:
        status, text, told = regrow(capsys, "attest", name, "--key", pair[0], "--out", out)
        assert (status, text) == (1, "") and not out.exists()
        return told

    parquet = tree / "data/mix/mix.parquet"
    before = parquet.read_bytes()
    parquet.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    assert "data/mix/mix.parquet is not what records/mix.json says" in refused("mix")
    parquet.unlink()
    assert regrow(capsys, "attest", "mix", "--key", pair[0])[2].startswith("not here")
    parquet.write_bytes(before)
    (tree / "data/mix/extra").write_text("x")
    assert "data/mix/extra" in refused("mix")
    (tree / "evals/questions.jsonl").write_text("changed")
    assert "decontaminate was made from other contents of evals" in refused("decontaminate")
    file = tree / "records/filter.json"
    before = file.read_bytes()
    release = next(r.name for r in Ledger.load(tree).records if r.step == "release")
    raw = json.loads(before)
    raw["counts"]["kept"] += 1
    file.write_bytes(encode(raw))
    assert "was made from another records/filter.json" in refused(release)
    file.write_bytes(before.replace(b'"min_words": ', b'"min_words": 1'))
    assert "do not follow from its content: its key does not" in refused("filter")


def test_a_key_is_not_overwritten_by_a_statement(
    tree: Path,
    tmp_path: Path,
    pair: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tree)
    key, public = pair
    for place in pair:
        before = place.read_bytes()
        status, _, told = regrow(capsys, "attest", "mix", "--key", key, "--out", place)
        assert status == 1 and "is not overwritten" in told
        assert place.read_bytes() == before
    out = tmp_path / "out"
    for name in ("mix", "dedup", "mix"):
        assert regrow(capsys, "attest", name, "--key", key, "--out", out)[0] == 0
    assert regrow(capsys, "attest", "--check", out, "--public-key", public, "mix")[0] == 0


def test_wrong_usage_is_told(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished)
    for arguments, message in (
        (["attest"], "name an artifact"),
        (["attest", "--check", "f"], "--public-key"),
        (["attest", "--check", "f", "--public-key", "p", "--key", "k"], "only reads"),
        (["attest", "--check", "nowhere", "--public-key", "p"], "nowhere cannot be read"),
        (["attest", "mix", "--key", "nowhere"], "nowhere"),
        (["attest", "mix", "--public-key", "p"], "--check FILE"),
    ):
        status, _, told = regrow(capsys, *arguments)
        assert status == 1 and message in told
    with pytest.raises(Unanswerable):
        Provenance(Ledger.load(finished), resolve(Ledger.load(finished), "nothing")).statement()


def test_a_takedown_is_about_each_of_its_subjects() -> None:
    """Only provenance and summary are about one artifact and name its files."""
    from regrow.prove.attest.place import places

    two = [
        {"name": name, "digest": {"dirHash": number * 64}}
        for name, number in (("a", "1"), ("b", "2"))
    ]
    found = check(seal({**STATEMENT, "subject": two}, SECRET), PUBLIC, "f")
    for name, number in (("a", "1"), ("b", "2")):
        (place,) = places(found, {"dirHash": number * 64})
        assert (place.name, place.kind) == (name, "head")
    assert places(found, {"sha256": "1" * 64}) == []
