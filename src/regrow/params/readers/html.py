"""Files of HTML and XHTML."""

from __future__ import annotations

from regrow.params.readable import Files

FILES = Files(endings=(".html", ".htm", ".xhtml"), packed=(".gz",))
