"""Rows of Parquet and Arrow files."""

from __future__ import annotations

from regrow.params.readable import Files

FILES = Files(endings=(".parquet", ".arrow", ".feather"), rows=True)
