"""A file of an artifact is read by a question only if its bytes are those of the record.

What was read and hashed before counts while inode, size, modification and change time stand (see
`engine/state`), so a question that is asked again costs no second read.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from regrow.engine.state import FileTree
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record


def checked(root: Path, record: Record, entry: dict[str, Any]) -> Path:
    """The path of a file of a record's output, which is on disk.

    Raises:
        Unanswerable: it holds other bytes than the record says.
    """
    tree = FileTree(root, record.path)
    path = tree.path / entry["path"]
    found = tree.digest(entry["path"]).sha256
    with contextlib.suppress(OSError):  # a tree that may only be read
        tree.save()
    if found != entry["sha256"]:
        raise Unanswerable(
            f"{record.path}/{entry['path']} is not what {record.file} says: expected sha256 "
            f"{entry['sha256']}, found {found}. Fix: `snakemake --cores all` restores it."
        )
    return path
