"""`in = kept + dropped`, per source and step: every place where it does not hold, as a sentence."""

from __future__ import annotations

import polars as pl

from regrow.ask.funnel.funnel import Counted, Funnel, counted, of_record
from regrow.ask.funnel.steps import ALL, APART, Passed
from regrow.engine.visible import visible


def disagreements(funnel: Funnel) -> list[str]:
    """What does not add up: a step's own sums, its table against its record, and each source from step to step."""
    found = []
    before: tuple[Passed, pl.DataFrame | None] | None = None
    for step in funnel.steps:
        frame, record = funnel.rows.get(step.name), of_record(step)
        if record is not None:
            found += _own(step, record)
            if frame is not None:
                found += _table(step, counted(frame), record)
        if before is not None:
            found += _from(before[0], before[1], step, frame)
        if step.name not in APART:
            before = (step, frame)
    return found


def _own(step: Passed, record: Counted) -> list[str]:
    if record["in"] == record["kept"] + record["dropped"]:
        return []
    return [
        f"{step.name}: its record counts {record['in']:,} documents in, but {record['kept']:,} kept and "
        f"{record['dropped']:,} dropped."
    ]


def _table(step: Passed, table: Counted, record: Counted) -> list[str]:
    """Where the tables hold other numbers than the record says."""
    said = {reason["reason"]: reason["documents"] for reason in record["reasons"]}
    have = {reason["reason"]: reason["documents"] for reason in table["reasons"]}
    pairs = [("kept", table["kept"], record["kept"])]
    pairs += [
        (f"dropped as {visible(name)}", have.get(name, 0), said.get(name, 0))
        for name in sorted({*said, *have})
        if ALL not in said
    ]
    return [
        f"{step.name}: {have_:,} documents are {word} by its tables, {said_:,} by its record."
        for word, have_, said_ in pairs
        if have_ != said_
    ]


def _from(
    before: Passed, left: pl.DataFrame | None, step: Passed, frame: pl.DataFrame | None
) -> list[str]:
    """Where a step met other documents of a source than the step before it handed on."""
    if left is None or frame is None:
        said, met = of_record(before), of_record(step)
        if said is None or met is None or said["kept"] == met["in"]:
            return []
        return [
            f"{step.name} met {met['in']:,} documents, but {before.name} kept {said['kept']:,}."
        ]
    kept = left.filter(pl.col("reason").is_null()).group_by("source").agg(kept=pl.len())
    here = frame.group_by("source").agg(met=pl.len())
    both = kept.join(here, on="source", how="full", coalesce=True).fill_null(0).sort("source")
    return [
        f"{step.name} met {met:,} documents of {visible(source)}, but {before.name} kept {kept_:,}."
        for source, kept_, met in both.iter_rows()
        if kept_ != met
    ]
