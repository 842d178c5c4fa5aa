"""What each step kept and dropped of each source, by reason: documents, bytes, and tokens where they are known; and
what the guards find: a source that a step empties, a language or topic that vanishes, text that is repeated too often,
classifiers without labels, licences that nobody knows, steps that read more than their data set holds.

The answer comes from the records and from the tables on disk, whose bytes are compared with the records. Exit status 1
where in is not kept plus dropped. Examples:
  regrow funnel
  regrow funnel --source sqlalchemy-1.4.54
  regrow funnel --html funnel.html --samples 5
  regrow funnel --json | jq '.findings[] | select(.severity == "warn")'
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Any

from regrow.cli.answer_json import written
from regrow.cli.paint import Paint, size, width
from regrow.engine.visible import shown

SAMPLES = 3
"""dropped documents per step and reason on a page"""
REASONS = 5
"""per step on a terminal; --json has all"""
_NAME, _HEAD = 26, 8
"""characters of a source, and of a step above its column"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--source", metavar="S", help="of one source only: its name, or a part of it"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="one page with a picture, and drops to read"
    )
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help=f"dropped documents per step and reason (--html: {SAMPLES})",
    )
    parser.add_argument("--all", action="store_true", help="notes as well, not only warnings")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the funnel, or write its page. Exit status 1 where something does not add up."""
    from regrow.ask.funnel.answer import answer
    from regrow.ask.funnel.funnel import read
    from regrow.ask.guards.check import check
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger, find_root

    if args.samples is not None and args.samples < 0:
        raise Unanswerable(f"--samples {args.samples}: give 0 or more.")
    ledger = Ledger.load(find_root()).sound()
    funnel = read(ledger)
    number = SAMPLES if args.html and args.samples is None else args.samples or 0
    found = answer(funnel, args.source, number)
    findings = [
        one.as_json()
        for one in check(ledger, funnel)
        if args.source is None or one.source in ("", found["sources"][0]["source"])
    ]
    found["findings"] = findings
    if args.json:
        print(written(found))
    elif not args.html:
        for group in found.get("samples", []):
            for one in group["dropped"]:
                one["text"] = " ".join((one["text"] or "").split())
        show(shown(found), Paint(), args.all)
    if args.html:
        _write(args.html, found)
    return int(any(one["severity"] == "fail" for one in findings))


def _write(target: Path, found: dict[str, Any]) -> None:
    from regrow.evidence.errors import Unanswerable
    from regrow.publish.funnel.page import page

    text = page(found)
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unanswerable(
            f"{target}: cannot be written ({error.strerror}). Name another file with --html."
        ) from None
    import sys

    print(f"{target}: {len(text.encode()) // 1000} kB, open it in a browser.", file=sys.stderr)


def show(answer: dict[str, Any], paint: Paint, everything: bool = False) -> None:
    """The answer as text: sources by step, reasons by step, findings."""
    steps = [one for one in answer["steps"] if one["dropped"] or one["tokens"] is not None]
    if not steps:
        print("No data step has counted documents yet: `snakemake` runs the flow.")
    else:
        _table(answer, steps, paint)
        _reasons(answer["steps"], paint)
    for group in answer.get("samples", []):
        _samples(group, paint)
    show_findings(answer["findings"], paint, everything)
    if answer["hint"]:
        print(f"\n{answer['hint']}")


def _table(answer: dict[str, Any], steps: list[dict[str, Any]], paint: Paint) -> None:
    names = [one["step"] for one in steps]
    total = {one["step"]: one for one in answer["steps"]}
    rows = [_cells(one["source"], one["steps"], names) for one in answer["sources"]]
    if len(rows) != 1:
        rows.append(_cells("all", total, names))
    head = ["source", "met", *map(_short, names), "text", "tokens"]
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    widths[0] = min(widths[0], _NAME)

    def line(cells: list[str]) -> str:
        name = cells[0] if len(cells[0]) <= widths[0] else cells[0][: widths[0] - 1] + "…"
        rest = (f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "  ".join([f"{name:<{widths[0]}}", *rest])

    print(paint.bold("documents kept after each step, bytes of their text, tokens with repeats"))
    print(paint.dim(line(head)))
    for row in rows:
        print(paint.bold(line(row)) if row is rows[-1] and len(rows) > 1 else line(row))


def _short(step: str) -> str:
    return step if len(step) <= _HEAD else step[: _HEAD - 1] + "."


def _cells(name: str, of: dict[str, Any], names: list[str]) -> list[str]:
    """A source: what the first step met of it, what each step kept, the bytes of its text at the end, its tokens."""
    first = next((of[step]["in"] for step in names if step in of), 0)
    kept = [f"{of[step]['kept'] if step in of else 0:,}" for step in names]
    end = of.get(names[-1])
    sizes, tokens = (end["bytes_kept"], end["tokens"] or 0) if end else (0, 0)
    return [name, f"{first:,}", *kept, "–" if sizes is None else size(sizes), f"{tokens:,}"]


def _reasons(steps: list[dict[str, Any]], paint: Paint) -> None:
    from regrow.ask.funnel.meanings import meaning

    print(f"\n{paint.bold('dropped, by step and reason')}")
    for step in steps:
        if not step["dropped"]:
            continue
        share = 100 * step["dropped"] / step["in"] if step["in"] else 0.0
        lost = (
            f", {size(step['bytes_dropped'])} of text"
            if step["bytes_dropped"] and step["step"] != "crawl"
            else ""
        )
        print(f"  {step['step']:<14}{step['dropped']:,} of {step['in']:,} ({share:.1f} %){lost}")
        for one in step["reasons"][:REASONS]:
            weight = "" if one["bytes"] is None else size(one["bytes"])
            words = meaning(one["reason"], step["step"])
            print(f"    {one['reason']:<28}{one['documents']:>8,} {weight:>9}  {paint.dim(words)}")
        if more := step["reasons"][REASONS:]:
            rest = sum(one["documents"] for one in more)
            print(paint.dim(f"    {f'{len(more)} other reasons':<28}{rest:>8,}"))


def _samples(group: dict[str, Any], paint: Paint) -> None:
    print(f"\n{paint.bold(group['step'])} {group['reason']}, {group['documents']:,} dropped")
    for one in group["dropped"]:
        print(f"  {paint.blue(one['id'][:12])} {one.get('url') or 'no address'}")
        if one["text"]:
            print(f"    {one['text'][: width() - 4]}")


def show_findings(findings: list[dict[str, Any]], paint: Paint, everything: bool) -> None:
    """Findings as text; notes only where asked for."""
    grave = [one for one in findings if one["severity"] in ("warn", "fail")]
    others = [one for one in findings if one not in grave]
    print()
    for one in grave + (others if everything else []):
        _wrapped(f"{paint.mark(one['severity'])} {paint.bold(one['name'])} ", 5, one["says"])
        if one["fix"]:
            _wrapped("     ", 5, f"→ {one['fix']}")
    if not grave:
        print("No guard has a warning.")
    if others and not everything:
        print(paint.dim(f"{len(others)} notes: --all shows them."))


def _wrapped(head: str, indent: int, text: str) -> None:
    room = width() - indent
    lines = textwrap.wrap(text, room, break_on_hyphens=False, break_long_words=False) or [""]
    if len(head.strip()) > 5:  # a mark and a name: the text begins below them
        print(head)
    else:
        print(head + lines.pop(0))
    for line in lines:
        print(f"{'':{indent}}{line}")
