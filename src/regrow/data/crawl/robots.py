"""robots.txt by RFC 9309: what may be fetched, how fast, and where the sitemaps are."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Literal

from protego import Protego

from regrow.data.crawl.directives import product_token

MAX_BYTES = 500 * 1024  # RFC 9309 section 2.5: parse at least 500 KiB
_AGENT_LINE = re.compile(r"([^\S\n]*user[- ]?agent[^\S\n]*(?::|[^\S\n])[^\S\n]*)([^\n#]*)", re.I)
_LINE_END = re.compile(r"\r\n?")
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Ends of a line for Python and protego, but not for RFC 9309: they may stand inside a comment.
_NO_LINE_ENDS = str.maketrans(dict.fromkeys("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", " "))


@dataclass(frozen=True)
class Rules:
    """The rules of one host for one user agent."""

    parsed: Protego | None
    """None: everything is allowed, or everything is closed"""
    closed: bool
    """the file could not be reached: complete disallow (section 2.3.1.4)"""
    agent: str
    """our product token"""
    why: str = "disallowed by robots.txt"
    """of what is not allowed"""

    def allows(self, url: str) -> bool:
        """May this URL be fetched?"""
        if self.closed:
            return False
        return self.parsed is None or bool(self.parsed.can_fetch(url, self.agent))

    def delay(self) -> float:
        """Seconds between requests that the host asks for (Crawl-delay, Request-rate); 0 if none."""
        if self.parsed is None:
            return 0.0
        delay = self.parsed.crawl_delay(self.agent)
        rate = self.parsed.request_rate(self.agent)
        asked = [float(delay)] if delay is not None else []
        if rate is not None and rate.requests:
            try:
                asked.append(rate.seconds / rate.requests)
            except OverflowError:
                asked.append(float("inf"))
        return max(asked, default=0.0)

    def sitemaps(self) -> list[str]:
        """Sitemaps that the file names, as written, each once."""
        return [] if self.parsed is None else list(dict.fromkeys(self.parsed.sitemaps))


def rules(outcome: Literal["ok", "absent", "unreachable"], body: bytes, agent: str) -> Rules:
    """Rules from a fetched robots.txt, without its content coding.

    `absent` is a 4xx answer (all is allowed, section 2.3.1.3); `unreachable` a 5xx answer or no
    answer at all (nothing is allowed). `agent` is the User-Agent header; its product token counts.
    """
    token = own_token(agent)
    if outcome == "absent":
        return Rules(None, False, token)
    if outcome == "unreachable":
        return Rules(None, True, token, "robots.txt could not be read, which closes the host")
    lines = _LINE_END.sub("\n", _decoded(body[:MAX_BYTES])).split("\n")
    text = "\n".join(_addressed(line, token) for line in lines)
    return Rules(Protego.parse(text), False, token)


def own_token(agent: str) -> str:
    """The product token of a User-Agent header, lower case."""
    return product_token(agent) or agent.split("/", 1)[0].lower()


def _addressed(line: str, token: str) -> str:
    """A User-agent line whose value is `*`, our token or another's.

    Protego takes the whole value for the token, and finds it at the start of ours too (`regrow` in
    `regrow-crawler`); RFC 9309 section 2.2.1 compares whole tokens, and Google's parser cuts a
    value where its token ends (https://github.com/google/robotstxt/issues/77). A list names several.
    """
    found = _AGENT_LINE.match(line)
    if found is None:
        return line
    value = found[2].strip()
    if re.match(r"\*(?:\s|\Z)", value):
        name = "*"
    elif value:
        ours = any(product_token(name) == token for name in value.split(","))
        name = token if ours else f"not-{token}"
    else:
        return line
    return f"User-agent: {name}"


def _decoded(body: bytes) -> str:
    """UTF-8, or what a byte order mark says; other bytes in a path stay the bytes that they are."""
    for mark, codec in _BOMS:
        if body.startswith(mark):
            text = body.removeprefix(mark).decode(codec, "replace")
            break
    else:
        text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    text = text.translate(_NO_LINE_ENDS)
    return re.sub("[\udc80-\udcff]", lambda byte: f"%{ord(byte[0]) & 0xFF:02X}", text)
