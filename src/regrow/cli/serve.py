"""Offer this tree's DVC cache as an HTTP remote, read-only, until Ctrl-C.

Served are the objects that the records here name and the cache holds, and nothing else of this
machine. The other side adds the remote and pulls:

  dvc remote add --default --local friend http://HOST:PORT
  dvc pull data/release/rlvr-000080

What comes through `snakemake` is compared with the SHA-256 of the record; docs/guides/publish.md says how
to publish on S3, SSH or any static host instead. There is neither encryption nor a password: on an
address that others reach, put it behind a server that has them.
"""

from __future__ import annotations

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: 127.0.0.1, this machine only; 0.0.0.0: all)",
    )
    parser.add_argument("--port", type=int, default=8642, help="default: 8642; 0: any free one")
    parser.add_argument("--quiet", action="store_true", help="no line per request")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from regrow.engine.store import Store
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.publish.hub.serve import addresses, server

    if not 0 <= args.port <= 65535:
        raise Unanswerable(f"--port {args.port}: a port is a number from 0 to 65535.")
    ledger = Ledger.load(find_root())
    store, named = Store(ledger.root), addresses(ledger)
    held = sum(store.has(address) for address in named)
    if not held:
        raise Unanswerable(
            f"the cache {store.cache} holds none of the {len(named)} objects that the records "
            "name: run `snakemake --cores all`, or `dvc pull`, first."
        )

    def say(line: str) -> None:
        if not args.quiet:
            print(line, file=sys.stderr, flush=True)

    try:
        serving = server(ledger, args.host, args.port, say)
    except (OSError, OverflowError) as error:
        raise Unanswerable(f"{args.host}:{args.port}: {error}. Choose --host or --port.") from None
    host, port = serving.server_address[:2]
    shown = f"[{host!s}]" if ":" in str(host) else str(host)
    print(f"{held} of {len(named)} objects of the records, on http://{shown}:{port}", flush=True)
    print(f"dvc remote add --default --local friend http://{shown}:{port}", flush=True)
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        print(file=sys.stderr)
    finally:
        serving.server_close()
    return 0
