"""The files of an archive: Debian packages, wheels and zip files, source archives. Nothing leaves the folder.

deb(5), ar members of which `data.tar` holds the files; wheels are zip files (PEP 427), sdists tar files (PEP 625).
A link is no file and is counted; a name that leads out, a member that is too large or a damaged archive is an error.
"""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from regrow.data.sources.opening import BrokenError, chunks
from regrow.data.sources.trouble import ArchiveError

MEMBERS = 2_000_000
MEMBER_BYTES = 4 << 30
"""of one file, unpacked"""
WHOLE_BYTES = 64 << 30
"""of an archive, unpacked"""
_HEADER = 1 << 20
"""bytes of a long name or extended header of tar, which its reader holds"""
_CHUNK = 1 << 20
_ZIPS, _TARS = (".whl", ".zip"), (".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
ENDINGS = (".deb", *_ZIPS, *_TARS)


class _Member(NamedTuple):
    name: str
    kind: str
    """file, folder, link, other"""
    size: int
    file: IO[bytes] | None


@dataclass
class Unpacked:
    """What an archive held."""

    files: dict[str, Path] = field(default_factory=dict)
    """name in the archive -> where it was written"""
    members: int = 0
    left: Counter[str] = field(default_factory=Counter)
    """members that were not written, by reason: unselected, link, other, repeated"""


def unpack(archive: Path, wanted: Callable[[str], bool], folder: Path) -> Unpacked:
    """Write the wanted files of an archive to `folder`, under numbers.

    Every member that is no folder is written or counted with a reason.

    Raises:
        ArchiveError: it is none, is damaged, is larger than is unpacked here, or names a file outside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made, whole = Unpacked(), 0
    try:
        for member in _members(archive, folder):
            if member.kind == "folder":
                continue
            made.members += 1
            if made.members > MEMBERS:
                raise ArchiveError(f"{archive.name}: has more than {MEMBERS:,} files.")
            name = _inside(member.name, archive)
            if not wanted(name):
                reason = "unselected"
            elif member.kind != "file":
                reason = member.kind
            else:
                reason = "repeated" if name in made.files else ""
            if reason:
                made.left[reason] += 1
                continue
            assert member.file is not None
            target = folder / f"{len(made.files):07d}"
            whole += _copy(member, target, archive, whole)
            made.files[name] = target
    except BrokenError as error:
        raise ArchiveError(f"{archive.name}: {error.detail}. Fix: it is damaged where it was made.") from None  # fmt: skip
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:  # fmt: skip
        raise ArchiveError(f"{archive.name}: damaged: {error}. Fix: it is damaged where it was made.") from None  # fmt: skip
    assert made.members == len(made.files) + made.left.total()
    return made


def _copy(member: _Member, target: Path, archive: Path, before: int) -> int:
    assert member.file is not None
    count = 0
    with target.open("xb") as out:
        while piece := member.file.read(_CHUNK):
            count += len(piece)
            if count > MEMBER_BYTES or before + count > WHOLE_BYTES:
                raise ArchiveError(
                    f"{archive.name}: {member.name!r} is larger than is unpacked here (a file {MEMBER_BYTES:,} bytes, "
                    f"an archive {WHOLE_BYTES:,})."
                )
            out.write(piece)
    return count


def _inside(name: str, archive: Path) -> str:
    """The name without `./` in front. Raises ArchiveError where it leads out of the archive."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or not parts or "\0" in name:
        raise ArchiveError(
            f"{archive.name}: holds {name!r}, which leads out of its folder. Nothing of it is used. Fix: leave the "
            "package out, and tell those who made it."
        )
    return "/".join(parts)


def _members(archive: Path, scratch: Path) -> Iterator[_Member]:
    name = archive.name.lower()
    if name.endswith(".deb"):
        data = _data_of_deb(archive, scratch)
        yield from _of_tar(data)
        data.unlink()
    elif name.endswith(_ZIPS):
        yield from _of_zip(archive)
    elif name.endswith(_TARS):
        yield from _of_tar(archive)
    else:
        raise ArchiveError(f"{archive.name}: is no archive that is unpacked here ({', '.join(ENDINGS)}).")  # fmt: skip


def _data_of_deb(archive: Path, scratch: Path) -> Path:
    """The member `data.tar.*` of a Debian package, copied out."""
    with archive.open("rb") as file:
        if file.read(8) != b"!<arch>\n":
            raise ArchiveError(f"{archive.name}: is no Debian package.")
        while len(header := file.read(60)) == 60:
            name, size = header[:16].decode("ascii", "replace").strip().rstrip("/"), int(header[48:58])  # fmt: skip
            if name.startswith("data.tar"):
                target = scratch / name.replace("/", "_")
                with target.open("xb") as out:
                    left = size
                    while left and (piece := file.read(min(_CHUNK, left))):
                        out.write(piece)
                        left -= len(piece)
                if left:
                    raise ArchiveError(f"{archive.name}: is cut short.")
                return target
            file.seek(size + size % 2, io.SEEK_CUR)
    raise ArchiveError(f"{archive.name}: has no data.tar: it is cut short, or no Debian package.")


class _Info(tarfile.TarInfo):
    """A header of tar, no larger than what is held in memory without harm."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        held = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)  # fmt: skip
        if self.type in held and self.size > _HEADER:
            raise tarfile.ReadError("a header is larger than any that is written")
        return super()._proc_member(archive)  # type: ignore[misc]


def _of_tar(path: Path) -> Iterator[_Member]:
    stream = io.BufferedReader(_Stream(chunks(path)), _CHUNK)
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Info, errors="surrogateescape", encoding="utf-8") as tar:  # fmt: skip
        for info in tar:
            if info.isdir():
                yield _Member(info.name, "folder", 0, None)
            elif info.isreg():
                yield _Member(info.name, "file", info.size, tar.extractfile(info))
            else:
                yield _Member(info.name, "link" if info.issym() or info.islnk() else "other", 0, None)  # fmt: skip
            tar.members = []  # type: ignore[attr-defined]  # else it keeps every header


class _Stream(io.RawIOBase):
    """Unpacked pieces as a file, in which more than a whole archive may hold is an error."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest, self._count = pieces, b"", 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
            self._count += len(piece)
            if self._count > WHOLE_BYTES:
                raise BrokenError("too_large", f"has more than {WHOLE_BYTES:,} bytes")
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)


def _of_zip(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir():
                yield _Member(info.filename, "folder", 0, None)
            elif kind not in (0, stat.S_IFREG):
                yield _Member(info.filename, "link" if kind == stat.S_IFLNK else "other", 0, None)
            elif info.flag_bits & 1:
                raise ArchiveError(f"{path.name}: {info.filename!r} needs a password.")
            else:
                try:
                    file = archive.open(info)
                except OSError as error:  # its place is before the beginning of the file
                    raise zipfile.BadZipFile(f"{info.filename!r}: {error}") from None
                with file:
                    yield _Member(info.filename, "file", info.file_size, file)
