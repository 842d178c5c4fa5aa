"""The git branch of a fork. One tree holds the records of one flow, so a fork is a branch of the tree too.

A run of the fork replaces records (its midtraining has the names of its parent's) and removes those of
checkpoints that only the parent has. What is committed comes back with `git switch`, and its bytes with
the next `snakemake`, from the cache; what is not committed would be gone from git's sight. So a fork is
refused while records are uncommitted.
"""

from __future__ import annotations

from pathlib import Path

from regrow.evidence.commit import git
from regrow.evidence.errors import Unanswerable


def repository(root: Path) -> bool:
    """Whether `root` is the top of a git repository with a commit."""
    try:
        top = git(root, "rev-parse", "--show-toplevel").decode().strip()
        git(root, "rev-parse", "--verify", "HEAD")
    except Unanswerable:
        return False
    return Path(top).resolve() == root.resolve()


def check(root: Path, name: str) -> None:
    """Refuse where the branch is there, or the parent's records are in no commit.

    Raises:
        Unanswerable: the message says what to do first.
    """
    if git(root, "branch", "--list", name).strip():
        raise Unanswerable(
            f"the git branch {name} is there already: choose another --name, or `git switch {name}` and "
            "give --here."
        )
    changed = git(root, "status", "--porcelain", "-uall", "--", "records", "dvc.lock").decode()
    files = [line[3:] for line in changed.splitlines()]
    if files:
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        raise Unanswerable(
            f"{', '.join(files[:3])}{more}: not committed, and a run of the fork would replace them. First "
            "`git add records dvc.yaml dvc.lock code.json && git commit`, or `git stash`."
        )


def switch(root: Path, name: str) -> None:
    """Create the branch at HEAD and switch to it: no file changes. Raises Unanswerable."""
    git(root, "switch", "--quiet", "--create", name)


def current(root: Path) -> str:
    """The branch that is checked out, or the commit where there is none."""
    found = git(root, "rev-parse", "--abbrev-ref", "HEAD").decode().strip()
    return found if found != "HEAD" else git(root, "rev-parse", "--short", "HEAD").decode().strip()
