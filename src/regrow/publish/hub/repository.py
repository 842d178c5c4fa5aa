"""Revisions as a git repository: a branch per checkpoint, and the lineage as its history.

The commit of a checkpoint has the commits of the checkpoints that its training began from as
parents. Author and time are fixed, so equal checkpoints give equal commits everywhere.
Files of `LARGE` bytes and more are kept by Git LFS: the branch holds a pointer, the bytes are
where `git lfs push` looks for them.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from regrow.engine import git
from regrow.evidence.errors import Unanswerable
from regrow.publish.hub.files import File, read
from regrow.publish.hub.revisions import Revision

LARGE = 10_000_000
"""bytes from which hubs want Git LFS"""
ATTRIBUTES = ".gitattributes"
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "regrow"), ("EMAIL", "regrow@localhost"), ("DATE", "@0 +0000"))
}


class Repository:
    """A git repository that is being filled."""

    def __init__(self, folder: Path) -> None:
        """Make the repository in an empty folder.

        Raises:
            Unanswerable: the folder is not empty, or there is no git.
        """
        if folder.exists() and any(folder.iterdir()):
            raise Unanswerable(f"{folder} is not empty: name an empty folder, or none.")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, stdin: bytes = b"", index: str = "") -> bytes:
        """Output of a git command. Raises Unanswerable with what git said."""
        environment = git.environment() | _IDENTITY
        if index:
            environment["GIT_INDEX_FILE"] = index
        try:
            done = subprocess.run(
                ["git", "-C", str(self.folder), *arguments],
                input=stdin,
                capture_output=True,
                env=environment,
                check=False,
            )
        except OSError as error:
            raise Unanswerable(f"git cannot be run ({error.strerror}): install it.") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise Unanswerable(f"git {arguments[0]} in {self.folder}: {said}")
        return done.stdout

    def blob(self, data: bytes) -> str:
        """Store bytes; returns the object's name. They are read back and compared."""
        name = self.git("hash-object", "-w", "--no-filters", "--stdin", stdin=data).decode().strip()
        if self.git("cat-file", "blob", name) != data:
            raise Unanswerable(f"{self.folder}: object {name} is not what was written to it.")
        return name

    def large(self, file: File) -> bytes:
        """Store a file where Git LFS keeps its objects; returns the pointer for the branch."""
        place = self.folder / ".git/lfs/objects" / file.sha256[:2] / file.sha256[2:4] / file.sha256
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.data)
        if hashlib.sha256(place.read_bytes()).hexdigest() != file.sha256:
            raise Unanswerable(f"{place} is not what was written to it. Is the disk sound?")
        lines = (
            "version https://git-lfs.github.com/spec/v1",
            f"oid sha256:{file.sha256}",
            f"size {len(file.data)}",
        )
        return "".join(f"{line}\n" for line in lines).encode()

    def commit(self, root: Path, revision: Revision, parents: Sequence[str]) -> str:
        """Commit the files of a revision on its branch; returns the commit."""
        index = str((self.folder / ".git/regrow-index").resolve())
        Path(index).unlink(missing_ok=True)
        rows, kept_large = [], []
        for file in read(root, revision):
            data = file.data
            if len(data) >= LARGE:
                kept_large.append(file.path)
                data = self.large(file)
            rows.append(f"100644 {self.blob(data)}\t{file.path}\n")
        if kept_large:
            text = "".join(
                f"/{p} filter=lfs diff=lfs merge=lfs -text\n" for p in sorted(kept_large)
            )
            rows.append(f"100644 {self.blob(text.encode())}\t{ATTRIBUTES}\n")
        self.git("update-index", "--add", "--index-info", stdin="".join(rows).encode(), index=index)
        tree = self.git("write-tree", index=index).decode().strip()
        self._whole(tree, rows)
        Path(index).unlink(missing_ok=True)
        above = [word for parent in parents for word in ("-p", parent)]
        message = f"{revision.name}\n\nsha256 {revision.record.sha256}\nkey {revision.record.key}\n"
        commit = self.git("commit-tree", tree, *above, stdin=message.encode()).decode().strip()
        self.git("update-ref", f"refs/heads/{revision.name}", commit)
        return commit

    def _whole(self, tree: str, rows: Sequence[str]) -> None:
        """Refuse a tree that has other files than those that were to be in it: git leaves out what it will not have."""
        listing = self.git("ls-tree", "-r", "-z", tree).decode().split("\0")
        found = sorted(row.partition("\t")[2] for row in listing if row)
        if found != sorted(row.rstrip("\n").partition("\t")[2] for row in rows):
            raise Unanswerable(f"{self.folder}: git did not take every file of the revision.")


def headline(chosen: Sequence[Revision]) -> Revision:
    """The revision that people want: the one that the most stages led to, tuned to think rather than to be brief."""
    return max(chosen, key=lambda revision: (revision.rank, chosen.index(revision)))


def fill(
    root: Path,
    chosen: Sequence[Revision],
    folder: Path,
    said: Callable[[Revision, str], None] = lambda revision, commit: None,
) -> dict[str, str]:
    """A repository in `folder` with a branch per revision; `main` is the one of `headline`.

    `said` is called for each commit. Returns revision -> commit.

    Raises:
        Unanswerable: a file is missing or damaged, or git fails.
    """
    repository = Repository(folder)
    commits: dict[str, str] = {}
    for revision in chosen:
        parents = [commits[name] for name in revision.parents if name in commits]
        commits[revision.name] = repository.commit(root, revision, parents)
        said(revision, commits[revision.name])
    repository.git("update-ref", "refs/heads/main", commits[headline(chosen).name])
    # Without Git LFS installed here its filter would fail; a push does not need the files.
    filters = ["-c", "filter.lfs.smudge=cat", "-c", "filter.lfs.required=false"]
    repository.git(*filters, "reset", "--quiet", "--hard", "main")
    return commits
