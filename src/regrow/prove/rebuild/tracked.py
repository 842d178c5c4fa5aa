"""Sources that DVC tracks: git has no copy of them, so the folder of a rebuild gets them from here, checked."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

from regrow.engine.errors import FlowError
from regrow.engine.present import source_digest
from regrow.engine.state import FileTree
from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.selection import beside, parse


def lay_tracked(root: Path, place: Path, chain: list[Record]) -> list[str]:
    """Copy into `place` what a chain read and DVC tracks there; returns the paths.

    Raises:
        Unanswerable: a file is not in the workspace of `root`, or holds other bytes than were read.
    """
    laid = []
    for record in chain:
        for name, entry in sorted(record.inputs.items()):
            path, recorded = str(entry["path"]), str(record.parts["inputs"].get(name))
            if entry.get("kind") != "source" or not _is_tracked(place, path):
                continue
            if _digest(place, path) == recorded:
                continue
            tree = FileTree(root, path)
            if tree.path.exists():
                for file in tree.listing():
                    if not beside(file):
                        _copy(root / tree.place(file), place / tree.place(file))
            if _digest(place, path) != recorded:
                folder = tree.selection.folder
                raise Unanswerable(
                    f"{path}: DVC tracks it, and what is here is not what {record.file} was made from ({recorded[:12]}). "
                    f"Fix: `git checkout COMMIT -- {folder}.dvc && dvc checkout {folder}.dvc` (`dvc pull` where a remote "
                    "has it), then rebuild."
                )
            laid.append(path)
    return laid


def _is_tracked(place: Path, path: str) -> bool:
    """Whether a `.dvc` file stands for the source, for a folder above it, or for files in it."""
    folder = PurePosixPath(parse(path).folder)
    above = any((place / f"{one}.dvc").is_file() for one in (folder, *folder.parents))
    return above or any(True for _ in (place / folder).rglob("*.dvc"))


def _digest(place: Path, path: str) -> str:
    try:
        return source_digest(FileTree(place, path, reread=True), path)
    except (FlowError, OSError):
        return ""


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
