"""Web archives."""

from __future__ import annotations

from regrow.params.readable import Files

FILES = Files(endings=(".warc", ".arc", ".wet"), packed=(".gz", ".zst"))
