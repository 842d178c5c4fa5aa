"""Whose code runs: that of the repository in which a command is called, whatever is installed.

An environment installs one checkout of Regrow; a second clone or a `git worktree` that uses the environment
would be answered by the first one's code. So the program starts again with the code of the repository at hand.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import regrow
from regrow.engine.errors import FlowError

_AGAIN = "REGROW_CHECKOUT"
"""environment variable: the repository for which the program was started again"""


def enter(arguments: Sequence[str]) -> Path | None:
    """Go on only as the code of the repository around the current folder; else start that code instead.

    Where there is no repository, or one without code of Regrow in it, the code at hand is right.

    Args:
        arguments: of the command line, without the program.

    Returns:
        The repository, None where there is none.

    Raises:
        FlowError: the repository's code cannot be started.
    """
    again = os.environ.pop(_AGAIN, "")
    root = _root()
    if root is None or runs(root):
        _as_jobs()
        if root is not None:
            group_writes(root)
        return root
    check(root)
    if again:
        raise FlowError(
            f"{root}/src/regrow cannot be imported: {_home()} is imported in its place. "
            "Fix: `make env` in this folder."
        )
    others = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(root / "src"), *([others] if others else [])])
    environment = os.environ | {"PYTHONPATH": path, _AGAIN: str(root)}
    command = [sys.executable, "-P", "-m", "regrow.cli.main", *arguments]
    os.execve(sys.executable, command, environment)


def runs(root: Path) -> bool:
    """Whether the code that runs is the one of this repository, if it has any."""
    code = root / "src" / "regrow"
    return not (code / "__init__.py").is_file() or code.resolve() == _home()


def group_writes(root: Path) -> None:
    """In a repository that its group may write, let the group write what this process makes, whatever the umask."""
    if root.stat().st_mode & 0o020:
        os.umask(os.umask(0) & ~0o070)


def check(root: Path) -> None:
    """Refuse a path that cannot stand in PYTHONPATH or PATH. Raises FlowError."""
    for folder in (root, Path(sys.executable).parent):
        if os.pathsep in str(folder):
            raise FlowError(
                f"the path {folder} has a `{os.pathsep}` in it, which separates folders in PYTHONPATH and PATH: jobs "
                "would run other code. Fix: move or rename the folder."
            )


def _home() -> Path:
    return Path(regrow.__file__).resolve().parent


def _root() -> Path | None:
    try:
        here = Path.cwd()
    except FileNotFoundError:
        return None
    return next((f for f in (here, *here.parents) if (f / "Snakefile").is_file()), None)


def _as_jobs() -> None:
    """Import from nowhere from which another job would not: not from the current folder, nor the program's."""
    first = Path(os.path.realpath(sys.path[0])) if sys.path else None
    own = {Path(os.path.realpath(p)) for p in ("", Path(sys.argv[0] or ".").parent)}
    if not sys.flags.safe_path and first in own and first != _home().parent:
        del sys.path[0]
