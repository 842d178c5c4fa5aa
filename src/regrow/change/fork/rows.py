"""Rows of files that somebody brings: JSONL, Parquet, text files, and folders of these."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from regrow.change.fork import files
from regrow.evidence.errors import Unanswerable

COLUMNS = ("text", "messages", "licence", "license", "url", "source")
"""that are read of a table"""
_BATCH = 2_048
_PAIRS = frozenset({"chosen", "rejected"})
_TASKS = frozenset({"ground_truth", "verifier", "verifiers", "reward_model"})
_BROKEN = (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""PanicException, which damaged pages raise (https://github.com/pola-rs/polars/issues/23139), is no Exception"""


def rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, row) of everything at `path`, one at a time; a text file is a row with `text` and `url`.

    Raises:
        Unanswerable: not there, or not readable; it names file and place.
    """
    below = path.resolve() if path.is_dir() else path.parent
    for file in files.inventory(path).files:
        kind = files.kind(file)
        if kind == files.TABLE:
            yield from _parquet(file)
        elif kind in files.LINES:
            for number, line in files.lines(file):
                if line.strip():
                    place = f"{files.shown(file)}, line {number}"
                    yield place, _json(place, line)
        else:
            name = files.address(file.relative_to(below))
            yield files.shown(file), {"text": files.whole(file), "url": name}


def unsupported(place: str, names: Collection[str]) -> None:
    """Refuse rows that are no document and no conversation, by the names of their fields.

    Raises:
        Unanswerable: preference pairs, tasks with a verifier, or nothing that is read.
    """
    have = set(names)
    if have >= _PAIRS:
        raise Unanswerable(
            f"{place}: `chosen` and `rejected` make a preference pair, which a fork does not take: it "
            "brings documents (`text`) and conversations (`messages`). To learn the chosen answers, "
            "give them as `messages`."
        )
    if have & _TASKS and "text" not in have:
        raise Unanswerable(
            f"{place}: `{min(have & _TASKS)}` makes a prompt for reinforcement learning, which a fork does not "
            "take: it brings documents (`text`) and conversations (`messages`)."
        )
    if not have & {"text", "messages"}:
        hint = " Rename `conversations` to `messages`." if "conversations" in have else ""
        fields = ", ".join(sorted(map(repr, have)))[:200] or "nothing"
        raise Unanswerable(
            f"{place}: no field `text` and no field `messages`; it has {fields}.{hint}"
        )


def _json(place: str, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else error
        raise Unanswerable(f"{place}: not JSON ({said}).") from None
    if not isinstance(row, dict):
        raise Unanswerable(f"{place}: must be an object with a field `text` or `messages`.")
    row = {name: value for name, value in row.items() if value is not None}
    unsupported(place, row)
    return row


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    place = files.shown(path)
    try:
        frame = pl.scan_parquet(path, glob=False)
        have = frame.collect_schema().names()
    except _BROKEN as error:
        raise Unanswerable(f"{place}: not a Parquet file ({_first_line(error)}).") from None
    unsupported(place, have)
    wanted = frame.select([name for name in COLUMNS if name in have])
    number = 0
    try:
        for batch in wanted.collect_batches(chunk_size=_BATCH, maintain_order=True):
            for row in batch.iter_rows(named=True):
                number += 1
                found = {name: value for name, value in row.items() if value is not None}
                unsupported(f"{place}, row {number}", found)
                yield f"{place}, row {number}", found
    except _BROKEN as error:
        raise Unanswerable(
            f"{place}: damaged, or not a Parquet file, after row {number} ({_first_line(error)})."
        ) from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
