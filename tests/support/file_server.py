"""A loopback server of files that can be made to fail: busy, cut off, changed, redirected."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Fault = Callable[[BaseHTTPRequestHandler, bytes], None]
"""answers a request in place of the server"""


class FileServer:
    """Serves `files` (path -> bytes) with ETag, Content-Length and ranges.

    `faults`: path -> what answers its next requests instead, one each. `seen`: (method, path, Range) of every request.
    """

    def __init__(self, files: dict[str, bytes], etags: bool = True) -> None:
        self.files, self.etags = files, etags
        self.faults: dict[str, list[Fault]] = {}
        self.seen: list[tuple[str, str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            def do_HEAD(self) -> None:
                outer._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FileServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def etag(self, path: str) -> str:
        """The strong ETag of a file: by its content."""
        return f'"{hashlib.md5(self.files[path]).hexdigest()}"'

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        self.seen.append((request.command, path, request.headers.get("Range", "")))
        body = self.files.get(path, b"")
        if self.faults.get(path) and request.command == "GET":
            self.faults[path].pop(0)(request, body)
            return
        if path not in self.files:
            request.send_error(404)
            return
        begin = self._begin(request, path)
        request.send_response(206 if begin else 200)
        if begin:
            request.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        request.send_header("Content-Length", str(len(body) - begin))
        if self.etags:
            request.send_header("ETag", self.etag(path))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body[begin:])

    def _begin(self, request: BaseHTTPRequestHandler, path: str) -> int:
        asked, condition = request.headers.get("Range", ""), request.headers.get("If-Range", "")
        if not asked or condition != self.etag(path):
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))


def busy(status: int = 503, after: str = "") -> Fault:
    """An answer that asks to come later."""

    def fault(request: BaseHTTPRequestHandler, body: bytes) -> None:
        request.send_response(status)
        if after:
            request.send_header("Retry-After", after)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return fault


def cut(count: int, etag: str = "") -> Fault:
    """An answer that promises the whole file and breaks off after some bytes."""

    def fault(request: BaseHTTPRequestHandler, body: bytes) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        if etag:
            request.send_header("ETag", etag)
        request.end_headers()
        request.wfile.write(body[:count])

    return fault


def redirect(target: str) -> Fault:
    """An answer that sends elsewhere."""

    def fault(request: BaseHTTPRequestHandler, body: bytes) -> None:
        request.send_response(302)
        request.send_header("Location", target)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return fault
