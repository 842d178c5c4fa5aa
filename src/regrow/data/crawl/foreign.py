"""WARC files of other crawlers: copied byte for byte, counted, each with a row."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fastwarc.warc import ArchiveIterator, WarcRecordType

from regrow.data.crawl.manifest import READABLE, Manifest, ManifestError, missing
from regrow.data.crawl.rows import Fetch
from regrow.data.crawl.urls import canonical, host_of

_READ = ("response", "resource", "revisit")
"""kinds of records that the text step reads"""
_ASIDE = ("warcinfo", "request", "metadata")
"""kinds that describe others and hold no page"""
_MADE = ("conversion", "continuation")
"""kinds that were made of pages (WET files), or are parts of records"""


@dataclass
class Copies:
    """What was copied."""

    rows: list[Fetch] = field(default_factory=list)
    """a row for every mention of a file in the manifest"""
    files: int = 0
    unnamed: Counter[str] = field(default_factory=Counter)
    """records by host, of hosts (or parts of them) that the manifest does not name"""


def copy(root: Path, manifest: Manifest, hosts: Sequence[str], output: Path) -> Copies:
    """Copy the foreign files of these hosts into `output`, under the names of `output_names`.

    Raises:
        ManifestError: a file is missing, or holds no kind of record that the text step reads.
    """
    copies = Copies()
    named = [(name, path) for name in sorted(hosts) for path in manifest.hosts[name].foreign]
    names = output_names([path for host in manifest.hosts.values() for path in host.foreign])
    details: dict[str, str] = {}
    for host, path in named:
        source = root / path
        if not source.is_file():
            raise missing(root, path, f"hosts.{host}.foreign")
        if path not in details:
            shutil.copyfile(source, output / names[path])
            details[path] = _counted(source, path, manifest, copies.unnamed)
            detail = details[path]
        else:
            detail = "the same file again"
        size = source.stat().st_size
        copies.rows.append(Fetch(path, host, 0, "application/warc", size, 0, "foreign", detail))
    copies.files = len(details)
    if sum(name.startswith("foreign-") for name in _listed(output)) != copies.files:
        raise RuntimeError("two foreign files were copied to one name")
    return copies


def output_names(paths: Sequence[str]) -> dict[str, str]:
    """Path in the manifest -> name in the output; no two names are equal, in any case.

    `foreign-<base name>`; where several files share that name, each with a digest of its path before it.
    The suffix is in lower case, as the text step looks for it.
    """
    wanted = {path: _name(path, "") for path in dict.fromkeys(paths)}
    often = Counter(name.lower() for name in wanted.values())
    return {
        path: name if often[name.lower()] == 1 else _name(path, _digest(path))
        for path, name in wanted.items()
    }


def _name(path: str, mark: str) -> str:
    base = PurePosixPath(path).name
    suffix = next(s for s in READABLE if base.lower().endswith(s))
    return f"foreign-{mark}{base[: -len(suffix)]}{suffix}"


def _digest(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:12] + "-"


def _listed(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def _counted(source: Path, path: str, manifest: Manifest, unnamed: Counter[str]) -> str:
    """What is in a file, as far as its records can be told apart, in words."""
    kinds: Counter[str] = Counter()
    trouble = ""
    with source.open("rb") as file:
        try:
            for record in ArchiveIterator(
                file, record_types=WarcRecordType.any_type, parse_http=False
            ):
                kind = str(record.record_type)
                kinds[kind] += 1
                if kind in _READ:
                    url = (record.headers.get("WARC-Target-URI") or "").strip("<>")
                    if manifest.part(url) is None:
                        unnamed[_host(url)] += 1
        except Exception as error:  # the parser raises whatever it raises; the text step reads on
            trouble = f"then unreadable to the first reader ({type(error).__name__})"
    skipped = {k: n for k, n in sorted(kinds.items()) if k not in _READ + _ASIDE}
    made = [kind for kind in _MADE if kinds[kind]]
    if made and not trouble and not any(kinds[kind] for kind in _READ):
        held = ", ".join(f"{kinds[kind]} {kind}" for kind in made)
        raise ManifestError(
            f"{source}: holds {held} records and no {', '.join(_READ)}, which are what is read. "
            f"Fix: take {path} out of the manifest; bring the WARC files that it was made from."
        )
    parts = [f"{kinds[kind]} {kind}" for kind in _READ if kinds[kind]] or ["no record"]
    parts += [f"{n} {k} not read" for k, n in skipped.items()]
    return ", ".join([*parts, trouble] if trouble else parts)


def _host(url: str) -> str:
    plain = canonical(url)
    return host_of(plain) if plain else "no host"
