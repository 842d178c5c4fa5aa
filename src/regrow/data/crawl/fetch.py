"""One HTTP request with its retries: status, header lines as sent, body within limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit

from regrow.data.crawl.connection import Connection
from regrow.data.crawl.media import media_type
from regrow.data.crawl.message import (
    Head,
    MessageError,
    NoAnswerError,
    TooLongError,
    content_lengths,
    read_body,
    read_head,
    values,
)
from regrow.data.crawl.urls import target
from regrow.data.web.coding import CodingError, TooLargeError, decoded
from regrow.data.web.numbers import decimal

Failure = Literal["too_large", "wrong_type", "timeout", "connection"]
Resolver = Callable[[str], tuple[str, int] | None]
"""host[:port] of a URL -> address to connect to; None: as the URL says"""

_RETRIED = frozenset({429, 500, 502, 503, 504})
_LONGEST_DATE = 100
LONGEST_WAIT = 120
"""seconds before a retry, whatever Retry-After asks for"""


@dataclass(frozen=True)
class Limits:
    """What a fetch may cost."""

    max_bytes: int
    retries: int
    backoff_seconds: float
    timeout_seconds: float
    """for one whole answer, from the connection to its last byte"""
    content_types: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """The last answer to a request."""

    status: int
    """0 when there was none"""
    reason: str
    headers: tuple[tuple[str, str], ...]
    """in the order sent, one character per byte (Latin-1)"""
    body: bytes
    """transfer coding undone, content coding not"""
    request: tuple[tuple[str, str], ...]
    attempts: int
    failure: Failure | None = None
    detail: str = ""

    def header(self, name: str) -> str:
        """The first header of that name, "" if there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Values of all headers of that name, in the order sent."""
        return values(self.headers, name)

    @property
    def mime(self) -> str:
        """Media type without parameters, lower case; "" where none was sent or none is meant."""
        return media_type(", ".join(self.all("Content-Type")))

    def plain(self, max_bytes: int) -> bytes:
        """The body without its content coding, asked for or not.

        Raises:
            regrow.data.web.coding.CodingError: a coding that cannot be undone.
            regrow.data.web.coding.TooLargeError: longer than `max_bytes` then.
        """
        names = {name.lower() for name, _ in self.headers} - {"transfer-encoding"}
        return decoded(self.body, {n: ", ".join(self.all(n)) for n in sorted(names)}, max_bytes)


class Fetcher:
    """Requests to one host over one kept-alive connection (RFC 9112)."""

    def __init__(
        self, user_agent: str, limits: Limits, resolve: Resolver, pause: Callable[[], None]
    ) -> None:
        self._agent = user_agent
        self.limits = limits
        self._resolve = resolve
        self._pause = pause
        """called before every attempt: the host's rate"""
        self._connections: dict[str, Connection] = {}

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def get(self, url: str, any_type: bool = False) -> Answer:
        """GET `url`; repeats after 429, 5xx and broken connections, waits as Retry-After says.

        `any_type` lets every media type pass (robots.txt, sitemaps). Redirects are not followed.
        """
        attempt = 0
        while True:
            attempt += 1
            self._pause()
            answer = self._once(url, attempt, any_type)
            broken = answer.failure in ("connection", "timeout")
            if attempt > self.limits.retries or not (broken or answer.status in _RETRIED):
                return answer
            wait = self.limits.backoff_seconds * 2 ** (attempt - 1)
            asked = retry_after(answer.header("Retry-After"))
            time.sleep(min(asked if asked is not None else wait, LONGEST_WAIT))

    def _connection(self, url: str) -> Connection:
        split = urlsplit(url)
        key = f"{split.scheme}://{split.netloc}"
        if key not in self._connections:
            secure = split.scheme == "https"
            known = self._resolve(split.netloc)
            host, port = known or (split.hostname or "", split.port or 0)
            self._connections[key] = Connection(host, port or (443 if secure else 80), secure)
        return self._connections[key]

    def _once(self, url: str, attempt: int, any_type: bool) -> Answer:
        request = (
            ("Host", urlsplit(url).netloc),
            ("User-Agent", self._agent),
            ("Accept", "*/*" if any_type else ", ".join(self.limits.content_types)),
            ("Accept-Encoding", "identity"),
        )
        connection = self._connection(url)
        head = Head(0, "", (), False)
        refused: tuple[Failure, str]
        try:
            head = self._asked(connection, url, request)
            answer = Answer(head.status, head.reason, head.headers, b"", request, attempt)
            found = self._refused(head, answer.mime, any_type)
            if found is None:
                body, framed = read_body(connection, head, self.limits.max_bytes)
                body = _untransferred(head, body, self.limits.max_bytes)
                if not (framed and head.persistent):
                    connection.close()
                return Answer(head.status, head.reason, head.headers, body, request, attempt)
            refused = found
        except TimeoutError:
            refused = ("timeout", f"no complete answer within {self.limits.timeout_seconds:g} s")
        except (TooLongError, TooLargeError):
            refused = ("too_large", f"body longer than {self.limits.max_bytes} bytes")
        except (MessageError, CodingError) as error:
            refused = ("connection", str(error))
        except (OSError, ValueError) as error:
            refused = ("connection", type(error).__name__)
        connection.close()  # unread bytes may be left on it; it opens again by itself
        return Answer(head.status, head.reason, head.headers, b"", request, attempt, *refused)

    def _asked(
        self, connection: Connection, url: str, request: tuple[tuple[str, str], ...]
    ) -> Head:
        """Send the request and read the head of the answer.

        A server may close a kept-alive connection at any time; where it did so before a byte of
        the answer, the request is sent again on a new one (RFC 9110 section 9.2.2).
        """
        lines = [f"GET {target(url)} HTTP/1.1", *(f"{name}: {value}" for name, value in request)]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        deadline = time.monotonic() + self.limits.timeout_seconds
        used = connection.begin(deadline)
        try:
            connection.send(data)
            return read_head(connection)
        except (NoAnswerError, ConnectionError):
            connection.close()
            if not used:
                raise
            connection.begin(deadline)
            connection.send(data)
            return read_head(connection)

    def _refused(self, head: Head, mime: str, any_type: bool) -> tuple[Failure, str] | None:
        """Reason not to read the body, from the headers alone."""
        if head.status != 200:
            return None
        if not any_type and mime and mime not in self.limits.content_types:
            return "wrong_type", mime
        chunked = head.values("Transfer-Encoding")
        if not chunked and max(content_lengths(head)[:1], default=0) > self.limits.max_bytes:
            return "too_large", f"Content-Length {head.values('Content-Length')[0][:40]}"
        return None


def _untransferred(head: Head, body: bytes, max_bytes: int) -> bytes:
    """Undo a transfer coding below `chunked` (`gzip, chunked`; nobody asks for one)."""
    codings = ",".join(head.values("Transfer-Encoding")).lower().split(",")
    rest = [coding.strip() for coding in codings if coding.strip() not in ("", "chunked")]
    return decoded(body, {"content-encoding": ", ".join(rest)}, max_bytes) if rest else body


def retry_after(value: str) -> float | None:
    """Seconds to wait (RFC 9110 section 10.2.3): a number or a date; None if absent or wrong."""
    value = value.strip()
    if not value:
        return None
    seconds = decimal(value, LONGEST_WAIT)
    if seconds is not None:
        return float(seconds)
    try:
        if len(value) > _LONGEST_DATE:
            return None
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except Exception:  # the parser raises whatever it raises: OverflowError, IndexError …
        return None
