"""What this machine can certify, and how to fix what is wrong.

Looks at the processor, the numerics class and its kernels, Python and the packages, the tools,
disk, memory, the repository and the DVC remote. Exit status 1 where something must be fixed.
"""

from __future__ import annotations

import argparse
import textwrap

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint, width


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    parser.add_argument("--brief", action="store_true", help="only what is not in order")


def run(args: argparse.Namespace) -> int:
    """Print the findings. Exit status 1 where one of them is a failure."""
    from regrow.ask.doctor.examine import certifies, examine

    findings = examine()
    failed = any(finding.status == "fail" for finding in findings)
    verdict = certifies(findings)
    if args.json:
        answer = {"findings": [f.as_json() for f in findings], "certifies": verdict}
        print(indented(answer))
        return int(failed)
    paint = Paint()
    mark = {"ok": paint.green("ok  "), "warn": paint.yellow("warn"), "fail": paint.red("FAIL")}
    for finding in findings:
        if args.brief and finding.status == "ok":
            continue
        _write(f"{mark[finding.status]} {paint.bold(f'{finding.check:<10}')} ", finding.says)
        if finding.mend:
            _write(f"{'':16}", f"→ {finding.mend}")
    if not args.brief:
        print()
    print(("doctor: " if args.brief else "") + verdict)
    return int(failed)


def _write(head: str, text: str) -> None:
    lines = textwrap.wrap(text, width() - 16, break_on_hyphens=False, break_long_words=False)
    print(head + lines[0])
    for line in lines[1:]:
        print(f"{'':16}{line}")
