"""The process that reads PDFs: one for a whole step, with limits on memory and processor time.

As `regrow.data.text.worker`, whose form of records and answers it shares; another module, so that the key of the
crawl's text does not count the layout. The argument is the step's params.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import resource
import signal
import sys
from typing import BinaryIO

from regrow.data.pdf.document import convert
from regrow.data.text import wire
from regrow.data.text.document import Document, Dropped, document_id
from regrow.data.text.record import Record
from regrow.data.text.worker import STACK_BYTES
from regrow.params.sources import Text

MEMORY_BYTES = 3 << 30
"""address space; `regrow.data.text.pdf_cost` and the limits of characters keep a PDF under a third of it"""
_SECONDS, _PAGE_SECONDS = 60, 0.25


def cpu_seconds(settings: Text) -> int:
    """For one PDF: a minute, and a quarter of a second for each page that may be read. A full page takes 0.03 s."""
    return _SECONDS + int(_PAGE_SECONDS * settings.pdf_max_pages)


def result(record: Record, settings: Text) -> tuple[Document | Dropped, dict[str, str], bool]:
    """What became of a PDF, its metadata, and whether this process is still good for the next one."""
    try:
        return *convert(record, settings), True
    except MemoryError:
        detail = "needs more memory than a PDF may have"
        return _dropped(record, "too_costly", detail), {}, False
    except Exception as error:  # one PDF is a row, never the end of the step
        return _dropped(record, "parser_failed", type(error).__name__), {}, True


def _dropped(record: Record, reason: str, detail: str) -> Dropped:
    return Dropped(document_id(record.url, record.body), record.url, reason, detail=detail)


def serve(settings: Text, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer until the source ends."""
    seconds = cpu_seconds(settings)
    while (record := wire.read_record(source)) is not None:
        signal.setitimer(signal.ITIMER_PROF, seconds)  # SIGPROF ends the process
        made, metadata, good = result(record, settings)
        signal.setitimer(signal.ITIMER_PROF, 0)
        fields = dataclasses.asdict(made)
        kind = type(made).__name__
        wire.write(sink, {"kind": kind, "good": good, "fields": fields, "metadata": metadata})


def main() -> None:
    """Shut this process in, then serve."""
    settings = Text.model_validate_json(sys.argv[1])
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    limits = (
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_STACK, STACK_BYTES),
    )  # fmt: skip
    for kind, limit in limits:
        hard = resource.getrlimit(kind)[1]
        with contextlib.suppress(ValueError, OSError):  # a lower limit is there already
            resource.setrlimit(kind, (limit, hard if kind == resource.RLIMIT_STACK else limit))
    serve(settings, sys.stdin.buffer, sink)


if __name__ == "__main__":
    main()
