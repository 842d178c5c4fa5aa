"""DSSE envelopes: a statement, its type and signatures over both (secure-systems-lab/dsse, v1).

The signature is over `DSSEv1 <length> <type> <length> <payload>`, so neither the payload nor its
type can be exchanged, and no JSON has to be brought into a canonical form before it is verified.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from regrow.evidence.errors import Unanswerable
from regrow.prove.attest.keys import key_id
from regrow.prove.attest.terms import PAYLOAD, STATEMENT


@dataclass(frozen=True)
class Opened:
    """A statement whose signature was verified."""

    statement: dict[str, Any]
    payload: bytes
    """the bytes that were signed"""
    key: str
    """id of the key"""


class Refused(Unanswerable):
    """An envelope that must not be believed."""


def encode(value: Any) -> bytes:
    """The bytes of a statement: equal statements, equal bytes."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def pae(kind: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def seal(statement: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """A signed envelope as one line of JSON; equal for equal statement and key (RFC 8032)."""
    payload = encode(statement)
    signature = {
        "keyid": key_id(key.public_key()),
        "sig": base64.b64encode(key.sign(pae(PAYLOAD, payload))).decode(),
    }
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD,
        "signatures": [signature],
    }
    return encode(envelope) + b"\n"


def open_envelope(content: bytes, public: Ed25519PublicKey, where: str = "envelope") -> Opened:
    """Verify an envelope and return its statement.

    Signatures of other keys are passed over, as the standard asks; one that names this key must
    be right.

    Raises:
        Refused: it is damaged, of another type, not signed by this key, or its signature is wrong.
    """
    envelope = _parse(content, where)
    payload = _decode(envelope, "payload", where)
    kind = envelope.get("payloadType")
    if kind != PAYLOAD:
        raise Refused(f"{where}: payloadType is {kind!r}, not `{PAYLOAD}`.")
    mine = key_id(public)
    listed = envelope.get("signatures")
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise Refused(f"{where}: `signatures` is no list of signatures.")
    named = [item for item in listed if item.get("keyid") == mine]
    if not named:
        others = ", ".join(_plain(item.get("keyid")) for item in listed) or "nobody"
        raise Refused(
            f"{where}: not signed by this key ({mine[:16]}), but by {others}. Is it the right "
            "public key? If so, the keyid was changed."
        )
    for item in named:
        try:
            public.verify(_decode(item, "sig", where), pae(PAYLOAD, payload))
        except InvalidSignature:
            raise Refused(
                f"{where}: the signature of key {mine[:16]} does not fit: payload or signature "
                "were changed after signing."
            ) from None
    return Opened(_statement(payload, where), payload, mine)


def _plain(keyid: Any) -> str:
    """A key id that nobody has verified, as text that a terminal does not act on."""
    text = "".join(c if c.isprintable() else "?" for c in str(keyid or ""))
    return text[:16] or "(none)"


def _statement(payload: bytes, where: str) -> dict[str, Any]:
    statement = _parse(payload, f"{where}: payload")
    if statement.get("_type") != STATEMENT:
        raise Refused(f"{where}: `_type` is {statement.get('_type')!r}, not `{STATEMENT}`.")
    subject = statement.get("subject")
    if not isinstance(subject, list) or not subject:
        raise Refused(f"{where}: the statement is about nothing (`subject` is empty).")
    for item in subject:
        digest = item.get("digest") if isinstance(item, dict) else None
        if not isinstance(digest, dict) or not digest:
            raise Refused(f"{where}: a subject has no digest.")
    if not isinstance(statement.get("predicateType"), str) or not isinstance(
        statement.get("predicate"), dict
    ):
        raise Refused(f"{where}: the statement says nothing (no predicate).")
    return statement


def _parse(content: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(content.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{where}: no JSON ({error}).") from None
    if not isinstance(value, dict):
        raise Refused(f"{where}: no JSON object.")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A field that is given twice would be read differently by different readers."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


def _decode(fields: Mapping[str, Any], name: str, where: str) -> bytes:
    """Base64, standard or URL-safe. Spare bits must be zero, so that no byte can be altered."""
    text = fields.get(name)
    if not isinstance(text, str) or not text:
        raise Refused(f"{where}: `{name}` is missing.")
    for altchars in (b"+/", b"-_"):
        try:
            value = base64.b64decode(text, altchars=altchars, validate=True)
        except (binascii.Error, ValueError):
            continue
        if base64.b64encode(value, altchars=altchars).decode() == text:
            return value
    raise Refused(f"{where}: `{name}` is no base64: it was changed after signing.")
