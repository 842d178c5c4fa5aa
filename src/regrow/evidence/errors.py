"""What a question raises when it cannot be answered."""

from __future__ import annotations


class Unanswerable(Exception):
    """The question cannot be answered; the message says why and names the fix."""
