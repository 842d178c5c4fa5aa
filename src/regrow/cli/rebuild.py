"""Rebuild an artifact in an empty folder and compare every byte.

Checks out the commit that published the artifact's record into a temporary folder, without
records, data, cache or remotes, and runs the flow under the recorded params. From the sources,
everything that the artifact was made from is rebuilt and compared; from its parents, its own
step alone, whose inputs are taken from here after their hashes were checked. A machine that
cannot give the numerics class that a step needs says so before anything starts.

With --key the verdict is signed: an in-toto statement with SLSA's verification summary, PASSED
or FAILED (docs/guides/attest.md; check it with `regrow attest --check`). Exit status 0: all equal; 1:
something differs, or could not be built.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint, duration, size

_EXAMPLES = """\
examples:
  regrow rebuild rlvr                                    everything, from the sources
  regrow rebuild rlvr --from parents                     the last step alone
  regrow rebuild mix --key K --out mix.rebuild.jsonl     and sign the verdict
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.epilog = _EXAMPLES
    parser.add_argument("artifact", metavar="ARTIFACT", help="path, step or hash prefix")
    parser.add_argument(
        "--from",
        dest="origin",
        choices=["sources", "parents"],
        default="sources",
        help="where to begin (default: the committed sources)",
    )
    parser.add_argument("--commit", metavar="REV", help="instead of the commit of the record")
    parser.add_argument(
        "--folder", type=Path, help="an empty folder to work in (default: a temporary one)"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    parser.add_argument("--cores", default="all", help="given to Snakemake (default: all)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="sign the verdict with this key")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the signed verdict goes")
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")


def run(args: argparse.Namespace) -> int:
    """Rebuild, saying how far it is, and print the verdict."""
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.naming import resolve
    from regrow.prove.rebuild.compare import Compared
    from regrow.prove.rebuild.execute import Hooks
    from regrow.prove.rebuild.numerics import certify
    from regrow.prove.rebuild.packages import differences
    from regrow.prove.rebuild.rebuild import rebuild

    ledger = Ledger.load(find_root())
    artifact = resolve(ledger, args.artifact)
    # Before anything that imports numpy or polars, which end in an illegal instruction on a
    # processor that cannot give the class.
    certify(ledger.ancestry(artifact.record) if args.origin == "sources" else [artifact.record])
    key = _signing_key(args)
    out = sys.stderr if args.json else sys.stdout
    paint = Paint(out)

    def say(text: str) -> None:
        print(text, file=out, flush=True)

    def began(commit: str, folder: Path, jobs: int, classes: list[str]) -> None:
        say(f"{paint.bold(artifact.path)}  {paint.blue(artifact.sha256)}  {size(artifact.size)}")
        count = f"{jobs} job{'s' if jobs > 1 else ''} from the {args.origin}"
        say(f"commit {commit[:12]}, {count}, no cache, in {folder}")
        say(
            f"numerics {' and '.join(classes)}: this machine gives {'them' if len(classes) > 1 else 'it'}"
        )
        chain = ledger.ancestry(artifact.record)
        for row in differences(chain if args.origin == "sources" else [artifact.record]):
            say(
                paint.yellow("other package: ")
                + f"{row['package']} {row['installed'] or 'not installed'}, recorded "
                f"{row['recorded']} (used by {', '.join(row['steps'])})"
            )

    def built(job: Compared, seconds: float) -> None:
        mark = paint.green("equal  ") if job.state == "equal" else paint.red(f"{job.state:<7}")
        say(f"  {mark} {job.name:<18} {paint.blue(job.recorded[:16])}  {duration(seconds):>12}")

    def quiet(seconds: float) -> None:
        say(paint.dim(f"  … {duration(seconds)}"))

    answer = rebuild(
        ledger,
        artifact,
        Hooks(began, built, quiet),
        origin=args.origin,
        commit=args.commit,
        folder=args.folder,
        cores=args.cores,
        keep=args.keep,
    )
    if args.json:
        print(indented(answer))
    else:
        _show(answer, paint)
    if key is not None:
        from regrow.prove.attest.export import Bundle
        from regrow.prove.attest.summary import summary

        Bundle([summary(ledger, artifact, answer)], key).write(args.out)
        result = "PASSED" if answer["verdict"] == "equal" else "FAILED"
        say(f"{args.out}: {result}, signed")
    return 0 if answer["verdict"] == "equal" else 1


def _signing_key(args: argparse.Namespace) -> Any:
    """Load the key, and look at the place of the verdict, before hours of work."""
    if args.key is None and args.out is None:
        return None
    from regrow.cli.keygen import secret_key
    from regrow.evidence.errors import Unanswerable
    from regrow.prove.attest.export import check_free

    if args.key is None or args.out is None:
        lacks = "--out FILE, where the verdict goes" if args.key else "--key FILE, which signs it"
        raise Unanswerable(f"a signed verdict needs both --key and --out: add {lacks}.")
    check_free(args.out)
    return secret_key(args.key)


def _show(answer: dict[str, Any], paint: Paint) -> None:
    print()
    if answer["verdict"] == "equal":
        print(
            paint.green(
                f"{answer['equal']} of {answer['of']} outputs equal, byte for byte, "
                f"in {duration(answer['seconds'])}."
            )
        )
    else:
        first = answer["first"]
        print(paint.red(_fault(first)) + f"  ({answer['equal']} of {answer['of']} equal)")
        if first["file"]:
            file = first["file"]
            print(f"  {file['path']}: recorded {file['recorded']}, rebuilt {file['rebuilt']}")
        if first["state"] == "differs":
            print(f"  {_why(first['key_equal'], answer['packages'])}")
        else:
            for line in answer["log"]:
                print(paint.dim(f"  {line}"))
    if answer["folder"]:
        print(f"kept: {answer['folder']}")


def _fault(first: dict[str, Any]) -> str:
    if first["state"] == "differs":
        return f"differs, first at {first['job']}."
    return f"could not be rebuilt: {first['job']} did not run through. The end of its log:"


def _why(key_equal: bool | None, packages: list[dict[str, Any]]) -> str:
    if key_equal:
        return (
            "Code, params, packages and inputs were the same, so the step itself is not "
            "reproducible here: please report it. `regrow doctor` checks this machine."
        )
    if packages:
        return "Its key differs too: other packages are installed than recorded (above)."
    return "Its key differs too: the code or params of that commit are not those of the record."
