"""Make sites/*.tar.xz and foreign/*.warc.gz from the packages that manifest.yaml names.

Run by hand when the choice of sources changes; the workflow only reads the results:

    python sources/pack.py DOWNLOADS

DOWNLOADS is a folder with the source distributions and Debian packages, fetched with
`pip download --no-deps --no-binary NAME NAME==VERSION -d DOWNLOADS` and
`apt-get download NAME=VERSION`; `dpkg-deb` unpacks the latter. Every file is checked against the
SHA-256 in the manifest. Archives are solid, sorted, without times, owners or modes, so that the
same downloads give the same bytes (xz: liblzma 5.4 or later, preset 9e).
"""

from __future__ import annotations

import hashlib
import io
import lzma
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

import odd
import yaml

HERE = Path(__file__).resolve().parent
Site = dict[str, bytes]

LANGUAGES = ("en", "de", "fr", "it", "ja", "ko", "nl", "pt", "ru", "zh")

# One edition of the plays and poems, some folio editions (near-duplicates in another spelling).
PLAYS = [
    "antony_and_cleopatra",
    "as_you_like_it",
    "hamlet",
    "henry_iv_part_1",
    "henry_v",
    "julius_caesar",
    "lear",
    "macbeth",
    "merchant_of_venice",
    "midsummer_nights_dream",
    "much_ado_about_nothing",
    "othello",
    "richard_iii",
    "romeo_and_juliet",
    "tempest",
    "twelfth_night",
    "winters_tale",
    "sonnets",
    "lovers_complaint",
    "passionate_pilgrim",
    "phoenix_and_the_turtle",
]
FOLIO = ["macbeth", "tempest", "julius_caesar"]
MILTON = ["paradiseregained", "paradise_regained_gut", "areopagitica", "allegro"]


class Packages:
    """The unpacked downloads, each checked against the manifest first."""

    def __init__(self, downloads: Path, work: Path) -> None:
        self._downloads = downloads
        self._work = work
        manifest = yaml.safe_load((HERE / "manifest.yaml").read_text(encoding="utf-8"))
        self._origins = {
            (part["origin"]["package"], str(part["origin"]["version"])): part["origin"]
            for host in manifest["hosts"].values()
            for part in host["parts"]
            if "origin" in part
        }
        self._by_hash = {
            hashlib.sha256(path.read_bytes()).hexdigest(): path
            for path in sorted(downloads.iterdir())
            if path.is_file()
        }

    def folder(self, package: str, version: str) -> Path:
        """The unpacked package; exits when the download is missing or has another hash."""
        origin = self._origins[package, version]
        path = self._by_hash.get(origin["sha256"])
        if path is None:
            sys.exit(
                f"{package} {version}: no file in {self._downloads} has SHA-256 {origin['sha256']}"
            )
        target = self._work / path.name
        if not target.exists():
            target.mkdir()
            if origin["kind"] == "deb":
                subprocess.run(["dpkg-deb", "-x", path, target], check=True)
            else:
                with tarfile.open(path) as archive:
                    archive.extractall(target, filter="data")
        inner = sorted(target.iterdir())
        return target if origin["kind"] == "deb" else inner[0]

    def faq(self, language: str) -> Path:
        """Folder of the Debian FAQ's pages in a language."""
        suffix = {"en": "", "zh": "-zh-cn"}.get(language, f"-{language}")
        folder = self.folder(f"debian-faq{suffix}", "11.1") / "usr/share/doc/debian/FAQ"
        inner = sorted(p for p in folder.iterdir() if p.is_dir() and p.name != "images")
        return inner[0] if inner else folder


def pages(folder: Path, prefix: str, skip: str = r"$^", suffix: str = ".html") -> Site:
    """Files below `folder` as a site below `prefix`; paths that match `skip` are left out."""
    found: Site = {}
    for path in sorted(folder.rglob(f"*{suffix}")):
        inner = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and not re.search(skip, inner):
            found[prefix + inner] = path.read_bytes()
    return found


def index(title: str, links: list[tuple[str, str]], text: str) -> bytes:
    """A start page of our own."""
    items = "\n".join(
        f'<li><a href="{escape(href)}">{escape(name)}</a></li>' for href, name in links
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>\n'
        f"<body><h1>{escape(title)}</h1>\n<p>{escape(text)}</p>\n<ul>\n{items}\n</ul></body></html>\n"
    ).encode()


def sitemap(host: str, paths: list[str]) -> bytes:
    """A sitemap (sitemaps.org protocol 0.9) of `paths`."""
    rows = "".join(f"<url><loc>http://{host}{escape(path)}</loc></url>\n" for path in paths)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>\n'
    ).encode()


def robots(lines: str, site_map: str = "") -> bytes:
    """A robots.txt (RFC 9309)."""
    return (f"User-agent: *\n{lines}" + (f"Sitemap: {site_map}\n" if site_map else "")).encode()


def sqlalchemy(packages: Packages) -> Site:
    """Three versions; pages that are left out of the archive are closed by robots.txt."""
    skip = r"^_modules/|genindex|^search|^notfound|^changelog/|^dialects/|^orm/extensions/"
    site = pages(packages.folder("sqlalchemy", "2.0.36") / "doc", "/20/", skip)
    for name in ("whatsnew_20", "migration_20"):
        path = packages.folder("sqlalchemy", "2.0.36") / f"doc/changelog/{name}.html"
        site[f"/20/changelog/{name}.html"] = path.read_bytes()
    site |= pages(packages.folder("sqlalchemy", "1.4.54") / "doc", "/14/", skip + "|^core/")
    site |= pages(packages.folder("sqlalchemy", "1.3.24") / "doc", "/13/", skip + "|^core/")
    site["/robots.txt"] = robots(
        "Allow: /20/changelog/whatsnew_20.html\nAllow: /20/changelog/migration_20.html\n"
        "Disallow: /*/changelog/\nDisallow: /*/_modules/\nDisallow: /*/dialects/\n"
        "Disallow: /*/genindex\nDisallow: /*/search\nDisallow: /14/core/\nDisallow: /13/core/\n"
        "Disallow: /*/orm/extensions/\n"
    )
    links = [(f"/{v}/index.html", f"SQLAlchemy {v[0]}.{v[1]}") for v in ("20", "14", "13")]
    site["/index.html"] = index("SQLAlchemy manuals", links, "Three versions of one manual.")
    return site


