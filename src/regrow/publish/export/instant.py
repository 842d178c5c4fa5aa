"""The one time that standards insist on. Nothing here reads the clock.

OpenLineage wants a time per event and RO-Crate a date of publication, but a record knows no time:
equal runs give equal records. So the time is a constant unless somebody gives one, in this order:
`--time`, the variable SOURCE_DATE_EPOCH (reproducible-builds.org), 1980-01-01, which is also the
stamp that the flow puts on records (the first day that a ZIP archive can hold).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from regrow.evidence.commit import git
from regrow.evidence.errors import Unanswerable

FIXED = "1980-01-01T00:00:00Z"
VARIABLE = "SOURCE_DATE_EPOCH"
_LAST = 253402300799  # 9999-12-31: the last second that ISO 8601 writes with four digits


def instant(root: Path, asked: str | None, environment: Mapping[str, str]) -> str:
    """The time as `YYYY-MM-DDThh:mm:ssZ`.

    Args:
        root: the repository.
        asked: an ISO 8601 date or time, `commit` (the committer date of HEAD), or None.
        environment: where SOURCE_DATE_EPOCH is looked up.

    Raises:
        Unanswerable: what was given is no time, or there is no commit.
    """
    if asked == "commit":
        return _of_epoch(git(root, "log", "-1", "--format=%ct").decode().strip(), "HEAD's date")
    if asked:
        return _of_text(asked)
    if environment.get(VARIABLE):
        return _of_epoch(environment[VARIABLE], VARIABLE)
    return FIXED


def _of_epoch(text: str, name: str) -> str:
    if not re.fullmatch(r"\d{1,12}", text) or int(text) > _LAST:
        raise Unanswerable(f"{name}: `{text}` is not a count of seconds since 1970. Unset it.")
    return datetime.fromtimestamp(int(text), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _of_text(text: str) -> str:
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unanswerable(
            f"--time: `{text}` is neither `commit` nor an ISO 8601 time. "
            "Write for example 2026-11-26 or 2026-11-26T12:00:00Z."
        ) from None
    return f"{time.year:04d}" + time.strftime("-%m-%dT%H:%M:%SZ")
