"""Signing keys: private, never overwritten, never printed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed448

from regrow.cli.main import main
from regrow.evidence.errors import Unanswerable
from regrow.prove.attest import keys


def body(file: Path) -> str:
    """The base64 text of a PEM file."""
    return "".join(file.read_text().splitlines()[1:-1])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_a_pair_is_made_and_read_by_openssl(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "key"
    before = os.umask(0)
    try:
        assert main(["keygen", str(file), "--json"]) == 0
    finally:
        os.umask(before)
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert body(file) not in said.out + said.err
    public = tmp_path / "key.pub"
    for form in (["-in", str(file), "-pubout"], ["-pubin", "-in", str(public)]):
        done = subprocess.run(
            ["openssl", "pkey", *form, "-outform", "DER"], capture_output=True, check=True
        )
        assert hashlib.sha256(done.stdout).hexdigest() == answer["id"]
    assert keys.key_id(keys.load_secret(file).public_key()) == answer["id"]
    assert keys.key_id(keys.load_public(public)) == answer["id"]


@pytest.mark.parametrize("which", ["key", "key.pub"])
def test_an_existing_file_is_never_overwritten(
    tmp_path: Path, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / which).write_text("precious")
    assert main(["keygen", str(tmp_path / "key")]) == 1
    assert "never overwritten" in capsys.readouterr().err
    assert (tmp_path / which).read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == [which], "no half of a pair is left"


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unanswerable, match="never overwritten"):
        keys.create(tmp_path / "key")
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(Unanswerable, match="cannot be written"):
        keys.create(tmp_path / "no" / "such" / "key")


def test_a_key_that_others_can_read_does_not_sign(tmp_path: Path) -> None:
    file = tmp_path / "key"
    keys.create(file)
    for mode in (0o640, 0o604, 0o644):
        file.chmod(mode)
        with pytest.raises(Unanswerable, match="chmod 600"):
            keys.load_secret(file)
    file.chmod(0o400)
    keys.load_secret(file)


def test_a_password_protects_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "key"
    monkeypatch.setenv("REGROW_KEY_PASSWORD", "open sesame")
    assert main(["keygen", "--password", str(file)]) == 0
    assert keys.is_encrypted(file)
    said = capsys.readouterr()
    assert "open sesame" not in said.out + said.err
    keys.load_secret(file, b"open sesame")
    for password, message in ((b"wrong", "password is wrong"), (None, "needs its password")):
        with pytest.raises(Unanswerable, match=message) as caught:
            keys.load_secret(file, password)
        assert body(file)[:20] not in str(caught.value)
    monkeypatch.setenv("REGROW_KEY_PASSWORD", "")
    assert main(["keygen", "--password", str(tmp_path / "other")]) == 1
    assert not (tmp_path / "other").exists()


def test_files_that_are_no_such_key_are_named(tmp_path: Path) -> None:
    file = tmp_path / "key"
    keys.create(file)
    public = keys.public_file(file)
    with pytest.raises(Unanswerable, match="is a public key"):
        keys.load_secret(public)
    with pytest.raises(Unanswerable, match="is a secret key") as caught:
        keys.load_public(file)
    assert body(file)[:20] not in str(caught.value)
    with pytest.raises(Unanswerable, match=r"cannot be read.*keygen"):
        keys.load_secret(tmp_path / "none")
    broken = tmp_path / "broken"
    broken.write_text(file.read_text().replace(body(file), body(file)[4:]))
    broken.chmod(0o600)
    with pytest.raises(Unanswerable, match="no PEM secret key") as caught:
        keys.load_secret(broken)
    assert body(file)[8:20] not in str(caught.value)
    other = ed448.Ed448PrivateKey.generate()
    wrong = tmp_path / "ed448"
    wrong.write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    wrong.chmod(0o600)
    with pytest.raises(Unanswerable, match="no Ed25519 key"):
        keys.load_secret(wrong)
