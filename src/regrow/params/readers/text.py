"""Files of text for people."""

from __future__ import annotations

from regrow.params.readable import Files

FILES = Files(
    endings=(".md", ".markdown", ".rst", ".adoc", ".org", ".tex", ".txt", ".text"), packed=(".gz",)
)
