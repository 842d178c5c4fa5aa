"""Where a document went: kept, changed, dropped (by what, at which value), and which training
steps saw it.

DOCUMENT is an id (its first six or more digits), a URL or part of one, or a line of its text.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from regrow.cli.paint import Paint


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("document", metavar="DOCUMENT", nargs="+")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Print where the document went. Exit status 1 where several or none fit."""
    from regrow.lineage.ledger import Ledger, find_root
    from regrow.lineage.trace.answer import trace

    answer = trace(Ledger.load(find_root()), " ".join(args.document))
    if args.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    elif "fate" not in answer:
        _show_matches(answer, Paint())
    else:
        _show(answer, Paint())
    return 0 if "fate" in answer else 1


def _show_matches(answer: dict[str, Any], paint: Paint, most: int = 20) -> None:
    matches = answer["matches"]
    print(f"{len(matches)} documents fit; name one by its id:")
    for match in matches[:most]:
        print(
            f"  {paint.blue((match['id'] or '-')[:12]):<12}  {match['url']}  {paint.dim(match['title'])}"
        )
        if match["line"]:
            print(f"                {paint.dim(match['line'])}")
    if len(matches) > most:
        print(paint.dim(f"  and {len(matches) - most} more (--json lists all)"))


def _show(answer: dict[str, Any], paint: Paint) -> None:
    match = answer["matches"][0]
    print(paint.bold(match["title"] or match["url"]))
    print(f"  url  {match['url']}")
    if match["id"]:
        print(f"  id   {paint.blue(match['id'])}")
    if match["line"]:
        print(f"  line {match['line']}")
    print()
    for stop in answer["stops"]:
        _show_stop(stop, paint)
    if answer["training"]:
        _show_training(answer["training"], paint)
    good = answer["fate"].startswith(("seen", "packed", "kept", "held out"))
    print()
    print((paint.green if good else paint.red)(answer["fate"]))
    if answer["hint"]:
        print(paint.dim(answer["hint"]))


def _show_stop(stop: dict[str, Any], paint: Paint) -> None:
    facts = dict(stop["facts"])
    mark = {"kept": paint.green("✓"), "held out": paint.yellow("◇"), "dropped": paint.red("✗")}
    line = f"{mark.get(stop['outcome'], paint.dim('?'))} {stop['step']:<14}"
    if stop["outcome"] == "dropped":
        reason = facts.pop("reason", None) or facts.pop("outcome", "")
        line += f" dropped: {paint.bold(str(reason))}"
        if "value" in facts:
            line += f", measured {_number(facts.pop('value'))}"
        if "threshold" in facts:
            line += f", threshold {_number(facts.pop('threshold'))}"
    elif stop["outcome"] != "kept":
        line += f" {stop['outcome']}"
    copies = facts.pop("copies_dropped", [])
    before = facts.pop("characters_before", None)
    for name in ("url", "outcome") if stop["step"] == "crawl" else ():
        facts.pop(name, None)
    if before is not None:
        facts["characters"] = f"{before:,} → {facts['characters']:,}"
    line += " " + ", ".join(f"{name} {_number(value)}" for name, value in facts.items())
    print(line.rstrip())
    for copy in copies:
        print(
            paint.dim(
                f"    dropped as its copy: {copy['id'][:12]}  {copy.get('url', '')}  {copy.get('reason', '')}"
            )
        )


def _show_training(training: dict[str, Any], paint: Paint) -> None:
    instances = training["instances"]
    print(
        f"{paint.green('✓')} {'pack':<14} {len(instances)} instance{'s' if len(instances) != 1 else ''}"
    )
    for instance in instances:
        seen = [s for s in training["seen"] if s["instance"] == instance["instance"]]
        steps = sorted({s["step"] for s in seen})
        shown = ", ".join(map(str, steps[:12])) + (
            f" and {len(steps) - 12} more" if len(steps) > 12 else ""
        )
        when = f"seen at step{'s' if len(steps) != 1 else ''} {shown}" if steps else "not seen"
        print(
            f"    repeat {instance['repeat']}: tokens {instance['start']:,} to "
            f"{instance['end']:,} of the stream, {when}"
        )
    if training["steps"]:
        first, last = training["checkpoints"][0], training["checkpoints"][-1]
        print(
            f"{paint.green('✓')} {'pretrain':<14} first in {first}"
            + (f", in all up to {last}" if last != first else "")
        )


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
