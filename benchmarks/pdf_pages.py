"""One text as a PDF and as HTML pages: which copies dedup finds, of manuals that have both, and of planted books.

    regrow sources freeze params/small.yaml guides faq installation     # fetches the packages, once
    python benchmarks/pdf_pages.py [--write]

Real: every PDF and HTML page of the Debian Reference, the Developer's Reference, the Debian FAQ and the installation
guide (two architectures, of which one has the PDFs), in all languages, read as sources of kind pdf and html are, without
filters. A pair is true if both are of one manual in one language. Dedup is run as it is by default, and with
`containment`. Planted: books of `tests/support/small_books.py`, PDFs with a share of wrong hyphens, and a share of
their chapters as pages. With `--write` the results go to benchmarks/results/pdf_pages.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/support"))

import small_books as books
from regrow.data.dedup import step
from regrow.data.pdf.extract import extract
from regrow.data.sources import shelf, unpack
from regrow.data.text import html
from regrow.data.text.document import tidy
from regrow.data.text.pdf import PdfError
from regrow.params.data import Dedup

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
_MANUAL = {
    "install": r"installation-guide-\w+/([A-Za-z_]+)/",
    "reference": r"debian-reference\.([a-z-]+)\.pdf$|debian-reference/\w+\.([a-z-]+)\.html$",
    "developers": r"share/developers-reference/(?:([a-z]{2})/)?[\w-]+\.(?:html|pdf)$",
    "faq": r"/FAQ/.*\.([a-z-]+)\.(?:html|pdf\.gz)$",
}


def manual(url: str) -> str:
    """Manual and language of a file, "" of others."""
    for name, pattern in _MANUAL.items():
        if found := re.search(pattern, url):
            return f"{name}.{next((part for part in found.groups() if part), 'en')}"
    return ""


def files() -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the PDFs and pages of the packages."""
    kept = shelf.folder(ROOT)
    ends = (".pdf", ".pdf.gz", ".html")
    for name in ("guides", "faq", "installation"):
        for entry in json.loads((ROOT / f"frozen/{name}.json").read_text())["files"]:
            if "aptitude" in entry["package"]:
                continue
            with TemporaryDirectory() as scratch:
                archive = Path(scratch) / entry["name"]
                archive.symlink_to((kept / entry["sha256"]).resolve())
                there = unpack.unpack(
                    archive, lambda path: path.endswith(ends), Path(scratch) / "files"
                )
                for path, file in sorted(there.files.items()):
                    body = file.read_bytes()
                    yield (
                        f"{entry['package']}/{path}",
                        gzip.decompress(body) if path.endswith("gz") else body,
                    )


def documents() -> list[dict[str, str]]:
    """The files as documents."""
    found = []
    for name, body in files():
        if not manual(name):
            continue
        if ".pdf" in name:
            try:
                text = extract(body, 2_000).text
            except PdfError:
                continue
            row = books.row(f"source://x/{name}", text, books.PDF)
        else:
            text = tidy(html.extract(body.decode("utf-8", "replace"), "resiliparse")[1])
            row = books.row(f"source://x/{name}", text, books.HTML)
        if len(text.split()) > 1 or len(text) > 200:
            found.append(row)
    return found


def deduplicated(
    rows: list[dict[str, str]], settings: dict[str, Any] | None
) -> tuple[dict[str, Any], pl.DataFrame, float]:
    """Counts, drops, CPU seconds."""
    with TemporaryDirectory() as name:
        pl.DataFrame(rows).sort("id").write_parquet(f"{name}/documents.parquet")
        begin = time.process_time()
        counts = step.run(
            {"filter": Path(name)},
            SimpleNamespace(dedup=Dedup(containment=settings)),
            Path(name) / "out",
        )
        return counts, pl.read_parquet(f"{name}/out/drops.parquet"), time.process_time() - begin


def real(rows: list[dict[str, str]]) -> dict[str, Any]:
    """Manuals that have both forms."""
    by_id = {row["id"]: row for row in rows}
    pdfs = [row for row in rows if row["mime"] == books.PDF]
    told: dict[str, Any] = {"documents": len(rows), "pdfs": len(pdfs), "megabytes": round(sum(len(r["text"].encode()) for r in rows) / 1e6, 1)}  # fmt: skip
    for title, settings in (
        ("default", None),
        ("containment", {}),
        ("containment, keep: pdf", {"keep": "pdf"}),
    ):
        counts, drops, seconds = deduplicated(rows, settings)
        pairs = [(by_id[one], by_id[by], reason) for one, by, reason in drops.select("id", "detail", "reason").iter_rows()]  # fmt: skip
        across = [(one["url"], by["url"], reason) for one, by, reason in pairs if one["mime"] != by["mime"]]  # fmt: skip
        gone = {one for one, _, reason in across if reason == "in_pages"}
        told[title] = {
            "dropped": counts["dropped"],
            "cpu_seconds": round(seconds, 1),
            "pdfs_dropped_for_other_pdfs": sum(one["mime"] == by["mime"] == books.PDF for one, by, _ in pairs),
            "pairs_of_pdf_and_page_by_exact_or_near": sum(not reason.startswith("in_") for *_, reason in across),
            "pdfs_dropped_for_pages": len(gone),
            "pdfs_that_pages_are_dropped_for": len({by for _, by, reason in across if reason == "in_pdf"} - gone),
            "drops_within_the_manual": sum(manual(one) == manual(by) for one, by, _ in across),
            "drops_across_languages": sum(manual(one) != manual(by) and manual(one).split(".")[0] == manual(by).split(".")[0] for one, by, _ in across),
            "drops_across_manuals": sum(manual(one).split(".")[0] != manual(by).split(".")[0] for one, by, _ in across),
        }  # fmt: skip
    return told


def planted(count: int = 40) -> list[dict[str, Any]]:
    """Books by noise and by the share of chapters that are there as pages."""
    told = []
    for noise in (0.0, 0.01, 0.03, 0.06, 0.12):
        for left in (1.0, 0.9, 0.5):
            rows = [
                row
                for n in range(count)
                for row in books.book(f"{n} {noise} {left}", books.pages(f"{n} {noise} {left}", 20, 500), noise=noise, left=left)
            ]  # fmt: skip
            rows += [books.row(f"source://books/other{n}", " ".join(books.words(f"o{n}", 600)), books.HTML) for n in range(400)]  # fmt: skip
            by_id = {row["id"]: row["url"] for row in rows}
            _, drops, _ = deduplicated(rows, {})
            books_found = set()
            wrong = 0
            for one, by in drops.select("id", "detail").iter_rows():
                name = re.sub(r"(\.pdf|/\d+\.html)$", "", by_id[one])
                books_found.add(name)
                wrong += name != re.sub(r"(\.pdf|/\d+\.html)$", "", by_id[by])
            told.append({
                "words_with_a_wrong_hyphen": noise, "chapters_as_pages": left, "books": count,
                "pdfs_dropped": drops.filter(reason="in_pages").height, "pages_dropped": drops.filter(reason="in_pdf").height,
                "books_found": len(books_found), "wrong": wrong,
            })  # fmt: skip
    return told


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    found = {"real": real(documents()), "planted": planted()}
    text = json.dumps(found, indent=1) + "\n"
    print(text)
    if args.write:
        (HERE / "results/pdf_pages.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
