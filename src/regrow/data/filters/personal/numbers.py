"""Bank accounts, payment cards and US social security numbers, by their check digits and ranges.

Source: ISO 13616 (IBAN: length by country, remainder 1 modulo 97), ISO/IEC 7812 (cards: Luhn's digit, ranges of issuers),
the US Social Security Administration's rules (no area 000, 666 or 900 to 999, no group 00, no serial 0000). Dolma has none of the three.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]

_IBAN = re.compile(r"(?<![A-Za-z0-9-])[A-Za-z]{2}[0-9]{2}(?=[ \u00a0.-]?[A-Za-z0-9])")
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21,
    "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27,
    "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_BETWEEN = " \u00a0.-"

_CARD = re.compile(
    r"(?<![\w.-])(?:[0-9]{4}([ \u00a0.-])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?"
    r"|[0-9]{4}([ \u00a0.-])[0-9]{6}\2[0-9]{4,5}|[0-9]{13,19})(?!\w|[.-][0-9])"
)
_ISSUERS = (
    # first digits from, to; lengths
    ("4", "4", (16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("2200", "2204", (16,)),  # Mir
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),
    ("300", "305", (14, 16, 19)),  # Diners Club
    ("36", "36", (14, 16, 19)),
    ("38", "39", (14, 16, 19)),
    ("3528", "3589", (16, 19)),  # JCB
    ("1800", "1800", (15,)),
    ("2131", "2131", (15,)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("5018", "5018", (16, 19)),  # Maestro
    ("5020", "5020", (16, 19)),
    ("5038", "5038", (16, 19)),
    ("5893", "5893", (16, 19)),
    ("6304", "6304", (16, 19)),
    ("6759", "6763", (16, 19)),
)

_SSN = "(?!000|666|9)[0-9]{3}%s(?!00)[0-9]{2}%s(?!0000)[0-9]{4}"
_HYPHENS = re.compile(rf"(?<![\w.+-]){_SSN % ('-', '-')}(?!\w|-[0-9])")
_LABELLED = re.compile(
    r"(?<!\w)(?:SSN|social security(?: (?:number|no\.?|#))?)(?: is)?\W{0,3}"
    rf"({_SSN % ('[ .-]?', '[ .-]?')})(?!\w)",
    re.IGNORECASE,
)
_PRINTED = frozenset(("078051120", "219099999", "123456789"))
"""numbers of advertisements, which were never anybody's or are everybody's"""


def ibans(text: str) -> Iterator[Span]:
    """Where international bank account numbers are, written in one piece or in groups."""
    for found in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(found[0][:2].upper())
        if length is None:
            continue
        taken, end = found[0].upper(), found.end()
        while len(taken) < length and end < len(text):
            if text[end] in _BETWEEN and text[end - 1] not in _BETWEEN:
                end += 1
            elif text[end].isascii() and text[end].isalnum():
                taken += text[end].upper()
                end += 1
            else:
                break
        if len(taken) == length and not text[end : end + 1].isalnum() and mod97(taken) == 1:
            yield found.start(), end


def mod97(iban: str) -> int:
    """The remainder that ISO 7064 asks to be 1: letters as 10 to 35, the first four characters last."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97


def cards(text: str) -> Iterator[Span]:
    """Where numbers of payment cards are, in one piece or in the groups that are printed on them."""
    for found in _CARD.finditer(text):
        number = "".join(filter(str.isdigit, found[0]))
        if issued(number) and luhn(number) and len(set(number)) > 1:
            yield found.span()


def issued(number: str) -> bool:
    """Whether an issuer of cards has numbers that begin so and are so long."""
    return any(
        low <= number[: len(low)] <= high and len(number) in lengths
        for low, high, lengths in _ISSUERS
    )


def luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    total = 0
    for place, digit in enumerate(map(int, reversed(number))):
        total += digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4)
    return total % 10 == 0


def social_security(text: str) -> Iterator[Span]:
    """Where US social security numbers are: with hyphens, or in any form behind their name."""
    for found in _HYPHENS.finditer(text):
        if found[0].replace("-", "") not in _PRINTED:
            yield found.span()
    lower = text.lower()
    if "ssn" not in lower and "social security" not in lower:
        return
    for found in _LABELLED.finditer(text):
        if re.sub("[^0-9]", "", found[1]) not in _PRINTED:
            yield found.span(1)
