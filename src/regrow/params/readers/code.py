"""Source code: no ending says it, as some are those of texts and pages too."""

from __future__ import annotations

from regrow.params.readable import Files

FILES = Files(beside="+*LICEN[CS]E*|*COPYING*", often_empty=True)
