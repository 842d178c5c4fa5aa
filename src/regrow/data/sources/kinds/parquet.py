"""Rows of Parquet and Arrow files: Parquet, Arrow IPC files (Feather), Arrow IPC streams as `datasets` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from regrow.data.sources.arrow_values import values
from regrow.data.sources.decoding import clean
from regrow.data.sources.fields import Fields
from regrow.data.sources.item import Item, Refused
from regrow.data.sources.json_rows import canonical
from regrow.data.sources.opening import HEAD_BYTES
from regrow.data.sources.step import reading
from regrow.data.sources.whole import beginning
from regrow.params.readers.parquet import FILES
from regrow.params.source import Source

SUFFIXES = FILES.suffixes
_ROWS = 64
"""rows of Parquet that are held at once"""
_PAGE_BYTES = 1 << 20
_FEATHER_1 = b"FEA1"


def read(path: Path, name: str, source: Source) -> Iterator[Item | Refused]:
    """A document for each row, in the order of the file.

    Holds the pages of 64 rows of Parquet, or one batch of Arrow. A part of the file that is damaged is refused once,
    with the number of its rows as `value` where the file says it, and the reader goes on behind it.
    """
    said, fields = clean(name), Fields(source)
    head = beginning(path, said)
    if isinstance(head, Refused):
        yield head
        return
    if (
        head.startswith(b"PAR1")
        or head.startswith(b"PARE")
        or path.name.lower().endswith(".parquet")
    ):
        yield from _parquet(path, said, head, fields)
    elif head.startswith(_FEATHER_1):
        detail = "Feather version 1; write it again as version 2"
        yield Refused(head, "bad_arrow", detail, said)
    else:
        yield from _arrow(path, said, head, fields)


def _parquet(path: Path, said: str, head: bytes, fields: Fields) -> Iterator[Item | Refused]:
    try:
        # Pages are read one after another (`buffer_size`), and compared with their checksum if they have one.
        file = pq.ParquetFile(path, buffer_size=_PAGE_BYTES, pre_buffer=False, page_checksum_verification=True)  # fmt: skip
        columns = _columns(file.schema_arrow, fields)
        groups = [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]
    except Exception as error:  # whatever the library raises
        yield Refused(head, "bad_parquet", _message(error, path), said)
        return
    start = 0
    with file:
        for number, rows in enumerate(groups):
            count = 0
            batches = iter(file.iter_batches(_ROWS, [number], columns, use_threads=False))
            while count < rows:
                try:
                    batch = next(batches)
                    taken = [values(column) for column in batch.columns]
                except (
                    Exception
                ) as error:  # as above; StopIteration: fewer rows than the footer says
                    payload, place = f"{number} {rows} ".encode() + head, f"{said}, row group {number + 1}"  # fmt: skip
                    yield Refused(payload[:HEAD_BYTES], "damaged_rows", _message(error, path), place, value=float(rows - count))  # fmt: skip
                    break
                yield from _rows(batch.schema.names, taken, said, start + count, fields)
                count += batch.num_rows
            start += rows


def _arrow(path: Path, said: str, head: bytes, fields: Fields) -> Iterator[Item | Refused]:
    """Batches of an IPC file by number, so that a damaged one hides no other; of a stream until the first damage."""
    start = 0
    try:
        with pa.memory_map(str(path)) as mapped:
            if not head.startswith(b"ARROW1"):
                for batch in pa.ipc.open_stream(mapped):
                    yield from _checked(batch, said, start, fields)
                    start += batch.num_rows
                return
            file = pa.ipc.open_file(mapped)
            for number in range(file.num_record_batches):
                try:
                    batch = file.get_batch(number)
                except Exception as error:
                    payload = f"{number} ".encode() + head
                    place = f"{said}, batch {number + 1}"
                    yield Refused(payload[:HEAD_BYTES], "damaged_rows", _message(error, path), place)  # fmt: skip
                    continue
                yield from _checked(batch, said, start, fields)
                start += batch.num_rows
    except Exception as error:  # as above
        yield Refused(head, "bad_arrow", f"after {start} rows: {_message(error, path)}", said)


def _checked(batch: pa.RecordBatch, said: str, start: int, fields: Fields) -> Iterator[Item | Refused]:  # fmt: skip
    """The rows of a batch whose offsets point into it: the file is mapped, and nobody has looked at them yet."""
    wanted = _columns(batch.schema, fields)
    names = batch.schema.names
    places = [n for n, name in enumerate(names) if wanted is None or name in wanted]
    try:
        batch.validate(full=True)
        taken = [values(batch.column(n)) for n in places]
    except Exception as error:  # as above
        payload, place = f"{start} {batch.num_rows} ".encode(), f"{said}, from row {start + 1}"
        yield Refused(payload, "damaged_rows", _message(error), place, value=float(batch.num_rows))
        return
    yield from _rows([names[n] for n in places], taken, said, start, fields)


def _rows(
    names: list[str], columns: list[list[object]], said: str, start: int, fields: Fields
) -> Iterator[Item | Refused]:
    for number, row in enumerate(zip(*columns, strict=True), start + 1):
        named = dict(zip(names, row, strict=True))
        # Without nulls: a file may lack a column that is null in all of its rows.
        held = {name: value for name, value in named.items() if value is not None}
        payload = canonical(held).encode("utf-8", "surrogatepass")
        yield fields.item(named, payload, f"{said}, row {number}")


def _columns(schema: pa.Schema, fields: Fields) -> list[str] | None:
    """The columns that fields are asked from; None (all) where no text is among them: a refused row is named by them."""
    there = set(schema.names)
    firsts = {name: name if name in there else name.partition(".")[0] for name in fields.names()}
    if not any(firsts[name] in there for name in fields.text_names()):
        return None
    return [*dict.fromkeys(first for first in firsts.values() if first in there)]


def _message(error: Exception, path: Path | None = None) -> str:
    """What the library says, without the place of the file on this machine."""
    said = str(error) if path is None else str(error).replace(str(path), "the file")
    return " ".join(said.split())[:200] or type(error).__name__


run = reading(SUFFIXES, read)
