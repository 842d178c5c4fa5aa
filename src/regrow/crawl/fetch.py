"""One HTTP request with its retries: status, header lines as sent, body within limits."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit

from regrow.crawl.urls import target

Failure = Literal["too_large", "wrong_type", "timeout", "connection"]
Resolver = Callable[[str], tuple[str, int] | None]
"""host[:port] of a URL -> address to connect to; None: as the URL says"""

_RETRIED = frozenset({429, 500, 502, 503, 504})
_LONGEST_WAIT = 120.0
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Limits:
    """What a fetch may cost."""

    max_bytes: int
    retries: int
    backoff_seconds: float
    timeout_seconds: float
    content_types: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """The last answer to a request."""

    status: int
    """0 when there was none"""
    reason: str
    headers: tuple[tuple[str, str], ...]
    """in the order sent"""
    body: bytes
    request: tuple[tuple[str, str], ...]
    attempts: int
    failure: Failure | None = None
    detail: str = ""

    def header(self, name: str) -> str:
        """The first header of that name, "" if there is none."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")

    @property
    def mime(self) -> str:
        """Media type without parameters, lower case; "" if none was sent."""
        return self.header("Content-Type").partition(";")[0].strip().lower()


class Fetcher:
    """Requests to one host over one kept-alive connection (RFC 9112)."""

    def __init__(
        self, user_agent: str, limits: Limits, resolve: Resolver, pause: Callable[[], None]
    ) -> None:
        self._agent = user_agent
        self._limits = limits
        self._resolve = resolve
        self._pause = pause
        """called before every attempt: the host's rate"""
        self._connections: dict[str, http.client.HTTPConnection] = {}

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
            if attempt > self._limits.retries or not (broken or answer.status in _RETRIED):
                return answer
            wait = self._limits.backoff_seconds * 2 ** (attempt - 1)
            asked = _retry_after(answer.header("Retry-After"))
            time.sleep(min(asked if asked is not None else wait, _LONGEST_WAIT))

    def _connection(self, url: str) -> http.client.HTTPConnection:
        split = urlsplit(url)
        key = f"{split.scheme}://{split.netloc}"
        if key not in self._connections:
            known = self._resolve(split.netloc)
            address = known or (split.hostname or "", split.port or 0)
            timeout = self._limits.timeout_seconds
            if split.scheme == "https":
                context = ssl.create_default_context()
                port = address[1] or 443
                self._connections[key] = http.client.HTTPSConnection(
                    address[0], port, timeout=timeout, context=context
                )
            else:
                self._connections[key] = http.client.HTTPConnection(
                    address[0], address[1] or 80, timeout=timeout
                )
        return self._connections[key]

    def _once(self, url: str, attempt: int, any_type: bool) -> Answer:
        request = (
            ("Host", urlsplit(url).netloc),
            ("User-Agent", self._agent),
            ("Accept", "*/*" if any_type else ", ".join(self._limits.content_types)),
            ("Accept-Encoding", "identity"),
        )
        connection = self._connection(url)
        deadline = time.monotonic() + self._limits.timeout_seconds
        status, reason = 0, ""
        headers: tuple[tuple[str, str], ...] = ()
        refused: tuple[Failure, str] | None
        try:
            connection.putrequest("GET", target(url), skip_host=True, skip_accept_encoding=True)
            for name, value in request:
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            status, reason, headers = response.status, response.reason, tuple(response.getheaders())
            answer = Answer(status, reason, headers, b"", request, attempt)
            refused = self._refused(answer, any_type)
            if refused is None:
                body = self._read(response, deadline)
                return Answer(status, reason, headers, body, request, attempt)
        except TimeoutError:
            refused = ("timeout", f"no complete answer within {self._limits.timeout_seconds:g} s")
        except _TooLargeError:
            refused = ("too_large", f"body longer than {self._limits.max_bytes} bytes")
        except (http.client.HTTPException, OSError, ValueError) as error:
            refused = ("connection", f"{type(error).__name__}")
        assert refused is not None
        connection.close()  # unread bytes may be left on it; it opens again by itself
        return Answer(status, reason, headers, b"", request, attempt, *refused)

    def _refused(self, answer: Answer, any_type: bool) -> tuple[Failure, str] | None:
        """Reason not to read the body, from the headers alone."""
        if answer.status != 200:
            return None
        if not any_type and answer.mime and answer.mime not in self._limits.content_types:
            return "wrong_type", answer.mime
        length = answer.header("Content-Length")
        if length.isdigit() and int(length) > self._limits.max_bytes:
            return "too_large", f"Content-Length {length}"
        return None

    def _read(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        """The body. read1 returns what is there, so that the deadline is looked at between pieces:
        a server that drips would never trip the socket's own timeout."""
        parts: list[bytes] = []
        total = 0
        length = response.length
        while length is None or total < length:
            part = response.read1(_CHUNK if length is None else min(_CHUNK, length - total))
            if not part:
                break
            total += len(part)
            if total > self._limits.max_bytes:
                raise _TooLargeError
            if time.monotonic() > deadline:
                raise TimeoutError
            parts.append(part)
        if length is not None and total < length:
            raise http.client.IncompleteRead(b"", length - total)
        response.close()
        return b"".join(parts)


class _TooLargeError(Exception):
    pass


def _retry_after(value: str) -> float | None:
    """Seconds to wait (RFC 9110 section 10.2.3): a number or a date; None if absent or wrong."""
    value = value.strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
