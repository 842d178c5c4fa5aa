"""The dates of records and stamps, from which Snakemake sees what is stale.

Its rule: a file is made again if one that it is made from is younger. So a stale record is older than its stamp,
and one that describes the present is not older than its stamp and the records before it. Within that, the
date follows from the content, so that copiers which compare size and date (`rsync -a`, rclone) see a changed record.

Nothing is older than 1980-01-02, whatever the time zone: FAT and exFAT hold nothing before 1980-01-01
of the local time, in steps of two seconds. What was set is read back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from regrow.engine import files
from regrow.engine.errors import FlowError
from regrow.engine.jobs import Job

DAY = 86_400
STAMP = 315_705_600
"""of every stamp: 1980-01-03, in seconds UTC"""
_SPAN = 30 * 365 * DAY
_SLOT = 1 << 22
_STEP = 2


class Dates:
    """The dates of a flow's records."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        """`jobs`: producers before consumers."""
        self._level: dict[str, int] = {}
        for job in jobs:
            before = [self._level[up] for up in job.upstream if up in self._level]
            self._level[job.name] = 1 + max(before, default=-1)
        levels = 1 + max(self._level.values(), default=0)
        self._slot = max(_STEP, min(_SLOT, _SPAN // levels))

    def fresh(self, job: str, sha256: str) -> int:
        """Of a record that describes the present: not before the stamp, nor before the records that it reads."""
        return STAMP + self._level[job] * self._slot + _spread(sha256, self._slot)

    @staticmethod
    def stale(sha256: str) -> int:
        """Of one that does not: before the stamp."""
        return STAMP - DAY + _spread(sha256, DAY // 2)


def _spread(sha256: str, seconds: int) -> int:
    """A number of seconds below `seconds` that follows from the content."""
    return int(sha256[:15] or "0", 16) % (seconds // _STEP) * _STEP


class NotOursError(FlowError):
    """A file that can be neither dated nor replaced: it, and its folder, are another user's."""


def put(path: Path, when: int) -> None:
    """Give a file its date, if it is there and has another one.

    Raises:
        FlowError: the file system keeps another date, or the file can be neither dated nor replaced.
    """
    try:
        if int(path.stat().st_mtime) == when:
            return
    except FileNotFoundError:
        return
    try:
        os.utime(path, (when, when))
    except (
        PermissionError
    ):  # another user's: only the owner may date a file, who may write the folder replaces it
        try:
            files.write_atomically(path, path.read_bytes())
            os.utime(path, (when, when))
        except PermissionError as error:
            raise NotOursError(
                f"{path} belongs to another user and can be neither dated nor replaced ({error.strerror}). Fix: let "
                "the group write the folder, `chmod -R g+w`, with `umask 002` for all who work there."
            ) from None
    found = int(path.stat().st_mtime)
    if found != when:
        raise FlowError(
            f"{path}: the date {when} was set and {found} is read back (seconds since 1970). This file system does not "
            "keep dates, from which Snakemake sees what is stale. Fix: work on another one."
        )
