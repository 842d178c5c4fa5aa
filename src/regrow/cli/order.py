"""Which documents a training step saw; without --step, what the checkpoint saw in all.

CHECKPOINT is a checkpoint of pretraining: pretrain.000120, data/pretrain/000120 or a hash prefix.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from regrow.cli.paint import Paint, width


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT")
    parser.add_argument("--step", type=int, metavar="N", help="training step, from 1")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the documents of a step, or the totals of a checkpoint."""
    from regrow.lineage.ledger import Ledger, find_root
    from regrow.lineage.naming import resolve
    from regrow.lineage.order import order_of_step, totals

    ledger = Ledger.load(find_root())
    record = resolve(ledger, args.checkpoint).record
    if args.step is None:
        answer = totals(ledger, record)
    else:
        answer = order_of_step(ledger, record, args.step)
    if args.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    elif args.step is None:
        _show_totals(answer, Paint())
    else:
        _show_step(answer, Paint())
    return 0


def _show_step(answer: dict[str, Any], paint: Paint) -> None:
    print(
        paint.bold(f"step {answer['step']} of {answer['checkpoint']}")
        + f"  {answer['sequences']} sequences, {answer['tokens']:,} tokens"
    )
    row = None
    for piece in answer["documents"]:
        if piece["row"] != row:
            row = piece["row"]
            print(paint.dim(f"  row {row}: sequence {piece['sequence']}"))
        again = f" (repeat {piece['repeat']})" if piece["repeat"] else ""
        line = (
            f"    {piece['tokens']:>5} tokens  {piece['id'][:12]}  {piece.get('url') or ''}{again}"
        )
        title = piece.get("title") or ""
        room = width() - len(line) - 2
        print(line + (f"  {paint.dim(title[:room])}" if title and room > 8 else ""))


def _show_totals(answer: dict[str, Any], paint: Paint) -> None:
    print(
        paint.bold(answer["checkpoint"])
        + f"  {answer['steps']:,} steps, {answer['sequences']:,} sequences, {answer['tokens']:,} tokens, "
        f"{answer['epochs']:g} epochs"
    )
    print(f"  {answer['documents']:,} documents seen")
    for name in ("topic", "source", "licence"):
        rows = answer.get(f"by_{name}") or []
        if rows:
            print(paint.bold(f"  by {name}"))
        for row in rows:
            share = row["tokens"] / answer["tokens"] if answer["tokens"] else 0
            print(
                f"    {row[name] or 'unknown'!s:<28} {row['documents']:>6,} documents "
                f"{row['tokens']:>10,} tokens  {share:6.1%}"
            )
    if answer["most_seen"]:
        print(paint.bold("  most seen"))
    for row in answer["most_seen"]:
        print(f"    {row['views']:>5} pieces  {row['id'][:12]}  {row.get('url') or ''}")
