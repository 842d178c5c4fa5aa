"""The way of every document through the flow: the stops of `regrow trace`, for all at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from regrow.ask.trace import takedowns
from regrow.ask.trace.answer import fate
from regrow.ask.trace.stop import Stop, decisive
from regrow.evidence.outputs import Outputs
from regrow.evidence.runs.open import last_runs
from regrow.evidence.runs.run import Run
from regrow.publish.explorer.seen import Seen, seen
from regrow.publish.explorer.ways import Ways


@dataclass
class Document:
    """A document, or an address that gave none, and its way."""

    id: str | None
    url: str
    title: str = ""
    source: str = ""
    licence: str = ""
    text: str = ""
    stops: list[Stop] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    fate: str = ""

    @property
    def end(self) -> str:
        """`dropped`, `held out`, `trained`, `kept` (but in no step) or `lost`."""
        if any(stop.outcome == "held out" for stop in self.stops):
            return "held out"
        last = decisive(self.stops)
        if takedowns.is_mask(last) and any(entry.steps for entry in self.seen):
            return "trained"  # before, or in a stage that the takedown leaves
        if last.outcome == "dropped":
            return "dropped"
        if last.outcome in {"missing", "unknown"}:
            return "lost"
        return "trained" if any(entry.steps for entry in self.seen) else "kept"

    @property
    def tokens(self) -> int:
        """Tokens of it that training saw, all stages."""
        return sum(entry.tokens for entry in self.seen)


@dataclass
class Known:
    """What is read once for a page."""

    ways: Ways
    runs: list[Run]
    exposed: dict[str, list[Seen]]
    """by id of a document or task"""

    @classmethod
    def of(cls, outputs: Outputs) -> Known:
        """Read it."""
        ways, runs = Ways(outputs), last_runs(outputs)
        return cls(ways, runs, seen(runs, ways.owners))


def documents(outputs: Outputs, known: Known | None = None) -> list[Document]:
    """Every document that the crawl or a later step met, and every address that gave none.

    Sorted by what training saw of it, most first, then by id and url.
    """
    known = known or Known.of(outputs)
    ways, runs, exposed = known.ways, known.runs, known.exposed
    found: dict[str, Document] = {}
    for id, row in ways.text.rows.items():
        url, title, source, licence, text = (
            row.get(c) or "" for c in ("url", "title", "source", "licence", "text")
        )
        found[id] = Document(id, url, title, source, licence, text)
    for id, row in ways.own.items():
        source, licence, text = (row.get(c) or "" for c in ("source", "licence", "text"))
        found.setdefault(id, Document(id, row.get("url") or "", "", source, licence, text))
    for table in ways.drops.values():
        for id, row in table.rows.items():
            found.setdefault(id, Document(id, row.get("url") or ""))
    urls = {document.url for document in found.values()}
    rest = [Document(None, url) for url in ways.fetches if url not in urls]
    every = [*found.values(), *rest]
    for document in every:
        document.stops = ways.stops(document.id, document.url)
        masked = takedowns.is_mask(decisive(document.stops))
        if (masked or document.end in {"kept", "trained"}) and document.id:
            document.seen = exposed.get(document.id, [])
        document.fate = _fate(document, bool(runs))
        if not outputs.ledger.checkpoints() and document.end == "kept":
            document.fate = "kept as far as this page goes: it ends before training"
    return sorted(every, key=lambda d: (-d.tokens, d.id is None, d.id or "", d.url))


def _fate(document: Document, trained: bool) -> str:
    """The sentence of trace."""
    last = decisive(document.stops)
    if document.end == "held out":
        return "held out: the model is evaluated on it and never trained on it"
    if takedowns.is_mask(last):
        said = fate([entry.entry() for entry in document.seen])
        return said if said.startswith("seen") else "not seen: masked by a takedown"
    if document.end == "dropped":
        reason = last.facts.get("reason") or last.facts.get("outcome", "no reason recorded")
        return f"dropped by {last.step}: {reason}"
    if document.end == "lost":
        return f"lost from sight at {last.step}: its tables are not on disk or do not hold it"
    if not trained:
        return "kept for training (no training run or its data on disk)"
    return fate([entry.entry() for entry in document.seen])
