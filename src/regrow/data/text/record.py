"""A record of an archive, and the HTTP message inside its block (RFC 9112, section 2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from regrow.data.web.numbers import decimal

HEAD = 64 << 10
"""bytes read beyond the limit of a body, for the HTTP header lines before it"""
KINDS = ("response", "resource", "revisit", "conversion", "continuation")
"""those that hold a page or a part of one; requests, metadata and notes on the crawl do not"""
_BLANK = re.compile(rb"\r?\n\r?\n")
_LISTS = ("content-type", "content-encoding", "transfer-encoding")
_HUGE = 1 << 62
"""a length that nobody means; browsers read it as none"""


@dataclass(frozen=True)
class Record:
    """A page, or what should have been one."""

    url: str
    kind: str
    """one of `KINDS`"""
    record_id: str
    status: int
    """of the HTTP answer; 200 for what is none, 0 where it is no number of three digits"""
    headers: dict[str, str]
    """of the HTTP answer, names in lower case; of types and codings all, joined, of others the
    first. Only content-type for a resource"""
    body: bytes
    """as sent: transfer and content coding are not undone"""
    truncated: str
    """WARC-Truncated, or "" """
    short: int
    """bytes missing at the end"""
    oversize: bool
    """longer than asked for; `body` is cut"""
    framed: bool = True
    """the archive holds as many bytes as the record's own header says; else `short` says what lacks"""
    role: str = ""
    """Regrow-Role: what our crawl fetched it for, where that is not its content"""
    repeated: bool = False
    """an earlier record of the file has the same id"""


@dataclass(frozen=True)
class Head:
    """The WARC header fields that matter here, as a reader gave them; None: there is none."""

    kind: str
    url: str | None
    record_id: str | None
    mime: str | None
    length: str | None
    truncated: str | None
    segment: str | None
    role: str | None


def record(head: Head, block: bytes, max_bytes: int) -> Record:
    """A record from its header and its block, of which a reader read `max_bytes + HEAD` at most."""
    missing, cut = _missing(head.length, block, max_bytes)
    status, headers, body = 200, {"content-type": head.mime or ""}, block
    if head.kind in ("response", "revisit") and block.startswith(b"HTTP/"):
        status, headers, body = _message(block)
    truncated = (head.truncated or "").strip() or ("segment" if head.segment else "")
    coded = "content-encoding" in headers or "transfer-encoding" in headers
    length = decimal(headers.get("content-length", ""), _HUGE)
    framed = not missing
    stated = head.kind == "response" and status == 200 and length not in (None, _HUGE)
    if stated and framed and not (coded or truncated or cut):
        missing = max(0, (length or 0) - len(body))
    oversize = cut or len(body) > max_bytes
    return Record(
        url=_clean(head.url).strip("<> \t"), kind=head.kind, record_id=_clean(head.record_id), status=status,
        headers=headers, body=body[:max_bytes], truncated=_clean(truncated), short=0 if oversize else missing, framed=framed or oversize,
        oversize=oversize, role=_clean(head.role).strip().lower(),
    )  # fmt: skip


def _clean(text: str | None) -> str:
    """Readers leave bytes that are no text as lone surrogates, which no table can hold."""
    return (text or "").encode("utf-8", "replace").decode()


def _missing(length: str | None, block: bytes, max_bytes: int) -> tuple[int, bool]:
    """Bytes that a block lacks (one where nobody knows), and whether it was cut at the limit."""
    wanted = decimal(length or "", _HUGE)
    if wanted is None:
        return 1, False
    limit = max_bytes + HEAD
    return (0, wanted > limit) if len(block) >= limit else (max(0, wanted - len(block)), False)


def _message(block: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an HTTP answer.

    Lines end with LF alone: other control characters that Python takes for line ends (VT, FF, NEL)
    stand inside values and begin no header.
    """
    blank = _BLANK.search(block)
    head = block[: blank.start()] if blank else block
    lines = [line.removesuffix("\r") for line in head.decode("latin-1").split("\n")]
    word = ([*lines[0].split(" ", 2), "", ""])[1]
    status = decimal(word, 999) if len(word) == 3 else None
    headers: dict[str, str] = {}
    last = ""
    for line in lines[1:]:
        if line[:1] in (" ", "\t"):  # a folded line (RFC 9112, section 5.2)
            if last in headers:
                headers[last] = f"{headers[last]} {line.strip()}".strip()
            continue
        key, colon, value = line.partition(":")
        last = key.strip(" \t").lower() if colon else ""
        if last in _LISTS and last in headers:
            headers[last] += f", {value.strip()}"
        elif last:
            headers.setdefault(last, value.strip())
    return status or 0, headers, block[blank.end() :] if blank else b""
