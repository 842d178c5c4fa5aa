"""What readers of a lookup raise where its bytes are not what was written."""

from __future__ import annotations


class Damaged(Exception):
    """A lookup is cut off, overwritten or of another format: remove it and make it again."""
