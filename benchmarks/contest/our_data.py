"""Regrow's side of `benchmarks/datatrove.py`: the steps as they are.

our_data.py extract WARC_FOLDER OUT
our_data.py minhash TEXTS OUT BANDS ROWS
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("POLARS_MAX_THREADS", "1")

# A step's process loads what the step needs.
if sys.argv[1:2] == ["minhash"]:
    from regrow.data.dedup import signatures
    from regrow.data.dedup import step as dedup
    from regrow.params.data import Dedup
else:
    from regrow.data.filters import step as filters
    from regrow.data.text import step as text
    from regrow.params.data import Filter
    from regrow.params.sources import Text

ROOT = Path(__file__).resolve().parents[2]


def extract(warc: str, out: str) -> None:
    """Read, extract and filter."""
    params = SimpleNamespace(text=Text(), filter=Filter())
    made = Path(out) / "text"
    made.mkdir(parents=True)
    inputs = {"crawl": Path(warc), "sources": ROOT / "sources/manifest.yaml"}
    text.extract(inputs, params, made)
    filters.run({"text": made}, params, Path(out) / "filter")


def minhash(texts: str, out: str, bands: str, rows: str) -> None:
    """Signatures of both parts, then the dedup of the whole."""
    params = SimpleNamespace(dedup=Dedup(bands=int(bands), rows=int(rows)))
    inputs = {"filter": Path(texts) / "whole"}
    for part in ("a", "b"):
        inputs[f"signatures.{part}"] = Path(out) / part
        signatures.run({"filter": Path(texts) / part}, params, Path(out) / part)
    dedup.run(inputs, params, Path(out) / "dedup")


def main() -> None:
    """One run."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    Path("start.json").write_text(json.dumps(used.ru_utime + used.ru_stime), encoding="utf-8")
    {"extract": extract, "minhash": minhash}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
