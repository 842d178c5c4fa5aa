"""Which charset bytes are in: byte order mark, HTTP header, `<meta>`, and last the bytes themselves.

The order is that of the HTML standard (section 13.2.3). Detection by bytes alone tells the East
Asian multi-byte charsets apart by their commonest characters (each decodes much of the others'
text without an error), and leaves single-byte charsets to resiliparse.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([^\s"';,]+)""", re.IGNORECASE)
_META = re.compile(rb"""<meta\b[^>]{0,512}?\bcharset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml\b[^>]{0,256}?\bencoding\s*=\s*["']([\w.:-]+)["']""")
_PRESCAN = 4_096  # the standard says 1024; real pages have long comments first
_SAMPLE = 65_536

# Python's codecs that hold all that browsers accept under the standard's names.
_CODECS = {
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5hkscs",
    "iso-8859-1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
}

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
    if found := _HEADER.search(content_type):
        names.append(codec_of(found[1]))
    head = body[:_PRESCAN]
    for match in (_XML.search(head), _META.search(head)):
        if match:
            name = codec_of(match[1].decode("ascii", "replace"))
            # A page that was read as ASCII so far cannot be in UTF-16 (HTML standard 13.2.3.3).
            names.append("utf-8" if name and name.startswith("utf-16") else name)
    return list(dict.fromkeys(name for name in names if name))


def codec_of(label: str) -> str | None:
    """Python's codec for a charset label of the web; None if there is none for text."""
    label = label.strip().strip("\"'").lower()
    name = _CODECS.get(label) or map_encoding_to_html5(label, fallback_utf8=False) or label
    name = _CODECS.get(name.lower(), name.lower())
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if not info._is_text_encoding or info.name in _NOT_CHARSETS:
        return None
    return name


_NOT_CHARSETS = frozenset(
    {
        "idna",
        "punycode",
        "unicode-escape",
        "raw-unicode-escape",
        "undefined",
        "utf-7",
        "mbcs",
        "oem",
    }
)


def detect(body: bytes) -> str | None:
    """Codec by the bytes alone; None where nothing fits."""
    sample = _high_runs(body)
    if not sample:
        return "iso2022_jp" if b"\x1b$" in body and _decodes(body, "iso2022_jp") else "utf-8"
    if _decodes(body, "utf-8"):
        return "utf-8"
    best, share = None, _MIN_COMMON
    for codec, common in _COMMON.items():
        found = _common_share(sample, codec, common)
        if found > share:
            best, share = codec, found
    if best is not None:
        return best
    guess = detect_encoding(sample)
    return codec_of(guess) if guess and guess != "utf-8" else "cp1252"


def decode(body: bytes, content_type: str, max_invalid: float) -> Text | None:
    """Decode by the declared charset, else by the bytes.

    Bytes that are valid UTF-8 with several multi-byte characters are UTF-8 whatever a page
    declares: text in another charset practically never is. Else a declared charset is believed as
    long as at most a share `max_invalid` of the characters cannot be decoded; those are removed
    and counted. None: nothing fits.
    """
    names = declared(body, content_type)
    if not (names and names[0].startswith("utf-16")) and _is_utf8(body, surely=bool(names)):
        return Text(body.decode("utf-8").removeprefix("\ufeff"), "utf-8", 0)
    for codec in _candidates(names, body):
        text = body.decode(codec, "replace").removeprefix("\ufeff")
        invalid = text.count("\ufffd")
        if invalid and _decodes(body, codec):
            invalid = 0  # the page's own replacement characters
        if invalid <= max_invalid * len(text) and not _mostly_controls(text):
            return Text(text.replace("\ufffd", ""), codec, invalid)
    return None


def _candidates(names: list[str], body: bytes) -> Iterator[str]:
    """Declared codecs, UTF-8, and the one that the bytes suggest (computed last: it is slow)."""
    yield from names
    if "utf-8" not in names:
        yield "utf-8"
    guess = detect(body)
    if guess is not None and guess not in names:
        yield guess


def _is_utf8(body: bytes, surely: bool) -> bool:
    """Valid UTF-8? `surely`: and at least three characters that are not ASCII."""
    if not _decodes(body, "utf-8"):
        return False
    return not surely or len(_MULTIBYTE.findall(body[:_SAMPLE])) > 2


_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


def _decodes(body: bytes, codec: str) -> bool:
    try:
        body.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _mostly_controls(text: str) -> bool:
    """C1 controls are what a wrong single-byte charset leaves."""
    return len(_C1.findall(text)) > 0.01 * len(text)


_C1 = re.compile(r"[\x80-\x9f]")


def _high_runs(body: bytes) -> bytes:
    """The bytes around non-ASCII ones, up to a limit: the sample that says something."""
    parts: list[bytes] = []
    size = 0
    for match in re.finditer(rb"[ -~]{0,2}[\x80-\xff][\x40-\xff]*", body):
        parts.append(match[0])
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
