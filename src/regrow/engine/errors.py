"""Errors that are messages to the user; the command line prints them without a traceback."""

from __future__ import annotations


class FlowError(Exception):
    """Something that the user can fix; the message says what, where and how."""

    status = 1


class StepFailed(FlowError):
    """A step could not be completed; nothing was recorded."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
