"""Check artifacts against what was published: all bytes, parts of a run, or two runs.

Without arguments every artifact is reread and its SHA-256 compared with the published records
(those of git HEAD); with a path, such as data/release/rlvr-000080, those at or below it. Nothing is remembered from earlier reads. A file that is not in the workspace
is read in DVC's cache. The last line says `n of n artifacts equal to the published hashes`.

With a CHECKPOINT, parts of the training behind it are done again and compared: every state digest
on the way, and where a checkpoint is reached every file of it. Price and odds are said first.
With no number, only the prices are said.

With two runs A and B, the first step at which they differ is found by their chains of digests, then
by rerunning from the last equal checkpoint, and the tensor, element and distance are named. Each is
a checkpoint of this tree, or TREE:CHECKPOINT, or TREE for its last one, where TREE is the folder of
another tree or a git revision.

The exit status is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

EPILOG = """\
examples:
  regrow verify                                 every byte of every artifact
  regrow verify data/release/rlvr-000080        of this one
  regrow verify --cache --remote                and of what `dvc push` and `dvc pull` carry on
  regrow verify rlvr                            what a rerun of a part of the run would cost
  regrow verify rlvr --segments 3               three spans between checkpoints, another draw each time
  regrow verify rlvr --segments 3 --seed 2f6c   the same three again
  regrow verify rlvr --catch 0.05 --odds 0.99   as many as catch a forged 5 % in 99 of 100 cases
  regrow verify rlvr --unit link --stretch 0.05
                                                so many links that no unbroken 5 % is missed
  regrow verify rlvr --unit link --segments 8   eight links of the chain of digests
  regrow verify rlvr --unit link --segments 8 --seed 2f6c --hand-out states
                                                the publisher's answer: the states where they begin
  regrow verify rlvr --unit link --segments 8 --seed 2f6c --states states
                                                which makes each link a rerun of its own
  regrow verify midtrain midtrain_b             where two runs part
  regrow verify rlvr ../other                   this tree against another one
  regrow verify HEAD~1:sft sft                  a published run against the present one

