"""Ed25519 keys in PEM files: PKCS #8 for the secret half, SubjectPublicKeyInfo for the public one.

`openssl pkey` and every DSSE implementation read them. Nothing here prints or returns the text of
a secret key, and no message contains any of it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from regrow.evidence.errors import Unanswerable

MOST = 1 << 16
"""bytes: a PEM key has a few hundred; a file that is named by mistake is not read whole"""


def public_file(key: Path) -> Path:
    """Where the public half of a key file is: beside it, with `.pub` appended."""
    return key.with_name(key.name + ".pub")


def create(file: Path, password: bytes | None = None) -> Ed25519PublicKey:
    """Make a key pair: `file` (mode 0600, encrypted where a password is given) and `file.pub`.

    Raises:
        Unanswerable: one of the files exists (it is never overwritten) or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    how: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        how = serialization.BestAvailableEncryption(password)
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    beside = public_file(file)
    for path in (file, beside):
        if os.path.lexists(path):
            raise Unanswerable(
                f"{path} exists: a key is never overwritten. Name another file, or move it away."
            )
    _write_new(file, secret, 0o600)
    try:
        _write_new(beside, public_pem(key.public_key()), 0o644)
    except Unanswerable:
        file.unlink()  # made a moment ago and known to nobody
        raise
    return key.public_key()


def _write_new(path: Path, content: bytes, mode: int) -> None:
    # O_EXCL also refuses a symbolic link, and closes the gap between the look and the write.
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise Unanswerable(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(handle, "wb") as out:
        os.fchmod(out.fileno(), mode)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The PEM text of a public key."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 of the key's DER form: `openssl pkey -pubin -in KEY.pub -outform DER | sha256sum`."""
    form = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(form).hexdigest()


def is_encrypted(file: Path) -> bool:
    """Whether a key file needs a password. Raises Unanswerable where it cannot be read."""
    return b"BEGIN ENCRYPTED PRIVATE KEY" in _read(file, "the key")


def load_secret(file: Path, password: bytes | None = None) -> Ed25519PrivateKey:
    """The secret key in `file`.

    Raises:
        Unanswerable: it is missing, readable by others, encrypted and the password is wrong or
            missing, or no Ed25519 key.
    """
    content = _read(file, "the key")
    if b"PUBLIC KEY" in content:
        raise Unanswerable(
            f"{file} is a public key: signing needs the secret half (the file without `.pub`)."
        )
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Unanswerable(
            f"{file} can be read by others: a secret key that others can read proves nothing. "
            f"Fix: `chmod 600 {file}`, or make another with `regrow keygen`."
        )
    try:
        key = serialization.load_pem_private_key(content, password)
    except TypeError:
        wanted = "needs its password" if password is None else "has no password, but one was given"
        raise Unanswerable(f"{file} {wanted}.") from None
    except (ValueError, UnsupportedAlgorithm):
        cause = "or the password is wrong" if password else "or it is damaged"
        raise Unanswerable(f"{file} is no PEM secret key, {cause}.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Unanswerable(f"{file} is no Ed25519 key: make one with `regrow keygen FILE`.")
    return key


def load_public(file: Path) -> Ed25519PublicKey:
    """The public key in `file`.

    Raises:
        Unanswerable: it is missing, or no Ed25519 public key.
    """
    content = _read(file, "the public key")
    if b"PRIVATE KEY" in content:
        raise Unanswerable(
            f"{file} is a secret key: checking needs the public half, {public_file(file)}."
        )
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise Unanswerable(f"{file} is no PEM public key.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Unanswerable(f"{file} is no Ed25519 public key.")
    return key


def _read(file: Path, what: str) -> bytes:
    try:
        with file.open("rb") as handle:
            return handle.read(MOST)
    except OSError as error:
        hint = " `regrow keygen FILE` makes a pair." if not file.exists() else ""
        raise Unanswerable(f"{file}: {what} cannot be read: {error.strerror}.{hint}") from None
