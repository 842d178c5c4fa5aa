"""Records as git has them: what was published, and which of them the workspace has otherwise.

Blobs are compared by the id of their bytes, with those of the commit's tree: no index (whose bits
`assume-unchanged` and `skip-worktree` hide a change), no filters, no variables, no settings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from regrow.engine import git
from regrow.engine.errors import FlowError
from regrow.engine.git import Unasked
from regrow.engine.records import Record, read

HEAD = "HEAD"


def published(root: Path, revision: str) -> list[Record]:
    """The records committed at a git revision, in the order of their names.

    Raises:
        FlowError: no git, no such revision, or no records there; or one of them is not sound.
    """
    try:
        ids = blobs(root, revision)
        contents = _contents(root, ids.values())
    except Unasked as error:
        raise FlowError(f"the published records cannot be read: {error}.") from None
    if not ids:
        raise FlowError(
            f"no records are published at {revision}: nothing to compare with. "
            "Publish a run by committing records/, code.json, dvc.yaml and dvc.lock."
        )
    found = []
    for name, blob in ids.items():
        record, why = read(contents[blob])
        if why:
            raise FlowError(f"{name} at {revision} is not a sound record: {why}.")
        found.append(record)
    return found


def blobs(root: Path, revision: str = HEAD) -> dict[str, str]:
    """Path below `root` -> id of its bytes, of every record at a revision, sorted.

    Raises:
        Unasked: git cannot be asked, or there is no such revision.
    """
    folder = git.below_top(root, "records")
    listing = git.read(root, "ls-tree", "-z", "--full-tree", revision, "--", f"{folder}/")
    found = {}
    for row in filter(None, listing.split(b"\0")):
        head, _, path = row.partition(b"\t")
        mode, kind, blob = head.decode().split()
        name = path.decode(errors="surrogateescape").rpartition("/")[2]
        if kind == "blob" and mode != "120000" and name.endswith(".json"):
            found[f"records/{name}"] = blob
    return dict(sorted(found.items()))


def blob_id(content: bytes, like: str) -> str:
    """The id that git gives bytes; `like`: another id of the repository, which shows its hash."""
    hasher = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return hasher(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class Committed:
    """What a revision has of some records."""

    paths: frozenset[str]
    """those of them that it has"""
    altered: dict[str, bytes]
    """path -> its bytes there, where the workspace has others"""


def committed(root: Path, among: Collection[str], revision: str = HEAD) -> Committed:
    """What git has of the records at these paths below `root`.

    Raises:
        Unasked: git cannot be asked.
    """
    wanted = set(among)
    ids = {name: blob for name, blob in blobs(root, revision).items() if name in wanted}
    other = {name: blob for name, blob in ids.items() if _id_here(root / name, blob) != blob}
    contents = _contents(root, other.values())
    return Committed(frozenset(ids), {name: contents[blob] for name, blob in other.items()})


def _id_here(path: Path, like: str) -> str:
    try:
        return blob_id(path.read_bytes(), like)
    except OSError:
        return ""


def record(root: Path, name: str) -> Record | None:
    """The record that git HEAD has under this path, None if it has none that is sound.

    Raises:
        Unasked: git cannot be asked.
    """
    blob = blobs(root).get(name)
    if blob is None:
        return None
    found, why = read(_contents(root, [blob])[blob])
    return None if why else found


def _contents(root: Path, ids: Collection[str]) -> dict[str, bytes]:
    """The bytes of blobs by id, in one call; each is what its id says. Raises Unasked."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    # `git cat-file --batch` answers `<id> blob <size>\n<content>\n`.
    answer = git.read(
        root, "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in wanted).encode()
    )
    found = {}
    for blob in wanted:
        head, _, answer = answer.partition(b"\n")
        words = head.split()
        size = int(words[2]) if len(words) == 3 else -1
        content, answer = answer[: max(size, 0)], answer[max(size, 0) + 1 :]
        if size < 0 or blob_id(content, blob) != blob:
            raise Unasked(f"object {blob[:12]} is missing or damaged: `git fsck`, `git fetch`")
        found[blob] = content
    return found
