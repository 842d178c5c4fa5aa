"""A file from the web or a bucket, as a stream: begun again where it broke off, patient with busy servers.

One connection at a time. A server that says 429 or 5xx, or breaks off, is asked again after 1, 2, 4 … seconds, or
what it says in Retry-After (RFC 9110, 10.2.3). What was received before is kept if the server names the state of
its file by a strong ETag (`Range` with `If-Range`, RFC 9110, 13.1.5), else the file begins again.
"""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.data.sources import bucket
from regrow.data.sources.trouble import FetchError, MissingError
from regrow.params.addresses import BUCKET

CHUNK = 1 << 20
"""bytes that are held at once"""
_TRIES = 6
"""in a row without a byte"""
_MOST = 1_000
"""in all: a server that breaks off again and again, a few bytes further each time"""
_TIMEOUT = 60.0
"""seconds without a byte"""
_LONGEST_WAIT = 120.0
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_GONE = frozenset({404, 410})


@dataclass(frozen=True)
class Head:
    """What a server says of a file without sending it."""

    size: int | None
    etag: str


class _Again(Exception):
    """Why a try failed that may succeed later."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Redirects to the web only, and never from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:  # fmt: skip
        """The request that follows a redirect."""
        allowed = ("https://",) if req.full_url.startswith("https://") else ("https://", "http://")
        if not newurl.lower().startswith(allowed):
            raise FetchError(f"{req.full_url}: redirects to `{newurl}`, which is not followed. Fix: another address.")  # fmt: skip
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Web:
    """Fetches files, one after another."""

    def __init__(
        self,
        wait: Callable[[float], None] | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> None:
        """`wait`: called with seconds between tries (default: sleep); `progress`: with bytes, as they come."""
        self._wait, self._progress = wait or time.sleep, progress
        self._open = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(),
            _Redirects(), urllib.request.HTTPErrorProcessor(), urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.UnknownHandler(),
        ):  # fmt: skip
            self._open.add_handler(handler)

    def fetch(self, address: str, target: Path, most: int | None = None) -> str:
        """Write the file at an address to `target`; returns its ETag ("" where there is none).

        Args:
            target: what is there of an earlier try is continued, if the server says that it still fits.
            most: bytes; a longer file is cut off one byte later, which no digest then fits.

        Raises:
            MissingError: the server has no such file.
            FetchError: it cannot be had now, or the server refuses.
        """
        if address.startswith(BUCKET):
            return bucket.fetch(address, target, self._progress)
        target.parent.mkdir(parents=True, exist_ok=True)
        return str(self._patiently(address, lambda: self._receive(address, target, most), target))

    def head(self, address: str) -> Head:
        """Size and ETag of a file, as its server says now. Raises as `fetch`."""
        if address.startswith(BUCKET):
            size, etag = bucket.head(address)
            return Head(size, etag)
        found = self._patiently(address, lambda: self._head(address))
        assert isinstance(found, Head)
        return found

    def _patiently(self, address: str, work: Callable[[], Any], target: Path | None = None) -> Any:
        failed = 0
        for _ in range(_MOST):
            before = _length(target)
            try:
                return work()
            except _Again as error:
                failed = 0 if _length(target) > before else failed + 1
                if failed >= _TRIES:
                    raise FetchError(
                        f"{address}: {error}, {failed} times in a row. Fix: try again later; what came is kept."
                    ) from None
                self._wait(min(max(error.wait, float(2 ** max(failed - 1, 0))), _LONGEST_WAIT))
        raise FetchError(f"{address}: broke off {_MOST} times. Fix: try again later; what came is kept.")  # fmt: skip

    def _head(self, address: str) -> Head:
        with self._answer(address, {}, "HEAD") as answer:
            return Head(_number(answer.headers.get("Content-Length")), answer.headers.get("ETag") or "")  # fmt: skip

    def _receive(self, address: str, target: Path, most: int | None) -> str:
        note = target.with_name(target.name + ".etag")
        have, state = _length(target), note.read_text() if note.exists() else ""
        resumed = have > 0 and _strong(state)
        headers = {"Range": f"bytes={have}-", "If-Range": state} if resumed else {}
        with self._answer(address, headers, "GET", target) as answer:
            etag, begin, whole = answer.headers.get("ETag") or "", 0, None
            if answer.status == 206 and resumed:
                begin, whole = _range(answer.headers.get("Content-Range"))
                if begin != have or etag != state:
                    target.unlink()
                    raise _Again("the server sent another part than was asked for")
            elif answer.status != 200:
                raise FetchError(f"{address}: the server answers {answer.status}. Fix: another address.")  # fmt: skip
            else:
                whole = _number(answer.headers.get("Content-Length"))
            note.write_text(etag)
            count = begin
            with target.open("ab" if begin else "wb") as file:
                try:
                    while piece := answer.read(CHUNK if most is None else min(CHUNK, most + 1 - count)):  # fmt: skip
                        file.write(piece)
                        count += len(piece)
                        self._progress(len(piece))
                except (OSError, http.client.HTTPException) as error:
                    raise _Again(f"broke off after {count} bytes ({_said(error)})") from None
            if whole is not None and count < whole and (most is None or count <= most):
                raise _Again(f"broke off after {count} of {whole} bytes")
        note.unlink(missing_ok=True)
        return etag

    def _answer(self, address: str, headers: dict[str, str], method: str, target: Path | None = None) -> Any:  # fmt: skip
        own = {"User-Agent": "regrow-sources", "Accept": "*/*", "Accept-Encoding": "identity"}
        request = urllib.request.Request(address, headers=own | headers, method=method)
        try:
            return self._open.open(request, timeout=_TIMEOUT)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in _BUSY:
                    raise _Again(f"the server answers {error.code}", _seconds(error.headers)) from None  # fmt: skip
                if error.code == 416 and target is not None and target.exists():
                    target.unlink()
                    raise _Again("the server has no more bytes than came before") from None
                if error.code in _GONE:
                    raise MissingError(
                        f"{address}: there is no such file (any more): the server answers {error.code}."
                    ) from None
                raise FetchError(
                    f"{address}: the server answers {error.code} {error.reason}. Fix: another address, or put the "
                    "file below the repository."
                ) from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", error)
            if isinstance(why, ssl.SSLCertVerificationError):
                raise FetchError(
                    f"{address}: the certificate does not hold: {why.verify_message}. Fix: SSL_CERT_FILE, where "
                    "this machine has certificates of its own."
                ) from None
            raise _Again(f"no answer ({_said(error)})") from None


def _said(error: Exception) -> str:
    return str(getattr(error, "reason", "") or error) or type(error).__name__


def _length(path: Path | None) -> int:
    return path.stat().st_size if path is not None and path.exists() else 0


def _strong(etag: str) -> bool:
    return etag.startswith('"')


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _range(text: str | None) -> tuple[int, int | None]:
    """Begin and whole length of `bytes 10-99/100`; (-1, None) where it says nothing."""
    span, _, whole = (text or "").removeprefix("bytes ").partition("/")
    begin = _number(span.partition("-")[0])
    return (-1 if begin is None else begin), _number(whole)


def _seconds(headers: Any) -> float:
    return float(_number(headers.get("Retry-After")) or 0)
