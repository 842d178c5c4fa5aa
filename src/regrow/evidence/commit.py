"""Which commit does a record belong to: the one that brought its key into the tracked records."""

from __future__ import annotations

from pathlib import Path

from regrow.engine.git import Unasked, run
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record, parse


def git(root: Path, *args: str, stdin: bytes = b"") -> bytes:
    """Run git in `root`, whatever repository the variables of a hook name, and return its output.

    Raises:
        Unanswerable: git is missing or refuses.
    """
    try:
        return run(root, *args, stdin=stdin)
    except Unasked as error:
        raise Unanswerable(f"git {args[0]} in {root}: {error}.") from None


def commit_of(root: Path, record: Record) -> str:
    """The commit whose code made `record`.

    The rule of the house is that a change of bits and the records of the new bits are one
    commit, so the commit that brought the key into `records/` is the one whose code has it.

    Raises:
        Unanswerable: no commit holds the record.
    """
    found = git(root, "log", "--format=%H", f"-S{record.key}", "--", record.file)
    for commit in found.decode().split():
        if _at(root, commit, record.file) == record.key:
            return commit
    raise Unanswerable(
        f"no commit holds {record.file} with the key {record.key[:12]}: it is not published yet. "
        "Commit your records (and the code that made them) first, or name a commit: "
        "`--commit HEAD`."
    )


def resolve_commit(root: Path, name: str) -> str:
    """The full hash of a commit. Raises Unanswerable where git does not know it."""
    try:
        return git(root, "rev-parse", "--verify", f"{name}^{{commit}}").decode().strip()
    except Unanswerable:
        raise Unanswerable(f"git knows no commit `{name}`.") from None


def _at(root: Path, commit: str, file: str) -> str | None:
    """The key of a record at a commit, None where the commit has none (it was removed there)."""
    try:
        return parse(git(root, "show", f"{commit}:./{file}"), file).key
    except Unanswerable:
        return None
