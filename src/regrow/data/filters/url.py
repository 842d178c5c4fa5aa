"""Banned hosts and banned words in URLs.

Source: RefinedWeb (arXiv 2306.01116, section 3.1 and appendix G.1): a list of hosts, and words that condemn a
URL wherever they stand in it as a whole word; OLMo 3, appendix A.2.1, filter 1. Their lists
hold millions of hosts; the lists here are params. Both sides are read alike, so a ban may be written
as people write hosts (`www.X.example`, `http://x.example/`, `*.x.example`, `bücher.example`) and words
(`casino-bonus`: these words one after the other, whatever parts them).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from regrow.data.filters import words
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://|//")
_DOTS = re.compile("[\u3002\uff0e\uff61]")


def host(url: str) -> str:
    """The host of a URL: lower case, in its ASCII form, without user, port, last dot and `www.`."""
    rest = url.strip()
    scheme = _SCHEME.match(rest.lower())
    rest = rest[scheme.end() :] if scheme else rest
    name = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rsplit("@", 1)[-1]
    name = unicodedata.normalize("NFKC", unquote(name, errors="replace")).lower()
    name = re.sub(r":\d*$", "", _DOTS.sub(".", name)).strip(".")
    return ".".join(map(_ascii, name.split("."))).removeprefix("www.")


def judge(document: Document, params: Filter) -> Drop | None:
    """Drop documents whose host (or a parent of it) or whose URL words are banned.

    Raises:
        ValueError: a ban in params that no URL could ever meet.
    """
    hosts = _hosts(tuple(params.url_hosts))
    parts = host(document.url).split(".") if hosts else []
    for i in range(len(parts)):
        if banned := hosts.get(".".join(parts[i:])):
            return Drop("url.host", detail=banned)
    bans = _words(tuple(params.url_words))
    if not bans:
        return None
    said = f" {' '.join(_tokens(document.url))} "
    for spelled, word in bans:
        if f" {spelled} " in said:
            return Drop("url.word", detail=word)
    return None


@lru_cache(maxsize=4)
def _hosts(bans: tuple[str, ...]) -> dict[str, str]:
    """Banned hosts as `host` writes them, with their spelling in params."""
    found: dict[str, str] = {}
    for ban in bans:
        rest = _SCHEME.sub("", ban.strip().lower(), count=1)
        _, slash, path = rest.partition("/")
        name = host(ban.strip().replace("*.", "", 1))
        if path or (rest.partition("?")[1] and not slash):
            raise ValueError(
                f"filter.url_hosts: {ban!r} names a part of a host; a ban is of a whole host: "
                f"write {name!r}, or a word of the address in filter.url_words"
            )
        if not name or re.search(r"[\s*]", name):
            raise ValueError(
                f"filter.url_hosts: {ban!r} is no host; write one like 'spam.example', which bans "
                "the hosts below it too"
            )
        found.setdefault(name, ban)
    return found


@lru_cache(maxsize=4)
def _words(bans: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(words parted by spaces, spelling in params) of the banned words."""
    found = []
    for ban in bans:
        spelled = " ".join(words.tokens(_plain(ban)))
        if not spelled:
            raise ValueError(f"filter.url_words: {ban!r} has no letter or digit; name a word")
        found.append((spelled, ban))
    return tuple(found)


def _tokens(url: str) -> list[str]:
    """The words of an address, those of a host in its ASCII form as they are read."""
    rest = _SCHEME.sub("", url.strip().lower(), count=1)
    name, slash, path = rest.partition("/")
    if "xn--" in name:
        name = ".".join(map(_unicode, name.split(".")))
    return words.tokens(_plain(unquote(name + slash + path, errors="replace")))


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).replace("_", " ").replace("'", " ")


def _ascii(label: str) -> str:
    """A label of a host name in its ASCII form (RFC 3492), as written where it has none."""
    if label.isascii():
        return label
    return "xn--" + label.encode("punycode").decode("ascii")


def _unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
