"""Text of PDFs by one of the other libraries: `peer_pdf.py LIBRARY FILE…` writes {file: [text, CPU seconds]} as JSON.

LIBRARY: pypdf (BSD-3-Clause), pdfminer (pdfminer.six, MIT), pymupdf (AGPL-3.0), each with its defaults.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def pypdf(body: bytes) -> str:
    from pypdf import PdfReader

    return "\n\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)


def pdfminer(body: bytes) -> str:
    from pdfminer.high_level import extract_text

    return extract_text(io.BytesIO(body))


def pymupdf(body: bytes) -> str:
    import pymupdf as library

    return "\n\n".join(page.get_text() for page in library.open(stream=body, filetype="pdf"))


def main() -> None:
    known: dict[str, Callable[[bytes], str]] = {
        "pypdf": pypdf,
        "pdfminer": pdfminer,
        "pymupdf": pymupdf,
    }
    read, found = known[sys.argv[1]], {}
    for name in sys.argv[2:]:
        begun = time.process_time()
        text = read(Path(name).read_bytes())
        found[name] = [text, time.process_time() - begun]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
