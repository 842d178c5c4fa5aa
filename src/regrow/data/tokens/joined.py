"""The step that joins packs: whole sequences of several packed data sets, in given shares of the tokens.

The result has the form of what it joins, so training and every question read it as they read those. An instance
of a document is cut where the sequence behind it is not the one that followed it before.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from regrow.data.tables import parquet as tables
from regrow.data.tables.conservation import balanced
from regrow.data.tokens import shares as sharing

TABLE = "joined.parquet"
ORIGINS: dict[str, type[pl.DataType]] = {
    "sequence": pl.Int64,  # of the joined pack; null: left over
    "source": pl.String,  # the data set that it is from
    "number": pl.Int64,  # of the sequence there
    "copy": pl.Int32,  # from 0; null: left over
}
"""joined.parquet: a row per sequence of the joined pack, and per sequence that found no place in it"""
SHORT = "short"
"""the same sequences cut short, of packs for a longer context"""
MEASURED = ("heldout", "needles.parquet")
"""what training does not read, but stages are measured by"""
_SAME = ("sequence_length", "vocabulary", "eos", "pad")
_CHUNK = 1 << 14
"""sequences that are copied at once"""
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """One of the packs."""

    name: str
    folder: Path
    meta: Mapping[str, Any]

    @property
    def sequences(self) -> int:
        """How many it has."""
        return int(self.meta["sequences"])


def run(
    inputs: dict[str, Path],
    params: Any,
    output: Path,
    *,
    shares: dict[str, float],
    tokens: int = 0,
    max_repeats: int = 1,
    instance: str | None = None,
) -> dict[str, Any]:
    """Fill `output` with a pack, documents.parquet, joined.parquet, and short/, heldout/ and needles.parquet where
    the data sets have them.

    Held-out packs are those of all data sets; where two have one of the same name (or the needles), the one with
    the larger share gives it.

    Args:
        inputs: the packs, by the names in `shares`.
        params: none are read.
        output: the folder to fill.
        shares: data set -> its share of the tokens; they sum to 1.
        tokens: of the whole at most; 0: as many as there are without a repeat, see `shares.sizes`.
        max_repeats: times that a sequence comes at most.
        instance: the name of a fork, where one of the packs is the fork's.

    Returns `in` (sequences), `kept` and `left_over` of them, tokens, and the same by data set.

    Raises:
        ValueError: packs of unequal sequences or vocabularies, or too small to hold their shares.
    """
    parts = [_part(name, inputs[name]) for name in sorted(shares)]
    _fit(parts)
    length = int(parts[0].meta["sequence_length"])
    if 0 < tokens < length:
        raise ValueError(f"tokens ({tokens}) must be one sequence ({length}) at least.")
    available = {part.name: part.sequences for part in parts}
    wanted = sharing.sizes(available, shares, most=tokens // length, max_repeats=max_repeats)
    taken = {
        name: sharing.chosen(available[name], wanted[name], f"joined {name}") for name in available
    }
    output.mkdir(parents=True, exist_ok=True)
    _tokens(output / "tokens.bin", parts, taken, length)
    index = _index(parts, taken, length)
    tables.write(index, output / "index.parquet")
    origins = _origins(available, taken)
    tables.write(origins, output / TABLE)
    whole = sum(wanted.values())
    balanced(
        "joined", "sequences", (output / "tokens.bin").stat().st_size // (2 * length), joined=whole
    )
    _meta(output / "meta.json", parts[0].meta, index, whole, length)
    _short(output, parts, whole * length)
    leading = sorted(parts, key=lambda part: (-shares[part.name], part.name))
    tables.write(_documents(leading, index), output / "documents.parquet")
    _measured(output, leading)
    about = {
        part.name: {
            "sequences": part.sequences,
            "kept": min(part.sequences, wanted[part.name]),
            "joined": wanted[part.name],
            "tokens": wanted[part.name] * length,
            "repeats": len(taken[part.name]),
        }
        for part in parts
    }
    left = int(origins["sequence"].null_count())
    came, kept = sum(available.values()), sum(row["kept"] for row in about.values())
    balanced("joined", "sequences", came, kept=kept, left_over=left)
    return {
        "sequences_in": came,
        "sequences_kept": kept,
        "sequences_left_over": left,
        "sequences": whole,
        "tokens": whole * length,
        "lacking": max(0, tokens // length - whole) * length,
        "joined": about,
    }


def _part(name: str, folder: Path) -> Part:
    return Part(name, folder, json.loads((folder / "meta.json").read_text(encoding="utf-8")))


def _fit(parts: list[Part]) -> None:
    """Refuse packs that no one model could read as one."""
    for part in parts[1:]:
        for field in _SAME:
            first, other = parts[0].meta[field], part.meta[field]
            if first != other:
                raise ValueError(
                    f"{parts[0].name} and {part.name} cannot be joined: their {field} are {first} and {other}."
                )


def _tokens(path: Path, parts: list[Part], taken: Mapping[str, list[Ints]], length: int) -> None:
    """The chosen sequences, data set after data set, each in its own order."""
    with path.open("wb") as file:
        for part in parts:
            stream = np.memmap(
                part.folder / "tokens.bin", dtype="<u2", mode="r", shape=(part.sequences, length)
            )
            for numbers in taken[part.name]:
                for begin in range(0, len(numbers), _CHUNK):
                    file.write(stream[numbers[begin : begin + _CHUNK]].tobytes())


def _runs(numbers: Ints) -> Iterator[tuple[int, int]]:
    """(first, end) of each run of numbers that follow each other."""
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    edges = [0, *breaks.tolist(), len(numbers)]
    for a, b in pairwise(edges):
        yield int(numbers[a]), int(numbers[b - 1]) + 1


def _index(parts: list[Part], taken: Mapping[str, list[Ints]], length: int) -> pl.DataFrame:
    """The rows of the packs' indexes, cut to the chosen sequences and moved to where these are now."""
    found, at = [], 0
    for part in parts:
        index = tables.read(part.folder / "index.parquet")
        start, end = index["start"].to_numpy(), index["end"].to_numpy()
        for numbers in taken[part.name]:
            rows, starts, ends, cuts = [], [], [], []
            for first, behind in _runs(numbers):
                low, high = first * length, behind * length
                a = int(np.searchsorted(end, low, side="right"))
                b = int(np.searchsorted(start, high, side="left"))
                begins = np.maximum(start[a:b], low)
                rows.append(np.arange(a, b))
                cuts.append(begins - start[a:b])
                starts.append(begins - low + at)
                ends.append(np.minimum(end[a:b], high) - low + at)
                at += high - low
            piece = index[np.concatenate(rows)].with_columns(
                start=pl.Series(np.concatenate(starts), dtype=pl.Int64),
                end=pl.Series(np.concatenate(ends), dtype=pl.Int64),
            )
            if "offset" in piece.columns:
                piece = piece.with_columns(
                    offset=pl.col("offset") + pl.Series(np.concatenate(cuts), dtype=pl.Int64)
                )
            found.append(piece)
    joined = pl.concat(found, how="diagonal")
    return joined.with_columns(instance=pl.int_range(joined.height, dtype=pl.Int64))


