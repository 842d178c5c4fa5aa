"""What this machine can certify, and how to fix what is wrong. With RECIPE: whether a params file is worth its hours.

Looks at the processor, the numerics class and its kernels, Python and the packages, the tools,
disk, memory, the repository and the DVC remote. Exit status 1 where something must be fixed.

With a params file it examines that instead, before anything runs: whether it loads; what each stage will read and what
its data set holds (by the records that were made under these params, else as an estimate); what the guards of
`regrow funnel` find in those records; sources, licences, labels, languages, vocabulary; and the memory of the largest
stage. Exit status 1 where something will fail. Examples:
  regrow doctor
  regrow doctor params/demo.yaml
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint, width
from regrow.engine.visible import shown

if TYPE_CHECKING:
    from regrow.ask.guards.reading import Reading

_OF_FUNNEL = ("source_loss", "language_vanishes", "topic_vanishes")
"""notes that are one line here: they are about what was made, and `regrow funnel` shows them"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help="a params file to examine")
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    parser.add_argument("--brief", action="store_true", help="only what is not in order")


def run(args: argparse.Namespace) -> int:
    """Print the findings. Exit status 1 where one of them is a failure."""
    if args.recipe:
        return _recipe(args)
    from regrow.ask.doctor.examine import certifies, examine

    findings = examine()
    failed = any(finding.status == "fail" for finding in findings)
    verdict = certifies(findings)
    if args.json:
        answer = {"findings": [f.as_json() for f in findings], "certifies": verdict}
        print(indented(answer))
        return int(failed)
    paint = Paint()
    for finding in findings:
        if args.brief and finding.status == "ok":
            continue
        _finding(paint, finding.status, finding.check, finding.says, finding.mend, 10)
    if not args.brief:
        print()
    print(("doctor: " if args.brief else "") + verdict)
    return int(failed)


def _recipe(args: argparse.Namespace) -> int:
    from regrow.ask.doctor.recipe import examine
    from regrow.evidence.ledger import find_root

    here = Path(args.recipe)  # as the shell completes it, else below the root
    found = examine(find_root(), str(here.resolve()) if here.is_file() else args.recipe)
    failed = any(finding.severity == "fail" for finding in found.findings)
    if args.json:
        print(indented({"recipe": args.recipe, **found.as_json()}))
        return int(failed)
    paint = Paint()
    if not args.brief:
        _readings(found.readings, paint)
    plain = ("ok", "note") if args.brief else ()
    aside = [one for one in found.findings if one.severity == "note" and one.name in _OF_FUNNEL]
    for one in found.findings:
        if one.severity not in plain and one not in aside:
            _finding(paint, one.severity, one.name, shown(one.says), shown(one.fix), 18)
    if not args.brief:
        if aside:
            print(
                paint.dim(
                    f"note {len(aside)} small losses of single sources: `regrow funnel --all`"
                )
            )
        print()
    print(("doctor: " if args.brief else "") + found.verdict)
    return int(failed)


def _readings(rows: list[Reading], paint: Paint) -> None:
    if not rows:
        return
    print(paint.bold("what each stage will read, and what its data set holds"))
    print(paint.dim(f"  {'stage':<22}{'reads':>20}  {'':<9}{'holds':>20}{'epochs':>9}  data set"))
    for row in rows:
        holds = "unknown" if row.holds is None else f"{row.holds:,}"
        mark = "~" if row.known_by == "estimate" else ""
        epochs = "–" if row.epochs is None else f"{row.epochs:,.{2 if row.epochs < 1000 else 0}f}"
        print(
            f"  {row.stage:<22}{row.reads:>20,}  {row.unit:<9}{mark + holds:>20}{epochs:>9}  {row.data}"
        )
    if any(row.known_by == "estimate" for row in rows):
        print(
            paint.dim("  ~: an estimate from the settings; no record describes that data set yet")
        )
    print()


def _finding(paint: Paint, status: str, name: str, says: str, fix: str, room: int) -> None:
    left = room + 6
    _write(f"{paint.mark(status)} {paint.bold(f'{name:<{room}}')} ", says, left)
    if fix:
        _write(f"{'':{left}}", f"→ {fix}", left)


def _write(head: str, text: str, left: int) -> None:
    lines = textwrap.wrap(text, width() - left, break_on_hyphens=False, break_long_words=False)
    print(head + lines[0])
    for line in lines[1:]:
        print(f"{'':{left}}{line}")
