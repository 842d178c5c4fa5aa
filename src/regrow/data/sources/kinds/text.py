"""Files of text for people: Markdown, reStructuredText, AsciiDoc, Org, TeX, plain text. A file is a document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from regrow.data.sources.decoding import clean, decoded
from regrow.data.sources.item import Item, Refused
from regrow.data.sources.step import reading
from regrow.data.sources.whole import address, content
from regrow.params.readers.text import FILES
from regrow.params.source import Source

_MIME = {
    ".md": "text/markdown", ".markdown": "text/markdown", ".rst": "text/x-rst", ".adoc": "text/asciidoc",
    ".org": "text/org", ".tex": "text/x-tex", ".txt": "text/plain", ".text": "text/plain",
}  # fmt: skip
SUFFIXES = FILES.suffixes


def read(path: Path, name: str, source: Source) -> Iterator[Item | Refused]:
    """The document of a file."""
    body, said = content(path, name, source), clean(name)
    if isinstance(body, Refused):
        yield body
        return
    found = decoded(body, said, said)
    if isinstance(found, Refused):
        yield found
        return
    ending = Path(said.lower().removesuffix(".gz")).suffix
    yield Item(
        text=found.text, payload=body, name=said, url=address(name, source), mime=_MIME.get(ending, "text/plain"),
        charset=found.charset, repaired=found.repaired,
    )  # fmt: skip


run = reading(SUFFIXES, read)
