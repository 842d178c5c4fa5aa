"""A loopback server that sends exactly the bytes of a script, and a crawl of it as a.example."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from regrow.data.crawl.fetch import Fetcher, Limits
from regrow.data.crawl.frontier import Visit
from regrow.data.crawl.host import HostCrawl
from regrow.data.crawl.rate import Rate
from regrow.data.crawl.warc import Archive
from regrow.data.crawl.wellknown import Reach
from regrow.data.text.archive import Record, read

CLOSE = None
Script = list[bytes | float | None]
"""bytes to send, seconds to wait, CLOSE; then the next request of the connection is read"""


def answer(body: bytes = b"", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole answer with Content-Length, text/html unless a header says otherwise."""
    if not any(header.lower().startswith(b"content-type:") for header in headers):
        headers = (b"Content-Type: text/html", *headers)
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, length, b"", body])


MISSING = answer(b"no", status=b"404 Not Found")


class RawServer:
    """Plays the script of a path; a path without one is 404. `requests` holds the paths asked for."""

    def __init__(self, routes: dict[str, Script | bytes]) -> None:
        self._routes = routes
        self.requests: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        self._stopped = threading.Event()

    def __enter__(self) -> RawServer:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            try:
                while path := self._asked(connection):
                    self.requests.append(path)
                    script = self._routes.get(path, MISSING)
                    for item in [script] if isinstance(script, bytes) else script:
                        if item is CLOSE:
                            return
                        if isinstance(item, bytes):
                            connection.sendall(item)
                        elif self._stopped.wait(item):
                            return
            except OSError:  # the crawler hung up
                return

    def _asked(self, connection: socket.socket) -> str:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65_536)
            if not part:
                return ""
            data += part
        return data.split(b" ", 2)[1].decode("ascii")


def raw_crawl(folder: Path, routes: dict[str, Script | bytes], **settings: Any) -> Found:
    """Crawl a.example, served by these routes, from / (or `start`)."""
    folder.mkdir(parents=True, exist_ok=True)
    limits = Limits(
        settings.get("max_bytes", 1_000_000), settings.get("retries", 0), 0.001,
        settings.get("timeout_seconds", 3.0), ("text/html", "text/plain", "application/xhtml+xml"),
    )  # fmt: skip
    reach = Reach(
        frozenset({"a.example", "b.example"}), settings.get("obey_robots", True),
        settings.get("max_pages", 100), settings.get("max_depth", 5),
        settings.get("max_redirects", 5), settings.get("max_delay_seconds", 30.0),
        settings.get("patience", 25),
    )  # fmt: skip
    agent = "regrow-crawler/0.1 (+https://example.org/regrow)"
    date = "2026-01-01T00:00:00Z"
    rate = Rate(0.0)
    archive = Archive(folder / "a.example.warc.gz", agent, "obey", date)
    with RawServer(routes) as server:
        fetcher = Fetcher(agent, limits, lambda netloc: server.address, rate)
        one = HostCrawl("a.example", agent, fetcher, rate, archive, reach, lambda: date)
        starts = settings.get("start", ["/"])
        one.run([Visit(f"http://a.example{path}", 0) for path in starts])
        one.close()
        return Found(one, server.requests, folder / "a.example.warc.gz", rate.interval)


class Found:
    """What a crawl left."""

    def __init__(self, one: HostCrawl, requests: list[str], file: Path, interval: float) -> None:
        self.rows = one.rows
        self.requests = requests
        self.interval = interval
        self.file = file

    @property
    def outcomes(self) -> dict[str, str]:
        """Path -> outcome."""
        return {row.url.removeprefix("http://a.example"): row.outcome for row in self.rows}

    @property
    def details(self) -> dict[str, str]:
        """Path -> detail."""
        return {row.url.removeprefix("http://a.example"): row.detail for row in self.rows}

    @property
    def records(self) -> dict[str, Record]:
        """Path -> record of the archive, as the text step reads it."""
        found = [item for item in read(self.file, 10_000_000) if isinstance(item, Record)]
        return {record.url.removeprefix("http://a.example"): record for record in found}

    @property
    def bodies(self) -> dict[str, bytes]:
        """Path -> body in the archive."""
        return {path: record.body for path, record in self.records.items()}