def _origins(available: Mapping[str, int], taken: Mapping[str, list[Ints]]) -> pl.DataFrame:
    """joined.parquet: what is joined in its order, then what is left over."""
    frames, left, at = [], [], 0
    for name, times in taken.items():
        for copy, numbers in enumerate(times):
            frames.append(_rows(name, numbers, at, copy))
            at += len(numbers)
        if len(times) == 1:  # a second time begins when every sequence is there once
            rest = np.setdiff1d(np.arange(available[name], dtype=np.int64), times[0])
            left.append(_rows(name, rest))
    return pl.concat([*frames, *left])


def _rows(name: str, numbers: Ints, at: int | None = None, copy: int | None = None) -> pl.DataFrame:
    """Rows of joined.parquet, the first for the joined sequence `at`."""
    joined = pl.int_range(len(numbers), dtype=pl.Int64, eager=True) + (at or 0)
    frame = pl.DataFrame({"sequence": joined, "number": numbers}).with_columns(
        sequence=pl.lit(None, pl.Int64) if at is None else pl.col("sequence"),
        source=pl.lit(name),
        copy=pl.lit(copy, pl.Int32),
    )
    return frame.select(pl.col(column).cast(kind) for column, kind in ORIGINS.items())


def _meta(
    path: Path, first: Mapping[str, Any], index: pl.DataFrame, sequences: int, length: int
) -> None:
    meta = {name: first[name] for name in _SAME} | {
        "sequences": sequences,
        "tokens": sequences * length,
        "instances": index.height,
        "dropped_tail_tokens": 0,
        "dropped_tail_instances": 0,
    }
    if "padding" in first:
        sizes = index.select("component", tokens=pl.col("end") - pl.col("start"))
        summed = sizes.group_by("component").agg(pl.col("tokens").sum()).sort("component")
        meta["components"] = dict(summed.iter_rows())
        meta["padding"] = sequences * length - sum(meta["components"].values())
    _json(path, meta)


def _short(output: Path, parts: list[Part], tokens: int) -> None:
    """short/: the joined sequences cut short, where the packs have theirs; the tokens are the same."""
    lengths = {
        int(json.loads(path.read_text(encoding="utf-8"))["sequence_length"])
        for part in parts
        if (path := part.folder / SHORT / "meta.json").is_file()
    }
    if not lengths:
        return
    if len(lengths) > 1:
        raise ValueError(f"sequences cut to unequal lengths cannot be joined: {sorted(lengths)}")
    folder, length = output / SHORT, lengths.pop()
    folder.mkdir()
    for name in ("tokens.bin", "index.parquet"):
        shutil.copyfile(output / name, folder / name)
    meta = json.loads((output / "meta.json").read_text(encoding="utf-8"))
    _json(folder / "meta.json", meta | {"sequences": tokens // length, "sequence_length": length})


def _documents(parts: list[Part], index: pl.DataFrame) -> pl.DataFrame:
    """The rows of the data sets' documents.parquet that are in the joined pack; a pack of the crawl has none."""
    paths = [part.folder / "documents.parquet" for part in parts]
    frames = [tables.read(path) for path in paths if path.is_file()]
    if not frames:
        return pl.DataFrame(schema={"id": pl.String, "parent": pl.String})
    ids = index.select("id").unique()
    every = pl.concat(frames, how="diagonal").unique("id", keep="first", maintain_order=True)
    return every.join(ids, on="id", how="semi").sort("id")


def _measured(output: Path, parts: list[Part]) -> None:
    """Copy what stages are measured by; the first part that has a pack or table gives it."""
    for part in parts:
        for name in MEASURED:
            source = part.folder / name
            if source.is_file() and not (output / name).exists():
                shutil.copyfile(source, output / name)
            if not source.is_dir() or (output / name / "meta.json").exists():
                continue  # the held-out text of a longer context is one pack
            for path in sorted(source.iterdir()):
                target = output / name / path.name
                if path.is_dir() and not target.exists():
                    shutil.copytree(path, target, copy_function=shutil.copyfile)
                elif path.is_file() and not target.exists():
                    target.parent.mkdir(exist_ok=True)
                    shutil.copyfile(path, target)


def _json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
