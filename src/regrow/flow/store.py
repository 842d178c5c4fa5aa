"""DVC's cache, written and read without importing DVC: objects by MD5, and `.dir` objects.

Three file formats of DVC are written here and in `actions`, `dvcfiles`; tests hold them against
the pinned `dvc` itself. Objects are verified by SHA-256 whenever they are copied out.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from regrow.flow.files import beside
from regrow.flow.hashing import Digest, digest_bytes, digest_file, dir_md5, dir_object

__all__ = ["Store", "dir_md5", "dir_object", "dvc_config", "free_bytes"]
_FICLONE = 0x40049409


class Store:
    """The cache of the repository at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._config = dvc_config(root)
        folder = self._config.get("cache", {}).get("dir")
        self.cache = (root / ".dvc" / folder).resolve() if folder else root / ".dvc" / "cache"
        name = self._config.get("core", {}).get("remote")
        self.remote = bool(name)
        """whether a default remote is configured"""
        self.remote_name = name or ""
        section = self._config.get(f'remote "{name}"', {})
        self.remote_url = section.get("url", "")
        self.remote_signs_in = "auth" in section
        """whether the settings of an HTTP remote say how to sign in"""

    def object_path(self, md5: str) -> Path:
        """Where the object with this address (`.dir` included) lies or would lie."""
        return self.cache / "files" / "md5" / md5[:2] / md5[2:]

    def has(self, md5: str, size: int | None = None) -> bool:
        """Whether an object is here (by name and size; content is checked when it is copied)."""
        try:
            found = self.object_path(md5).stat().st_size
        except OSError:
            return False
        return size is None or found == size

    def insert_file(self, path: Path) -> Digest:
        """Hash a file and put a copy in the cache, in one read. Raises OSError (disk full ...)."""
        temporary = self._temporary()
        try:
            with temporary.open("wb") as copy:
                if _reflink(path, copy.fileno()):
                    digest = digest_file(path)
                else:
                    digest = digest_file(path, copy)
            self.adopt(temporary, digest.md5)
        finally:
            temporary.unlink(missing_ok=True)
        return digest

    def insert_bytes(self, content: bytes, suffix: str = "") -> str:
        """Put bytes in the cache; returns the address."""
        md5 = digest_bytes(content).md5 + suffix
        if not self.holds(md5, content):
            temporary = self._temporary()
            try:
                temporary.write_bytes(content)
                self.adopt(temporary, md5)
            finally:
                temporary.unlink(missing_ok=True)
        return md5

    def holds(self, md5: str, content: bytes) -> bool:
        """Whether the object with this address is here and has this content (it is read)."""
        try:
            return self.object_path(md5).read_bytes() == content
        except OSError:
            return False

    def _temporary(self) -> Path:
        folder = self.cache / "files" / "md5"
        folder.mkdir(parents=True, exist_ok=True)
        return beside(folder / "tmp")

    def adopt(self, temporary: Path, md5: str) -> None:
        """Make a file whose content is known to be right the object with this address.

        What lay there is replaced, even if it looks the same: it may be damaged, or another
        file with the same MD5, and to know would cost reading it.
        """
        target = self.object_path(md5)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o444)
        temporary.replace(target)

    def restore(self, entry: Mapping[str, Any], target: Path) -> bool:
        """Copy an object to `target` by rename, if it is here and its content is right.

        An object with other content is named on standard error and removed from the cache.

        Args:
            entry: `md5`, `sha256` and `size` of the file.
            target: where it shall lie; what lies there is replaced.

        Returns:
            False if the object is missing or was damaged.
        """
        source = self.object_path(entry["md5"])
        if not self.has(entry["md5"]):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = beside(target)
        try:
            with temporary.open("wb") as copy:
                if _reflink(source, copy.fileno()):
                    digest = digest_file(temporary)
                else:
                    digest = digest_file(source, copy)
            if digest.sha256 != entry["sha256"]:
                print(_wrong(source, entry, digest), file=sys.stderr)
                with contextlib.suppress(OSError):
                    source.unlink()
                return False
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def insert_dir(self, files: Iterable[Mapping[str, Any]]) -> str:
        """Put the `.dir` object of a folder in the cache; returns its address."""
        return self.insert_bytes(dir_object(files), ".dir")


def _wrong(source: Path, entry: Mapping[str, Any], digest: Digest) -> str:
    """What is said of an object that is not the file which a record names."""
    if digest.md5 == entry["md5"]:
        kind = "is another file with the same MD5 (an MD5 collision: somebody made it so)"
    else:
        kind = "is damaged or was changed"
    return (
        f"cache object {source} {kind}: refused and removed. "
        f"Expected sha256 {entry['sha256']}, found {digest.sha256}."
    )


def dvc_config(root: Path) -> dict[str, dict[str, str]]:
    """DVC's settings as far as the runner needs them: the user's, the repository's, the local ones."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    merged: dict[str, dict[str, str]] = {}
    for path in (home / "dvc/config", root / ".dvc/config", root / ".dvc/config.local"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(_unindented(path.read_text(encoding="utf-8")))
        except (OSError, configparser.Error):
            continue
        for section in parser.sections():
            merged.setdefault(section.strip("'"), {}).update(parser.items(section))
    return merged


def _unindented(text: str) -> str:
    """ConfigParser takes indented lines for continuations; DVC writes its options indented."""
    return "\n".join(line.strip() for line in text.splitlines())


def _reflink(source: Path, target: int) -> bool:
    """Try to share the blocks (btrfs, XFS); False where the file system cannot."""
    import fcntl

    try:
        with source.open("rb") as file:
            fcntl.ioctl(target, _FICLONE, file.fileno())
    except OSError:
        return False
    return True


def free_bytes(path: Path) -> int:
    """Free space on the file system of `path`."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free
