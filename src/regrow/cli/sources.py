"""The corpora of a recipe: list them, and freeze and check those that are not on this machine.

A recipe (a params file) may name files by address, or packages of a registry:

  sources:
    - dump:   {files: ["https://data.example/dump-01.jsonl.gz"], licence: CC-BY-4.0, origin: "the dump of May"}
    - manual: {packages: ["debian:python3.11-doc"], select: ["usr/share/doc/**/*.html"], licence: PSF-2.0,
               origin: "the manual of Python 3.11"}

What a server sends tomorrow is not known, so such a source is frozen first: `freeze` fetches each file, and writes its
address, size, ETag and SHA-256 to frozen/NAME.json, which is committed. The run then fetches what that list says and
stops at any other byte; what it fetched is an artifact like any other, which `dvc push` and `dvc pull` carry.

  list    what each source is: kind, files, bytes, licence, origin, shards, and what is missing
  freeze  write the frozen lists. What is frozen stays as it is; --update asks for it again
  check   what changed at the addresses since. Exit status 1 where a file changed or is missing
  ocr     what OCR read on the scanned pages of PDFs (docs/guides/pdf.md): compare it with the PDFs, take it over from
          olmOCR with --results, or run olmOCR here with --python. Exit status 1 where a row belongs to no PDF

Examples:
  regrow sources list params/mine.yaml
  regrow sources freeze params/mine.yaml && git add frozen && git commit -m "Freeze the sources"
  snakemake --cores all --configfile params/mine.yaml
  regrow sources check params/mine.yaml            asks for ETag and size, fetches nothing
  regrow sources check params/mine.yaml --bytes    fetches and compares every file
  regrow sources freeze params/mine.yaml manual --update
  regrow sources ocr params/mine.yaml scans --results workspace/results --model allenai/olmOCR-2-7B-1025-FP8
  regrow sources ocr params/mine.yaml scans --python olmocr/bin/python    needs vLLM and a GPU

`paths` names a list of paths, as Common Crawl has them, and what of it is read: the archives of single segments, or every
n-th. `shards: N` with N files makes one job of each.

  sources:
    - web: {paths: {list: "https://data.commoncrawl.org/crawl-data/CC-MAIN-2024-10/warc.paths.gz", every: 1000},
            shards: 90, licence: unknown, origin: "Common Crawl, February 2024"}

Debian packages come through apt-get and Python packages through pip, from where this machine's configuration of
them says. pip may run the build script of a source archive (pypi-sdist) to read its metadata. Files that were fetched
are kept in .regrow/fetched, so that nothing is fetched twice; it may be removed after the run.
"""

from __future__ import annotations

import argparse
from typing import Any

from regrow.cli import source_ocr
from regrow.cli.answer_json import written
from regrow.cli.paint import Paint, size
from regrow.engine.visible import shown


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, title in (
        ("list", "what each source is, and what is missing"),
        ("freeze", "fetch and hash what is elsewhere, and write frozen/NAME.json"),
        ("check", "what changed at the addresses since"),
        ("ocr", "what OCR read on scanned pages"),
    ):
        one = actions.add_parser(name, help=title, description=f"{title[0].upper()}{title[1:]}.")
        one.add_argument("recipe", metavar="RECIPE", help="the params file: params/mine.yaml")
        one.add_argument("names", metavar="NAME", nargs="*", help="of sources; default: all of it")
        one.add_argument("--json", action="store_true", help="the answer as JSON")
        if name == "freeze":
            one.add_argument("--update", action="store_true", help="ask again for what is frozen")
            one.add_argument("--no-keep", action="store_true", help="remove each file once it is hashed; the run fetches it again")  # fmt: skip
        if name == "check":
            one.add_argument("--bytes", action="store_true", help="fetch every file and compare its bytes")  # fmt: skip
        if name == "ocr":
            source_ocr.configure(one)


