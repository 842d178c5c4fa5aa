"""The process that reads pages: one for a whole step, with limits on memory and processor time.

Parsers of HTML and PDF are other people's programs, and a page can make them run for hours, take all memory
or crash. Here that ends this process, and `client` starts the next one. Reads records from standard input,
writes what became of each to standard output (`wire` has the form); the argument is the step's params.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import resource
import signal
import sys
from typing import BinaryIO

from regrow.data.text import wire
from regrow.data.text.document import Document, Dropped, convert, document_id
from regrow.data.text.record import Record
from regrow.params.sources import Text

CPU_SECONDS = 60
"""for one page; ten times what the largest page takes that `regrow.data.web.cost` lets through"""
STACK_BYTES = 8 << 20


def memory_bytes(settings: Text) -> int:
    """Address space: a tree takes up to 100 bytes for each byte of its page, and is sometimes made twice."""
    return (1 << 30) + 192 * settings.max_html_bytes


def result(record: Record, settings: Text) -> tuple[Document | Dropped, bool]:
    """What became of a record, and whether this process is still good for the next one."""
    try:
        return convert(record, settings), True
    except MemoryError:
        return _dropped(record, "too_costly", "needs more memory than a page may have"), False
    except Exception as error:  # one page is a row, never the end of the step
        return _dropped(record, "parser_failed", type(error).__name__), True


def _dropped(record: Record, reason: str, detail: str) -> Dropped:
    return Dropped(document_id(record.url, record.body), record.url, reason, detail=detail)


def serve(settings: Text, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer until the source ends."""
    while (record := wire.read_record(source)) is not None:
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # SIGPROF ends the process
        made, good = result(record, settings)
        signal.setitimer(signal.ITIMER_PROF, 0)
        fields = dataclasses.asdict(made)
        wire.write(sink, {"kind": type(made).__name__, "good": good, "fields": fields})


def main() -> None:
    """Shut this process in, then serve."""
    settings = Text.model_validate_json(sys.argv[1])
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    memory = memory_bytes(settings)
    for kind, limit in (
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, memory), (resource.RLIMIT_STACK, STACK_BYTES),
    ):  # fmt: skip
        hard = resource.getrlimit(kind)[1]
        with contextlib.suppress(ValueError, OSError):  # a lower limit is there already
            resource.setrlimit(kind, (limit, hard if kind == resource.RLIMIT_STACK else limit))
    serve(settings, sys.stdin.buffer, sink)


if __name__ == "__main__":
    main()
