"""The names of checkpoints.

What a stage did, what it is called in words and what it learned from is in no table: `regrow.release.history` reads
it off the records.
"""

from __future__ import annotations

import re

_NAMED = re.compile(r"(?P<stage>[a-z][a-z0-9_]*)-(?P<step>\d+)")


def split(instance: str) -> tuple[str, int]:
    """`rlvr-000080` -> ("rlvr", 80).

    Raises:
        ValueError: not of that form.
    """
    found = _NAMED.fullmatch(instance)
    if found is None:
        raise ValueError(f"`{instance}` is not called STAGE-NNNNNN, as checkpoints are")
    return found["stage"], int(found["step"])


def revision(instance: str) -> str:
    """The name of a checkpoint's branch on a hub: `rlvr-000080` -> `rlvr-step80`."""
    name, step = split(instance)
    return f"{name}-step{step}"
