"""Continue a released checkpoint with your own documents or conversations, as a branch of the flow.

CHECKPOINT is what the branch begins from, and what reads yours next follows from it:
  pretrain.000288     documents, in midtraining
  midtrain.000450     documents, in the rest of midtraining
  soup.000900         documents, in the long-context stage
  longcontext.000120  conversations, in fine-tuning (they can be given with documents too)
DATA is a .jsonl (also .gz, .bz2, .xz) or .parquet file with a column `text` (a document) or `messages` (a
conversation) and, if it has them, `licence`, `url`, `source`; a text file; or a folder of such files. Written are forks/NAME/ (sources of the flow, tracked
by git, counted by content) and params/NAME.yaml: the parent's params and a section `fork`, on a new git
branch NAME. Nothing is run.

Then `snakemake --configfile params/NAME.yaml` goes on from the checkpoint on yours beside the parent's data,
through all stages onward. Everything before the fork point is known by key and is not run. What you bring is
checked against the evaluations, the held-out tasks and the held-out documents.

Examples:
  regrow fork pretrain.000288 --data notes.jsonl --name notes --licence CC-BY-4.0
  git add forks params && git commit -m "Fork: notes"
  snakemake --cores all --configfile params/notes.yaml
  regrow diff rlvr@main rlvr
  regrow fork longcontext --data chats.jsonl --name chats --licence CC0-1.0
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint, size
from regrow.engine.visible import shown


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT")
    parser.add_argument(
        "--data", required=True, type=Path, action="append", help="what you bring; may be repeated"
    )
    parser.add_argument("--name", help="of the branch (default: from DATA)")
    parser.add_argument("--licence", help="SPDX identifier of documents that name none")
    parser.add_argument("--source", help="name of the source of documents that name none")
    parser.add_argument(
        "--share", type=float, help="of the mix that is yours (documents 0.5, chats 0.2)"
    )
    parser.add_argument("--here", action="store_true", help="stay on this git branch")
    parser.add_argument(
        "--params",
        "--configfile",
        help="the parent's params file (default: the one that asks for all records here)",
    )
    parser.add_argument("--json", action="store_true", help="what was written, as JSON")


def run(args: argparse.Namespace) -> int:
    """Write the branch."""
    from regrow.change.fork.create import Wish, fork
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.left_over import grown_under

    root = find_root()
    name = args.name or args.data[0].name.partition(".")[0].lower().replace("-", "_").replace(
        " ", "_"
    )
    wish = Wish(
        checkpoint=args.checkpoint,
        data=tuple(args.data),
        name=name,
        params_file=args.params or grown_under(Ledger.load(root)),
        source=args.source,
        licence=args.licence,
        share=args.share,
        here=args.here,
    )
    answer = fork(root, wish)
    if args.json:
        print(indented(answer))
    else:
        _show(shown(answer), name, Paint())
    return 0


def _show(answer: dict[str, Any], name: str, paint: Paint) -> None:
    print(
        f"{paint.bold(name)} forks {answer['checkpoint']} {paint.blue(answer['checkpoint_sha256'][:16])}; "
        f"what you bring is read by {answer['read_by']}"
    )
    for kind, noun in (("documents", "documents"), ("chats", "conversations")):
        if kind in answer:
            _show_brought(answer[kind], noun)
    print(f"  {answer['params_file']}  the parent's params and `fork`")
    plan = answer["plan"]
    print(
        f"  {paint.green(str(len(plan['known'])))} artifacts are the parent's, known by key; "
        f"{len(plan['anew'])} are the branch's own"
    )
    branch = answer["branch"]
    if branch:
        print(
            f"  now on the git branch {paint.bold(branch['name'])}: the run replaces records here; "
            f"`git switch {branch['from']}` and `snakemake` bring the parent's back from the cache"
        )
    if answer["left_out"]:
        said = ", ".join(f"{count:,} {why}" for why, count in answer["left_out"].items())
        print(f"  not read in the folders: {said}")
    print(
        paint.dim(
            f"Next: {_tracked(answer, name)} && git commit -m 'Fork: {name}' && "
            f"snakemake --cores all --configfile params/{name}.yaml"
        )
    )


_LARGE = 10 * 2**20
"""more bytes than that are better kept outside of git"""


def _tracked(answer: dict[str, Any], name: str) -> str:
    """The command that puts what was written under version control."""
    kinds = [answer[kind] for kind in ("documents", "chats") if kind in answer]
    if sum(found["file_bytes"] for found in kinds) <= _LARGE:
        return f"git add forks/{name} params/{name}.yaml"
    return f"dvc add forks/{name} && git add forks/{name}.dvc forks/.gitignore params/{name}.yaml"


def _show_brought(found: dict[str, Any], noun: str) -> None:
    licences = ", ".join(f"{licence} {count:,}" for licence, count in found["licences"].items())
    left_out = [f"{found[kind]:,} {kind}" for kind in ("empty", "repeated") if found[kind]]
    print(
        f"  {found['path']}  {found['kept']:,} {noun}, {size(found['bytes'])}: {licences}"
        + (f" (left out: {', '.join(left_out)})" if left_out else "")
    )
