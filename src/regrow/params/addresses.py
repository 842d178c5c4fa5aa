"""Sources that are not on this machine: addresses of files, and packages of a registry, as a recipe writes them.

Such a source is read from a frozen list, which says the bytes of each file: `frozen/<source>.json`, a source of the
flow like any committed file.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

FOLDER = "frozen"
"""where the frozen lists are. Not below `sources/`: all of that folder is in the key of the crawl"""
WEB = ("https://", "http://")
BUCKET = "s3://"
REGISTRIES = ("debian", "pypi", "pypi-sdist")
"""debian: what apt-get downloads; pypi: the file that pip would install; pypi-sdist: the source archive"""
_KNOWN = re.compile(r"[a-z][a-z0-9+.-]*://")
_PRINTED = re.compile(r"[!-~]+")
_DEBIAN = re.compile(r"([a-z0-9][a-z0-9+.-]+(?::[a-z0-9-]+)?)(?:=([A-Za-z0-9.+:~-]+))?")
_PYPI = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:==([A-Za-z0-9.!+_-]+))?")


class AddressError(ValueError):
    """An entry that names no file or package; the message says why, and the fix."""


class Package(NamedTuple):
    """A package as the recipe names it."""

    registry: str
    name: str
    version: str
    """"": the one that the registry offers when the source is frozen"""

    @property
    def address(self) -> str:
        """As the recipe writes it: `debian:python3.11-doc`, `pypi:sqlalchemy==2.0.36`."""
        sign = "=" if self.registry == "debian" else "=="
        return f"{self.registry}:{self.name}{sign + self.version if self.version else ''}"


def remote(path: str) -> bool:
    """Whether an entry of `files` is an address and no path."""
    return _KNOWN.match(path.lower()) is not None


def frozen(source: Mapping[str, Any]) -> bool:
    """Whether a source (as JSON) is read from a frozen list."""
    return bool(source.get("packages") or source.get("paths")) or any(
        remote(path) for path in source["files"]
    )


def asked(source: Mapping[str, Any]) -> list[str]:
    """The addresses, packages and choice of paths that the frozen list of a source must hold, in the recipe's order."""
    paths = source.get("paths")
    return [*source["files"], *(source.get("packages") or ()), *([choice(paths)] if paths else [])]


def choice(paths: Mapping[str, Any]) -> str:
    """A choice among the paths of a list in one line: `paths:https://…/warc.paths.gz every=1000`."""
    said = {"prefix": prefix(paths)} | {
        name: paths.get(name) for name in ("segments", "every", "first")
    }
    usual = {"prefix": prefix({"list": paths["list"]}), "every": 1}
    words = [
        f"{name}={','.join(sorted(value)) if isinstance(value, list | tuple) else value}"
        for name, value in said.items()
        if value and value != usual.get(name)
    ]
    return " ".join([f"paths:{paths['list']}", *words])


def prefix(paths: Mapping[str, Any]) -> str:
    """What stands in front of each path of a list."""
    if paths.get("prefix"):
        return str(paths["prefix"])
    parts = urlsplit(paths["list"])
    return f"{parts.scheme}://{parts.netloc}/"


def digest(entries: Sequence[str]) -> str:
    """SHA-256 over what a frozen list is asked to hold, whatever its order."""
    return hashlib.sha256("\n".join(sorted(entries)).encode()).hexdigest()


def list_path(name: str) -> str:
    """The frozen list of a source, below the repository."""
    return f"{FOLDER}/{name}.json"


def check(address: str) -> None:
    """Raises AddressError where no file can be fetched from an address."""
    if not address.startswith((*WEB, BUCKET)):
        raise AddressError(
            f"`{address}` has a scheme that is not read. Fix: an address that begins with `https://`, `http://` or "
            "`s3://`, or files below the repository."
        )
    if not _PRINTED.fullmatch(address):
        raise AddressError(f"`{address}` has a space or a letter beyond ASCII. Fix: write it as `%20`.")  # fmt: skip
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise AddressError(
            f"`{address}` is no address: {error}. Fix: `https://host/file`."
        ) from None
    if not host or parts.path in ("", "/"):
        raise AddressError(
            f"`{address}` names no file. Fix: `https://host/file`, with the file's name."
        )
    if parts.username is not None or parts.password is not None:
        raise AddressError(
            f"`{parts.scheme}://…@{host}{parts.path}` says a user or password, which would be committed. Fix: leave "
            "them out; a bucket takes them from the environment, and a web server's files can be put below the "
            "repository."
        )
    if "#" in address:
        raise AddressError(
            f"`{address}` has a `#`, behind which no server looks. Fix: leave it out."
        )
    if not address.startswith(BUCKET) and re.search(r"[*\[\]]", address):
        raise AddressError(
            f"`{address}` is a pattern, and a web server lists no files. Fix: name each file; patterns are for paths, "
            "`s3://` and `select`."
        )


def package(entry: str) -> Package:
    """Read `debian:NAME[=VERSION]`, `pypi:NAME[==VERSION]` or `pypi-sdist:NAME[==VERSION]`. Raises AddressError."""
    registry, colon, rest = entry.partition(":")
    if not colon or registry not in REGISTRIES:
        raise AddressError(
            f"`{entry}` names no registry that is read. Fix: {_either()}."
        )  # fmt: skip
    found = (_DEBIAN if registry == "debian" else _PYPI).fullmatch(rest)
    if found is None:
        raise AddressError(f"`{entry}` is no package of {registry}. Fix: {_either()}.")
    return Package(registry, found[1], found[2] or "")


def _either() -> str:
    return "`debian:python3.11-doc`, `debian:NAME=VERSION`, `pypi:NAME==VERSION` or `pypi-sdist:NAME==VERSION`"


def repeated(entries: Sequence[str]) -> str:
    """The first entry that comes twice, "" where none does."""
    counts = Counter(entries)
    return next((one for one in entries if counts[one] > 1), "")
