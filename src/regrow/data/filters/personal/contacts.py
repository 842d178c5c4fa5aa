"""E-mail addresses and telephone numbers.

Source: Dolma (arXiv 2402.00159, section 5.3: e-mail, IP addresses and telephone numbers by regular expressions); RFC 5321 and 6531 for
addresses, ITU-T E.164 (and its list of assigned country codes) for numbers. An address may have its `@` in brackets
(`name [at] x.org`). A number is found with its country code, in the North American form, or behind a word such as
`Tel.`; its digits must be as many as its country has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Span = tuple[int, int]

_AT = re.compile(r"@|&#64;|%40| ?[\[({<] ?(?:at|@) ?[\])}>] ?", re.IGNORECASE)
_LOCAL = re.compile(r"[\w.%+'-]+\Z")
_DOT = r"(?:\.| ?[\[({<] ?(?:dot|\.) ?[\])}>] ?)"
_DOMAIN = re.compile(
    rf"((?:\w(?:[\w-]{{0,61}}\w)?{_DOT}){{1,8}})(xn--[a-z0-9-]{{2,59}}|[^\W\d_]{{2,24}})(?![\w-])",
    re.IGNORECASE,
)
_LOCAL_CHARACTERS = 64
_FILES = frozenset(
    (
        "bmp", "css", "dll", "gif", "htm", "html", "ico", "jpeg", "jpg", "js", "json", "mjs", "png",
        "py", "so", "svg", "tgz", "webp", "zip",
    )
)  # fmt: skip
"""what follows the last dot of `icon@2x.png`; none is a top-level domain in use for mail"""
_RESERVED = re.compile(
    r"(?:^|\.)(?:example|test|invalid|localhost|example\.(?:com|org|net))\Z", re.IGNORECASE
)
"""domains for documentation (RFC 2606, 6761)"""

_SEPARATOR = "[ .\u00a0\u2010-\u2015\u2011/()-]{0,3}"
_END = r"(?![^\Wx])"
"""an `x` may follow, which begins an extension"""
_DIGITS = f"[0-9](?:{_SEPARATOR}[0-9]){{5,17}}"
_COUNTRY = re.compile(
    rf"(?<![\w+.,])(?:\+\(?|\(\+(?=[0-9]{{1,3}}\))|(?<![:/-])(?<![0-9] )00[ .-]?)({_DIGITS}){_END}"
)
_AREA = "[2-9](?!11)[0-9]{2}"
_AMERICAN = re.compile(
    rf"(?<![\w.+/=-])(?:\+?1[ .-])?(?:\({_AREA}\)[ .-]?{_AREA}[ .-]|({_AREA})([ .-]){_AREA}\2)[0-9]{{4}}(?![.-][0-9]){_END}"
)
_RUN = re.compile(rf"(?<![0-9A-Za-z_+])(\(?{_DIGITS}){_END}")
_LABEL = re.compile(
    r"(?:(?<!\w)(?:(?:tel|tél|tlf|telephone|téléphone|telefon|telefono|teléfono|telefone|phone|mobile|mobil|móvil|celular"
    r"|fax|whatsapp|тел|телефон|电话|電話|手机|전화)\.?(?: ?(?:no|nr|number)\.?)?(?:\s{0,2}[:：])?"
    r"|(?:cell|handy|portable|gsm)(?:\.|\s?[:：]))\s{0,2}"
    r"|[\u260e\u260f\U0001f4de\U0001f4f1]\ufe0f?\s{0,2})\Z",
    re.IGNORECASE,
)
_LABEL_CHARACTERS = 24
_DATE = re.compile(r"(?:19|20)[0-9]{2}\W{1,3}(?:(?:19|20)[0-9]{2}|[01]?[0-9]\W[0-3]?[0-9])")
_FICTION = re.compile(r"55501[0-9]{2}\Z")
_NATIONAL: dict[str, tuple[int, int]] = {
    "1": (10, 10), "7": (10, 10), "20": (8, 10), "27": (9, 9), "30": (10, 10), "31": (9, 9), "32": (8, 9), "33": (9, 9),
    "34": (9, 9), "36": (8, 9), "39": (6, 11), "40": (9, 9), "41": (9, 9), "43": (4, 13), "44": (9, 10), "45": (8, 8),
    "46": (7, 9), "47": (8, 8), "48": (9, 9), "49": (6, 12), "51": (8, 9), "52": (10, 10), "53": (6, 8), "54": (10, 11),
    "55": (10, 11), "56": (9, 9), "57": (8, 10), "58": (10, 10), "60": (8, 10), "61": (9, 9), "62": (8, 12),
    "63": (8, 10), "64": (8, 10), "65": (8, 8), "66": (8, 9), "81": (9, 10), "82": (8, 10), "84": (9, 10),
    "86": (10, 11), "90": (10, 10), "91": (10, 10), "92": (9, 10), "93": (9, 9), "94": (9, 9), "95": (7, 10),
    "98": (10, 10), "351": (9, 9), "353": (7, 9), "358": (5, 12), "380": (9, 9), "420": (9, 9), "852": (8, 8),
    "247": (4, 7), "290": (4, 7), "500": (4, 7), "676": (4, 7), "677": (4, 7), "678": (4, 7), "682": (4, 7),
    "683": (4, 7), "685": (4, 7), "686": (4, 7), "688": (4, 7), "690": (4, 7), "886": (8, 9), "966": (8, 9), "971": (8, 9), "972": (8, 9),
}  # fmt: skip
"""digits behind the country code, least and most; of other countries 6 to 12, at most 15 in all"""
_OTHER = frozenset(
    [
        *(str(code) for code in (211, 212, 213, 216, 218, 423, 670, 672, 850, 853, 855, 856, 880)),
        *map(str, [*range(220, 259), *range(260, 270), 290, 291, *range(297, 300)]),
        *map(str, [350, 352, *range(354, 358), 359, *range(370, 379), *range(381, 384)]),
        *map(str, [385, 386, 387, 389, 421, *range(500, 510), *range(590, 600), *range(673, 684)]),
        *map(str, [*range(685, 693), *range(960, 966), 967, 968, 970, *range(973, 978)]),
        *map(str, [992, 993, 994, 995, 996, 998]),
    ]
)


def emails(text: str) -> Iterator[Span]:
    """Where e-mail addresses are, those of domains for documentation left out."""
    for at in _AT.finditer(text):
        window = text[max(at.start() - _LOCAL_CHARACTERS, 0) : at.start()]
        before = _LOCAL.search(window)
        after = _DOMAIN.match(text, at.end())
        if before is None or after is None:
            continue
        local = before[0].lstrip(".%+'-")
        if not local or local.endswith(".") or (local == "git" and text[after.end() :][:1] == ":"):
            continue
        labels, last = re.sub(r"[\s\[\](){}<>]", "", after[1].lower()), after[2].lower()
        parts = labels.replace("dot.", ".").rstrip(".").split(".")
        numbers = sum(part.isdecimal() for part in parts)
        if len(local) == 1 and len(parts) == 1 and len(parts[0]) == 1:  # `a@b.T` of matrices
            continue
        if last in _FILES or numbers > 1 or _RESERVED.search(f"{'.'.join(parts)}.{last}"):
            continue
        yield at.start() - len(local), after.end()


def phones(text: str) -> Iterator[Span]:
    """Where telephone numbers are, the fictitious North American ones (555-0100 to 555-0199) left out."""
    for found in _COUNTRY.finditer(text):
        if found[0].startswith("00") and found[0].isdigit():  # EAN and order numbers begin so, too
            continue
        if end := _longest(found[1], international):
            yield found.start(), found.start(1) + end
    for found in _AMERICAN.finditer(text):
        if not _FICTION.search(digits(found[0])):
            yield found.span()
    for found in _RUN.finditer(text):
        if _LABEL.search(text[max(found.start() - _LABEL_CHARACTERS, 0) : found.start()]):
            end = 0 if _DATE.match(found[1]) else _longest(found[1], local)
            if end:
                yield found.start(1), found.start(1) + end


def _longest(run: str, valid: Callable[[str], bool]) -> int:
    """Length of the longest beginning of a run, up to the end of a group of digits, that is valid; else 0."""
    ends = [
        i for i in range(len(run), 0, -1) if run[i - 1].isdigit() and not run[i : i + 1].isdigit()
    ]
    return next((end for end in ends if valid(digits(run[:end].replace("(0)", "")))), 0)


def digits(text: str) -> str:
    """The digits of a text."""
    return "".join(character for character in text if "0" <= character <= "9")


def international(number: str) -> bool:
    """Whether digits are a country code that is assigned and as many others as that country has."""
    for size in (1, 2, 3):
        code, rest = number[:size], number[size:]
        if code in _NATIONAL or code in _OTHER:
            least, most = _NATIONAL.get(code, (6, 12))
            if code == "1" and (not re.match(_AREA + _AREA, rest) or _FICTION.search(rest)):
                return False
            return least <= len(rest) <= most and len(number) <= 15
    return False


def local(number: str) -> bool:
    """Whether digits behind a word such as `Tel.` are as many as a national number has."""
    return 6 <= len(number) <= 15 and not _FICTION.search(number)
