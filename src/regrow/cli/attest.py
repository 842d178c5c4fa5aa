"""How an artifact was made, as a signed statement; or check such a statement.

The statement is in-toto's (v1) with SLSA provenance (v1): params, inputs with digests, code digest,
packages, numerics class and step key, all from the records. Signed with a key of `regrow keygen`,
offline, in a DSSE envelope: equal records and key give equal bytes. Before it signs, the command
rereads the artifact's bytes where they are here. ARTIFACT is a path, a step or a hash prefix.

With --check, ARTIFACT may be missing, a file or folder on disk (its bytes are reread), a name of
this repository, or a SHA-256. It must be what the statements are about; an input of that, or one
file of it, is accepted only with --as NAME. Exit status 1: refused, or a summary that says FAILED.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint
from regrow.engine.visible import escaped, visible

_EXAMPLES = """\
examples:
  regrow attest rlvr                                       look at the statement, unsigned
  regrow attest rlvr --key K --out rlvr.intoto.jsonl       sign it
  regrow attest rlvr --chain --key K --out F               with everything it was made from
  regrow attest --check F --public-key K.pub rlvr          is it signed, whole, and about rlvr?
  regrow attest --check F --public-key K.pub DIR           the same for bytes that somebody sent
  regrow attest --check F --public-key K.pub DIR --as sft.000140
                                                           DIR is an input of what F is about
  regrow attest --check F --public-key K.pub --json        what it says
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.epilog = _EXAMPLES
    parser.add_argument("artifact", metavar="ARTIFACT", nargs="?")
    parser.add_argument("--key", type=Path, metavar="FILE", help="sign with this key")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here, not to the screen")
    parser.add_argument(
        "--chain", action="store_true", help="a statement for every step down to the sources"
    )
    parser.add_argument("--check", type=Path, metavar="FILE", help="check the statements in FILE")
    parser.add_argument(
        "--as", dest="name", metavar="NAME", help="what ARTIFACT shall be, if not what F is about"
    )
    parser.add_argument("--public-key", type=Path, metavar="FILE", help="whom to believe")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Attest, or check."""
    from regrow.evidence.errors import Unanswerable

    if args.check is not None:
        if args.public_key is None:
            raise Unanswerable("say whom to believe: `--public-key KEY.pub`.")
        if args.key or args.out or args.chain:
            raise Unanswerable("--check only reads: leave out --key, --out and --chain.")
        if args.name is not None and args.artifact is None:
            raise Unanswerable("--as says what ARTIFACT shall be: name one.")
        return _check(args)
    if args.name is not None:
        raise Unanswerable("--as is for --check FILE ARTIFACT: it says what ARTIFACT shall be.")
    if args.public_key is not None:
        raise Unanswerable("--public-key is for --check FILE: name the file of statements.")
    if args.artifact is None:
        raise Unanswerable("name an artifact, or a file of statements with --check.")
    return _attest(args)


def _attest(args: argparse.Namespace) -> int:
    from regrow.cli.keygen import secret_key
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.naming import resolve
    from regrow.prove.attest.export import Bundle, Vouched, check_free
    from regrow.prove.attest.keys import key_id

    paint = Paint(sys.stderr)
    if args.out is not None:
        check_free(args.out)
    key = None if args.key is None else secret_key(args.key)
    ledger = Ledger.load(find_root())
    artifact = resolve(ledger, args.artifact)
    vouched = Vouched.chain(ledger, artifact) if args.chain else Vouched(ledger, [artifact])
    found = vouched.statements()
    gone = vouched.absent()
    bundle = Bundle(found, key)
    if args.out is None:
        sys.stdout.write(escaped(bundle.content.decode()))
    else:
        bundle.write(args.out)
    if gone:
        names = ", ".join(gone[:4]) + (f" and {len(gone) - 4} more" if len(gone) > 4 else "")
        text = f"not here, so attested on the word of the records alone: {names}"
        print(paint.yellow(text), file=sys.stderr)
    what = f"{len(found)} statement{'s' if len(found) > 1 else ''}, {len(bundle.content):,} bytes"
    signed = "not signed (--key)" if key is None else f"signed by {key_id(key.public_key())[:16]}"
    if args.json and args.out is not None:
        answer = {
            "out": str(args.out),
            "statements": len(found),
            "signed_by": None if key is None else key_id(key.public_key()),
            "not_here": gone,
        }
        print(json.dumps(answer, indent=2))
    else:
        print(f"{artifact.path} {artifact.sha256[:16]}: {what}, {signed}", file=sys.stderr)
    return 0


def _check(args: argparse.Namespace) -> int:
    from regrow.evidence.errors import Unanswerable
    from regrow.prove.attest.check import about, check, unlinked
    from regrow.prove.attest.envelope import Refused
    from regrow.prove.attest.keys import load_public
    from regrow.prove.attest.place import chosen, places, unlike

    try:
        content = args.check.read_bytes()
    except OSError as error:
        raise Unanswerable(f"{args.check} cannot be read: {error.strerror}.") from None
    public = load_public(args.public_key)
    where = str(args.check)
    found = check(content, public, where)
    expected = None if args.artifact is None else _expected(args.artifact)
    is_at: list[Any] = []
    why = ""
    if expected is not None:
        try:
            mine = about(found, expected["digest"], args.artifact, where)
        except Refused as error:
            raise Refused(f"{error}{unlike(found, expected.pop('files'))}") from None
        _same_key(mine, expected, where)
        by_name = expected["from"] == "record"
        known = places(found, expected["digest"])
        is_at, why = chosen(known, args.artifact, args.name, by_name)
        expected = {name: expected[name] for name in ("name", "sha256", "from", "key")}
        expected["is"] = [place.as_json() for place in is_at]
    missing = unlinked(found)
    failed = [item for item in found if item.result == "FAILED"]
    status = 1 if failed or why else 0
    if args.json:
        answer = {
            "statements": [item.as_json() for item in found],
            "artifact": expected,
            "accepted": not status,
            "why_not": why or None,
            "chain_lacks": missing,
            "failed": len(failed),
        }
        print(indented(answer))
        return status
    _show(found, is_at, expected, missing, why)
    return status


def _expected(name: str) -> dict[str, Any]:
    """What the artifact's digest should be, by its kind, and where that is known from."""
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.naming import resolve
    from regrow.prove.attest.subject import FILE, FOLDER, contents, digest_of

    known: dict[str, Any] = {"name": name, "key": None, "files": {}}
    if Path(name).exists():
        found = contents(Path(name))
        known |= {"digest": digest_of(found, name), "from": "bytes", "files": found}
    elif re.fullmatch(r"[0-9a-f]{64}", name):
        known |= {"digest": {FILE: name, FOLDER: name}, "from": "digest"}
    else:
        artifact = resolve(Ledger.load(find_root()), name)
        kind = FOLDER if artifact.file is None else FILE
        known |= {"digest": {kind: artifact.sha256}, "from": "record"}
        known |= {"name": artifact.path, "key": artifact.record.key}
    return {**known, "sha256": next(iter(known["digest"].values()))}


