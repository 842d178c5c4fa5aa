"""Rows of JSON."""

from __future__ import annotations

from regrow.params.readable import Files

FILES = Files(
    endings=(".jsonl", ".ndjson", ".json"), packed=(".gz", ".zst", ".bz2", ".xz"), rows=True
)
