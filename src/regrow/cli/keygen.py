"""Make a key with which statements are signed: FILE (secret, mode 0600) and FILE.pub.

Ed25519 in PEM, as OpenSSL writes it. Nothing is sent anywhere, and an existing file is never
overwritten. Publish FILE.pub, or its id, where people look for you; keep FILE to yourself.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PASSWORD = "REGROW_KEY_PASSWORD"
"""environment variable: the password of a key, where nobody is there to be asked"""

_EXAMPLES = """\
examples:
  regrow keygen ~/.config/regrow.key                a key without a password
  regrow keygen --password ~/.config/regrow.key     encrypted; asks, or reads REGROW_KEY_PASSWORD
  openssl pkey -pubin -in regrow.key.pub -outform DER | sha256sum      the id that it prints
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.epilog = _EXAMPLES
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--password", action="store_true", help="encrypt the key")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Make the pair and print its id."""
    from regrow.prove.attest.keys import create, key_id, public_file

    password = _new_password() if args.password else None
    made = create(args.file, password)
    beside = public_file(args.file)
    if args.json:
        answer = {"key": str(args.file), "public": str(beside), "id": key_id(made)}
        print(json.dumps(answer, indent=2))
        return 0
    mode = args.file.stat().st_mode & 0o777
    who = "readable by you only"
    if mode & 0o077:  # exFAT, some network file systems
        who = f"NOT readable by you only: its mode is {mode:o}, this file system keeps no other. Fix: move it to one that does"
    print(f"{args.file}: secret{', encrypted' if password else ''}, {who}")
    print(f"{beside}: public")
    print(f"id {key_id(made)}")
    return 0


def secret_key(file: Path) -> Ed25519PrivateKey:
    """Load a key, asking for its password where it has one. Raises Unanswerable."""
    from regrow.prove.attest.keys import is_encrypted, load_secret

    password = None
    if is_encrypted(file):
        given = os.environ.get(PASSWORD)
        if given is None and sys.stdin.isatty():
            given = getpass.getpass(f"password of {file}: ")
        password = given.encode() if given else None
    return load_secret(file, password)


def _new_password() -> bytes:
    from regrow.evidence.errors import Unanswerable

    given = os.environ.get(PASSWORD)
    if given is None:
        if not sys.stdin.isatty():
            raise Unanswerable(f"no terminal to ask for a password: set {PASSWORD}.")
        given = getpass.getpass("password: ")
        if getpass.getpass("again: ") != given:
            raise Unanswerable("the two differ: no key was made.")
    if not given:
        raise Unanswerable("an empty password protects nothing: no key was made.")
    return given.encode()
