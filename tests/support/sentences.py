"""Each sentence of the cards of a run, and whether it falls when the evidence that it names is taken away."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from regrow.params.evaluate import Release
from regrow.recipe.kinds import METHODS
from regrow.release import composition, data_card, model_card
from regrow.release.records import artifact
from regrow.release.sentence import Sentence, walk

Raws = dict[str, dict[str, Any]]


def raws(root: Path) -> Raws:
    found = [json.loads(path.read_text()) for path in (root / "records").glob("*.json")]
    return {r["step"] + (f".{r['instance']}" if r["instance"] else ""): r for r in found}


def table(root: Path) -> pl.DataFrame:
    return composition.documents(root / "data/decontaminate", root / "data/mix")


class Run:
    """What the cards of one checkpoint say, from records that can be changed."""

    def __init__(self, root: Path, name: str, stated: dict[str, Any] | None = None) -> None:
        self.root, self.name = root, name
        self.raws, self.table = raws(root), table(root)
        self.stated: dict[str, Any] = stated or {}
        self.tokens: int | None = 128
        self.parameters = 1000

    def copy(self) -> Run:
        return copy.deepcopy(self)

    def sentences(self) -> list[Sentence]:
        """All sentences of both cards."""
        records = {name: artifact(raw) for name, raw in self.raws.items()}
        given = {
            n: r for n, r in records.items() if n.partition(".")[0] not in ("evaluate", "release")
        }
        given["checkpoint"] = given.pop(self.name)
        instance = self.name.replace(".", "-")
        release = Release(**self.stated)
        card = model_card.facts(
            release=release, instance=instance, config={}, parameters=self.parameters, weights="0" * 64,
            checkpoint="1" * 64, state={"tokens": self.tokens}, decision={}, eos="", results={}, samples={},
            records=given, table=self.table, methods=METHODS,
        )  # fmt: skip
        data = data_card.facts(
            release=release,
            instance=instance,
            sources=composition.sources(self.root / "sources/manifest.yaml")
            if "crawl" in self.raws
            else [],
            table=self.table,
            records=given,
            methods=METHODS,
        )
        return [*walk(card), *walk(data)]

    def without(self, evidence: str) -> None:
        """Take one piece of evidence away."""
        record, _, field = evidence.partition("/")
        if record == "publisher":
            self.stated[field] = None if self.stated.get(field) else "something else"
        elif record == "table":
            self._table(field)
        elif record == "state":
            self.tokens = None
        elif evidence == "*/key":
            del self.raws["tokenizer"]  # one record fewer
        elif record == "model.safetensors":
            self.parameters += 1
        else:
            for name in (
                [*self.raws] if record == "*" else [self.name if record == "checkpoint" else record]
            ):
                if name in self.raws:
                    _cut(self.raws[name], field)

    def _table(self, column: str) -> None:
        if column == "licence":
            known = (
                pl.when(pl.col("licence") == "unknown")
                .then(pl.lit("MIT"))
                .otherwise(pl.lit("unknown"))
            )
            self.table = self.table.with_columns(known.alias("licence"))
        elif column == "repeats":
            self.table = self.table.with_columns(pl.col("repeats") * 0)
        elif column == "language":
            self.table = self.table.with_columns(pl.lit(None, pl.String).alias("language"))
        else:
            self.table = self.table.clear()


def _cut(raw: dict[str, Any], field: str) -> None:
    parts = raw["parts"]
    if field == "function":
        parts["code"]["function"] = ""
    elif field == "step":
        raw["step"] = f"{raw['step']}x"
    elif field == "output.files":
        raw["output"]["files"] = []
    else:
        top, _, rest = field.partition(".")
        at: Any = raw if top in ("counts", "inputs") else parts
        path = [top, *rest.split(".")] if rest else [top]
        for step in path[:-1]:
            at = at.get(step) or {}
        at.pop(path[-1], None)


def unheld(run: Run) -> list[str]:
    """Sentences that stay as they are when all that they are said to follow from is taken away."""
    found = []
    said = Counter(sentence.text for sentence in run.sentences())
    for sentence in run.sentences():
        other = run.copy()
        for evidence in sentence.by:
            other.without(evidence)
        left = Counter(s.text for s in other.sentences())
        if left[sentence.text] >= said[sentence.text]:
            found.append(f"{sentence.text} {sentence.by}")
    return found
