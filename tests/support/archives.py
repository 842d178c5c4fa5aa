"""Archives made by hand, good and hostile: Debian packages, wheels, source archives."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping

import zstandard

Files = Mapping[str, bytes]


def tar(files: Files, links: Mapping[str, str] = {}, packing: str = "gz") -> bytes:
    """A tar file, gz, xz, zst or plain ("")."""
    out = io.BytesIO()
    mode = f"w:{packing}" if packing in ("gz", "xz") else "w"
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    body = out.getvalue()
    return zstandard.compress(body) if packing == "zst" else body


def deb(files: Files, links: Mapping[str, str] = {}, packing: str = "xz") -> bytes:
    """A Debian package: ar of debian-binary, control.tar and data.tar."""
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": tar({"./control": b"Package: x\n"}, packing="xz"),
        f"data.tar.{packing}": tar(
            {f"./{name}": body for name, body in files.items()}, links, packing
        ),
    }
    out = b"!<arch>\n"
    for name, body in parts.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(body):<10}`\n".encode()
        out += body + b"\n" * (len(body) % 2)
    return out


def wheel(files: Files, links: Mapping[str, str] = {}) -> bytes:
    """A zip file; links as zip has them, in the mode of a member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name), body)
        for name, target in links.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
    return out.getvalue()
