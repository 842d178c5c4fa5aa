"""One's own DVC cache as an HTTP remote: what the records name, read-only, in DVC's own layout."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from regrow.engine.store import Store
from regrow.evidence.ledger import Ledger
from regrow.publish.hub.store import listings_by_address

_OBJECT = re.compile(r"/files/md5/([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)")
"""the only paths that are answered: no other file can be named"""
_SECONDS = 30
"""a client that sends nothing for so long is let go"""


def addresses(ledger: Ledger) -> set[str]:
    """Objects of the records' files and the listings of their folders, by address."""
    files = {str(entry["md5"]) for record in ledger.records for entry in record.files}
    return files | set(listings_by_address(ledger))


def server(ledger: Ledger, host: str, port: int, say: Callable[[str], None]) -> ThreadingHTTPServer:
    """A server on `host`:`port` (0: any free one), not started: call `serve_forever`.

    It answers GET and HEAD for objects that a record of `ledger` names and the cache holds. Other
    content of the cache is not served: it may be of work that is not published.

    Raises:
        OSError: the address is in use, or is not one of this machine's.
    """
    store, served = Store(ledger.root), addresses(ledger)

    class Handler(BaseHTTPRequestHandler):
        server_version = "regrow"
        sys_version = ""
        protocol_version = "HTTP/1.1"
        timeout = _SECONDS

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def log_message(self, format: str, *args: object) -> None:
            say(f"{self.client_address[0]} {self.command} {args[1] if len(args) > 1 else ''}")

        def _answer(self, body: bool) -> None:
            if self.path == "/":  # how a client sees that somebody is there
                return self._empty(HTTPStatus.OK)
            match = _OBJECT.fullmatch(self.path)
            address = "".join(match.groups()) if match else ""
            if address not in served:
                return self._empty(HTTPStatus.NOT_FOUND)
            try:
                file = store.object_path(address).open("rb")
            except OSError:
                return self._empty(HTTPStatus.NOT_FOUND)
            with file:
                size = Path(file.name).stat().st_size
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(size))
                self.end_headers()
                if body:
                    shutil.copyfileobj(file, self.wfile)

        def _empty(self, status: HTTPStatus) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    return Server((host, port), Handler)
