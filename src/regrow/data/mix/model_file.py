"""The model files that classify takes: what kind a file is, and which labels it has, found without loading it."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from regrow.data.mix import fasttext_file
from regrow.data.mix.scoring import FEATURES

Format = Literal["fastText", "regrow"]
_HEADER = 1 << 20
"""bytes that the header of a file of two tensors may have"""


class ModelError(ValueError):
    """A model file that cannot be used; the message names file, field and fix."""


@dataclass(frozen=True)
class Described:
    """What a file holds."""

    format: Format
    labels: tuple[str, ...]
    """as the format gives them, in the order of the scores"""
    names: tuple[str, ...]
    """the same without fastText's prefix, where all have it"""


def describe(path: Path, shown: str, field: str, most: int) -> Described:
    """Look at a file.

    Args:
        path: the file.
        shown: what messages call it: its path below the repository.
        field: of the params, for example `classify.topic_model`.
        most: bytes that it may have.

    Raises:
        ModelError: it is missing, too large, cut off, or no classifier of the two formats.
    """
    try:
        size = path.stat().st_size
        if size > most:
            raise ModelError(
                f"{shown}: {field}: {size:,} bytes; classify.max_model_bytes allows {most:,}, since a model is in memory "
                "whole. Fix: a smaller model (`fasttext quantize` writes one), or raise the limit where memory is there."
            )
        with path.open("rb") as file:
            start = file.read(9)
        if start.startswith(fasttext_file.MAGIC):
            found = fasttext_file.header(path).labels
            return Described("fastText", found, _names(found))
        if start[8:] == b"{":
            classes = _classes(path, size)
            return Described("regrow", classes, classes)
        raise fasttext_file.Damaged("it begins as neither of the two")
    except (OSError, fasttext_file.Damaged) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ModelError(
            f"{shown}: {field}: no classifier that can be read: {why}. Fix: name a fastText file (.bin or .ftz, as "
            "`fasttext supervised` and `quantize` write it), or topic.safetensors or quality.safetensors of another run."
        ) from None


def good(labels: tuple[str, ...], wanted: str, shown: str) -> int:
    """The place of the label that means good.

    Raises:
        ModelError: the model lacks it; the message lists those that it has.
    """
    for one in (wanted, fasttext_file.PREFIX + wanted):
        if one in labels:
            return labels.index(one)
    raise ModelError(
        f"{shown}: classify.quality_label: {wanted!r} is no label of the model, which has: {listed(labels)}. Fix: "
        "`quality_label:` the one that good documents have."
    )


def check_topics(topics: list[str], names: tuple[str, ...], shown: str) -> None:
    """Compare the topics that params label with those of the model.

    Raises:
        ModelError: the model does not know one.
    """
    odd = [one for one in topics if one not in names]
    if odd:
        raise ModelError(
            f"{shown}: classify.topics: {odd[0]!r} is no topic of the model, which has: {listed(names)}. Fix: use these "
            "names, or leave `topics` out (with a model they only measure it)."
        )


def listed(labels: tuple[str, ...]) -> str:
    """Labels for a message, the first twenty of many."""
    rest = f", and {len(labels) - 20:,} more" if len(labels) > 20 else ""
    return ", ".join(repr(one) for one in labels[:20]) + rest


def _names(labels: tuple[str, ...]) -> tuple[str, ...]:
    prefix = fasttext_file.PREFIX
    if all(len(one) > len(prefix) and one.startswith(prefix) for one in labels):
        return tuple(one.removeprefix(prefix) for one in labels)
    return labels


def _classes(path: Path, size: int) -> tuple[str, ...]:
    """Classes of a file that `regrow.data.mix.linear.Linear.save` wrote; the whole header is checked."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(_HEADER, size):
            raise fasttext_file.Damaged("its header is longer than it may be")
        text = file.read(length)
    try:
        header: dict[str, Any] = json.loads(text)
        meta: dict[str, Any] = json.loads(header["__metadata__"]["regrow"])
        classes, words = meta["classes"], meta["words"]
        weight, bias = header["weight"], header["bias"]
        buckets, width = weight["shape"]
        end = max(one["data_offsets"][1] for one in (weight, bias))
        whole = (
            meta["features"] == FEATURES
            and isinstance(words, int) and words > 0
            and all(isinstance(one, str) for one in classes)
            and {weight["dtype"], bias["dtype"]} == {"F32"}
            and bias["shape"] == [len(classes)] == [width] and buckets > 0
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError):
        raise fasttext_file.Damaged("its header is not that of a classifier of Regrow") from None
    if not whole or not classes:
        raise fasttext_file.Damaged("its tensors are not those of a classifier of Regrow")
    if 8 + length + end != size:
        raise fasttext_file.Damaged(f"it has {size:,} bytes, its header says {8 + length + end:,}")
    return tuple(classes)
