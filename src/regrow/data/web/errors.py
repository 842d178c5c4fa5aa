"""What can be wrong with a body as it came from the wire."""

from __future__ import annotations


class CodingError(Exception):
    """A transfer or content coding that cannot be undone; the message says which."""


class CutShortError(CodingError):
    """A body that says itself that it is longer."""


class TooLargeError(Exception):
    """The decoded body is longer than the limit."""