def _same_key(mine: list[Any], expected: dict[str, Any], where: str) -> None:
    """The same bytes made in another way are stated by another statement."""
    from regrow.prove.attest.envelope import Refused

    keys = {item.key for item in mine if item.key is not None}
    if expected["key"] is not None and keys and expected["key"] not in keys:
        raise Refused(
            f"{where}: signed, and about these bytes, but made by key {min(keys)[:16]}; the record "
            f"here says {expected['key'][:16]}: other params, code, packages or inputs."
        )


def _show(
    found: list[Any],
    is_at: list[Any],
    expected: dict[str, Any] | None,
    missing: list[str],
    why: str,
) -> None:
    from regrow.prove.attest import terms

    paint = Paint()
    for item in found:
        _, digest = next(iter(item.digests))
        what = {terms.PROVENANCE: "provenance", terms.SUMMARY: "summary"}.get(item.kind, item.kind)
        mark = paint.red("FAILED") if item.result == "FAILED" else paint.green("ok    ")
        more = f"key {item.key[:16]}" if item.key else item.result or ""
        name = visible(item.name)
        print(
            f"{mark} {visible(what):<10} {name:<28} {paint.blue(visible(digest[:16]))}  "
            f"{paint.dim(visible(more))}"
        )
    count = f"{len(found)} statement{'s' if len(found) > 1 else ''}"
    print(f"{count} signed by {found[0].opened.key}.")
    if expected is None:
        print(paint.yellow("No artifact was named: only signatures and form were checked."))
    else:
        how = {
            "bytes": "its bytes, reread here",
            "record": "its record here",
            "digest": "the digest that you gave",
        }[expected["from"]]
        name = visible(expected["name"])
        for place in is_at:
            print(f"{name} is {visible(place.said())}, by {how}.")
    if len(found) > 1 and any(item.key for item in found):
        if missing:
            lacks = visible(missing[0])
            print(paint.yellow(f"The chain is not whole: nothing here about {lacks}"))
        else:
            print("The chain is whole: every input down to the sources has its own statement.")
    if why:
        print(f"{paint.red('not accepted')}: {visible(why)}")
