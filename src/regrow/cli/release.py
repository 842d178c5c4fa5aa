"""The released checkpoints: list them, or lay them out for a model hub, a revision each.

NAME is a revision (rlvr-step80), a stage (all of its checkpoints), a checkpoint or release by any of
its names, or `all`. Every byte is compared with the records on the way.

  regrow release --list                     the revisions, their hashes and parents
  regrow release rlvr --to DIR              a folder per revision
  regrow release all --to DIR --git         a git repository with a branch per revision, whose
                                            history is the lineage; push it with
                                            `git push --all URL`
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from regrow.cli.paint import Paint, size


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("name", metavar="NAME", nargs="*")
    parser.add_argument("--list", action="store_true", help="list the revisions")
    parser.add_argument("--to", type=Path, metavar="DIR", help="where to lay them out")
    parser.add_argument("--git", action="store_true", help="as a git repository with branches")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def run(args: argparse.Namespace) -> int:
    """List revisions, or lay them out."""
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.publish.hub.revisions import others, select

    ledger = Ledger.load(find_root())
    chosen = select(ledger, args.name or ["all"])
    paint = Paint()
    if args.list or (args.to is None and not args.name):
        if args.json:
            print(json.dumps([revision.as_json() for revision in chosen], indent=2))
            return 0
        width = max(len(revision.name) for revision in chosen)
        for revision in chosen:
            parents = f"from {', '.join(revision.parents)}" if revision.parents else "the first"
            print(
                f"{revision.name:<{width}}  {paint.blue(revision.record.sha256[:16])}  "
                f"{size(revision.record.size):>8}  {paint.dim(parents)}"
            )
        left = len(others(ledger))
        if left:
            print(paint.dim(f"{left} more are of other runs: their records do not fit those here."))
        return 0
    if args.to is None:
        raise Unanswerable("say where to with --to DIR, or look with --list.")
    return _lay_out(ledger.root, chosen, args, paint)


def _lay_out(root: Path, chosen: list, args: argparse.Namespace, paint: Paint) -> int:
    from regrow.publish.hub.files import lay_out
    from regrow.publish.hub.repository import fill, headline

    out = sys.stderr if args.json else sys.stdout
    written = sum(revision.record.size for revision in chosen)
    if args.git:
        commits = fill(
            root,
            chosen,
            args.to,
            lambda revision, commit: print(
                f"  {paint.green('branch')} {revision.name}  {commit[:12]}", file=out, flush=True
            ),
        )
        print(
            f"{args.to}: {len(commits)} branches, {size(written)}, every byte as recorded; `main` is "
            f"{headline(chosen).name}. Push with `git -C {args.to} push --all URL`.",
            file=out,
        )
        answer = [{**r.as_json(), "commit": commits[r.name]} for r in chosen]
    else:
        for revision in chosen:
            fresh = lay_out(root, revision, args.to)
            mark = paint.green("written") if fresh else paint.dim("there  ")
            print(f"  {mark} {args.to / revision.name}", file=out, flush=True)
        print(
            f"{args.to}: {len(chosen)} revisions, {size(written)}, every byte as recorded.",
            file=out,
        )
        answer = [{**r.as_json(), "folder": str(args.to / r.name)} for r in chosen]
    if args.json:
        print(json.dumps(answer, indent=2))
    return 0
