"""Records and answers on a pipe: a length, JSON, and for a record its body behind it.

JSON and not pickle: what reads the pages must not be able to make the other side run anything.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from typing import Any, BinaryIO

from regrow.data.text.record import Record

LENGTHS = struct.Struct("<QQ")


def record_bytes(record: Record) -> bytes:
    """A record as it is sent."""
    fields = {
        f.name: getattr(record, f.name) for f in dataclasses.fields(record) if f.name != "body"
    }
    head = json.dumps(fields).encode()
    return LENGTHS.pack(len(head), len(record.body)) + head + record.body


def read_record(source: BinaryIO) -> Record | None:
    """The next record; None at the end."""
    lengths = source.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    head, body = (source.read(length) for length in LENGTHS.unpack(lengths))
    return Record(**json.loads(head), body=body)


def write(sink: BinaryIO, answer: dict[str, Any]) -> None:
    """Send an answer."""
    data = json.dumps(answer).encode()
    sink.write(LENGTHS.pack(len(data), 0) + data)
    sink.flush()
