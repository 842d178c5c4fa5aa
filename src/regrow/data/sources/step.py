"""The step that reads a part of a source: its files to a table of documents and a table of drops."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Protocol

from regrow import selection
from regrow.data.sources import table
from regrow.data.sources.item import Item, Refused
from regrow.data.tables import stream
from regrow.data.tables.conservation import balanced
from regrow.data.tables.drops import drop_row
from regrow.data.tables.parquet import DROPS
from regrow.data.tables.stream import Row
from regrow.data.text.client import Client
from regrow.data.text.document import Document, Dropped
from regrow.data.text.record import Record
from regrow.params.source import Source
from regrow.params.sources import Text

Read = Callable[[Path, str, Source], Iterator[Item | Refused | Record]]
Step = Callable[..., dict[str, Any]]


class Parser(Protocol):
    """A process that makes documents of records: one is sent, and its result received before the next one is sent."""

    def __enter__(self) -> Parser:
        """Begin."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""

    def send(self, record: Record) -> None:
        """Begin with a record."""

    def receive(self) -> Item | Document | Dropped:
        """What became of the record that was sent last."""
        ...


_SHOWN = 50
"""places that are listed for each reason"""


def reading(suffixes: tuple[str, ...], read: Read) -> Step:
    """The step that reads a source of one kind: `run` of the kind's module, so that a key counts this reader alone.

    Args:
        suffixes, read: of the reader (`regrow.data.sources.reader`).
    """

    def run(
        inputs: Mapping[str, Path],
        params: Any,
        output: Path,
        *,
        source: Mapping[str, Any],
        instance: str,
    ) -> dict[str, Any]:
        return filled(
            inputs, params, output, source, instance, (suffixes, read), Client(params.text)
        )

    return run


def filled(
    inputs: Mapping[str, Path],
    params: Any,
    output: Path,
    source: Mapping[str, Any],
    instance: str,
    reader: tuple[tuple[str, ...], Read],
    parser: Parser,
) -> dict[str, Any]:
    """Fill `output` with `documents.parquet`, `drops.parquet` and `places.tsv`.

    Args:
        inputs: files, folders, patterns or parts of them (`regrow.selection`); as `fetched` the output of
            `regrow.data.sources.fetch`, whose `files/` are read.
        source: the entry of the recipe.
        instance: the part, for the progress that is shown.
        reader: endings of files and `read` of the kind.
        parser: what makes documents of its records; ended here.

    Every row or file is a document or a drop; ids come from content, so the same rows in other files are the same
    documents. `places.tsv` says where the first of the drops of each reason are.

    Raises:
        regrow.data.text.client.WorkerError: pages cannot be read on this machine.
    """
    entry = Source.model_validate(source)
    settings: Text = params.text
    files = [pair for name, path in sorted(inputs.items()) for pair in _files(name, path)]
    work = _Work(entry, settings, f"{entry.name} {instance}", *reader, parser)
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output) as name:
        scratch = Path(name)
        drops = stream.Runs(DROPS, table.DROP_KEYS, scratch, "drops")
        runs = stream.sorted_runs(
            work.documents(files, drops), table.DOCUMENTS, table.DOCUMENT_KEYS, scratch, "documents"
        )
        kept = stream.write(
            output / "documents.parquet",
            table.DOCUMENTS,
            stream.merged(runs, table.DOCUMENT_KEYS, scratch),
        )
        stream.write(
            output / "drops.parquet", DROPS, stream.merged(drops.files(), table.DROP_KEYS, scratch)
        )
    (output / "places.tsv").write_text(work.places(), encoding="utf-8")
    balanced(f"read_{entry.name}", "rows", work.came, kept=kept, dropped=work.dropped.total())
    return {
        "files": len(files),
        "in": work.came,
        "kept": kept,
        "bytes": work.bytes,
        "dropped": dict(sorted(work.dropped.items())),
        "repaired": work.repaired,
        "licences": dict(sorted(work.licences.items())),
        "charsets": dict(sorted(work.charsets.items())),
    }


