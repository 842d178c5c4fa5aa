"""DVC's cache, written and read without importing DVC: objects by MD5, and `.dir` objects.

Three file formats of DVC are written here and in `actions`, `dvcfiles`; tests hold them against
the pinned `dvc` itself. Objects are verified by SHA-256 whenever they are copied out.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from regrow.engine.dvcconfig import dvc_config as dvc_config
from regrow.engine.files import beside
from regrow.engine.hashing import (
    Digest,
    digest_bytes,
    digest_file,
    dir_md5,
    dir_object,
    sha256_file,
)
from regrow.engine.refused import Refused

__all__ = ["Store", "dir_md5", "dir_object", "dvc_config", "free_bytes"]

PUBLISHED_REMOTE = "published"
"""name of the remote that the repository itself carries, for `dvc pull`"""
_FICLONE = 0x40049409
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)
_SAID: set[Path] = set()
"""caches of which this process said that they cannot be written"""


class Store:
    """The cache of the repository at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._config = dvc_config(root)
        settings = self._config.get("cache", {})
        self.cache = Path(settings["dir"]).resolve() if settings.get("dir") else root / ".dvc/cache"
        self._shared = settings.get("shared") == "group"
        self._refused = Refused(root)
        name = self._config.get("core", {}).get("remote")
        self.remote = bool(name) and name != PUBLISHED_REMOTE
        """whether a default remote is configured that runs fetch from. The one that git carries is
        not: a run that took its releases from there would not have regrown them."""
        self.remote_name = name or ""
        section = self._config.get(f'remote "{name}"', {})
        self.remote_url = section.get("url", "")
        self.remote_signs_in = "auth" in section
        """whether the settings of an HTTP remote say how to sign in"""

    def object_path(self, md5: str) -> Path:
        """Where the object with this address (`.dir` included) is or would be."""
        return self.cache / "files" / "md5" / md5[:2] / md5[2:]

    def has(self, md5: str, size: int | None = None) -> bool:
        """Whether an object is here (by name and size; content is checked when it is copied)."""
        path = self.object_path(md5)
        try:
            found = path.stat().st_size
        except OSError:
            return False
        return (size is None or found == size) and path not in self._refused

    def insert_file(self, path: Path) -> Digest:
        """Hash a file and put a copy in the cache, in one read. Raises OSError (disk full ...)."""
        found: Digest | None = None
        with self._where_possible():
            temporary = self._temporary()
            try:
                with temporary.open("wb") as copy:
                    if _reflink(path, copy.fileno()):
                        found = digest_file(path)
                    else:
                        found = digest_file(path, copy)
                self.adopt(temporary, found.md5)
            finally:
                temporary.unlink(missing_ok=True)
        return found or digest_file(path)

    def insert_bytes(self, content: bytes, suffix: str = "") -> str:
        """Put bytes in the cache; returns the address."""
        md5 = digest_bytes(content).md5 + suffix
        if not self.holds(md5, content):
            with self._where_possible():
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

    def put(self, path: Path, content: bytes) -> None:
        """Write a file of the cache that is no object, where the cache can be written."""
        with self._where_possible():
            self._folder(path.parent)
            temporary = beside(path)
            try:
                temporary.write_bytes(content)
                if self._shared:
                    temporary.chmod(0o664)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _where_possible(self) -> Iterator[None]:
        """A cache that belongs to somebody else only saves time: say that it cannot be written, and go on."""
        try:
            yield
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise
            if self.cache not in _SAID:
                _SAID.add(self.cache)
                print(
                    f"the cache {self.cache} cannot be written in part ({error}): what is made stays in data/ "
                    "alone. Fix: `dvc cache dir --local PATH` names another; for a group, `dvc config cache.shared "
                    "group` before the cache is filled.",
                    file=sys.stderr,
                )

    def _temporary(self) -> Path:
        folder = self.cache / "files" / "md5"
        self._folder(folder)
        return beside(folder / "tmp")

    def _folder(self, folder: Path) -> None:
        """Make a folder of the cache; of a shared one as DVC does, so that the group may write there."""
        if folder.is_dir():
            return
        if not self._shared:
            folder.mkdir(parents=True, exist_ok=True)
            return
        if folder.parent != folder:
            self._folder(folder.parent)
        try:
            folder.mkdir()
        except FileExistsError:
            return
        folder.chmod(0o2775)

    def adopt(self, temporary: Path, md5: str) -> None:
        """Make a file whose content is known to be right the object with this address.

        What lay there is replaced, even if it looks the same: it may be damaged, or another
        file with the same MD5, and to know would cost reading it.
        """
        target = self.object_path(md5)
        self._folder(target.parent)
        temporary.chmod(0o444)
        try:
            temporary.replace(target)
        except PermissionError:  # somebody else's, in a folder where each may remove only their own
            if not target.is_file() or sha256_file(target) != sha256_file(temporary):
                raise

    def restore(self, entry: Mapping[str, Any], target: Path) -> bool:
        """Copy an object to `target` by rename, if it is here and its content is right.

        An object with other content is named on standard error and removed from the cache, or
        counts as absent if it cannot be removed.

        Args:
            entry: `md5`, `sha256` and `size` of the file.
            target: where it shall be; what is there is replaced.

        Returns:
            False if the object is missing or was damaged.
        """
        source = self.object_path(entry["md5"])
        if not self.has(entry["md5"]):
            return False
        try:
            source.open("rb").close()
        except OSError as error:
            self._refused.add(source)
            print(f"cache object {source} cannot be read: {error.strerror}.", file=sys.stderr)
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
                print(_wrong(source, entry, digest, self._remove(source)), file=sys.stderr)
                return False
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def _remove(self, source: Path) -> str:
        """Remove a wrong object; returns what became of it."""
        try:
            source.unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            self._refused.add(source)
            return f"refused; it could not be removed ({error.strerror}) and counts as absent"
        return "refused and removed"

    def insert_dir(self, files: Iterable[Mapping[str, Any]]) -> str:
        """Put the `.dir` object of a folder in the cache; returns its address."""
        return self.insert_bytes(dir_object(files), ".dir")


def _wrong(source: Path, entry: Mapping[str, Any], digest: Digest, fate: str) -> str:
    """What is said of an object that is not the file which a record names."""
    if digest.md5 == entry["md5"]:
        kind = "is another file with the same MD5 (an MD5 collision: somebody made it so)"
    else:
        kind = "is damaged or was changed"
    return (
        f"cache object {source} {kind}: {fate}. "
        f"Expected sha256 {entry['sha256']}, found {digest.sha256}."
    )


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
