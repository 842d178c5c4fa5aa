"""Which charset bytes are in: byte order mark, HTTP header, `<meta>`, and last the bytes themselves.

The order is that of the HTML standard (section 13.2.3), with three exceptions where the bytes say it
more surely than any label: UTF-8, UTF-16 and ISO-2022-JP. Detection by bytes alone tells the East
Asian multi-byte charsets apart by their commonest characters (each decodes much of the others'
text without an error), and leaves single-byte charsets to resiliparse.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from resiliparse.parse.encoding import detect_encoding

from regrow.data.web import legacy, media, prescan
from regrow.data.web.labels import codec_of

__all__ = ["Text", "codec_of", "declared", "decode", "detect", "utf16"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 65_536

# The commonest characters of each language's running text.
_COMMON = {
    "cp949": "이다의는에을가고하지로한를서기도사아은인자시대수나그일리어전해있정보과스부제들주만안으라게것용여",
    "euc-jp": "のにはをたがでてとしれさいるなもっかあことをらりスンルトアイクラ、。",
    "cp932": "のにはをたがでてとしれさいるなもっかあことをらりスンルトアイクラ、。",
    "gb18030": "的一是不了在有人我这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实，。",
    "big5hkscs": "的一是不了在有人我這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實，。",
}  # fmt: skip
_MIN_COMMON = 0.12


@dataclass(frozen=True)
class Text:
    """Decoded text."""

    text: str
    charset: str
    """Python codec name"""
    invalid: int
    """bytes sequences that the charset does not know, removed"""


def declared(body: bytes, content_type: str) -> list[str]:
    """Codecs that mark, header and page name, in the order of trust; unknown names are left out."""
    names: list[str | None] = [codec for mark, codec in _BOMS if body.startswith(mark)]
    if label := media.charset(content_type):
        names.append(codec_of(label))
    for label in (prescan.xml_label(body), next(prescan.meta_labels(body), None)):
        if label:
            name = codec_of(label)
            # A page that was read as ASCII so far cannot be in UTF-16 (HTML standard 13.2.3.3).
            names.append("utf-8" if name and name.startswith("utf-16") else name)
    return list(dict.fromkeys(name for name in names if name))


def utf16(body: bytes, content_type: str) -> str | None:
    """The codec if a body is in UTF-16: by its mark, by every second byte being zero, or by the header.

    The header is not believed over bytes that are UTF-8 without a NUL: nobody sends UTF-16 like that.
    """
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return codec if codec.startswith("utf-16") else None
    head = body[:_SAMPLE]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    for codec, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros * 8 > len(head) and others * 16 <= zeros and _is_prose(head, codec):
            return codec
    label = media.charset(content_type)
    name = codec_of(label) if label else None
    if name is None or not name.startswith("utf-16"):
        return None
    return name if b"\0" in body or not _decodes(body, "utf-8") else None


def _is_prose(head: bytes, codec: str) -> bool:
    """Nearly no control characters and no broken pairs, when read so: no picture, no sound."""
    text = head.decode(codec, "replace")
    strays = len(_NO_PROSE.findall(text))
    return strays * 50 <= len(text)


_NO_PROSE = re.compile("[\0-\x08\x0b\x0e-\x1f\ud800-\udfff\ufffd]")


def detect(body: bytes) -> str | None:
    """Codec by the bytes alone; None where nothing fits."""
    if _ISO_2022_JP.search(body):
        return "iso2022-jp"
    sample = _high_runs(body)
    if not sample or _decodes(body, "utf-8"):
        return "utf-8"
    best, share = None, _MIN_COMMON
    for codec, common in _COMMON.items():
        found = _common_share(sample, codec, common)
        if found > share:
            best, share = codec, found
    if best is not None:
        return best
    guess = codec_of(detect_encoding(sample) or "")
    if guess == "koi8-r" and _UKRAINIAN.search(sample):
        return "koi8-u"
    return guess if guess and guess != "utf-8" else "cp1252"


_ISO_2022_JP = re.compile(rb"\x1b\$[@B](?:[\x21-\x7e]{2})+(?:[\r\n]|\x1b\([BJI])")
_UKRAINIAN = re.compile(rb"[\xc0-\xff][\xa4\xa6\xa7\xad]|[\xa4\xa6\xa7\xad][\xc0-\xff]")


def decode(body: bytes, content_type: str, max_invalid: float) -> Text | None:
    """Decode by the declared charset, else by the bytes. Never raises.

    Bytes that are mostly well-formed UTF-8 sequences are UTF-8 or nothing, whatever a page declares:
    text in another charset practically never is. Else a declared charset is believed as long as at
    most a share `max_invalid` of the characters (and one in any case, unless that is 0) cannot be
    decoded; those are removed and counted. None: nothing fits.
    """
    if codec := utf16(body, content_type):
        return _read(body, codec, max_invalid)
    names = [name for name in declared(body, content_type) if not name.startswith("utf-16")]
    if _ISO_2022_JP.search(body) and not _HIGH.search(body):
        names = ["iso2022-jp"]
    elif _is_utf8(body, names):
        return _read(_joined_surrogates(body), "utf-8", max_invalid)
    for codec in _candidates(names, body):
        if (found := _read(body, codec, max_invalid)) is not None:
            return found
    return None


def _read(body: bytes, codec: str, max_invalid: float) -> Text | None:
    """The text in this charset; None where too much of it is not in it."""
    try:
        text = body.decode(codec, "replace")
    except UnicodeError:  # of Python's codecs some know no "replace"
        return None
    invalid = text.count("\ufffd")
    if codec in legacy.CODECS and (invalid or codec != "gb18030"):
        if invalid * 4 > len(text) and codec != "iso2022-jp":
            return None
        text = legacy.decode(body, codec)
        invalid = text.count(legacy.MARK)
    elif invalid and _decodes(body, codec):
        invalid = 0  # the page's own replacement characters
    allowed = max_invalid * len(text)
    if invalid > (max(allowed, 1) if max_invalid > 0 else 0) or _mostly_controls(text):
        return None
    text = text.removeprefix("\ufeff").replace("\ufffd", "").replace(legacy.MARK, "")
    return Text(text, codec, invalid)


def _candidates(names: list[str], body: bytes) -> Iterator[str]:
    """Declared codecs, UTF-8, and the one that the bytes suggest (computed last: it is slow)."""
    yield from names
    if "utf-8" not in names:
        yield "utf-8"
    guess = detect(body)
    if guess is not None and guess not in names:
        yield guess


def _is_utf8(body: bytes, names: list[str]) -> bool:
    """Is a body UTF-8 and nothing else?

    Well-formed, and nothing else is declared or three characters and more are not ASCII; or with at
    least as many well-formed sequences as stray bytes. (In every other charset strays are at least
    2.7 times as many in running text; in a few characters of a declared multi-byte charset they
    need not be, so one that decodes them without an error is believed.)
    """
    if _decodes(body, "utf-8"):  # so there are no strays, and every sequence has one leading byte
        sequences = len(body) - len(body.translate(None, _LEADING))
        return not names or names[0] == "utf-8" or sequences > 2
    rest, sequences = _SEQUENCE.subn(b"", body)
    strays = len(rest) - len(rest.translate(None, _HIGH_BYTES))
    enough = 1 if names[:1] == ["utf-8"] else 2
    if sequences < enough or strays > sequences - (enough == 2 and sequences == 2):
        return False
    return not any(name in _COMMON and _decodes(body, name) for name in names)


_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_HIGH_BYTES = bytes(range(0x80, 0x100))
_LEADING = bytes(range(0xC2, 0xF5))
_HIGH = re.compile(rb"[\x80-\xff]")
_SURROGATES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


def _joined_surrogates(body: bytes) -> bytes:
    """CESU-8 to UTF-8: characters outside the first plane, written as two surrogates."""

    def join(found: re.Match[bytes]) -> bytes:
        pair = found[0].decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
        return pair.decode("utf-16-le").encode()

    return _SURROGATES.sub(join, body) if b"\xed" in body else body


def _decodes(body: bytes, codec: str) -> bool:
    try:
        body.decode(codec)
    except UnicodeError:
        return False
    return True


def _mostly_controls(text: str) -> bool:
    """C1 controls are what a wrong single-byte charset leaves."""
    if text.isascii():
        return False
    return len(_C1.findall(text.encode("utf-8", "surrogatepass"))) > 0.01 * len(text)


_C1 = re.compile(rb"\xc2[\x80-\x9f]")
"""in UTF-8"""


def _high_runs(body: bytes) -> bytes:
    """The bytes around non-ASCII ones, up to a limit: the sample that says something."""
    parts: list[bytes] = []
    size = 0
    for match in re.finditer(rb"[ -~]{0,2}[\x80-\xff][\x40-\xff]*", body):
        parts.append(match[0][:_SAMPLE])
        size += len(match[0])
        if size > _SAMPLE:
            break
    return b"".join(parts)


def _common_share(sample: bytes, codec: str, common: str) -> float:
    """Share of a language's commonest characters among the non-ASCII ones; 0 on many errors."""
    text = sample.decode(codec, "replace")
    letters = [c for c in text if c > "\x7f"]
    if not letters or letters.count("\ufffd") > 0.02 * len(letters):
        return 0.0
    wanted = frozenset(common)
    return sum(c in wanted for c in letters) / len(letters)
