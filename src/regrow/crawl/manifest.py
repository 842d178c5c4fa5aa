"""The sources manifest: which hosts there are, and the origin and licence of each part of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


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


class Host(_Entry):
    """A host: crawled from `start`, served from `archive` (frozen) or by the real web (live)."""

    start: list[str] = []
    """paths or absolute URLs where the crawl begins"""
    archive: str | None = None
    """tar.xz with the host's files, relative to the manifest; none: a live host"""
    foreign: list[str] = []
    """WARC files of other crawlers that hold pages of this host, relative to the manifest"""
    parts: list[Part] = Field(min_length=1)

    @model_validator(mode="after")
    def _reachable(self) -> Host:
        if self.archive and not self.start:
            raise ValueError("a host with an archive needs `start`")
        return self


class Manifest(_Entry):
    """The whole manifest."""

    hosts: dict[str, Host]

    def part(self, url: str) -> Part | None:
        """The part with the longest prefix that `url` lies under; None for an unknown host."""
        split = urlsplit(url)
        host = self.hosts.get((split.hostname or "").lower())
        if host is None:
            return None
        path = split.path or "/"
        fitting = [part for part in host.parts if path.startswith(part.prefix)]
        return max(fitting, key=lambda part: len(part.prefix), default=None)


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
