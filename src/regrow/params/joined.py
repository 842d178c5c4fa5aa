"""Data sets that are joined of others, in given shares: as an entry of `datasets`, or as what a stage says of its data.

`data: {midtrain_data: 0.7, mine: 0.3}` of a stage means the entry `joined_<stage>: {kind: joined, of: ...}`; stages
that say the same read the same one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from regrow.params.entries import RecipeError, listed, nearest
from regrow.params.names import CONTENT, JOINED
from regrow.params.stages import Dataset

START = "joined_"
"""beginning of the name of a data set that a stage describes itself"""
LONGEST_NAME = 31


def described(raw: Any) -> tuple[list[Any], list[dict[str, Any]]]:
    """The entries of `stages` with names in place of shares, and the data sets that these mean.

    Raises:
        RecipeError: shares that cannot be, or a name that would be too long.
    """
    entries, made = [], dict[str, dict[str, Any]]()
    for name, said in listed(raw, "stages"):
        shares = said.get("data")
        if isinstance(shares, dict):
            where = f"{name}.data"
            check_shares(where, shares)
            entry = {"kind": JOINED, "of": shares}
            data = next((known for known, other in made.items() if other == entry), START + name)
            if len(data) > LONGEST_NAME:
                raise RecipeError(
                    f"{where}: `{data}`, the name of the joined data set, would be longer than {LONGEST_NAME} letters. "
                    f"Fix: name it under `datasets`, `- both: {{kind: joined, of: {shares}}}`."
                )
            made[data] = entry
            said = {**said, "data": data}
        entries.append({name: said})
    return entries, [{name: entry} for name, entry in made.items()]


def check_shares(where: str, shares: Mapping[str, Any]) -> None:
    """Refuse shares that are none. `where`: the field, for the message. Raises RecipeError."""
    for name, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or not share > 0:
            raise RecipeError(f"{where}.{name}: a share must be a number above 0, got {share!r}.")
    if len(shares) < 2:
        one = next(iter(shares), "NAME")
        raise RecipeError(
            f"{where}: shares are of two data sets at least, got {dict(shares)}. Fix: `data: {one}` reads one alone."
        )
    whole = math.fsum(shares.values())
    if abs(whole - 1) > 1e-9:
        raise RecipeError(
            f"{where}: shares must sum to 1, got {dict(shares)}, which sum to {whole:g}."
        )


def check_entry(entry: Dataset, said: Mapping[str, Any]) -> Dataset:
    """An entry of `datasets` with its defaults. Raises RecipeError where fields are of another kind."""
    if entry.kind != JOINED:
        for field in ("of", "tokens", "examples"):
            if said.get(field):
                raise RecipeError(
                    f"{entry.name}.{field}: only a data set of the kind `joined` has it, and this is {entry.kind}. Fix: "
                    "leave it out."
                )
        return entry
    check_shares(f"{entry.name}.of", entry.of)
    return entry if "max_repeats" in said else entry.model_copy(update={"max_repeats": 1})


def content(data: str, known: Mapping[str, Dataset]) -> str:
    """The kind of what a data set holds: of a joined one, that of its parts."""
    own = known.get(data)
    kind = own.kind if own else data
    if own is not None and own.kind == JOINED:
        return CONTENT.get(content(next(iter(own.of)), known), "")
    return kind


def check_parts(known: Mapping[str, Dataset], stages: Sequence[str]) -> None:
    """Refuse joined data sets whose parts are not there, or do not fit. Raises RecipeError."""
    for name, data in known.items():
        if data.kind != JOINED:
            continue
        where = _where(name, stages)
        able = [*CONTENT, *(n for n, d in known.items() if d.kind in CONTENT)]
        able.remove("chats")  # no built-in data set
        for part in data.of:
            if part in known and known[part].kind == JOINED:
                raise RecipeError(
                    f"{where}.{part}: `{part}` is joined itself. Fix: name its parts with their shares of the whole."
                )
            if part not in able:
                made = known[part].kind if part in known else ""
                odd = (
                    f"`{part}` is made by {made}, which cannot be joined"
                    if made
                    else f"no data set `{part}`"
                )
                raise RecipeError(f"{where}.{part}: {odd}. {nearest(part, able)}")
        first, *others = data.of
        kind = CONTENT[content(first, known)]
        for part in others:
            if CONTENT[content(part, known)] != kind:
                raise RecipeError(
                    f"{where}: `{first}` and `{part}` cannot be joined: {_said(content(first, known))} and "
                    f"{_said(content(part, known))}. Fix: join text with text of one length, or conversations with conversations."
                )
        wrong, right = ("tokens", "examples") if kind == "sft_data" else ("examples", "tokens")
        if getattr(data, wrong):
            raise RecipeError(
                f"{where.removesuffix('.of')}.{wrong}: it joins {_said(kind)}. Fix: say `{right}` instead."
            )


def _where(name: str, stages: Sequence[str]) -> str:
    """The field that says the parts of a joined data set."""
    stage = name.removeprefix(START)
    return f"{stage}.data" if name.startswith(START) and stage in stages else f"datasets: {name}.of"


def _said(kind: str) -> str:
    return {
        "sft_data": "conversations",
        "chats": "conversations",
        "longcontext_data": "packed text for a longer context",
    }.get(kind, "packed text")


def parts(data: str, known: Mapping[str, Dataset]) -> list[str]:
    """The data sets that a data set is joined of, by name; itself where it is not joined."""
    own = known.get(data)
    return sorted(own.of) if own is not None and own.kind == JOINED else [data]


def problem(params: Any) -> str:
    """What is wrong with the lengths and sizes of joined packs, "" where nothing is."""
    known = {data.name: data for data in params.datasets}
    for name, data in known.items():
        if data.kind != JOINED or content(name, known) == "sft_data":
            continue
        blocks = {part: _section(params, part, known) for part in data.of}
        first, *others = data.of
        for part in others:
            lengths = blocks[first][1].sequence_length, blocks[part][1].sequence_length
            if lengths[0] != lengths[1]:
                fields = [f"{blocks[p][0]}.sequence_length" for p in (first, part)]
                return (
                    f"datasets: {name}.of: sequences of one length can be joined; {fields[0]} is {lengths[0]} and "
                    f"{fields[1]} is {lengths[1]}. Fix: give both the same."
                )
        if 0 < data.tokens < (length := blocks[first][1].sequence_length):
            return f"datasets: {name}.tokens: must be one sequence ({length} tokens) at least, got {data.tokens}."
    return ""


def _section(params: Any, data: str, known: Mapping[str, Dataset]) -> tuple[str, Any]:
    """The section of a data set's settings, by name, and its block."""
    own = known.get(data)
    kind = own.kind if own else data
    name = (own.settings if own else "") or (data if hasattr(params, data) else kind)
    return name, getattr(params, name)
