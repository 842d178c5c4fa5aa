"""A line to the process that reads PDFs (`worker`), and what it read so far, in numbers."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from regrow.data.pdf import ocr, worker
from regrow.data.pdf.document import OCR
from regrow.data.text import client
from regrow.data.text.document import Document, Dropped
from regrow.data.text.record import Record
from regrow.params.sources import Text

_LISTS = ("scanned_pages", "unmapped_pages", "ocr_pages", "broken_pages")
_NUMBERS = ("pages", "pages_left_out", "running_lines")


class Client(client.Client):
    """One worker at a time, as for pages. `metadata` is that of the PDF that was received last."""

    def __init__(self, settings: Text, frozen: ocr.Frozen | None = None) -> None:
        """`frozen`: what OCR read."""
        self.metadata: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._frozen = frozen or ocr.Frozen()
        super().__init__(settings)

    def __enter__(self) -> Client:
        return self

    def send(self, record: Record) -> None:
        """Begin with a PDF, and give the worker what OCR read on its pages."""
        found = self._frozen.reading(hashlib.sha256(record.body).hexdigest())
        if found is not None:
            told = {"total": found.total, "pages": found.pages, "model": _model(found)}
            record = dataclasses.replace(record, headers={**record.headers, OCR: json.dumps(told)})
        super().send(record)

    def receive(self) -> Document | Dropped:
        """The result of the PDF that was sent last. Raises as for pages."""
        self.metadata = {}
        found = super().receive()
        if isinstance(found, Dropped):
            if found.reason == "scanned":
                self.counts["scanned_files"] += 1
                self.counts["scanned_pages"] += int(found.value or 0)
            elif found.reason == "unmapped_fonts":
                self.counts["unmapped_files"] += 1
            elif found.detail == "processor time":
                found = dataclasses.replace(found, value=float(worker.cpu_seconds(self._settings)))
            return found
        self._count()
        return found

    def _count(self) -> None:
        said = {name: json.loads(self.metadata.get(name, "[]")) for name in _LISTS}
        for name, pages in said.items():
            self.counts[name] += len(pages)
        for name in _NUMBERS:
            self.counts[name] += int(self.metadata.get(name, 0))
        self.counts["partly_scanned_files"] += bool(
            set(said["scanned_pages"]) - set(said["ocr_pages"])
        )
        self.counts["ocr_of_other_pages"] += self.metadata.get("ocr") == "other_pages"

    def _answer(self) -> dict[str, Any] | None:
        answer = super()._answer()
        if answer is not None:
            self.metadata = answer.pop("metadata")
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", worker.__name__, self._settings.model_dump_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**client._ENVIRONMENT, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
            cwd="/",
            start_new_session=True,  # an interrupt from the keyboard is not for it
        )


def _model(found: ocr.Reading) -> str:
    about = found.row.get("metadata") or {}
    named = (str(about.get(name) or "") for name in ("model", "model_revision"))
    return (
        "@".join(part for part in named if part)
        or f"olmocr {about.get('olmocr-version', '')}".strip()
    )
