"""A line to the process that reads pages (`worker`): started at once, again when a page has ended it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from regrow.data.text import wire, worker
from regrow.data.text.document import Document, Dropped, document_id
from regrow.data.text.record import Record
from regrow.params.sources import Text

_WALL_SECONDS = 3_600.0
"""far above the limit on processor time: only a worker that is stopped is this slow"""
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
_TOO_LONG = (-signal.SIGPROF, -signal.SIGXCPU)


class WorkerError(Exception):
    """Pages cannot be read here; the message says why. No page is at fault."""


class Client:
    """One worker at a time; a record is sent, and its result fetched before the next one is."""

    def __init__(self, settings: Text) -> None:
        self._settings = settings
        self._sent: Record | None = None
        self._process: subprocess.Popen[bytes] | None = self._started()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def send(self, record: Record) -> None:
        """Begin with a record; its result is ready when `receive` returns it."""
        assert self._sent is None
        self._sent = record
        if self._process is None:
            self._process = self._started()
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # `receive` finds out what ended it
            self._process.stdin.write(wire.record_bytes(record))
            self._process.stdin.flush()

    def receive(self) -> Document | Dropped:
        """The result of the record that was sent last.

        Raises:
            WorkerError: the worker was killed from outside, hangs, or never began.
        """
        record, self._sent = self._sent, None
        assert record is not None
        answer = self._answer()
        if answer is None:
            return self._ended(record)
        if not answer["good"]:
            self._close()
        made: type[Document] | type[Dropped] = Document if answer["kind"] == "Document" else Dropped
        return made(**answer["fields"])

    def _answer(self) -> dict[str, Any] | None:
        """What the worker says; None if it ended instead."""
        lengths = self._read(wire.LENGTHS.size)
        if lengths is None:
            return None
        data = self._read(wire.LENGTHS.unpack(lengths)[0])
        return None if data is None else dict(json.loads(data))

    def _read(self, size: int) -> bytes | None:
        assert self._process and self._process.stdout
        pipe = self._process.stdout.fileno()
        parts: list[bytes] = []
        end = time.monotonic() + _WALL_SECONDS
        while size > 0:
            if not select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
                raise WorkerError(
                    f"the process that reads pages has not answered for {_WALL_SECONDS:.0f} s"
                )
            part = os.read(pipe, min(size, 1 << 20))
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _ended(self, record: Record) -> Dropped:
        """The row of a page that ended the worker."""
        assert self._process
        code = self._process.wait()
        self._close()
        if code >= 0 or code == -signal.SIGKILL:
            how = (
                "was killed: is there enough memory?"
                if code < 0
                else f"ended with status {code}, see above"
            )
            raise WorkerError(f"the process that reads pages {how} It was reading {record.url}")
        name = document_id(record.url, record.body)
        if code in _TOO_LONG:
            return Dropped(
                name, record.url, "too_costly", None, float(worker.CPU_SECONDS), "processor time"
            )
        return Dropped(name, record.url, "parser_failed", detail=signal.Signals(-code).name)

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", worker.__name__, self._settings.model_dump_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**_ENVIRONMENT, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
            cwd="/",
            start_new_session=True,  # an interrupt from the keyboard is not for it
        )

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()


def converted(records: Iterator[Record], client: Client) -> Iterator[Document | Dropped]:
    """What became of each record, in order; while a page is read, the next one is fetched."""
    waiting = False
    for record in records:
        if waiting:
            yield client.receive()
        client.send(record)
        waiting = True
    if waiting:
        yield client.receive()
