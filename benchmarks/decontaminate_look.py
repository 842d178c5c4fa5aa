"""The look for evaluation items with and without a glance before it: CPU seconds, and whether any decision differs.

    python benchmarks/decontaminate_look.py data/filter/documents.parquet [--more questions.jsonl.gz ...] [--write]

The table is any with a column `text`: its first 20 MB are read. Items are those of `evals/` and of the tasks of dev and test
in `data/tasks`; `--more` adds the fields `question` and `answer` of JSON Lines (decon bundles such files). Every 10th text
is looked at once more with an item planted in its middle, as it is or in one of the spellings of
`tests/support/planted_items.py`. With `--write` the results go to benchmarks/results/decontaminate_look.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/support"))

import polars as pl

from planted_items import SPELLINGS
from regrow.data.dedup import evals
from regrow.data.dedup.items import Item
from regrow.data.dedup.sequences import Sequences
from regrow.data.dedup.shingles import distinct, grams
from regrow.data.dedup.unwanted import Unwanted
from regrow.data.dedup.words import Forgetful, ForgetfulReader
from regrow.params.data import Decontaminate

HERE = Path(__file__).resolve().parent
BYTES = 20_000_000


def texts(table: Path) -> list[str]:
    """The first texts of a table."""
    found, size = [], 0
    for text in pl.scan_parquet(table).select("text").head(50_000).collect()["text"]:
        found.append(text or "")
        size += len(found[-1].encode())
        if size > BYTES:
            break
    return found


def more(paths: list[Path]) -> list[Item]:
    """Items of question and answer; each question once."""
    found: dict[str, Item] = {}
    for path in paths:
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            row = json.loads(line)
            question = str(row.get("question") or "").strip()
            if question and question not in found:
                text = f"{question}\n{row.get('answer') or ''}"
                found[question] = Item(f"{path.name}:{len(found)}", text, question)
    return [*found.values()]


def planted(found: list[str], items: list[Item]) -> list[str]:
    """Every 10th text with an item in it."""
    rng = random.Random(0)
    made = []
    for text in found[::10]:
        at = text.find(" ", len(text) // 2)
        spelt = SPELLINGS[rng.choice(sorted(SPELLINGS))](rng.choice(items).text)
        made.append(f"{text[:at]}\n{spelt}\n{text[at:]}")
    return made


def measured(found: list[str], looks: Unwanted, n: int) -> dict[str, Any]:
    """Seconds of both ways, what they find, and what the glance lets through."""
    whole = Forgetful(n)
    words = Sequences(n)
    begin = time.process_time()
    before = []
    for text in found:
        whole.set(text)
        before.append(looks.find(text))
    middle = time.process_time()
    after = []
    for text in found:
        own = words.words(text)
        distinct(grams(own, min(n, len(own))))
        after.append(looks.find(text, own))
    end = time.process_time()
    through = sum(looks._may_hold(text, words.words(text)) for text in found)
    return {
        "texts": len(found), "megabytes": round(sum(len(text.encode()) for text in found) / 1e6, 1),
        "cpu_seconds_without": round(middle - begin, 2), "cpu_seconds_with": round(end - middle, 2),
        "found_without": sum(one is not None for one in before), "found_with": sum(one is not None for one in after),
        "decided_otherwise": sum(a != b for a, b in zip(before, after, strict=True)), "looked_at_closely": through,
    }  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path)
    parser.add_argument("--tasks", type=Path, default=HERE.parent / "data/tasks")
    parser.add_argument("--more", type=Path, nargs="*", default=[])
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    params, own = Decontaminate(), evals.load(HERE.parent / "evals")
    found = texts(args.table)
    told: dict[str, Any] = {}
    for title, added in (("items of the demo", []), ("with more items", more(args.more))):
        if title != "items of the demo" and not added:
            continue
        evals_load = evals.load
        evals.load = lambda folder, added=added: [*own, *added]  # type: ignore[assignment]
        reader = ForgetfulReader(Forgetful(params.ngram))
        looks = Unwanted({"evals": HERE.parent / "evals", "tasks": args.tasks}, reader, params)
        evals.load = evals_load
        told[title] = {
            "items": len(looks),
            "as it is": measured(found, looks, params.ngram),
            "planted": measured(planted(found, [*own, *added]), looks, params.ngram),
        }
    text = json.dumps(told, indent=1) + "\n"
    print(text)
    if args.write:
        (HERE / "results/decontaminate_look.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
