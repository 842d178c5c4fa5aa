"""The action `ocr` of `regrow sources`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from regrow.cli.answer_json import written
from regrow.cli.paint import Paint
from regrow.engine.visible import shown

_SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--results", type=Path, metavar="PATH", help="take over what olmOCR wrote there")  # fmt: skip
    given.add_argument("--python", metavar="PATH", help="run olmOCR with this Python")
    parser.add_argument("--model", default="", help="the model that read: its name on the Hugging Face Hub, or a folder (default of --python: olmOCR's)")  # fmt: skip
    parser.add_argument("--revision", default="", metavar="COMMIT", help="the commit of the model")


def run(args: argparse.Namespace, root: Path, paint: Paint) -> int:
    """Check, take over or run."""
    from regrow.change.sources import ocr, olmocr
    from regrow.evidence.errors import Unanswerable

    if args.results is None and args.python is None:
        rows = ocr.check(root, args.recipe, args.names)
        _say(args, {"recipe": args.recipe, "sources": rows}, paint)
        return 1 if any(row["stale"] or row["unmatched"] or row["damaged"] for row in rows) else 0
    if len(args.names) != 1:
        raise Unanswerable("--results and --python: name one source.")
    (name,) = args.names
    if args.python is not None:
        engine = olmocr.Run(args.python, args.model or olmocr.MODEL, args.revision)
        row = ocr.make(root, args.recipe, name, engine)
    else:
        how = {"model": args.model, "model_revision": args.revision}
        row = ocr.take(root, args.recipe, name, args.results, {k: v for k, v in how.items() if v})
    _say(args, {"recipe": args.recipe, "sources": [row]}, paint)
    return 1 if row["unmatched"] or row["damaged"] else 0


def _say(args: argparse.Namespace, answer: dict[str, Any], paint: Paint) -> None:
    if args.json:
        print(written(answer))
        return
    for row in shown(answer)["sources"]:
        if "pdfs" in row:
            said = f"{row['matched']:,} of {row['pdfs']:,} PDFs have a row"
        else:
            said = f"{row['new']:,} new, {row['rows']:,} rows"
        print(f"{paint.bold(row['name'])}  {row['ocr']}: {said}")
        for what, meaning in (
            ("stale", "its PDF has other bytes now: read it again"), ("unmatched", "no PDF of the source"), ("damaged", "is not used"),
        ):  # fmt: skip
            found = row.get(what, [])
            for one in found[:_SHOWN]:
                print(f"    {paint.red(what)}  {one}  {paint.dim(meaning)}")
            if len(found) > _SHOWN:
                print(paint.dim(f"    and {len(found) - _SHOWN:,} more {what} (--json)"))
        if "new" in row and row["rows"]:
            print(paint.dim(f"Next: dvc add {row['ocr']} (or git add), and run again"))
