"""How well extractors find the main text of 200 labelled pages: prints tables in Markdown.

    python benchmarks/main_text.py [--datatrove benchmarks/out/datatrove/venv/bin/python] [--write]

The labels are in tests/data/main_text (its README says how they were made). A text counts as its runs of five characters,
white space left out, each as often as it is there: precision is the share of a result's runs that are in the label, recall
the share of the label's that are in the result; the tables have means over pages. With `--write` they go into
docs/concepts/data.md; datatrove's extractor is left out where its environment is missing.
"""

from __future__ import annotations

import argparse
import json
import lzma
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/support"))
from regrow.data.text import document, html
from text_scores import scores

HERE = Path(__file__).resolve().parent
PAGES = HERE.parent / "tests/data/main_text/pages.jsonl.xz"
PAGE = HERE.parent / "docs/concepts/data.md"
BEGIN = "<!-- main text: written by benchmarks/main_text.py --write -->\n"
END = "<!-- end of main text -->\n"


def extracted(pages: list[str], peer: Path) -> dict[str, list[str]]:
    """Texts of all pages by each extractor."""
    import trafilatura

    found = {
        "resiliparse (Regrow's default)": [document.tidy(html.extract(p, "resiliparse")[1]) for p in pages],
        "trafilatura 2, fast (Regrow's option)": [document.tidy(html.extract(p, "trafilatura")[1]) for p in pages],
        "trafilatura 2, its defaults": [trafilatura.extract(p, include_comments=False) or "" for p in pages],
    }  # fmt: skip
    if peer.exists():
        done = subprocess.run(
            [peer, "-P", HERE / "contest/peer_text.py"], input="".join(json.dumps(p) + "\n" for p in pages),
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        found["datatrove's default (trafilatura 1.11, precision)"] = [
            json.loads(line) for line in done.stdout.splitlines()
        ]
    return found


def tables(rows: list[dict[str, str]], peer: Path) -> str:
    """Means over all pages, then F1 by site."""
    found = extracted([row["html"] for row in rows], peer)
    marks = {
        name: [scores(text, row["main"]) for text, row in zip(texts, rows, strict=True)]
        for name, texts in found.items()
    }
    lines = [
        "| extractor | precision | recall | F1 | pages with F1 under 0.5 |\n| --- | --- | --- | --- | --- |\n"
    ]
    for name, of in marks.items():
        means = " | ".join(f"{statistics.fmean(m[i] for m in of):.3f}" for i in range(3))
        lines.append(f"| {name} | {means} | {sum(m[2] < 0.5 for m in of)} |\n")
    lines.append(
        f"\n| F1 by site | pages | {' | '.join(marks)} |\n| --- | --- {'| --- ' * len(marks)}|\n"
    )
    by_site: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        by_site[row["site"]].append(at)
    for site, places in sorted(by_site.items()):
        cells = [f"{statistics.fmean(of[at][2] for at in places):.3f}" for of in marks.values()]
        lines.append(f"| {site} | {len(places)} | {' | '.join(cells)} |\n")
    return "".join(lines)


def main() -> None:
    """Score all extractors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datatrove", type=Path, default=HERE / "out/datatrove/venv/bin/python")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = [json.loads(line) for line in lzma.decompress(PAGES.read_bytes()).splitlines()]
    written = f"{len(rows)} pages.\n\n" + tables(rows, options.datatrove)
    print(written)
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(before + BEGIN + written + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
