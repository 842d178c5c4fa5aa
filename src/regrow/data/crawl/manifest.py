"""The sources manifest: which hosts there are, and the origin and licence of each part of them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from regrow.data.crawl.urls import canonical, host_of

READABLE = (".warc.gz", ".warc")
"""suffixes, in any case, of the archives that the text step reads"""


class ManifestError(Exception):
    """A sources manifest that cannot be used; the message names file and field."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Origin(_Entry):
    """The package that a part was taken from."""

    kind: Literal["sdist", "wheel", "deb", "url"]
    package: str
    version: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Part(_Entry):
    """The pages of a host below a path prefix."""

    prefix: str = Field(default="/", pattern=r"^/")
    source: str
    """short name, copied into documents"""
    title: str
    licence: str
    """SPDX identifier or LicenseRef, copied into documents"""
    origin: Origin | None = None


def _path(written: str) -> str:
    """A path below the manifest's folder, in its one spelling. Raises ValueError."""
    path = PurePosixPath(written)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in written:
        raise ValueError(f"{written!r} must be a path below the manifest's folder")
    return str(path)


class Host(_Entry):
    """A host: crawled from `start`, served from `archive` (frozen) or by the real web (live)."""

    start: list[str] = []
    """paths or absolute URLs where the crawl begins"""
    archive: str | None = None
    """tar.xz with the host's files, relative to the manifest; none: a live host"""
    foreign: list[str] = []
    """WARC files of other crawlers that hold pages of this host, relative to the manifest"""
    parts: list[Part] = Field(min_length=1)

    @field_validator("archive", "foreign")
    @classmethod
    def _inside(cls, value: str | list[str] | None) -> str | list[str] | None:
        """What stands outside the sources is not counted in the key of the crawl."""
        if isinstance(value, list):
            return [_path(path) for path in value]
        return None if value is None else _path(value)

    @field_validator("foreign")
    @classmethod
    def _readable(cls, value: list[str]) -> list[str]:
        for path in value:
            if not path.lower().endswith(READABLE):
                raise ValueError(
                    f"{path}: no reader for this suffix. Readable are {' and '.join(READABLE)} "
                    "(WARC with response, resource or revisit records); convert the file, or leave it out"
                )
        return value

    @model_validator(mode="after")
    def _reachable(self) -> Host:
        if self.archive and not self.start:
            raise ValueError("a host with an archive needs `start`")
        return self


class Manifest(_Entry):
    """The whole manifest."""

    hosts: dict[str, Host]
    """by canonical name (`bücher.example` is `xn--bcher-kva.example`), with the port if there is one"""

    @field_validator("hosts", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """Hosts under the name that addresses carry, however the manifest spells them."""
        if not isinstance(value, dict):
            return value
        found: dict[str, Any] = {}
        for name, host in value.items():
            one = canonical_name(str(name))
            if one is None:
                raise ValueError(f"{name!r} is no host name")
            if one in found:
                raise ValueError(f"{name!r} is {one}, which is there already")
            found[one] = host
        return found

    @model_validator(mode="after")
    def _starts(self) -> Manifest:
        for name, host in self.hosts.items():
            for start in host.start:
                url = canonical(start, f"http://{name}/")
                if url is None or host_of(url) != name:
                    raise ValueError(f"hosts.{name}.start: {start!r} is no address of this host")
        return self

    def part(self, url: str) -> Part | None:
        """The part with the longest prefix that `url` is under; None for an unknown host.

        `url` may be anything that an archive holds.
        """
        plain = canonical(url)
        if plain is None:
            return None
        split = urlsplit(plain)
        host = self.hosts.get(split.netloc) or self.hosts.get(split.hostname or "")
        if host is None:
            return None
        fitting = [part for part in host.parts if _below(part.prefix, split.path)]
        return max(fitting, key=lambda part: len(part.prefix), default=None)


def _below(prefix: str, path: str) -> bool:
    """Does the path start with the prefix, as it is written or in its canonical form?"""
    if path.startswith(prefix):
        return True
    written = canonical(prefix, "http://a/") or ""
    return path.startswith(urlsplit(written).path or prefix)


def canonical_name(name: str) -> str | None:
    """A host of the manifest or of `crawl.hosts` as addresses spell it; None if it is no host."""
    if not name or set(name) & set("/\\?#@ "):
        return None
    url = canonical(f"http://{name}/")
    return host_of(url) if url else None


def missing(root: Path, path: str, field: str) -> ManifestError:
    """The error that a file of the manifest is not there, with the way to get it."""
    tracked = (root / f"{path}.dvc").exists()
    fix = (
        f"`dvc pull {root.name}/{path}`"
        if tracked
        else f"put the file there (`git checkout -- {root.name}/{path}`), or take it out of the manifest"
    )
    return ManifestError(f"{root / path}: missing, though {field} names it. Fix: {fix}.")


def load(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: missing, not YAML, or a field is wrong.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Manifest.model_validate(raw)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ManifestError(f"{path}: cannot be read: {error}") from None
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ManifestError("\n".join(lines)) from None
