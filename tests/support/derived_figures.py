"""Figures of the published run that no single field of a record holds: sums, tables, exports.

Each is registered under the name of its function and stands in a sentence as `{=name}` (run_figures.py).
"""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import tamper_attacks
from key_mutations import KINDS
from regrow.learn.tasks.words import WORDS
from regrow.recipe import table
from run_figures import DERIVED, Absent, derived, names, record, stored
from sandbox_attacks import ATTACKS
from small_repository import ROOT

HOSTS = (
    "sqlalchemy",
    "alembic",
    "mako",
    "lxml",
    "roundup",
    "shakespeare",
    "debian",
    "odd",
    "dialects",
)


def _text(host: str) -> tuple[int, int]:
    """Pages and bytes of text of a host."""
    import polars as pl

    of = pl.col("url").str.contains(rf"^\w+://{host}\.example[/:]")
    kept = pl.read_parquet(stored("text", "documents.parquet")).filter(of)
    return kept.height, int(kept["text"].str.len_bytes().sum())


for _host in HOSTS:
    DERIVED[f"pages_{_host}"] = lambda host=_host: _text(host)[0]
    DERIVED[f"bytes_{_host}"] = lambda host=_host: _text(host)[1]


@derived
def published() -> int:
    """Artifacts of a plain run."""
    return sum("_seed" not in name for name in names())


@derived
def jobs() -> int:
    """As Snakemake counts them, with the rule `all`."""
    return published() + 1


@derived
def records() -> int:
    return len(names())


@derived
def sources() -> int:
    return sum(
        p.stat().st_size
        for p in (ROOT / "sources").rglob("*.*")
        if p.suffix in (".xz", ".gz", ".warc", ".arc")
    )


@derived
def published_evaluations() -> int:
    folders = (ROOT / "published").glob("evaluate_*")
    return sum(p.stat().st_size for folder in folders for p in folder.iterdir())


@derived
def steps() -> int:
    return sum(step.group == "main" for step in table.default())


@derived
def kinds() -> int:
    """Kinds of change that tests/engine/test_key_table.py makes to each step."""
    return len(KINDS)


@derived
def attacks() -> int:
    return len(tamper_attacks.ATTACKS)


@derived
def sandbox_attacks() -> int:
    return len(ATTACKS)


@derived
def words() -> int:
    return len(WORDS)


@derived
def teacher() -> int:
    return len((ROOT / "sources/teacher/smollm2.jsonl").read_bytes().splitlines())


@derived
def evals() -> int:
    return len((ROOT / "evals/humaneval.jsonl").read_bytes().splitlines())


def _above(name: str, seen: set[str]) -> set[str]:
    if name not in seen:
        seen.add(name)
        for given in record(name)["inputs"].values():
            if given.get("record"):
                _above(Path(given["record"]).stem, seen)
    return seen


@derived
def ancestors() -> int:
    """Jobs that led to the last checkpoint, itself included."""
    return len(_above("rlvr.000080", set()))


@derived
def ancestral_steps() -> int:
    """Training steps of the last checkpoint and of all before it; a soup trains nothing."""
    return sum(segments())


def segments() -> list[int]:
    """Steps from each checkpoint among the ancestors of the last one to the next of its stage."""
    ends: dict[str, list[int]] = {}
    for name in _above("rlvr.000080", set()):
        stage, _, step = name.partition(".")
        if step and stage != "soup":
            ends.setdefault(stage, []).append(int(step))
    return [
        end - begin
        for found in ends.values()
        for begin, end in pairwise([0, *sorted(found)])
        if end > begin
    ]


@cache
def _export(name: str, json_wanted: bool = False) -> str:
    """What `regrow export` writes about the last checkpoint."""
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger
    from regrow.publish.export.formats import FORMATS
    from regrow.publish.export.subject import Subject

    ledger = Ledger.load(ROOT)
    try:
        return FORMATS[name].text(Subject(ledger, ledger.by_name["rlvr.000080"]), json_wanted)
    except Unanswerable as missing:
        raise Absent(str(missing).partition(":")[0]) from None


for _name, _of in {
    "croissant": lambda: len(_export("croissant").encode()),
    "croissant_files": lambda: len(json.loads(_export("croissant"))["distribution"]),
    "croissant_tables": lambda: len(json.loads(_export("croissant"))["recordSet"]),
    "cyclonedx": lambda: len(_export("cyclonedx").encode()),
    "components": lambda: len(json.loads(_export("cyclonedx"))["components"]),
    "openlineage": lambda: len(_export("openlineage").encode()),
    "ro_crate": lambda: len(_export("ro-crate").encode()),
    "summary_page": lambda: len(_export("summary").encode()),
    "summary_json": lambda: len(_export("summary", True).encode()),
    "sections": lambda: len(_summary()["sections"]),
    "unanswered": lambda: len(_summary()["to_be_filled_in"]),
}.items():
    DERIVED[_name] = _of


def _summary() -> dict[str, Any]:
    return dict(json.loads(_export("summary", True)))


@derived
def metrics() -> int:
    bom = json.loads(_export("cyclonedx"))
    about = [c for c in [bom["metadata"]["component"], *bom["components"]] if "modelCard" in c]
    return sum(len(c["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]) for c in about)


@derived
def flop() -> str:
    (found,) = (
        f["value"] for s in _summary()["sections"] for f in s["fields"] if f["key"] == "flop"
    )
    return str(found).removesuffix(" FLOP")


@derived
def kwh() -> float:
    """At the rate, power and PUE that docs/reference/exports.md states as defaults."""
    digits, _, power = flop().partition(" × 10")
    exponent = int(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
    return float(digits) * 10**exponent / 2e10 * 10 * 1.2 / 3.6e6


@derived
def plays() -> int:
    return _text("shakespeare")[0]


@derived
def plays_kept() -> int:
    import polars as pl

    kept = pl.read_parquet(stored("filter", "documents.parquet"))
    return kept.filter(pl.col("url").str.contains("://shakespeare.example")).height


@derived
def distinct() -> int:
    """Tokens of the pack, each document counted once."""
    import polars as pl

    packed = pl.read_parquet(stored("pack", "index.parquet")).filter(pl.col("repeat") == 0)
    return int((packed["end"] - packed["start"]).sum())


def _compression() -> list[float]:
    stats = json.loads(stored("tokenizer", "stats.json").read_bytes())
    return [d["bytes_per_token"] for part in ("mix", "heldout") for d in stats[part].values()]


@derived
def least_compression() -> float:
    return min(_compression())


@derived
def most_compression() -> float:
    return max(_compression())


@derived
def filler() -> float:
    """Share of the long mix that closes sequences which no piece fits."""
    counts = record("longcontext_data")["counts"]
    return counts["filler"] / sum(counts["components"].values())


@derived
def skipped_midtrain() -> str:
    """Steps of the second midtraining run whose update was dropped."""
    import polars as pl

    run = pl.read_parquet(stored("midtrain_b.000900", "metrics.parquet"))
    return ", ".join(str(n) for n in run.filter("skipped")["step"])


@derived
def kept_run() -> str:
    return {"a": "first", "b": "second", "mean": "mean"}[record("soup.000900")["counts"]["kept"]]
