"""git, asked about this repository and no other.

Hooks, `git rebase --exec` and users set GIT_DIR, GIT_INDEX_FILE, GIT_CONFIG_… : git then answers for another
repository, or moves its HEAD. No call of ours obeys them.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from regrow.engine.errors import FlowError
from regrow.engine.visible import visible


class Unasked(FlowError):
    """git could not be asked; the message says why, and what helps."""


def environment() -> dict[str, str]:
    """The variables for a call of git: none that names a repository, and no replaced objects."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def run(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """The output of git in the folder `root`.

    Raises:
        Unasked: there is no git, or it refuses.
    """
    return _call(root, ["-C", str(root)], arguments, stdin)


def read(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """The output of a git command that only reads objects, of the repository around `root`.

    The repository is found here and named to git, so neither its owner (a container's root in a user's clone),
    nor `core.worktree`, nor the folder of the call decides what is read; paths count from its top.

    Raises:
        Unasked: there is no git or no repository, or git refuses.
    """
    folder = repository(root)
    return _call(root, [f"--git-dir={folder}"], arguments, stdin)


def repository(root: Path) -> Path:
    """The `.git` (a folder, or in worktrees and submodules a file) at or above `root`. Raises Unasked."""
    here = root.resolve()
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return folder / ".git"
    raise Unasked(_outside(root))


def _outside(root: Path) -> str:
    return (
        f"{visible(str(root))} is not in a git repository: clone it instead of unpacking an archive"
    )


def below_top(root: Path, path: str) -> str:
    """`path` below `root`, counted from the top of the repository around it. Raises Unasked."""
    prefix = root.resolve().relative_to(repository(root).parent).as_posix()
    return path if prefix == "." else f"{prefix}/{path}"


def _call(root: Path, where: list[str], arguments: tuple[str, ...], stdin: bytes) -> bytes:
    try:
        done = subprocess.run(
            ["git", *where, *arguments],
            input=stdin,
            capture_output=True,
            env=environment(),
            check=False,
        )
    except OSError as error:
        why = "git is not installed" if isinstance(error, FileNotFoundError) else "git cannot run"
        raise Unasked(f"{why}: install it, or put it on the PATH") from None
    if done.returncode:
        raise Unasked(_refusal(root, done.stderr.decode(errors="replace")))
    return done.stdout


def _refusal(root: Path, said: str) -> str:
    """What git said, on one line, and what helps."""
    lines = [visible(line, 200) for line in said.strip().splitlines()] or ["git failed"]
    fatal = next((line for line in lines if line.startswith("fatal:")), lines[-1])
    if "dubious ownership" in said:
        place = visible(str(root.resolve()))
        return f"{fatal}: `git config --global --add safe.directory {place}` allows it"
    if "not a git repository" in said:
        return _outside(root)
    if "Not a valid object name HEAD" in said or "ambiguous argument 'HEAD'" in said:
        return (
            "nothing is committed at git HEAD: commit, or `git checkout` a branch that has commits"
        )
    return fatal
