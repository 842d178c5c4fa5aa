"""Fill `published/store`, the small DVC remote that git carries, from this run.

It holds the last release of every branch and the tables that `audit`, `trace`, `batch` and
`explain` read about them, at most 30 MB. In a fresh clone, without a server or training:

  dvc pull data/release/rlvr-000080

--check compares the store with the records and changes nothing; the exit status is 1 if an object
is missing, holds other bytes, or belongs to no record.
"""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--list", action="store_true", help="what the store holds, with sizes")


def run(args: argparse.Namespace) -> int:
    """Fill, check or list the store."""
    from regrow.cli.paint import size
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.publish.hub import store

    ledger = Ledger.load(find_root())
    if args.list:
        for record, names in store.chosen(ledger):
            held = sum(int(f["size"]) for f in record.files if f["path"] in names)
            part = "" if len(names) == len(record.files) else f"  {', '.join(names)}"
            print(f"{size(held):>9}  {record.path}{part}")
        return 0
    if args.check:
        found = store.faults(ledger)
        for fault in found:
            print(fault)
        count = len(store.items(ledger))
        print(f"{store.FOLDER}: {len(found)} faults, {count} objects expected")
        return 1 if found else 0
    added, removed, total = store.fill(ledger)
    print(
        f"{store.FOLDER}: {size(total)} in {len(store.items(ledger))} objects; "
        f"{added} added, {removed} removed. Commit it with the records."
    )
    return 0
