"""Exports on disk: written whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

from regrow.engine import files
from regrow.evidence.errors import Unanswerable
from regrow.publish.export.formats import Format
from regrow.publish.export.subject import Subject


def write(format: Format, subject: Subject, out: Path | None) -> list[tuple[Path, int, str]]:
    """Write a format's files; returns path, bytes and SHA-256 of each.

    Args:
        format: of the table.
        subject: what it is about.
        out: a folder that exists, a file, or None for the top of the repository. A format of
            several files writes the one whose suffix fits `out`; without a suffix, all of them.

    Raises:
        Unanswerable: a file cannot be written, or nothing fits its suffix.
    """
    every = ((format.file, format.write), *format.also)
    if out is None:
        chosen = [(subject.ledger.root / name, make) for name, make in every]
    elif out.is_dir():
        chosen = [(out / name, make) for name, make in every]
    elif len(every) == 1:
        chosen = [(out, every[0][1])]
    else:
        chosen = [(out, make) for name, make in every if Path(name).suffix == out.suffix]
        if not chosen:
            have = " or ".join(Path(name).suffix for name, _ in every)
            raise Unanswerable(f"{out}: `{format.name}` is written as {have}. Name such a file.")
    written = []
    for path, make in chosen:
        data = make(subject).encode()
        try:
            files.write_atomically(path, data)
        except OSError as error:
            raise Unanswerable(
                f"{path}: cannot be written ({error.strerror}). Name another place with --out."
            ) from None
        written.append((path, len(data), hashlib.sha256(data).hexdigest()))
    return written
