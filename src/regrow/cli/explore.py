"""Walk from the sources to a checkpoint, on one page: the graph, what each node was made of, the way of
every document, and two checkpoints side by side.

ARTIFACT narrows the page to what it was made from (and what was measured on the way); without it, the
page shows the whole run. The page is one HTML file that fetches nothing: send it, open it, keep it.

Examples:
  regrow explore --html lineage.html                       the whole run
  regrow explore rlvr --html rlvr.html                     the last checkpoint of a stage
  regrow explore release.rlvr-000060 --html release.html   a release
  regrow explore dpo                                       the graph as a list, on the terminal
  regrow explore --json | jq '.graph.nodes[].name'
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.cli.paint import Paint, size

if TYPE_CHECKING:
    from regrow.evidence.ledger import Ledger
    from regrow.evidence.record import Record


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("artifact", metavar="ARTIFACT", nargs="?")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page there")
    parser.add_argument(
        "--documents",
        type=int,
        metavar="N",
        help="list at most N documents, those that training saw most first (default: 4000)",
    )
    parser.add_argument("--json", action="store_true", help="what the page holds, as JSON")


def run(args: argparse.Namespace) -> int:
    """Write the page, or print the graph."""
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.naming import resolve
    from regrow.publish.explorer.index import MOST
    from regrow.publish.explorer.page import facts, page

    if args.documents is not None and args.documents < 0:
        raise Unanswerable(f"--documents {args.documents}: give a number from 0.")
    most = MOST if args.documents is None else args.documents
    ledger = Ledger.load(find_root())
    record = resolve(ledger, args.artifact).record if args.artifact else None
    if args.html:
        text = page(ledger, record, most).encode()
        try:
            args.html.write_bytes(text)
        except OSError as error:
            raise Unanswerable(
                f"{args.html}: cannot be written ({error.strerror}). Name another file with --html."
            ) from None
    if args.json:
        print(json.dumps(facts(ledger, record, most), indent=2, ensure_ascii=True))
    elif args.html:
        print(f"{args.html}: {len(text) // 1000:,} kB, open it in a browser.")
    else:
        _show(ledger, record, Paint())
    return 0


def _show(ledger: Ledger, record: Record | None, paint: Paint) -> None:
    from regrow.publish.explorer.draw import subtitle
    from regrow.publish.explorer.graph import graph
    from regrow.publish.explorer.page import scope, shown_of

    found = graph(scope(ledger, record), shown_of(ledger, record))
    for place, node in enumerate(found.nodes):
        read = [found.nodes[p].name for p, reader in sorted(found.direct) if reader == place]
        line = f"{paint.bold(f'{node.name:<22}')} {subtitle(node):<26}"
        if node.records:
            line += f" {size(sum(r.size for r in node.records)):>8}"
        print(f"{line}  {paint.dim('from ' + ', '.join(read)) if read else ''}".rstrip())
    print(paint.dim("\nInputs that a longer way names already are left out; --html shows all."))
