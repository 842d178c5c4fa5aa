"""Values of an Arrow array as rows of JSON have them.

Not `to_pylist`: that asks pandas and the system's table of time zones for some types, raises at strings that are not
UTF-8, and gives NaN where a value is missing.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from regrow.data.sources.json_rows import Number

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH = datetime.datetime(1970, 1, 1)


def values(array: pa.Array) -> list[object]:
    """A value for each row: None, a boolean, a number, a string, bytes, a list or an object.

    Bytes stand for strings that are not UTF-8; times are ISO 8601, with a Z where the column has a time zone.
    """
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return values(array.storage)
    if types.is_dictionary(kind):
        return values(array.dictionary_decode())
    if types.is_run_end_encoded(kind):
        return values(pc.run_end_decode(array))
    if types.is_null(kind):
        return [None] * len(array)
    if types.is_struct(kind):
        return _objects(array)
    if types.is_nested(kind):
        return [_nested(one) if one.is_valid else None for one in array]
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _strings(array)
    if types.is_temporal(kind):
        return _times(array)
    if types.is_floating(kind):
        return _said(array, lambda value: None if value != value else Number(repr(float(value))))
    if types.is_integer(kind) or types.is_decimal(kind):
        return _said(array, lambda value: Number(str(value)))
    return list(array.to_pylist())  # booleans and bytes


def _said(array: pa.Array, say: Callable[[Any], object]) -> list[object]:
    return [None if value is None else say(value) for value in array.to_pylist()]


def _strings(array: pa.Array) -> list[object]:
    try:
        return list(array.to_pylist())
    except UnicodeDecodeError:
        return [_string(value) for value in array.cast(pa.large_binary()).to_pylist()]


def _string(value: bytes | None) -> object:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return value


def _objects(array: pa.Array) -> list[object]:
    names = [array.type.field(number).name for number in range(array.type.num_fields)]
    columns = [values(column) for column in array.flatten()]
    rows = zip(*columns, strict=True) if columns else [()] * len(array)
    there = array.is_valid().to_pylist()
    return [dict(zip(names, row, strict=True)) if is_ else None for row, is_ in zip(rows, there, strict=True)]  # fmt: skip


def _nested(one: pa.Scalar) -> object:
    """A list, or a map with its keys as strings; what else there is (unions) as text."""
    if not isinstance(
        one, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar | pa.MapScalar
    ):
        return str(one)
    inside = values(one.values)
    if not isinstance(one, pa.MapScalar):
        return inside
    pairs = (tuple(pair.values()) for pair in inside if isinstance(pair, dict))
    return {str(key): value for key, value in pairs}


def _times(array: pa.Array) -> list[object]:
    kind = array.type
    if types.is_timestamp(kind):
        zone = "Z" if kind.tz else ""
        return _said(array.cast(pa.int64()), lambda value: _time(value, kind.unit) + zone)
    if types.is_date32(kind):
        return _said(array.cast(pa.int32()), lambda value: _time(value * 86_400, "s")[:10])
    if types.is_date64(kind):
        return _said(array.cast(pa.int64()), lambda value: _time(value, "ms")[:10])
    return [str(one) if one.is_valid else None for one in array]


def _time(value: int, unit: str) -> str:
    """ISO 8601; the number itself for a year that no calendar has."""
    seconds, part = divmod(value, _PER_SECOND[unit])
    try:
        whole = (_EPOCH + datetime.timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        return str(value)
    digits = len(str(_PER_SECOND[unit])) - 1
    return f"{whole}.{part:0{digits}d}" if part else whole
