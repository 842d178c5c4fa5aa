"""A document's way through the flow: kept, changed, dropped, repeated, packed."""

from __future__ import annotations

from typing import Any

from regrow.ask.trace import forks, manifest, takedowns
from regrow.ask.trace.made import later_mixes
from regrow.ask.trace.match import Match
from regrow.ask.trace.reading import TWICE, Reading
from regrow.ask.trace.stop import Stop
from regrow.evidence import pdf_pages
from regrow.evidence.outputs import Outputs

TEXTS = (
    ("text", "documents.parquet"),
    ("filter", "documents.parquet"),
    ("dedup", "documents.parquet"),
    ("decontaminate", "train.parquet"),
    ("decontaminate", "heldout.parquet"),
)
"""tables that say which source a document is of"""


def journey(outputs: Outputs, match: Match) -> list[Stop]:
    """The stops of a document from the crawl to the mixes, in flow order; ends where it is lost to training."""
    own = forks.journey(outputs, match)
    if own:
        return own if own[-1].outcome != "kept" else [*own, *later_mixes(outputs, str(match.id))]
    stops, lost = _begun(outputs, match)
    if match.id is None or lost:
        return stops
    before = None
    for step in ("text", "withdraw", "filter", "dedup"):
        if step == "withdraw":
            stop = _withdrawn(outputs, match.id)
            if stop is None:
                continue
            return [*stops, stop]
        stop = _table_step(outputs, step, match.id, before)
        stops.append(stop)
        if stop.outcome == "dropped":
            return stops
        if step == "text" and (gone := takedowns.withdrawn(outputs, match.id)):
            return [*stops, gone]
        before = stop.facts.get("characters", before)
    for ask in (_decontaminate, _classify, _mix):
        found = ask(outputs, match.id)
        if found is not None:
            stops.append(found)
            # What the mix of pretraining leaves out, long context may still read.
            if found.outcome == "held out" or (found.outcome == "dropped" and found.step != "mix"):
                return stops
    return [*stops, *later_mixes(outputs, match.id), *takedowns.stops(outputs, match.id)]


def _begun(outputs: Outputs, match: Match) -> tuple[list[Stop], bool]:
    """How a document came into the flow: read from a source that the recipe names, or crawled; whether that lost it."""
    reading = Reading(outputs)
    if not reading.sources or match.id is None:
        return [_crawl(outputs, match)], False
    for job, file in TEXTS:
        rows = outputs.find(job, file, "id", match.id, ["source"])
        if rows and (kept := reading.kept(str(rows[0].get("source")))):
            kept.facts.update(pdf_pages.facts(outputs, match.id, match.url, [match.line]))
            return [kept], False
    if gone := reading.dropped(match.id, match.url):
        return [gone], True
    stops = [_crawl(outputs, match)] if reading.crawled else []
    return stops, False


def _crawl(outputs: Outputs, match: Match) -> Stop:
    columns = ["url", "host", "status", "mime", "bytes", "depth", "outcome", "detail"]
    rows = outputs.find("crawl", "fetches.parquet", "url", match.url, columns)
    met = [row for row in rows if manifest.is_address(row)]
    # The root page of a host that was not visited may still come in another host's WARC file.
    if rows and not met and match.id is None:
        return manifest.stop(rows[0])
    if not met:
        if outputs.path("crawl", "fetches.parquet") is None:
            return Stop("crawl", "unknown")
        # A document that our crawler never met came in a WARC file that somebody else wrote.
        return Stop("crawl", "kept", {"origin": "a WARC file among the sources"})
    # A URL can be met more than once (a retry, a redirect onto it): the fetched row is the document's.
    row = next((r for r in met if r["outcome"] == "fetched"), met[-1])
    return Stop("crawl", "kept" if row["outcome"] == "fetched" else "dropped", _present(row))


def dropped(outputs: Outputs, step: str, id: str) -> Stop | None:
    """The stop of a document in the drops of a step, None where it is not there."""
    columns = ["reason", "value", "threshold", "detail"]
    rows = outputs.find(step, "drops.parquet", "id", id, columns)
    return Stop(step, "dropped", _present(rows[0])) if rows else None


def _table_step(outputs: Outputs, step: str, id: str, before: int | None) -> Stop:
    columns = (
        "title", "host", "source", "licence", "mime", "charset", "language", "language_score",
        "characters",
    )  # fmt: skip
    if outputs.path(step, "documents.parquet") is None:
        return dropped(outputs, step, id) or Stop(step, "unknown")
    found = outputs.find(step, "documents.parquet", "id", id, columns)
    if not found:
        return dropped(outputs, step, id) or Stop(step, "missing")
    facts = _present(found[0])
    if before is not None and before != facts["characters"]:
        facts["characters_before"] = before
    if step != "text":
        # Said once, at the first step that knows it.
        facts = {k: v for k, v in facts.items() if k.startswith(("language", "characters"))}
    if step == "text" and (again := _again(outputs, id)):
        facts[TWICE] = again
    if step == "dedup":
        facts = {k: v for k, v in facts.items() if k.startswith("characters")}
        about = ("id", "url", "reason", "value")
        copies = outputs.find("dedup", "drops.parquet", "detail", id, about)
        if copies:
            facts["copies_dropped"] = copies
    return Stop(step, "kept", facts)


def _again(outputs: Outputs, id: str) -> int:
    """How often a document was there besides, with the same address and content."""
    rows = outputs.find("text", "drops.parquet", "id", id, ["reason"])
    return sum(row["reason"] == TWICE for row in rows)


def _withdrawn(outputs: Outputs, id: str) -> Stop | None:
    """The drop of a takedown behind the text extraction; None where there is none."""
    for record in outputs.ledger.of_step("withdraw"):
        if stop := dropped(outputs, record.name, id):
            return stop
    return None


def _decontaminate(outputs: Outputs, id: str) -> Stop | None:
    if rows := outputs.find("decontaminate", "train.parquet", "id", id, ["domain"]):
        return Stop("decontaminate", "kept", _present(rows[0]))
    if rows := outputs.find("decontaminate", "heldout.parquet", "id", id, ["domain"]):
        return Stop("decontaminate", "held out", _present(rows[0]))
    on_disk = outputs.path("decontaminate", "train.parquet")
    return dropped(outputs, "decontaminate", id) or Stop(
        "decontaminate", "missing" if on_disk else "unknown"
    )


def _classify(outputs: Outputs, id: str) -> Stop | None:
    columns = ["topic", "topic_score", "quality"]
    rows = outputs.find("classify", "scores.parquet", "id", id, columns)
    return Stop("classify", "kept", _present(rows[0])) if rows else None


def _mix(outputs: Outputs, id: str) -> Stop | None:
    columns = ["topic", "quality", "percentile", "bucket", "rate", "repeats"]
    gone = dropped(outputs, "mix", id)
    rows = outputs.find("mix", "mix.parquet", "id", id, columns)
    facts = _present(rows[0]) | _adopted(outputs) if rows else {}
    if gone is not None:
        return Stop("mix", "dropped", {**facts, **gone.facts})
    return Stop("mix", "kept", facts) if rows else None


def _adopted(outputs: Outputs) -> dict[str, str]:
    """The mix search that the shares are from, where the params name one."""
    record = outputs.ledger.by_name.get("mix")
    params = record.parts.get("params", {}).get("mix", {}) if record else {}
    return {"shares_from": str(params["adopted"])} if params.get("adopted") else {}


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value not in (None, "")}
