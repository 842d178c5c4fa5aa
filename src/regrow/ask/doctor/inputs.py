"""What a recipe takes from outside: sources and their licences, a tokenizer, languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from regrow import selection
from regrow.ask.guards.finding import Finding
from regrow.ask.guards.mixes import UNKNOWN
from regrow.data.crawl import manifest
from regrow.data.sources import frozen
from regrow.engine.visible import visible
from regrow.evidence.sources import MANIFEST
from regrow.params import addresses
from regrow.params.schema import Params
from regrow.params.source import Source
from regrow.params.source_kinds import READERS

WIDEST = 1 << 16
"""tokens that 16 bits can number: packs and indexes hold no more"""


def sources(root: Path, params: Params, crawled: bool) -> list[Finding]:
    """Missing and empty files, and licences that nobody knows: of `sources`, and of the manifest where there is a crawl."""
    found = [finding for entry in params.sources for finding in _entry(root, entry)]
    if crawled:
        found += _manifest(root, params)
    if not found:
        found.append(
            Finding("sources", "ok", "every file of the sources is there, with a licence.")
        )
    return found


def _entry(root: Path, entry: Source) -> Iterator[Finding]:
    name, where = entry.name, f"sources: {entry.name}"
    yield from _unfrozen(root, entry)
    for pattern in entry.files:
        if addresses.remote(pattern):
            continue
        files = _files(root, pattern)
        empty = [path for path in files if path.stat().st_size == 0]
        if not files or len(empty) == len(files):
            yield Finding(
                "sources", "fail",
                f"{where}.files: {visible(pattern)} {'names no file' if not files else 'names empty files only'}.",
                len(files), 1, "put the files there (`dvc pull` where they are tracked), or change the pattern", source=name,
            )  # fmt: skip
        elif empty:
            # Packages of code have empty files on purpose: __init__.py, py.typed.
            yield Finding(
                "sources", "note" if READERS[entry.kind].often_empty else "warn", f"{where}.files: {len(empty):,} of {len(files):,} files of {visible(pattern)} are empty, "
                f"for example {visible(str(empty[0].relative_to(root)))}.", len(empty), 0, "remove or restore them", source=name,
            )  # fmt: skip
    if str(entry.licence).strip().lower() in UNKNOWN:
        yield _unlicensed(name, where)


def _unfrozen(root: Path, entry: Source) -> Iterator[Finding]:
    """Of a source that is not on this machine: whether its list is there, and of what the recipe asks for."""
    said = entry.model_dump(mode="json")
    if not addresses.frozen(said):
        return
    path = root / addresses.list_path(entry.name)
    why = ""
    if not path.exists():
        why = "is not frozen: no list says its bytes"
    else:
        try:
            found = frozen.load(path)
        except frozen.FrozenError as error:
            why = f"{error}"
        else:
            if not found.is_of(said):
                why = "was frozen for other files than the recipe names now"
    if why:
        yield Finding(
            "sources", "fail", f"sources: {entry.name} {visible(why)}.", fix=f"`regrow sources freeze RECIPE {entry.name}`",
            source=entry.name,
        )  # fmt: skip


def _unlicensed(name: str, where: str) -> Finding:
    return Finding(
        "unknown_licence", "warn",
        f"{where}.licence is unknown: every card counts the documents that name none themselves.",
        "unknown", fix="name the licence (an SPDX identifier), or take the source out", source=name,
    )  # fmt: skip


def _files(root: Path, pattern: str) -> list[Path]:
    """The files that an entry of a source names."""
    try:
        return [path for _, path in selection.files(root / pattern)]
    except OSError:
        return []


def _manifest(root: Path, params: Params) -> Iterator[Finding]:
    try:
        hosts = manifest.load(root / MANIFEST).hosts
    except manifest.ManifestError as error:
        yield Finding(
            "sources", "fail", f"{error}.", fix=f"restore it: `git checkout -- {MANIFEST}`"
        )
        return
    asked = params.crawl.hosts or list(hosts)
    for name in asked:
        host = hosts.get(manifest.canonical_name(name) or name)
        if host is None:
            yield Finding(
                "sources", "fail", f"crawl.hosts: {visible(name)} is no host of {MANIFEST}.", name,
                fix=f"hosts there: {', '.join(list(hosts)[:6])}", source=name,
            )  # fmt: skip
            continue
        fields = [("archive", host.archive)] if host.archive else []
        fields += [("foreign", path) for path in host.foreign]
        for field, path in fields:
            file = root / "sources" / path
            if not file.is_file() or file.stat().st_size == 0:
                said = manifest.missing(root / "sources", path, f"hosts.{name}.{field}")
                yield Finding("sources", "fail", str(said), path, source=name)
        if not host.archive and not host.foreign and not params.crawl.live:
            yield Finding(
                "sources", "note", f"{visible(name)} has no archive and is not visited without crawl.live.", source=name
            )  # fmt: skip
        for part in host.parts:
            if part.licence.strip().lower() in UNKNOWN:
                yield _unlicensed(part.source, f"{MANIFEST}: hosts.{visible(name)}.parts")


def vocabulary(root: Path, params: Params) -> tuple[int, list[Finding]]:
    """Tokens of the vocabulary, and whether 16 bits can number them."""
    tokens, file = params.tokenizer.vocabulary, params.tokenizer.file
    if file:
        try:
            given = json.loads((root / file).read_text(encoding="utf-8"))
            ids = [int(number) for number in given["model"]["vocab"].values()]
            ids += [int(one["id"]) for one in given.get("added_tokens", [])]
            tokens = max(ids) + 1
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return tokens, [
                Finding(
                    "tokenizer", "fail", f"tokenizer.file: {visible(file)} cannot be read ({type(error).__name__}).", file,
                    fix="a tokenizer.json of the `tokenizers` package, below the repository",
                )
            ]  # fmt: skip
    if tokens > WIDEST:
        return tokens, [
            Finding(
                "tokenizer", "fail", f"the vocabulary has {tokens:,} tokens; packs number them by 16 bits.", tokens, WIDEST,
                "a smaller vocabulary",
            )
        ]  # fmt: skip
    return tokens, [Finding("tokenizer", "ok", f"{tokens:,} tokens fit 16 bits.", tokens, WIDEST)]


def languages(params: Params) -> list[Finding]:
    """Whether the filter can find the languages that it is to keep."""
    asked = params.filter.languages
    odd = [name for name in asked if name != "any" and not re.fullmatch(r"[a-z]{2,3}", name)]
    if not asked or odd:
        says = (
            f"filter.languages: {', '.join(map(visible, odd))}: no code that the language model gives, so that nothing would be kept."
            if odd
            else "filter.languages is empty: every document would be dropped as of another language."
        )
        fix = "codes of fastText's lid.176, such as en, de, pt, zh"
        return [
            Finding(
                "languages",
                "fail" if len(odd) == len(asked) else "warn",
                says,
                ", ".join(odd),
                fix=fix,
            )
        ]
    return [Finding("languages", "ok", f"kept: {', '.join(asked)}.", len(asked))]


def labels(params: Params) -> list[Finding]:
    """Whether quality is learned from anything; of a model that is given `regrow.ask.doctor.models` speaks."""
    good, bad, cutoff = (
        params.classify.quality_positive,
        params.classify.quality_negative,
        params.mix.cutoff,
    )
    if (good and bad) or params.classify.quality_model:
        return []
    if good or bad:
        name = "quality_negative" if good else "quality_positive"
        return [
            Finding(
                "unlabelled_quality", "fail", f"classify.{name} is empty and the other list is not: classify stops there.",
                0, 1, f"name pages in classify.{name}, or empty both lists", "classify",
            )
        ]  # fmt: skip
    return [
        Finding(
            "unlabelled_quality",
            "warn" if cutoff else "note",
            "classify names no page of good or bad quality: all documents score alike"
            + (f", and mix.cutoff {cutoff:g} cannot tell them apart." if cutoff else "."),
            cutoff,
            0,
            "name pages in classify.quality_positive and .quality_negative"
            + (", or set mix.cutoff: 0" if cutoff else " where the mix should tell them apart"),
            "classify",
        )
    ]
