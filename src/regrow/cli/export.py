"""Hand the evidence over in the formats that others read, written from the records of the run.

  croissant    what a model was trained on, or one dataset (Croissant 1.1)
  cyclonedx    the bill of materials of a model (CycloneDX 1.6 ML-BOM)
  openlineage  one event per job (OpenLineage 2-0-2, newline-delimited JSON)
  ro-crate     the repository as a research object (RO-Crate 1.1, Process Run Crate 0.5)
  summary      the public summary of training content that Article 53(1)(d) of the EU's AI Act
               asks for, with figures of Annex XI: a page and JSON

ARTIFACT is a checkpoint or a dataset, named as in `regrow audit`; without it the last checkpoint
of the flow. What only the provider knows (name, contact, dates) comes from --about and is never
invented: it is shown as to be filled in. Equal records give equal files.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from regrow.cli.answer_json import indented
from regrow.engine.visible import escaped

FORMATS = ("croissant", "cyclonedx", "openlineage", "ro-crate", "summary")
_EPILOG = """\
examples:
  regrow export summary --about about.yaml         training-summary.html and .json
  regrow export cyclonedx rlvr-step60 --out bom.json
  regrow export croissant dedup --out - | jq .distribution
  regrow export openlineage --time commit          events at the date of HEAD

The files of croissant and ro-crate name others relative to the top of the repository: keep them
there. docs/reference/exports.md describes about.yaml and what each export does not prove.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("format", metavar="FORMAT", choices=FORMATS, help=", ".join(FORMATS))
    parser.add_argument(
        "artifact", metavar="ARTIFACT", nargs="?", help="default: the last checkpoint"
    )
    parser.add_argument(
        "--out",
        metavar="PATH",
        help="file or folder; `-`: standard output (default: top of the repository)",
    )
    parser.add_argument(
        "--about", type=Path, metavar="FILE", help="YAML with what the provider knows"
    )
    parser.add_argument(
        "--time", metavar="TIME",
        help="time that OpenLineage and RO-Crate ask for: ISO 8601, or `commit` "
        "(default: SOURCE_DATE_EPOCH, else 1980-01-01)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="say as JSON what was written")


def run(args: argparse.Namespace) -> int:
    """Write the files and say where they are."""
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.publish.export.about import About, load
    from regrow.publish.export.formats import FORMATS as TABLE
    from regrow.publish.export.instant import instant
    from regrow.publish.export.subject import subject
    from regrow.publish.export.write import write

    root = find_root()
    about = load(args.about) if args.about else About()
    time = instant(root, args.time, os.environ)
    chosen = TABLE[args.format]
    told = subject(Ledger.load(root), args.artifact, about, time)
    if args.out == "-":
        text = chosen.text(told, json_wanted=args.json)
        # JSON has a way to say what a terminal must not get, so that the value stays the same.
        print(escaped(text) if text.startswith(("{", "[")) else text, end="")
        return 0
    written = write(chosen, told, Path(args.out) if args.out else None)
    open_fields = chosen.notes(told)
    if args.json:
        rows = [
            {"path": str(path), "size": size, "sha256": digest} for path, size, digest in written
        ]
        answer = {
            "format": chosen.name,
            "standard": chosen.standard,
            "artifact": told.record.name,
            "sha256": told.record.sha256,
            "files": rows,
            "to_be_filled_in": open_fields,
        }
        print(indented(answer))
        return 0
    for path, size, digest in written:
        print(f"{path}: {chosen.standard}, {size:,} bytes, sha256 {digest[:16]}")
    if open_fields:
        print(f"to be filled in by the provider with --about: {len(open_fields)}")
        for line in open_fields:
            print(f"  {line}")
    return 0
