"""Write WARC 1.1 (ISO 28500:2017) whose bytes depend on what was fetched alone.

Records are built by warcio; each is one gzip member, compressed by fastwarc's bundled zlib-rs
(level 6), since the system's zlib differs from machine to machine. Record ids are derived from
content. A frozen crawl writes one fixed date.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from pathlib import Path
from typing import BinaryIO

from fastwarc.stream_io import GzipWriter
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from regrow.data.crawl.fetch import Answer
from regrow.data.crawl.urls import target

_LEVEL = 6
_CUT = {"too_large": "length", "timeout": "time", "connection": "disconnect"}
ROLE = "Regrow-Role"
"""header of records that are no pages: `robots` or `sitemap`; the text step makes no document of them"""


class _AsSent(StatusAndHeaders):
    """HTTP headers whose bytes are written as they came; warcio escapes what is not ASCII."""

    def compute_headers_buffer(self, header_filter: object = None) -> None:
        """Set the bytes that the writer stores."""
        self.headers_buff = self.to_bytes(encoding="latin-1")


class Archive:
    """A WARC file of one host."""

    def __init__(self, path: Path, user_agent: str, robots: str, date: str) -> None:
        self._file: BinaryIO = path.open("wb")
        self._name = path.name
        info = {
            "software": user_agent,
            "format": "WARC File Format 1.1",
            "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "robots": robots,
        }
        block = "".join(f"{k}: {v}\r\n" for k, v in info.items()).encode()
        headers = {"WARC-Filename": self._name}
        self._write("", "warcinfo", block, None, date, headers)

    def add(self, url: str, answer: Answer, date: str, role: str = "") -> None:
        """Write a request and its response; `role` says what it is where it is no page."""
        protocol = "HTTP/1.1"
        skipped = {"transfer-encoding"}  # the body is stored after transfer decoding
        lines = [(k, v) for k, v in answer.headers if k.lower() not in skipped]
        http = _AsSent(f"{answer.status} {answer.reason}", lines, protocol)
        part = {ROLE: role} if role else {}
        cut = {"WARC-Truncated": _CUT[answer.failure]} if answer.failure in _CUT else {}
        name = self._write(url, "response", answer.body, http, date, cut | part)
        ask = StatusAndHeaders(
            f"GET {target(url)} HTTP/1.1", list(answer.request), is_http_request=True
        )
        self._write(url, "request", b"", ask, date, {"WARC-Concurrent-To": name} | part)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(
        self,
        url: str,
        kind: str,
        block: bytes,
        http: StatusAndHeaders | None,
        date: str,
        extra: dict[str, str],
    ) -> str:
        place = f"{self._name}\0{kind}\0{url}\0{date}\0{extra.get(ROLE, '')}"
        seed = hashlib.sha256(place.encode() + block).hexdigest()
        name = f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, seed)}>"
        headers = {"WARC-Record-ID": name, "WARC-Date": date, **extra}
        plain = io.BytesIO()
        writer = WARCWriter(plain, gzip=False, warc_version="1.1")
        record = writer.create_warc_record(
            url,
            kind,
            payload=io.BytesIO(block),
            length=len(block),
            http_headers=http,
            warc_headers_dict=headers,
        )
        writer.write_record(record)
        packed = io.BytesIO()
        member = GzipWriter(packed, compression_level=_LEVEL)
        member.write(plain.getvalue())
        member.finish()
        self._file.write(packed.getvalue())
        return name