def roundup(packages: Packages) -> Site:
    """The manual, and the page templates: many small pages that filters should drop."""
    folder = packages.folder("roundup", "2.6.0")
    skip = "genindex|search|py-modindex"
    site = pages(folder / "share/doc/roundup/html", "/", skip)
    manual = sorted(site)
    for kind in ("classic", "minimal", "responsive"):
        site |= pages(folder / f"share/roundup/templates/{kind}/html", f"/templates/{kind}/")
    site["/robots.txt"] = robots(
        "Disallow: /genindex.html\nDisallow: /search.html\nDisallow: /py-modindex.html\n",
        "http://roundup.example/sitemap.xml",
    )
    templates = sorted(path for path in site if path.startswith("/templates/"))
    site["/sitemap.xml"] = sitemap("roundup.example", manual + templates)
    return site


def shakespeare(packages: Packages) -> Site:
    """Plain text."""
    folder = packages.folder("shakespeare", "0.6")
    site: Site = {}
    texts = folder / "shksprdata/texts"
    for name in [f"{play}_gut" for play in PLAYS] + [f"{play}_gut_f" for play in FOLIO]:
        if (texts / f"{name}.txt").exists():
            site[f"/texts/{name}.txt"] = (texts / f"{name}.txt").read_bytes()
    for name in MILTON:
        site[f"/milton/{name}.txt"] = (folder / f"miltondata/texts/{name}.txt").read_bytes()
    links = [(path, path.rsplit("/", 1)[1][:-4].replace("_", " ")) for path in sorted(site)]
    site["/index.html"] = index("Plays and poems", links, "Shakespeare and Milton as plain text.")
    site["/robots.txt"] = robots("Allow: /\n")
    return site


def debian(packages: Packages) -> Site:
    """The FAQ in ten languages; the Developer's Reference as HTML and as PDF."""
    site: Site = {}
    links = [("/developers-reference/index.html", "Developer's Reference")]
    for language in LANGUAGES:
        found = pages(packages.faq(language), f"/faq/{language}/")
        site |= found
        start = [path for path in found if path.rsplit("/", 1)[1].startswith("index.")]
        links.append((start[0], f"FAQ ({language})"))
    reference = packages.folder("developers-reference", "12.18") / "usr/share/developers-reference"
    site |= pages(reference, "/developers-reference/", "^search|^genindex|^developers-reference")
    pdf = (reference / "developers-reference.pdf").read_bytes()
    site["/developers-reference/developers-reference.pdf"] = pdf
    links.append(("/developers-reference/developers-reference.pdf", "Developer's Reference (PDF)"))
    site["/index.html"] = index("Debian guides", links, "Guides in ten languages.")
    site["/robots.txt"] = robots(
        "Crawl-delay: 0.001\nDisallow: /developers-reference/search.html\n"
    )
    return site


def simple(host: str, folder: Path, skip: str) -> Site:
    """A manual with a sitemap."""
    site = pages(folder, "/", skip)
    paths = sorted(site)
    site["/robots.txt"] = robots(
        "Disallow: /genindex.html\nDisallow: /search.html\n", f"http://{host}/sitemap.xml"
    )
    site["/sitemap.xml"] = sitemap(host, paths)
    return site


def write(site: Site, path: Path) -> None:
    """Write `site` as a solid tar.xz; members are ordered by file name, so that versions meet."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(site, key=lambda n: (n.rsplit("/", 1)[1], n)):
            member = tarfile.TarInfo(name.lstrip("/"))
            member.size = len(site[name])
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(site[name]))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 26}]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        lzma.compress(plain.getvalue(), lzma.FORMAT_XZ, lzma.CHECK_CRC64, filters=filters)
    )
    total = sum(map(len, site.values()))
    print(f"{path.name}: {len(site)} files, {total:,} bytes, packed {path.stat().st_size:,}")


def main() -> None:
    """Pack every site."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as work:
        packages = Packages(Path(sys.argv[1]), Path(work))
        mako = simple("mako.example", packages.folder("mako", "1.3.5") / "doc", "genindex|search")
        sites = {
            "sqlalchemy": sqlalchemy(packages),
            "alembic": simple(
                "alembic.example",
                packages.folder("alembic", "1.14.0") / "docs",
                "genindex|search|^_static|^build|py-modindex",
            ),
            "mako": mako,
            "lxml": simple(
                "lxml.example",
                packages.folder("lxml", "5.3.0") / "doc/html",
                "genindex|search|^apidoc/_modules|py-modindex",
            ),
            "roundup": roundup(packages),
            "shakespeare": shakespeare(packages),
            "debian": debian(packages),
            "odd": odd.site(packages, mako),
        }
        for name, site in sites.items():
            write(site, HERE / f"sites/{name}.tar.xz")
        dialects = pages(packages.folder("sqlalchemy", "2.0.36") / "doc/dialects", "/")
        for name, data in odd.foreign(dialects).items():
            path = HERE / "foreign" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            print(f"{name}: {len(data):,}")


if __name__ == "__main__":
    main()
