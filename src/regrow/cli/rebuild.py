"""Make an artifact anew from the sources, in an empty folder, and compare every byte.

Checks out the commit that published the artifact's record into a temporary folder, without
records, data, cache or remotes, runs the flow for it under the recorded params, and compares
the output of every step on the way. Exit status 0: all equal; 1: something differs, or could
not be built.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from regrow.cli.paint import Paint, duration, size


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("artifact", metavar="ARTIFACT", help="path, step or hash prefix")
    parser.add_argument(
        "--from",
        dest="origin",
        choices=["sources"],
        default="sources",
        help="where to begin (always the committed sources)",
    )
    parser.add_argument("--commit", metavar="REV", help="instead of the commit of the record")
    parser.add_argument(
        "--folder", type=Path, help="an empty folder to work in (default: a temporary one)"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    parser.add_argument("--cores", default="all", help="given to Snakemake (default: all)")
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")


def run(args: argparse.Namespace) -> int:
    """Rebuild, saying how far it is, and print the verdict."""
    from regrow.lineage.ledger import Ledger, find_root
    from regrow.lineage.naming import resolve
    from regrow.lineage.rebuild.compare import Compared
    from regrow.lineage.rebuild.packages import differences
    from regrow.lineage.rebuild.rebuild import Hooks, rebuild

    ledger = Ledger.load(find_root())
    artifact = resolve(ledger, args.artifact)
    out = sys.stderr if args.json else sys.stdout
    paint = Paint(out)

    def say(text: str) -> None:
        print(text, file=out, flush=True)

    def began(commit: str, folder: Path, jobs: int) -> None:
        say(f"{paint.bold(artifact.path)}  {paint.blue(artifact.sha256)}  {size(artifact.size)}")
        say(f"commit {commit[:12]}, {jobs} jobs, no cache, in {folder}")
        for row in differences(ledger.ancestry(artifact.record)):
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
        commit=args.commit,
        folder=args.folder,
        cores=args.cores,
        keep=args.keep,
    )
    if args.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        _show(answer, paint)
    return 0 if answer["verdict"] == "equal" else 1


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
