"""What a training step saw; without --step, what the checkpoint saw in all (of its stage).

CHECKPOINT is a checkpoint of any training stage: pretrain.000120, rlvr-step80, data/pretrain/000120,
a hash prefix, or a stage (sft) for its last one. Steps count from 1 in each stage. A step of
pretraining, midtraining or long context is made of documents, one of fine-tuning of examples,
one of preference tuning of pairs, one of reinforcement learning of rollouts.
"""

from __future__ import annotations

import argparse
from typing import Any

from regrow.cli.answer_json import written
from regrow.cli.paint import Paint, width
from regrow.engine.visible import shown


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT")
    parser.add_argument("--step", type=int, metavar="N", help="training step, from 1")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what was in a step, or the totals of a checkpoint."""
    from regrow.ask.batch import batch_of_step, totals
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.naming import resolve

    ledger = Ledger.load(find_root())
    record = resolve(ledger, args.checkpoint).record
    if args.step is None:
        answer = totals(ledger, record)
    else:
        answer = batch_of_step(ledger, record, args.step)
    if args.json:
        print(written(answer))
    elif args.step is None:
        _show_totals(shown(answer), Paint())
    else:
        _show_step(shown(answer), Paint())
    return 0


def _show_step(answer: dict[str, Any], paint: Paint) -> None:
    kind = answer["kind"]
    unit = "sequences" if kind == "documents" else kind
    print(
        paint.bold(f"step {answer['step']} of {answer['checkpoint']}")
        + f"  {len(answer[kind]) if kind != 'documents' else answer['sequences']} {unit}, "
        f"{answer['tokens']:,} tokens"
    )
    show = {"documents": _document, "pairs": _pair, "rollouts": _rollout}.get(kind, _example)
    row = None
    for piece in answer[kind]:
        if kind == "documents" and piece["row"] != row:
            row = piece["row"]
            print(paint.dim(f"  row {row}: sequence {piece['sequence']}"))
        if kind == "rollouts" and piece.get("group") != row:
            row = piece.get("group")
            print(paint.dim(f"  group {row}: task {piece['task']}  {piece.get('question', '')}"))
        line, more = show(piece, paint)
        room = width() - len(line) - 2
        more = " ".join(more.split())
        print(f"    {line}" + (f"  {paint.dim(more[:room])}" if more and room > 8 else ""))


def _document(piece: dict[str, Any], paint: Paint) -> tuple[str, str]:
    again = f" (repeat {piece['repeat']})" if piece["repeat"] else ""
    what = piece.get("url") or piece.get("generator") or ""
    component = f"{piece['component']}: " if piece.get("component") else ""
    licence = f" ({piece['licence']})" if piece.get("licence") else ""
    line = f"{piece['tokens']:>5} tokens  {piece['id'][:12]:<12}  {component}{what}{licence}{again}"
    return line, piece.get("title") or piece.get("question") or ""


def _example(piece: dict[str, Any], paint: Paint) -> tuple[str, str]:
    line = f"{piece['tokens']:>5} tokens  {piece['id'][:16]:<16}  {piece.get('family', '')}"
    if piece.get("family") == "own":  # a fork's conversation: whose, under which licence
        return f"{line}, of {piece['teacher']} ({piece['licence']})", piece.get("url") or ""
    return f"{line}, by {piece.get('teacher', '?')}", piece.get("question") or ""


def _pair(piece: dict[str, Any], paint: Paint) -> tuple[str, str]:
    line = f"{piece['tokens']:>5} tokens  {piece['id'][:16]:<16}  {piece.get('family', '')}"
    scores = f"{piece.get('chosen_score', 0):.2f} over {piece.get('rejected_score', 0):.2f}"
    return f"{line}, {scores}", f"{piece.get('chosen_text', '')} | {piece.get('rejected_text', '')}"


def _rollout(piece: dict[str, Any], paint: Paint) -> tuple[str, str]:
    used = "" if piece.get("used", True) else ", not used"
    line = f"{piece['tokens']:>5} tokens  reward {piece['reward']:g}{used}"
    return f"{line}  {piece.get('reason', '')}", piece.get("text") or ""


def _show_totals(answer: dict[str, Any], paint: Paint) -> None:
    kind = answer["kind"]
    unit = "sequences" if kind == "documents" else "answers" if kind == "rollouts" else kind
    epochs = "" if answer["epochs"] is None else f", {answer['epochs']:g} epochs"
    began = f", begun from {', '.join(answer['began_from'])}" if answer["began_from"] else ""
    print(
        paint.bold(answer["checkpoint"])
        + f"  {answer['steps']:,} steps, {answer['sequences']:,} {unit}, {answer['tokens']:,} tokens{epochs}"
    )
    distinct = "tasks" if kind == "rollouts" else f"distinct {kind}"
    print(f"  {answer['documents']:,} {distinct} seen{began}")
    for name in [key.removeprefix("by_") for key in answer if key.startswith("by_")]:
        rows = answer[f"by_{name}"]
        if rows:
            print(paint.bold(f"  by {name}"))
        for row in rows:
            share = row["tokens"] / answer["tokens"] if answer["tokens"] else 0
            number = row.get("documents", row.get("count", 0))
            reward = f"  mean reward {row['mean_reward']:.2f}" if "mean_reward" in row else ""
            print(
                f"    {row[name] or 'unknown'!s:<28.28} {number:>6,} {kind} "
                f"{row['tokens']:>10,} tokens  {share:6.1%}{reward}"
            )
    if answer["most_seen"]:
        print(paint.bold("  most seen"))
    for row in answer["most_seen"]:
        what = row.get("url") or row.get("question") or row.get("generator") or ""
        print(f"    {row['views']:>5} times  {row['id'][:16]}  {what}"[: width()])
