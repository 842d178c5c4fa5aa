"""Build the documentation, with the report and the explorer of the run in this checkout, as one static site.

Any host can serve the folder: links are relative, nothing is fetched from elsewhere, and the documentation needs
no script. Equal trees give equal bytes. A link or anchor that leads nowhere is an error that names it.

Examples:
  regrow site                                   into site/
  regrow site --output public --no-run          the documentation alone
  regrow site --flow docs/images/flow.svg       only draws the picture of the flow in the README
  python -m http.server --directory site        look at it
"""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="default: site")
    parser.add_argument("--no-run", action="store_true", help="without report and explorer")
    parser.add_argument(
        "--flow", type=Path, metavar="FILE", help="write the picture of the flow, no site"
    )


def run(args: argparse.Namespace) -> int:
    """Build, write, and say what is in it."""
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import find_root
    from regrow.publish.site.build import REPORT, build, write
    from regrow.publish.site.picture import of_records

    root = find_root()
    target = args.flow or args.output or root / "site"
    site = {} if args.flow else build(root, run=not args.no_run)
    try:
        if args.flow:
            target.write_text(of_records(root), encoding="utf-8")
        else:
            write(site, target)
    except OSError as error:
        raise Unanswerable(f"{target}: cannot be written ({error.strerror}).") from None
    if args.flow:
        print(f"{target}: the picture of the flow.")
        return 0
    pages = sum(path.endswith(".html") for path in site)
    print(
        f"{target}: {pages} pages, {sum(map(len, site.values())) // 1000:,} kB; open {target}/index.html."
    )
    if REPORT not in site and not args.no_run:
        print(
            "There is no run in this checkout: `make demo`, then again, adds its report and explorer."
        )
    return 0
