"""Write one page about the run: what each training stage did and gained, answers before and after,
losses and evaluations, what was kept and dropped, sources and licences, hashes, and where the time
went.

The page is one HTML file that fetches nothing. It is a view of the records, not an artifact.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: report.html")


def run(args: argparse.Namespace) -> int:
    """Write the page and say where it is."""
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.publish.report.page import page

    root = find_root()
    target = args.output or root / "report.html"
    text = page(Ledger.load(root))
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unanswerable(
            f"{target}: cannot be written ({error.strerror}). Name another file with --output."
        ) from None
    print(f"{target}: {len(text.encode()) // 1000} kB, open it in a browser.")
    return 0
