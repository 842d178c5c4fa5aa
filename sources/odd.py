"""Pages and WARC files with something wrong, for pack.py: what a crawler meets on a real web."""

from __future__ import annotations

import gzip
import io
import random
import re
import struct
import zlib
from typing import TYPE_CHECKING

from fastwarc.stream_io import GzipWriter

if TYPE_CHECKING:
    from pack import Packages, Site

NEW = (
    "<!DOCTYPE html><html><head><meta charset=utf-8><title>The page that moved</title></head><body>"
    "<p>This page used to live at another address. A crawler that follows redirects finds it here.</p>"
    "</body></html>\n"
)

# Every address that index.html links to, in the order of the page.
LINKS = [
    "/old.html",
    "/new.html",
    "/loop-a",
    "/chain/0",
    "/to-mako",
    "/away",
    "/nowhere",
    "/gone.html",
    "/missing.html",
    "/busy.html",
    "/down.html",
    "/slow-down.html",
    "/broken-pipe.html",
    "/huge.html",
    "/huge-chunked.html",
    "/chunked.html",
    "/packed.html",
    "/fake.pdf",
    "/picture.html",
    "/program.bin",
    "/feed",
    "/bare",
    "/hidden.html",
    "/noindex.html",
    "/nofollow.html",
    "/private/secret.html",
    "/private/open.html",
    "/calendar?day=0",
    "/truncated.html",
    "/invalid-utf8.html",
    "/binary.html",
    "/garbage.html",
    "/empty.html",
    "/blank.html",
    "/long-line.html",
    "/nested.html",
    "/bom16.html",
    "/lying-charset.html",
    "/korean/meta.html",
    "/korean/bare.html",
    "/russian/koi8.html",
    "/russian/cp1251.html",
    "/pdf/encrypted.pdf",
    "/pdf/image.pdf",
    "/pdf/scan.pdf",
    "/pdf/cut.pdf",
    "/pdf/crazyones.pdf",
    "/pdf/columns.pdf",
    "/pdf/blank.pdf",
    "/New.html#fragment",
    "./x/../new.html",
    "http://odd.example:80/new.html",
    "//odd.example/new.html",
    "mailto:a@example.org",
    "javascript:void(0)",
    "http://[bad/",
    "ftp://odd.example/file",
]


