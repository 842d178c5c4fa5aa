"""Real HTML pages for benchmarks, as WARC files: those of the demo's crawl and of Debian's documentation.

The packages are fetched with `apt-get download`; those that it does not find are left out, and the result names what was
read. Of each host of the crawl at most `HOST` pages are taken, of each package so many as `PACKAGES` says, evenly spaced in
their order. The records name the payload's type, as those of Common Crawl do: without it datatrove leaves every page out
that libmagic calls XML.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from regrow.data.text.archive import Trouble, read
from regrow.data.text.payload import kind_of
from regrow.data.web.coding import CodingError, decoded

PACKAGES = {
    "postgresql-doc-15": 200, "git-doc": 60, "debian-handbook": 200, "apache2-doc": 120, "sphinx-doc": 40,
    "debian-faq-de": 17, "debian-faq-fr": 17, "debian-faq-ja": 17,
}  # fmt: skip
"""package -> pages of it"""
HOST = 60
_MAX_BYTES = 10_000_000
Page = tuple[str, bytes]
T = TypeVar("T")


def collected(crawl: Path, folder: Path) -> dict[str, int]:
    """Fill `folder` with one WARC file for each host of the crawl and each package; pages by file."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for archive in sorted(crawl.glob("*.example.warc.gz")):
        counts[archive.name] = _write(_spaced([*_crawled(archive)], HOST), folder / archive.name)
    for name, most in PACKAGES.items():
        pages = _packaged(name, most, folder.parent / "packages")
        if pages:
            counts[f"{name}.warc.gz"] = _write(pages, folder / f"{name}.warc.gz")
    return {name: count for name, count in counts.items() if count}


def _crawled(archive: Path) -> Iterator[Page]:
    """Answers with status 200 that are HTML, all codings undone."""
    for record in read(archive, _MAX_BYTES):
        if isinstance(record, Trouble) or record.kind != "response" or record.status != 200:
            continue
        try:
            body = decoded(record.body, record.headers, _MAX_BYTES)
        except CodingError:
            continue
        kind = kind_of(body, record.headers.get("content-type", ""))
        if kind in ("html", "xhtml") and not record.role and not record.short:
            yield record.url, body


def _packaged(name: str, most: int, folder: Path) -> list[Page]:
    """HTML pages of a Debian package, none where it cannot be fetched."""
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob(f"{name}_*.deb")):
        subprocess.run(["apt-get", "download", name], cwd=folder, capture_output=True, check=False)
    files = sorted(folder.glob(f"{name}_*.deb"))
    if not files:
        print(f"{name}: `apt-get download` gives no such package; left out", file=sys.stderr)
        return []
    unpacked = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", files[0]], capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(unpacked.stdout)) as tar:
        members = sorted(
            (one for one in tar if one.isfile() and ".html" in Path(one.name).suffixes),
            key=lambda one: one.name,
        )
        members = [one for one in members if not one.name.endswith(".gz")]
        chosen = _spaced(members, most)
        return [
            (f"http://{name}.example/{one.name.lstrip('./')}", tar.extractfile(one).read())  # type: ignore[union-attr]
            for one in chosen
        ]


def _spaced(every: list[T], most: int) -> list[T]:
    """At most so many, evenly spaced."""
    step = max(1.0, len(every) / most)
    return [every[int(at * step)] for at in range(min(most, len(every)))]


def _write(pages: list[Page], path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for url, body in pages:
            http = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            dated = {
                "WARC-Date": "2020-01-01T00:00:00Z",
                "WARC-Identified-Payload-Type": "text/html",
            }
            writer.write_record(
                writer.create_warc_record(
                    url, "response", payload=io.BytesIO(body), length=len(body),
                    http_headers=http, warc_headers_dict=dated,
                )
            )  # fmt: skip
            count += 1
    return count
