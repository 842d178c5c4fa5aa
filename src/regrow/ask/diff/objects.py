"""Files as git has them at a commit, many in one call; or as they are in the working tree."""

from __future__ import annotations

from pathlib import Path

from regrow.engine.state import FileTree
from regrow.evidence.commit import git
from regrow.evidence.errors import Unanswerable
from regrow.selection import parse


def read(root: Path, commit: str, path: str) -> dict[str, bytes]:
    """All files that `path` stands for (`regrow.selection`) at a commit, by path, sorted.

    Raises:
        Unanswerable: git is missing or refuses.
    """
    chosen = parse(path)
    listing = git(root, "ls-tree", "-r", "-z", commit, "--", chosen.folder).split(b"\0")
    names = {}
    for row in filter(None, listing):
        head, _, name = row.partition(b"\t")
        mode, kind, blob = head.decode().split()
        if kind == "blob" and mode != "120000":
            names[name.decode()] = blob
    if not chosen.plain:
        below = {name[len(chosen.folder) :].lstrip("/"): name for name in names}
        names = {below[name]: names[below[name]] for name in chosen.chosen(below)}
    contents = blobs(root, sorted(set(names.values())))
    return {name: contents[names[name]] for name in sorted(names)}


def blobs(root: Path, hashes: list[str]) -> dict[str, bytes]:
    """The contents of git objects, in one process (`git cat-file --batch`).

    Raises:
        Unanswerable: one is not there (a shallow or partial clone).
    """
    if not hashes:
        return {}
    rest = git(root, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in hashes).encode())
    found: dict[str, bytes] = {}
    while rest:
        head, _, rest = rest.partition(b"\n")
        name, kind, *size = head.decode().split()
        if kind == "missing" or not size:
            raise Unanswerable(f"git has no object {name}: fetch the whole history first.")
        found[name], rest = rest[: int(size[0])], rest[int(size[0]) + 1 :]
    return found


def one(root: Path, commit: str, path: str) -> bytes | None:
    """One file at a commit ("": in the working tree), None where it is not there."""
    if not commit:
        try:
            return (root / path).read_bytes()
        except OSError:
            return None
    try:
        return git(root, "cat-file", "blob", f"{commit}:./{path}")
    except Unanswerable:
        return None


def walk(root: Path, path: str) -> dict[str, bytes]:
    """All files that `path` stands for (`regrow.selection`) in the working tree, as the runner counts them."""
    tree = FileTree(root, path)
    places = map(tree.place, tree.listing())
    return {place: (root / place).read_bytes() for place in places}