def _page(title: str, body: str, head: str = "<meta charset=utf-8>") -> bytes:
    return f"<!DOCTYPE html>\n<html lang=en><head>{head}<title>{title}</title></head>\n<body>{body}</body></html>\n".encode()


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress(bytes(64 * 193), 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def _without_charset(page: bytes) -> bytes:
    return re.sub(rb"(?i)<meta[^>]*charset[^>]*>|<\?xml[^>]*\?>", b"", page)


def site(packages: Packages, mako: Site) -> Site:
    """The host odd.example."""
    draw = random.Random(0)
    links = "\n".join(f'<li><a href="{href}">{href}</a></li>' for href in LINKS)
    mirrors = sorted(p for p in mako if p.endswith(".html") and p != "/index.html")
    links += "".join(
        f'\n<li><a href="/mirror/{kind}{p}">{kind}{p}</a></li>'
        for kind in ("exact", "near")
        for p in mirrors
    )
    words = b" ".join(mako[p] for p in mirrors)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", words.decode())).strip()
    prose = "".join(f"<p>{text[i : i + 400]}</p>\n" for i in range(0, 8_000, 400))
    pypdf = packages.folder("pypdf", "7.1.1") / "resources"
    korean = next(
        packages.folder("apache2-doc", "2.4.68-1~deb12u1").glob(
            "usr/share/doc/apache2-doc/manual/ko"
        )
    )
    russian = packages.faq("ru")
    pages: Site = {
        "/robots.txt": b"# Rules for everyone, and for one other robot.\nUser-agent: otherbot\nDisallow: /\n\n"
        b"User-agent: *\nDisallow: /private/\nAllow: /private/open.html\nCrawl-delay: 0.002\n",
        "/index.html": _page("Odd pages", f"<h1>Odd pages</h1><ul>{links}</ul>"),
        "/new.html": NEW.encode(),
        "/New.html": _page(
            "Another page", "<p>Paths are case sensitive, so this is another page.</p>"
        ),
        "/private/secret.html": _page("Secret", "<p>No polite crawler reads this.</p>"),
        "/private/open.html": _page("Open", "<p>An exception inside a closed folder.</p>"),
        "/noindex.html": _page(
            "No index",
            '<p>Not to be kept.</p><a href="/only-from-noindex.html">x</a>',
            '<meta name="robots" content="noindex">',
        ),
        "/only-from-noindex.html": _page(
            "Follow", "<p>Reached from a page that is not to be kept.</p>"
        ),
        "/nofollow.html": _page(
            "No follow",
            '<p>Links here are not to be followed.</p><a href="/unreached.html">x</a>',
            '<meta name="robots" content="nofollow">',
        ),
        "/unreached.html": _page("Unreached", "<p>No crawler should come here.</p>"),
        "/hidden.html": _page("Hidden", "<p>The header says noindex.</p>"),
        "/truncated.html": _page("Cut", prose)[:3000],
        "/invalid-utf8.html": _page("Broken bytes", prose).replace(b"Mako", b"Mak\xff\xfeo", 3),
        "/garbage.html": b"<html><head><meta charset=utf-8></head><body><p>"
        + b" ".join(bytes(draw.choices(range(0x80, 0x100), k=12)) for _ in range(400)),
        "/binary.html": b"<html><body>\x00\x01\x02" + draw.randbytes(3000),
        "/empty.html": b"",
        "/blank.html": _page("", "<div><script>var x = 1;</script><nav></nav></div>"),
        "/long-line.html": b"<html><body><p>"
        + (text + " ").encode() * (3_000_000 // len(text.encode()) + 1)
        + b"</p></body></html>",
        "/nested.html": b"<html><body>" + b"<div>" * 60_000 + b"<p>deep</p>" + b"</div>" * 60_000,
        "/bom16.html": _page("Sixteen bits", prose[:2000], "").decode().encode("utf-16"),
        "/lying-charset.html": _page(
            "Lies",
            "<p>" + "La différence entre l'œuvre et le héros. " * 30 + "</p>",
            "<meta charset=us-ascii>",
        ),
        "/korean/meta.html": (korean / "logs.html").read_bytes(),
        "/korean/bare.html": _without_charset((korean / "dso.html").read_bytes()),
        "/russian/koi8.html": _without_charset((russian / "kernel.ru.html").read_bytes())
        .decode()
        .encode("koi8-r", "xmlcharrefreplace"),
        "/russian/cp1251.html": _without_charset((russian / "support.ru.html").read_bytes())
        .decode()
        .encode("cp1251", "xmlcharrefreplace"),
        "/pdf/encrypted.pdf": (pypdf / "encryption/r6-user-password.pdf").read_bytes(),
        "/pdf/image.pdf": (pypdf / "imagemagick-images.pdf").read_bytes(),
        "/pdf/scan.pdf": (pypdf / "jpeg.pdf").read_bytes(),
        "/pdf/crazyones.pdf": (pypdf / "crazyones.pdf").read_bytes(),
        "/pdf/columns.pdf": (pypdf / "pdflatex-outline.pdf").read_bytes(),
        "/pdf/blank.pdf": (pypdf / "box.pdf").read_bytes(),
        "/pdf/cut.pdf": (pypdf / "pdflatex-outline.pdf").read_bytes()[:9000],
        "/picture.png": _png(),
        "/program.bin": draw.randbytes(2000),
        "/bare": _page("No type at all", prose[:3000]),
        "/chunked.html": _page("In pieces", prose[:5000]),
        "/packed.html.gz": gzip.compress(_page("Packed", prose[3000:]), 9, mtime=0),
    }
    for name in ("busy", "slow-down", "broken-pipe"):
        pages[f"/{name}.html"] = _page(
            name,
            f"<p>Found at last: the page named {name}, which asks for patience.</p>" + prose[:2500],
        )
    for path in mirrors:
        pages[f"/mirror/exact{path}"] = mako[path]
        changed = mako[path].replace(b"Mako", b"Mako (mirrored)", 2)
        pages[f"/mirror/near{path}"] = changed.replace(
            b"</body>", b"<p>Copied by a mirror in another year.</p></body>"
        )
    return pages


def _record(
    kind: str, url: str, block: bytes, number: int, extra: str = "", length: int | None = None
) -> bytes:
    mime = "application/http; msgtype=response" if kind in ("response", "revisit") else "text/html"
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2020-05-01T10:00:{number:02d}Z\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>\r\nContent-Type: {mime}\r\n{extra}"
        f"Content-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def _http(body: bytes, status: str = "200 OK") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def _member(data: bytes) -> bytes:
    out = io.BytesIO()
    writer = GzipWriter(out, compression_level=6)
    writer.write(data)
    writer.finish()
    return out.getvalue()


def foreign(dialects: Site) -> dict[str, bytes]:
    """WARC files as other tools write them: a good one, and three that a reader trips over."""
    host = "http://dialects.example"
    names = sorted(dialects)
    assert len(names) >= 6, names

    def response(
        number: int, name: str, status: str = "200 OK", length: int | None = None
    ) -> bytes:
        return _record(
            "response", host + name, _http(dialects[name], status), number, length=length
        )

    good = [
        response(1, names[0]),
        _record("resource", host + names[1], dialects[names[1]], 2),
        _record("response", host + "/gone.html", _http(b"<p>gone", "404 Not Found"), 3),
        _record(
            "revisit",
            host + "/again.html",
            b"HTTP/1.1 200 OK\r\n\r\n",
            4,
            "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest\r\n",
        ),
    ]
    cut = [_member(response(5, names[2])), _member(response(6, names[3]))]
    wrong = [response(7, names[4]), response(8, names[5], length=300), response(9, names[0])]
    return {
        "good.warc.gz": b"".join(map(_member, good)),
        "truncated.warc.gz": cut[0] + cut[1][: len(cut[1]) // 2],
        "bad-length.warc.gz": b"".join(map(_member, wrong)),
        "one-member.warc.gz": _member(
            response(10, names[5])
            + _record("response", host + "/small.html", _http(NEW.encode()), 11)
        ),
    }
