"""The decontaminate step: a hold-out set per domain, and no training document that overlaps it.

Held-out documents are measured by every checkpoint, so training must not see them, nor their
other versions (`regrow.data.dedup.holdout`), nor pages that share much of their text
(`regrow.data.dedup.overlap`), nor items of the evals in `evals/`, nor tasks of dev and test
(`regrow.data.dedup.items`).

The table is passed over four times and never held: to choose the hold-out, to collect it, to look at every other
document, and to write what stays. In memory are the n-grams of the held-out documents, which
`regrow.data.dedup.choice` bounds, the evals and the tasks.

The third pass costs nearly all of the time. A recipe may cut it: `hold_out` makes the first two, `part` the third for a
range of the documents, and `run` the last. Uncut, `run` makes all of them, by the same functions.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from regrow.data.dedup import choice, deciding, held, looking, notes
from regrow.data.dedup.deciding import Decided
from regrow.data.dedup.held import HeldOut
from regrow.data.dedup.unwanted import Unwanted
from regrow.data.dedup.words import Forgetful, ForgetfulReader
from regrow.data.tables import passes, ranges
from regrow.data.tables.conservation import balanced
from regrow.data.tables.stream import Schema
from regrow.params.data import Decontaminate

_NEEDED = ("id", "url", "source", "text")
_HELD = "heldout.parquet"


def run(inputs: Mapping[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Split `dedup/documents.parquet` into train.parquet and heldout.parquet; drops.parquet.

    The table may have any order; rows come out sorted by id and URL. One that is sorted so is read as it is, of
    another one a sorted copy is made first.

    Args:
        inputs: `dedup`, `evals`, `tasks`. Where the step is cut also `heldout`, which `hold_out` filled, and
            `part.<part>`, which `part` filled.

    Returns the counts of documents in, kept (for training), dropped by reason (`held_out` is
    one), and per domain the documents of both sets and how many of the held-out n-grams
    (page furniture left out) training still sees.

    Raises:
        ValueError: the table lacks a column, an eval file is malformed, or parts are of something else.
        regrow.data.tables.conservation.Lost: documents were lost on the way, which is an error of this step.
    """
    output.mkdir(parents=True, exist_ok=True)
    parts = ranges.made(inputs)
    if parts:
        return _gathered(inputs, parts, params.decontaminate, output)
    with TemporaryDirectory(dir=output) as name:
        held_out, one = Path(name) / "heldout", Path(name) / "part"
        hold_out(inputs, params, held_out)
        needed = {**inputs, "heldout": held_out}
        part(needed, params, one, instance=ranges.WHOLE)
        return _gathered(needed, [one], params.decontaminate, output)


def hold_out(inputs: Mapping[str, Path], params: Any, output: Path) -> dict[str, Any]:
    """Choose the hold-out of `dedup/documents.parquet` and write it to heldout.parquet.

    Of a table that is not sorted by id and URL, `output` holds a sorted copy as well.

    Raises:
        ValueError: the table lacks a column.
    """
    p: Decontaminate = params.decontaminate
    path, schema = _table(inputs)
    table = ranges.prepare(path, schema, ("id", "url"), output)
    with TemporaryDirectory(dir=output) as name:
        chosen = choice.choose(table, p, Path(name))
    found = held.collect(table, schema, chosen, p, output / _HELD)
    documents = chosen.documents.total()
    print(f"decontaminate: {found} of {documents} held out", file=sys.stderr, flush=True)
    return {"documents": documents, "heldout": found}


def part(inputs: Mapping[str, Path], params: Any, output: Path, *, instance: str) -> dict[str, Any]:
    """Look at a part of the documents (`regrow.data.dedup.looking`).

    Args:
        inputs: `dedup`, `evals`, `tasks`, and `heldout`, which `hold_out` filled.
        instance: which part: `003of016`.

    Raises:
        ValueError: an eval file is malformed.
        regrow.data.tables.conservation.Lost: a document was not looked at, which is an error of this step.
    """
    p: Decontaminate = params.decontaminate
    table = ranges.prepared(_table(inputs)[0], inputs["heldout"])
    within = ranges.of(table, instance)
    shingler = Forgetful(p.ngram)
    items = Unwanted(dict(inputs), ForgetfulReader(shingler), p)
    known = held.read(inputs["heldout"] / _HELD, shingler)
    print(f"decontaminate: {len(items)} eval items and tasks", file=sys.stderr, flush=True)
    output.mkdir(parents=True, exist_ok=True)
    seen = looking.look(table, within, known, items, p, output)
    balanced("decontaminate", f"documents of part {instance}", within[1] - within[0], kept=seen)
    return {"in": within[1] - within[0], "kept": seen}


def _table(inputs: Mapping[str, Path]) -> tuple[Path, Schema]:
    path = inputs["dedup"] / "documents.parquet"
    return path, passes.schema(path, _NEEDED, "dedup")


def _gathered(
    inputs: Mapping[str, Path], parts: list[Path], p: Decontaminate, output: Path
) -> dict[str, Any]:
    """Decide on all documents, by what the jobs of all parts found."""
    path, schema = _table(inputs)
    table = ranges.prepared(path, inputs["heldout"])
    known = held.read(inputs["heldout"] / _HELD, Forgetful(p.ngram))
    for folder in parts:
        known.counted(looking.times(folder))
    known.leave_out_common(p.common_ngram)
    found = chain.from_iterable(notes.read(folder / looking.NOTES) for folder in parts)
    decided = deciding.decide(table, schema, known, p, found, output)
    shutil.copyfile(inputs["heldout"] / _HELD, output / _HELD)
    conserved = [passes.ids(output / f"{name}.parquet") for name in ("train", "drops")]
    passes.conserved("decontaminate", "documents", passes.ids(table), *conserved)
    return {
        "in": decided.documents.total(),
        "kept": decided.trained.total(),
        "dropped": dict(sorted(decided.reasons.items())),
        "domains": _domains(decided, known),
    }


def _domains(decided: Decided, known: HeldOut) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name in sorted(decided.documents):
        ngrams, seen = known.ngrams(name)
        found[name] = {
            "train": decided.trained[name],
            "heldout": known.domains.count(name),
            "heldout_ngrams": ngrams,
            "heldout_ngrams_seen": seen,
        }
    return found
