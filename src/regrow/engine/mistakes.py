"""Which exceptions are messages to the user, in whichever process a step runs: the engine's, and the table's.

A class is known by its full name, so that nothing must be imported to ask, and no step that raises one
must know the engine.
"""

from __future__ import annotations

from regrow.engine import jobs
from regrow.engine.errors import FlowError

STATUS = 2
"""exit status of what the table names"""


def status(error: BaseException) -> int | None:
    """The exit status of an error that is a message to the user and needs no traceback; None for any other."""
    if isinstance(error, FlowError):
        return error.status
    named = _named()
    bases = (f"{base.__module__}.{base.__qualname__}" for base in type(error).__mro__)
    return STATUS if any(base in named for base in bases) else None


def _named() -> tuple[str, ...]:
    try:
        return jobs.flow().mistakes
    except (
        Exception
    ):  # a table that cannot be loaded: most likely that is the error that is asked about
        return ()
