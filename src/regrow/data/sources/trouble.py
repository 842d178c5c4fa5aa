"""Errors of sources that are not on this machine."""

from __future__ import annotations


class FetchError(Exception):
    """A file that cannot be had; the message says which, why, and what to do."""


class MissingError(FetchError):
    """There is no such file at the address (any more)."""


class ChangedError(FetchError):
    """A file has other bytes than its frozen list says."""


class ArchiveError(FetchError):
    """An archive that cannot be unpacked: damaged, too large, or with a name that leads out of it."""