docs/guides/verify.md says what a passed verification proves and what it does not.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.epilog = EPILOG
    parser.add_argument(
        "artifacts",
        nargs="*",
        metavar="CHECKPOINT",
        help="one to rerun parts of, two runs A B, or a path to reread",
    )
    parser.add_argument(
        "--against",
        metavar="REVISION",
        help="published records are those of this git revision (without CHECKPOINT: HEAD; with one: "
        "the records in the workspace)",
    )
    group = parser.add_argument_group("the places behind the workspace")
    group.add_argument(
        "--cache", action="store_true", help="also reread every object of DVC's cache"
    )
    group.add_argument(
        "--remote", action="store_true", help="also read every object of the default DVC remote"
    )
    group = parser.add_argument_group("parts of a run (one CHECKPOINT)")
    group.add_argument("--segments", type=int, metavar="N", help="how many to rerun")
    group.add_argument(
        "--unit",
        choices=("span", "link"),
        default="span",
        help="what is drawn: a span between two checkpoints (default), or a link of the chain of "
        "digests, rerun from the last state that is at hand",
    )
    group.add_argument(
        "--catch", type=float, metavar="SHARE", help="forged share of the units to catch (0.05)"
    )
    group.add_argument("--odds", type=float, metavar="P", help="probability of that (0.99)")
    group.add_argument(
        "--stretch",
        type=float,
        metavar="SHARE",
        help="instead of drawing by chance: the fewest units that catch every unbroken forgery of "
        "this share of the run for certain (a scattered one hardly: the odds are said)",
    )
    group.add_argument(
        "--seed", metavar="TEXT", help="of the draw (default: a fresh one, which is printed)"
    )
    group.add_argument(
        "--states", type=Path, metavar="FOLDER", help="states that the publisher handed out"
    )
    group.add_argument(
        "--hand-out",
        type=Path,
        metavar="FOLDER",
        help="make the states at which the drawn links begin, for somebody who challenges you",
    )
    group.add_argument("--dry-run", "-n", action="store_true", help="say price and odds, no more")
    group = parser.add_argument_group("two runs (A B)")
    group.add_argument(
        "--no-rerun", action="store_true", help="read the chains only: the first link that differs"
    )
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Verify; the exit status is 1 if anything differs, 2 for arguments that do not fit."""
    wrong = _misfit(args)
    if wrong:
        import sys

        print(f"regrow verify: {wrong} See `regrow verify --help`.", file=sys.stderr)
        return 2
    if not args.artifacts or (len(args.artifacts) == 1 and "/" in args.artifacts[0]):
        return _reread(args)
    if len(args.artifacts) == 1:
        from regrow.cli.verify_segments import segments

        return segments(args)
    from regrow.cli.verify_runs import runs

    return runs(args)


def _misfit(args: argparse.Namespace) -> str:
    """What is wrong with the arguments, "" for nothing."""
    number = len(args.artifacts)
    if number > 2:
        return "name one checkpoint, or two runs."
    parts = [
        f"--{name.replace('_', '-')}"
        for name in (
            "segments",
            "catch",
            "odds",
            "stretch",
            "seed",
            "states",
            "hand_out",
            "dry_run",
        )
        if getattr(args, name) not in (None, False)
    ]
    if number == 1 and "/" in args.artifacts[0] and parts:
        return f"{parts[0]} goes with the name of a checkpoint, not with a path."
    if number != 1 and parts:
        return f"{parts[0]} goes with one CHECKPOINT."
    if args.segments is not None and args.odds is not None:
        return "--segments says how many, --odds asks how many: give one of them."
    if args.stretch is not None and (args.segments or args.catch or args.odds):
        return "--stretch says which units: not with --segments, --catch or --odds."
    if args.hand_out and (args.unit != "link" or args.states):
        return "--hand-out goes with --unit link, and without --states."
    if args.states and args.unit != "link":
        return "--states goes with --unit link."
    if args.hand_out and not args.seed:
        return "--hand-out needs the --seed of whoever challenges you."
    if args.against and number == 2:
        return "name revisions as REVISION:CHECKPOINT."
    if number and (args.cache or args.remote):
        return "--cache and --remote go without CHECKPOINT."
    if args.no_rerun and number != 2:
        return "--no-rerun goes with two runs."
    return ""


def _reread(args: argparse.Namespace) -> int:
    from regrow.cli.paint import Paint
    from regrow.engine.commits import published
    from regrow.engine.present import find_root
    from regrow.engine.verify import forged, verify
    from regrow.evidence.record import Record
    from regrow.recipe.table import is_repetition

    root = find_root()
    against = args.against or "HEAD"
    everything = published(root, against)
    records = _below(root, everything, args.artifacts)
    behind = _behind(root, records, args)
    faults = [fault for answer in behind.values() for fault in answer.faults]
    lies = forged(root, records, against)
    good = not (faults or lies or any(answer.trouble for answer in behind.values()))
    results = verify(root, records)
    aside = [r for r in results if r.absent and is_repetition(r.name)]
    results = [r for r in results if r not in aside]
    equal = sum(result.equal for result in results)
    line = f"{equal} of {len(results)} artifacts equal to the published hashes"
    if args.json:
        answer = {
            "against": against,
            "equal": equal,
            "artifacts": [result.as_json() for result in results],
            "line": line,
            "not_here": [result.name for result in aside],
            "records": lies,
        }
        for place, found in behind.items():
            answer[place] = {**found.__dict__, "faults": [f.as_json() for f in found.faults]}
        print(json.dumps(answer, indent=2))
        return 0 if good and equal == len(results) else 1
    paint = Paint()
    absent = [r for r in results if r.absent]
    for text in lies:
        print(f"{paint.red('record')}: {text}. It was not believed.")
    for result in results:
        if result.absent and len(absent) > 1:
            continue  # counted below: nothing of it was ever here
        for what, names in (
            ("differs", result.differing),
            ("is missing", result.missing),
            ("is not published", result.extra),
        ):
            for name in names:
                print(f"{paint.red(result.name)}: {name} {what}{_digests(result, name)}")
    if len(absent) > 1:
        print(
            f"{len(absent)} artifacts are published and not here: `snakemake --cores all` builds "
            "them, `dvc pull` fetches what a remote has of them."
        )
    if aside:
        print(
            f"{len(aside)} more artifacts, of repetitions under other seeds, are published and not "
            "here: `snakemake --cores all seeds` makes them."
        )
    for place, found in behind.items():
        for fault in found.faults:
            print(
                f"{paint.red(fault.name)}: {fault.path} in the {place} differs: expected sha256 "
                f"{fault.expected}, found sha256 {fault.found} ({fault.where})"
            )
        rest = f", {found.absent} are not there" if found.absent else ""
        print(f"{place}: {found.read} objects read, {len(found.faults)} differ{rest}.")
        if found.trouble:
            print(f"{place}: {found.trouble}")
    cached = sum(result.cached for result in results)
    if cached:
        print(f"{cached} files are not in the workspace; they were read in DVC's cache.")
    if equal < len(results):
        for text in _another_run(root, {Record("", r).name for r in everything}, against):
            print(text)
    print(line)
    return 0 if good and equal == len(results) else 1


def _another_run(root: Path, names: set[str], against: str) -> list[str]:
    """A sentence where the workspace has records that are not published: then it holds another run, and no damage."""
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger

    try:
        here = [record.name for record in Ledger.load(root).records]
    except Unanswerable:
        return []
    new = [name for name in here if name not in names]
    if not new:
        return []
    return [
        f"The records here are of another run than those published at {against}: {len(new)} of {len(here)} are of jobs "
        f"that it has not, such as {new[0]}. Commit records/, code.json, dvc.yaml and dvc.lock to publish this run; "
        "`regrow verify` then compares with it."
    ]


def _below(root: Path, records: list[Any], paths: list[str]) -> list[Any]:
    """The records of artifacts at or below a path; all where none is given.

    Raises:
        Unanswerable: nothing is published there.
    """
    if not paths:
        return records
    from regrow.evidence.errors import Unanswerable

    asked = Path.cwd() / paths[0]
    place = (
        asked.resolve().relative_to(root.resolve())
        if asked.resolve().is_relative_to(root.resolve())
        else None
    )
    found = [
        r for r in records if place is not None and Path(r["output"]["path"]).is_relative_to(place)
    ]
    if not found:
        raise Unanswerable(
            f"{paths[0]}: no published artifact is there. `regrow verify` without a path reads all of them."
        )
    return found


def _behind(root: Path, records: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """What the places behind the workspace hold, as far as they were asked for."""
    from regrow.engine.places import check_cache, check_remote

    asked = {"cache": (args.cache, check_cache), "remote": (args.remote, check_remote)}
    return {place: check(root, records) for place, (wanted, check) in asked.items() if wanted}


def _digests(result: Any, name: str) -> str:
    """Expected and found SHA-256 of a file that differs."""
    if name not in result.expected:
        return ""
    found = f"sha256 {result.found[name]}" if result.found[name] else "no plain file"
    return f": expected sha256 {result.expected[name]}, found {found}"
