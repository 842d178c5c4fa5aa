"""Files of PDF."""

from __future__ import annotations

from regrow.params.readable import Files

FILES = Files(endings=(".pdf",), packed=(".gz",), scans=True)
