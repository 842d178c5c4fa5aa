"""Reread every artifact and compare its SHA-256 with the published records (those of git HEAD).

Nothing is remembered from earlier reads: every byte is read. A file that is not in the workspace
is read in DVC's cache. The last line says `n of n artifacts equal to the published hashes`; the
exit status is 1 unless all are.
"""

from __future__ import annotations

import argparse
import json


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--against", default="HEAD", metavar="REVISION", help="git revision (HEAD)")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Verify; the exit status is 1 if anything differs."""
    from regrow.cli.paint import Paint
    from regrow.flow.present import find_root
    from regrow.flow.verify import published, verify

    root = find_root()
    results = verify(root, published(root, args.against))
    aside = [r for r in results if r.absent and _of_another_seed(r.name)]
    results = [r for r in results if r not in aside]
    equal = sum(result.equal for result in results)
    line = f"{equal} of {len(results)} artifacts equal to the published hashes"
    if args.json:
        answer = {
            "against": args.against,
            "equal": equal,
            "artifacts": [result.as_json() for result in results],
            "line": line,
            "not_here": [result.name for result in aside],
        }
        print(json.dumps(answer, indent=2))
        return 0 if equal == len(results) else 1
    paint = Paint()
    for result in results:
        for what, names in (
            ("differs", result.differing),
            ("is missing", result.missing),
            ("is not published", result.extra),
        ):
            for name in names:
                print(f"{paint.red(result.name)}: {name} {what}")
    if aside:
        print(
            f"{len(aside)} more artifacts, of repetitions under other seeds, are published and not "
            "here: `snakemake --cores all seeds` makes them."
        )
    cached = sum(result.cached for result in results)
    if cached:
        print(f"{cached} files are not in the workspace; they were read in DVC's cache.")
    print(line)
    return 0 if equal == len(results) else 1


def _of_another_seed(name: str) -> bool:
    """Whether a job repeats others under another seed: a plain run does not make it."""
    from regrow.flow.errors import FlowError
    from regrow.flow.jobs import flow

    try:
        return flow().step(name.split(".")[0]).group == "seeds"
    except FlowError:
        return False
