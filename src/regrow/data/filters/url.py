"""Banned hosts and banned words in URLs.

Source: RefinedWeb (arXiv 2306.01116, section 3.1 and appendix G.1): a list of hosts, words that condemn a URL wherever they
stand in it as a whole word, softer words of which it takes two, and strings that condemn it inside words
too; OLMo 3, appendix A.2.1, filter 1. The lists here are params and may be long: an address is looked up in tables, so its
cost does not grow with the lists. Both sides are read alike, so a ban may be written
as people write hosts (`www.X.example`, `http://x.example/`, `*.x.example`, `bücher.example`) and words
(`casino-bonus`: these words one after the other, whatever parts them).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from regrow.data.filters import words
from regrow.data.filters.document import Document, Drop
from regrow.params.data import Filter

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://|//")
_DOTS = re.compile("[\u3002\uff0e\uff61]")


@dataclass(frozen=True)
class Bans:
    """The lists of one `Filter`, as tables: what is looked up -> (place in its list, spelling there)."""

    hosts: dict[str, tuple[int, str]]
    words: dict[str, tuple[int, str]]
    soft: dict[str, tuple[int, str]]
    subwords: dict[str, tuple[int, str]]
    lengths: tuple[tuple[int, ...], ...]
    """in words, soft words and subwords: how many words or characters a ban has"""


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
    bans = _bans(params)
    parts = host(document.url).split(".") if bans.hosts else []
    for i in range(len(parts)):
        if found := bans.hosts.get(".".join(parts[i:])):
            return Drop("url.host", detail=found[1])
    if not (bans.words or bans.soft or bans.subwords):
        return None
    said = _tokens(document.url)
    hard_lengths, soft_lengths, sub_lengths = bans.lengths
    if hits := _runs(said, bans.words, hard_lengths):
        return Drop("url.word", detail=min(hits)[1])
    soft = _runs(said, bans.soft, soft_lengths)
    if len(soft) >= params.url_soft_hits:
        names = ", ".join(dict.fromkeys(name for _, name in sorted(soft)))
        return Drop("url.soft_words", float(len(soft)), float(params.url_soft_hits), names)
    joined = "".join(said)
    for hit in sorted(
        bans.subwords[piece]
        for n in sub_lengths
        for i in range(len(joined) - n + 1)
        if (piece := joined[i : i + n]) in bans.subwords
    ):
        return Drop("url.subword", detail=hit[1])
    return None


def _runs(
    said: list[str], bans: dict[str, tuple[int, str]], lengths: tuple[int, ...]
) -> list[tuple[int, str]]:
    """The bans among the runs of words of an address, one for each occurrence."""
    return [
        bans[run]
        for n in lengths
        for i in range(len(said) - n + 1)
        if (run := " ".join(said[i : i + n])) in bans
    ]


_COMPILED: list[tuple[Filter, Bans]] = []
"""the bans of the params seen last; lists of millions are not hashed for every document"""


def _bans(params: Filter) -> Bans:
    if not _COMPILED or _COMPILED[0][0] is not params:
        hard = _words(params.url_words, "url_words")
        soft = _words(params.url_soft_words, "url_soft_words")
        subwords = {
            key.replace(" ", ""): value
            for key, value in reversed(_words(params.url_subwords, "url_subwords").items())
        }
        lengths = (
            tuple(sorted({key.count(" ") + 1 for key in hard})),
            tuple(sorted({key.count(" ") + 1 for key in soft})),
            tuple(sorted(set(map(len, subwords)))),
        )
        _COMPILED[:] = [(params, Bans(_hosts(params.url_hosts), hard, soft, subwords, lengths))]
    return _COMPILED[0][1]


def _hosts(bans: list[str]) -> dict[str, tuple[int, str]]:
    """Banned hosts as `host` writes them."""
    found: dict[str, tuple[int, str]] = {}
    for place, ban in enumerate(bans):
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
        found.setdefault(name, (place, ban))
    return found


def _words(bans: list[str], field: str) -> dict[str, tuple[int, str]]:
    """The banned words, those of one ban parted by single spaces."""
    found: dict[str, tuple[int, str]] = {}
    for place, ban in enumerate(bans):
        spelled = " ".join(words.tokens(_plain(ban)))
        if not spelled:
            raise ValueError(f"filter.{field}: {ban!r} has no letter or digit; name a word")
        found.setdefault(spelled, (place, ban))
    return found


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
