"""The loopback server: serves tar.xz archives by virtual host, as server.yaml says.

Rules of a host (first match wins; `path` is without the query, see RULE_KEYS):

    status, location, retry_after   answer with a status instead of a file
    times                           only the first so many times, then as if the rule were absent
    file                            another file of the archive
    type                            Content-Type, whole; "" sends none
    headers                         further headers
    repeat                          send the body that many times over
    chunked                         chunked transfer coding, no Content-Length
    abort                           send half of the body and close
    drip                            seconds between the bytes of the answer
    calendar                        a page that links to ?day=n+1 for ever
"""

from __future__ import annotations

import io
import lzma
import sys
import tarfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from regrow.data.crawl.manifest import Manifest, canonical_name, missing

RULE_KEYS = frozenset(
    [
        "path",
        "status",
        "location",
        "retry_after",
        "times",
        "file",
        "type",
        "headers",
        "repeat",
        "chunked",
        "abort",
        "drip",
        "calendar",
    ]
)
DATE = "Tue, 24 Nov 2026 00:00:00 GMT"
_TYPES = {
    "html": "text/html",
    "xhtml": "application/xhtml+xml",
    "txt": "text/plain",
    "pdf": "application/pdf",
    "xml": "application/xml",
    "png": "image/png",
    "gz": "application/gzip",
}
_CHARSETS = ("text/html", "text/plain", "application/xhtml+xml")


class Site:
    """One virtual host: its files (unpacked at the first request) and its rules."""

    def __init__(self, archive: Path, settings: dict[str, Any]) -> None:
        self._archive = archive
        self.charset: str | None = settings.get("charset")
        self.rules: list[dict[str, Any]] = settings.get("rules", [])
        for rule in self.rules:
            unknown = set(rule) - RULE_KEYS
            if unknown or "path" not in rule:
                raise ValueError(f"server rule {rule}: unknown keys {sorted(unknown)} or no path")
        self.uses: Counter[int] = Counter()
        self.lock = threading.Lock()
        self._files: dict[str, bytes] | None = None

    def file(self, path: str) -> bytes | None:
        """The file at a path; a path that ends in / means its index.html."""
        with self.lock:
            if self._files is None:
                self._files = read_archive(self._archive)
        return self._files.get(path + "index.html" if path.endswith("/") else path)

    def rule(self, path: str) -> dict[str, Any]:
        """The rule for a path, counting its use; empty if there is none (any more)."""
        for number, rule in enumerate(self.rules):
            if rule["path"] == path:
                with self.lock:
                    self.uses[number] += 1
                    used = self.uses[number]
                if used <= rule.get("times", used):
                    return rule
        return {}


def read_archive(path: Path) -> dict[str, bytes]:
    """Path in the site (with leading /) -> bytes, from a tar.xz."""
    with lzma.open(path) as packed, tarfile.open(fileobj=io.BytesIO(packed.read())) as archive:
        return {
            "/" + member.name: content.read()
            for member in archive
            if member.isfile() and (content := archive.extractfile(member)) is not None
        }


class Server:
    """A context manager: a server on an ephemeral loopback port while it is open."""

    def __init__(self, sites: dict[str, Site]) -> None:
        self._sites = sites

    def __enter__(self) -> Server:
        class Handler(_Handler):
            sites = self._sites

        self._httpd = _HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join()

    def resolve(self, host: str) -> tuple[str, int] | None:
        """Address of a virtual host; hosts that are not served get an address that refuses."""
        return ("127.0.0.1", self._httpd.server_address[1] if host in self._sites else 1)


def open_sites(root: Path, manifest: Manifest) -> dict[str, Site]:
    """The sites of a sources folder (manifest.yaml, server.yaml, archives).

    Raises:
        regrow.data.crawl.manifest.ManifestError: an archive is missing.
        ValueError: a rule has unknown keys.
    """
    behaviour = root / "server.yaml"
    read = yaml.safe_load(behaviour.read_text(encoding="utf-8")) if behaviour.exists() else {}
    settings = {canonical_name(str(name)): rules for name, rules in (read or {}).items()}
    sites: dict[str, Site] = {}
    for name, host in manifest.hosts.items():
        if host.archive:
            archive = root / host.archive
            if not archive.exists():
                raise missing(root, host.archive, f"hosts.{name}.archive")
            sites[name] = Site(archive, settings.get(name) or {})
    return sites


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A crawler that hangs up is no error of the server; everything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "regrow-site"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one segment
    sites: dict[str, Site] = {}

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """A fixed date: it ends up in WARC files."""
        return DATE

    def do_GET(self) -> None:
        """Answer a request."""
        site = self.sites.get((self.headers.get("Host") or "").lower())
        if site is None:
            return self._send(421, {"Content-Type": "text/plain"}, b"no such host\n", {})
        split = urlsplit(self.path)
        path = unquote(split.path)
        rule = site.rule(path)
        headers = dict(rule.get("headers", {}))
        if "status" in rule:
            if "location" in rule:
                headers["Location"] = rule["location"]
            if "retry_after" in rule:
                headers["Retry-After"] = rule["retry_after"]
            headers["Content-Type"] = "text/html"
            return self._send(rule["status"], headers, f"<p>{rule['status']}</p>\n".encode(), rule)
        if rule.get("calendar"):
            day = int(parse_qs(split.query).get("day", ["0"])[0])
            body: bytes | None = (
                f'<p>Nothing on day {day}. <a href="?day={day + 1}">Next day</a></p>\n'.encode()
            )
        else:
            body = site.file(rule.get("file", path))
        if body is None:
            return self._send(404, {"Content-Type": "text/html"}, b"<p>Not found.</p>\n", {})
        kind = _TYPES.get(
            path.rpartition(".")[2] if "." in path else "html", "application/octet-stream"
        )
        if site.charset and kind in _CHARSETS:
            kind = f"{kind}; charset={site.charset}"
        kind = rule.get("type", kind)
        if kind:
            headers["Content-Type"] = kind
        headers["Last-Modified"] = DATE
        self._send(200, headers, body * rule.get("repeat", 1), rule)

    def _send(
        self, status: int, headers: dict[str, str], body: bytes, rule: dict[str, Any]
    ) -> None:
        self.send_response(status)
        for name in sorted(headers):
            self.send_header(name, headers[name])
        if rule.get("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            pieces = [body[i : i + 65_536] for i in range(0, len(body), 65_536)]
            body = b"".join(f"{len(p):x}\r\n".encode() + p + b"\r\n" for p in pieces) + b"0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            if rule.get("abort"):
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            elif rule.get("drip"):
                for position in range(len(body)):
                    self.wfile.write(body[position : position + 1])
                    self.wfile.flush()
                    time.sleep(rule["drip"])
            else:
                self.wfile.write(body)
        except OSError:  # the client hung up: it had its reasons
            self.close_connection = True
