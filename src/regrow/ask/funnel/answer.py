"""The whole answer of `regrow funnel` as data."""

from __future__ import annotations

import difflib
from typing import Any

import polars as pl

from regrow.ask.funnel.conserve import disagreements
from regrow.ask.funnel.funnel import Counted, Funnel, by_source, counted, of_record
from regrow.ask.funnel.samples import samples
from regrow.engine.visible import visible
from regrow.evidence.errors import Unanswerable


def answer(funnel: Funnel, source: str | None = None, number: int = 0) -> dict[str, Any]:
    """The funnel as JSON-able data.

    `steps`: the sums of each step (of one source, where one is named); `sources`: source -> licences, and step -> its
    sums; `disagreements`: where in is not kept plus dropped; `samples`: `number` dropped documents per step and reason,
    where asked for; `hint`: what is not on disk.

    Raises:
        Unanswerable: no source has that name.
    """
    name = None if source is None else named(funnel, source)
    parts = {step: by_source(frame) for step, frame in funnel.rows.items()}
    licences = _licences(funnel)
    found: dict[str, Any] = {
        "steps": [{"step": step.name, **sums} for step in funnel.steps if (sums := _sums(funnel, step.name, name))],
        "sources": [
            {
                "source": one,
                "licences": licences.get(one, []),
                "steps": {step: of[one] for step, of in parts.items() if one in of},
            }
            for one in funnel.sources
            if name in (None, one)
        ],
        "disagreements": disagreements(funnel),
    }  # fmt: skip
    if number:
        found["samples"] = samples(funnel, number, name)
    found["hint"] = funnel.outputs.hint()
    return found


def _sums(funnel: Funnel, step: str, source: str | None) -> Counted | None:
    frame = funnel.rows.get(step)
    if frame is None:
        record = of_record(next(one for one in funnel.steps if one.name == step))
        return None if source is not None else record
    return counted(frame if source is None else frame.filter(pl.col("source") == source))


def named(funnel: Funnel, source: str) -> str:
    """The source that is meant: by its name, or by a part of one name only. Raises Unanswerable."""
    known = funnel.sources
    if source in known:
        return source
    having = [name for name in known if source in name]
    if len(having) == 1:
        return having[0]
    near = having or difflib.get_close_matches(source, known, n=3) or known[:8]
    if not known:
        raise Unanswerable(f"no source is known here. {funnel.outputs.hint()}".strip())
    raise Unanswerable(
        f"--source {visible(source)}: {'several sources have it in their name' if having else 'no such source'}: "
        f"{', '.join(map(visible, near))}."
    )


def _licences(funnel: Funnel) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for frame in funnel.rows.values():
        for source, licence in frame.select("source", "licence").drop_nulls().unique().iter_rows():
            found.setdefault(source, set()).add(licence)
    return {source: sorted(names) for source, names in found.items()}