def run(args: argparse.Namespace) -> int:
    """List, freeze, check, or see to what OCR read."""
    from regrow.engine.present import find_root

    root, paint = find_root(), Paint()
    if args.action == "list":
        from regrow.change.sources.listing import listed

        answer = listed(root, args.recipe, args.names)
        return _say(args, answer, lambda: _list(shown(answer), paint))
    if args.action == "freeze":
        from regrow.change.sources import freeze

        answer = freeze.freeze(
            root, args.recipe, args.names, freeze.How(args.update, keep=not args.no_keep)
        )
        return _say(args, answer, lambda: _frozen(shown(answer), paint))
    if args.action == "ocr":
        return source_ocr.run(args, root, paint)
    from regrow.change.sources import check

    answer = check.check(root, args.recipe, args.names, check.How(reread=args.bytes))
    _say(args, answer, lambda: _checked(shown(answer), paint))
    return 1 if any(answer["states"][state] for state in check.BAD) else 0


def _say(args: argparse.Namespace, answer: dict[str, Any], people: Any) -> int:
    if args.json:
        print(written(answer))
    else:
        people()
    return 0


_NONE = "{recipe} names no source that is elsewhere. `regrow sources --help` shows how to."


def _list(answer: dict[str, Any], paint: Paint) -> None:
    rows = answer["sources"]
    if not rows:
        print(f"{answer['recipe']} names no sources: it reads the crawl of sources/manifest.yaml.")
        return
    head = ("source", "kind", "where", "files", "bytes", "licence", "shards")
    table = [
        (
            row["name"], row["kind"], row["where"], "" if row["files"] is None else f"{row['files']:,}",
            "" if row["bytes"] is None else size(row["bytes"]), row["licence"], str(row["shards"]),
        )
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[n]) for line in (head, *table)) for n in range(len(head))]
    print(paint.dim(_line(head, widths)))
    for row, line in zip(rows, table, strict=True):
        print(_line(line, widths))
        print(paint.dim(f"    {row['origin']}"))
        if row["fetched"] is not None and row["fetched"] < row["files"]:
            print(paint.dim(f"    {row['fetched']:,} of {row['files']:,} fetched files are kept here; the run fetches what it needs"))  # fmt: skip
        for sentence in row["missing"]:
            print(paint.red(f"    {sentence}"))


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    right = (3, 4, 6)
    parts = (c.rjust(w) if n in right else c.ljust(w) for n, (c, w) in enumerate(zip(cells, widths, strict=True)))  # fmt: skip
    return "  ".join(parts).rstrip()


def _frozen(answer: dict[str, Any], paint: Paint) -> None:
    if not answer["sources"]:
        print(_NONE.format(recipe=answer["recipe"]))
        return
    for row in answer["sources"]:
        moved = [f"{len(row[what]):,} {what}" for what in ("new", "changed", "removed") if row[what]]  # fmt: skip
        print(
            f"{paint.bold(row['name'])}  {row['list']}  {_files(row['files'])}, {size(row['bytes'])}: "
            f"{', '.join(moved) or 'as before'}"
        )
        if row["shards"] < row["files"] and row["chosen"]:
            print(paint.dim(f"    `shards: {row['files']}` makes one job of each file"))
    lists = " ".join(row["list"] for row in answer["sources"])
    print(paint.dim(f"Next: git add {lists} && snakemake --cores all --configfile {answer['recipe']}"))  # fmt: skip


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _checked(answer: dict[str, Any], paint: Paint) -> None:
    if not answer["files"]:
        print(_NONE.format(recipe=answer["recipe"]))
        return
    colours = {"same": paint.green, "unknown": paint.yellow}
    for row in answer["files"]:
        if row["state"] != "same" or "offers" in row["detail"]:
            colour = colours.get(row["state"], paint.red)
            print(f"{colour(row['state']):<8} {row['source']}  {row['address']}  {paint.dim(row['detail'])}")  # fmt: skip
    said = ", ".join(f"{count:,} {state}" for state, count in answer["states"].items() if count)
    print(said)