def _files(name: str, path: Path) -> list[tuple[str, Path]]:
    """(name, file) of an input. What was fetched is read whole: no pattern and no program's file is among it."""
    if name != "fetched":
        return selection.files(path)
    found = (one for one in (path / "files").rglob("*") if one.is_file())
    return sorted((one.relative_to(path / "files").as_posix(), one) for one in found)


@dataclass
class _Work:
    """What became of the rows so far."""

    source: Source
    settings: Text
    title: str
    suffixes: tuple[str, ...]
    read: Read
    parser: Parser
    came: int = 0
    kept: int = 0
    bytes: int = 0
    repaired: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    charsets: Counter[str] = field(default_factory=Counter)
    _places: dict[str, list[str]] = field(default_factory=dict)

    def documents(self, files: list[tuple[str, Path]], drops: stream.Runs) -> Iterator[Row]:
        """The documents of all files, in any order; what becomes none is added to `drops`."""
        with self.parser as parser:
            for result in self._results(files, parser):
                row = self._row(result)
                if "text" in row:
                    self._note(row)
                    yield row
                else:
                    self.dropped[row["reason"]] += 1
                    drops.add(row)

    def _results(
        self, files: list[tuple[str, Path]], parser: Parser
    ) -> Iterator[Item | Refused | Document | Dropped]:
        """What readers and the process that reads pages say; while a page is read, the next one is fetched."""
        waiting = False
        for found in self._found(files):
            if not isinstance(found, Record):
                yield found
                continue
            if waiting:
                yield parser.receive()
            parser.send(found)
            waiting = True
        if waiting:
            yield parser.receive()

    def _found(self, files: list[tuple[str, Path]]) -> Iterator[Item | Refused | Record]:
        shown = time.monotonic()
        for name, path in files:
            if not name.lower().endswith(self.suffixes):
                self.came += 1
                yield _other_file(self.source, name, self.suffixes)
                continue
            for found in self.read(path, name, self.source):
                self.came += 1
                yield found
                if time.monotonic() - shown > 2:
                    shown = time.monotonic()
                    said = f"{self.title}: {name}, {self.came:,} rows, {self.kept:,} documents"
                    print(said, file=sys.stderr, flush=True)

    def _row(self, result: Item | Refused | Document | Dropped) -> Row:
        """The row of a result: of a document, or of a drop (which has no text)."""
        source = self.source
        match result:
            case Refused():
                self._place(result)
                return table.of_refused(result, source)
            case Dropped():
                return table.of_dropped(result)
            case Document():
                row, repaired = table.of_document(result, source), result.repaired
            case Item():
                row, repaired = table.of_item(result, source), result.repaired
        why = _too_much(row, source, self.settings)
        self.repaired += repaired > 0 and why is None
        return why or row

    def _note(self, row: Row) -> None:
        self.kept += 1
        self.bytes += len(row["text"].encode())
        self.licences[row["licence"]] += 1
        self.charsets[row["charset"]] += 1

    def _place(self, refused: Refused) -> None:
        places = self._places.setdefault(refused.reason, [])
        if refused.place and len(places) < _SHOWN:
            places.append(f"{refused.reason}\t{refused.place}\t{refused.detail}\n")

    def places(self) -> str:
        """Where the first drops of each reason are: reason, place, what is wrong; for people."""
        lines = [line for reason in sorted(self._places) for line in self._places[reason]]
        return "".join(["reason\tplace\tdetail\n", *lines])


def _other_file(source: Source, name: str, suffixes: tuple[str, ...]) -> Refused:
    ends = ", ".join(suffixes)
    named = name.encode("utf-8", "replace")
    shown = named.decode()
    return Refused(
        named, "other_file", f"files of kind {source.kind} end in {ends}", shown, name=shown
    )


def _too_much(row: Row, source: Source, settings: Text) -> Row | None:
    """The drop of a document that is too short or too long."""
    text = row["text"]
    least, most = max(1, settings.min_characters), source.max_document_bytes
    if len(text.strip()) < least:
        size, limit, reason = len(text.strip()), least, "empty"
    elif len(text) > most or len(text.encode()) > most:
        size, limit, reason = len(text.encode()), most, "too_large"
    else:
        return None
    return drop_row("text", row["id"], row["url"], reason, float(size), float(limit))
