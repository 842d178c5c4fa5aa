"""Continue a released checkpoint of pretraining with your own documents, as a branch of the flow.

CHECKPOINT is any checkpoint of pretraining (pretrain.000288, pretrain-step288, a hash). DATA is a .jsonl or
.parquet file with a column `text` (and, if it has them, `licence`, `url`, `source`), or a folder of text
files. Written are forks/NAME/documents.parquet (a source of the flow, tracked by git, counted by content) and
params/NAME.yaml: the parent's params and a section `fork`. Nothing is run.

Then `snakemake --configfile params/NAME.yaml` midtrains from the checkpoint on your documents beside
the parent's mix and goes through all stages onward. Everything before the fork point is known by key and is not
run. Your documents are checked against the evaluations, the held-out tasks and the held-out documents.

Examples:
  regrow fork pretrain.000288 --data notes.jsonl --name notes --licence CC-BY-4.0
  git switch -c notes && git add forks params && git commit -m "Fork: notes"
  snakemake --cores all --configfile params/notes.yaml
  regrow diff rlvr@main rlvr@notes
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from regrow.cli.paint import Paint, size


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT")
    parser.add_argument("--data", required=True, type=Path, help="the documents")
    parser.add_argument("--name", help="of the branch (default: from DATA)")
    parser.add_argument("--licence", help="SPDX identifier of documents that name none")
    parser.add_argument("--source", help="name of the source of documents that name none")
    parser.add_argument("--share", type=float, help="of midtraining's tokens that are yours (0.5)")
    parser.add_argument("--params", default="params/demo.yaml", help="the parent's params file")
    parser.add_argument("--json", action="store_true", help="what was written, as JSON")


def run(args: argparse.Namespace) -> int:
    """Write the branch."""
    from regrow.lineage.fork.create import Wish, fork
    from regrow.lineage.ledger import find_root

    name = args.name or args.data.stem.lower().replace("-", "_").replace(" ", "_")
    wish = Wish(
        args.checkpoint, args.data, name, args.params, args.source, args.licence, args.share
    )
    answer = fork(find_root(), wish)
    if args.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        _show(answer, name, Paint())
    return 0


def _show(answer: dict[str, Any], name: str, paint: Paint) -> None:
    found = answer["documents"]
    licences = ", ".join(f"{licence} {count:,}" for licence, count in found["licences"].items())
    left_out = [f"{found[kind]:,} {kind}" for kind in ("empty", "repeated") if found[kind]]
    print(
        f"{paint.bold(name)} forks {answer['checkpoint']} {paint.blue(answer['checkpoint_sha256'][:16])}"
    )
    print(
        f"  {found['path']}  {found['kept']:,} documents, {size(found['bytes'])}: {licences}"
        + (f" (left out: {', '.join(left_out)})" if left_out else "")
    )
    print(f"  {answer['params_file']}  the parent's params and `fork`")
    plan = answer["plan"]
    print(
        f"  {paint.green(str(len(plan['known'])))} artifacts are the parent's, known by key; "
        f"{len(plan['anew'])} are the branch's own"
    )
    print(
        paint.dim(
            f"Next: git switch -c {name}; git add forks/{name} params/{name}.yaml; git commit; "
            f"snakemake --cores all --configfile params/{name}.yaml"
        )
    )
