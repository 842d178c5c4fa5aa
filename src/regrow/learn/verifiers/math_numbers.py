"""Numbers in the forms in which people write them, read exactly.

Every form leaves nothing to work out: whole numbers (`1,200`, `1{,}200`, `1\\,200`, `1 200`), decimals,
fractions (`1/2`, `\\frac{1}{2}`, `\\frac12`), mixed numbers (`2 3/4`, `2\\frac{3}{4}`), repeating decimals
(`0.1\\overline{6}`, `0.1(6)`), scientific notation (`1.5 \\times 10^{5}`, `2.5e-3`), complex numbers whose
parts are such numbers (`14-1.0i`, `\\frac{1+i}{2}`), and any of them in per cent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_PLACES = 6
_TOLERANCE = Fraction(1, 10**_PLACES)
_MAX_EXPONENT = 400

_SIGN = r"(?P<sign>-?)"
_WHOLE = r"(?:0|[1-9][0-9]{0,79})"
_GROUPS = r"[1-9][0-9]{0,2}(?:(?:,|\\,|\{,\}| )[0-9]{3})(?:(?:,|\\,|\{,\}| )[0-9]{3}){0,25}"
_FORMS = tuple(
    re.compile(_SIGN + form)
    for form in (
        rf"(?P<whole>{_WHOLE}|{_GROUPS})",
        rf"(?P<whole>{_WHOLE}|{_GROUPS}|)\.(?P<places>[0-9]{{1,80}})",
        rf"(?P<whole>{_WHOLE})\.(?P<places>[0-9]{{0,40}})"
        r"(?:\\overline ?\{(?P<over>[0-9]{1,20})\}|\\bar ?\{(?P<bar>[0-9]{1,20})\}"
        r"|\\dot ?\{(?P<dot>[0-9])\}|\((?P<bracket>[0-9]{1,20})\))",
        rf"(?P<top>{_WHOLE}) ?/ ?(?P<under>{_WHOLE})",
        rf"(?P<whole>{_WHOLE}) (?P<top>{_WHOLE}) ?/ ?(?P<under>{_WHOLE})",
    )
)
_SCIENTIFIC = re.compile(
    r"(?P<sign>-?)(?:(?P<mantissa>[0-9.]{1,82}) ?(?:\\times|\\cdot|\*) ?)?"
    r"10 ?\^ ?(?:\{ ?(?P<braced>-?[0-9]{1,3}) ?\}|\((?P<round>-?[0-9]{1,3})\)|(?P<bare>-?[0-9]{1,3}))"
    r"|(?P<sign_e>-?)(?P<mantissa_e>[0-9.]{1,82})[eE](?P<exponent_e>[+-]?[0-9]{1,3})"
)
_FRACTION = re.compile(
    r"\\frac ?(?:\{ ?(?P<top>[^{}]*?) ?\}|(?P<top1>[0-9])) ?(?:\{ ?(?P<under>[^{}]*?) ?\}|(?P<under1>[0-9]))"
)
_PERCENT = re.compile(r"(.*?) ?\\?%")
_PARTS = re.compile(r"(?P<first>.*[^-+ ({/^])? ?(?P<sign>[-+]) ?(?P<last>[^-+]*)")
_HALF = re.compile(r"\(([^()]*)\) ?/ ?([1-9][0-9]{0,79})")


@dataclass(frozen=True)
class Number:
    """A number that was written out."""

    real: Fraction
    imaginary: Fraction = Fraction(0)
    unit: Fraction = Fraction(0)
    """of the last place of a decimal, which may be rounded; 0 where it was written without a point"""
    percent: bool = False


def read(text: str) -> Number | None:
    """The number that a text writes out; None where it is anything else."""
    text = _tidy(text)
    if match := _PERCENT.fullmatch(text):
        found = _real(match[1])
        return found and Number(found.real / 100, unit=found.unit / 100, percent=True)
    return _real(text) or _complex(text)


def equal(expected: Number, found: Number) -> bool:
    """Whether two written numbers are the same, decimals by the rule of `close`.

    Two decimals must also agree as far as both are written: `1.0000001` is not `1.0000002`.

    A bare number may stand for an expected percentage above 1 % (`50` for `50\\%`), for none below
    (`0.5` for `0.5\\%` would be 50 %), and a percentage never stands for a bare number but its own.
    """
    rounded = bool(expected.unit or found.unit)
    unit = max(expected.unit, found.unit) if expected.unit and found.unit else Fraction(0)
    parts = ((expected.real, found.real), (expected.imaginary, found.imaginary))
    if all(close(a, b, rounded) and (not unit or abs(a - b) < unit) for a, b in parts):
        return True
    if expected.percent and not found.percent and not found.imaginary:
        share = expected.real * 100
        return abs(share) > 1 and close(share, found.real, rounded)
    return False


def close(expected: Fraction, found: Fraction, rounded: bool) -> bool:
    """Whether two values are equal; exactly, unless a decimal may have been rounded.

    Where one of them is a decimal (`rounded`) they may differ by one part in a million and by one
    unit of the sixth place, whichever is less. A value that needs no more than five places was not
    rounded: nothing else is equal to it.
    """
    short = any((value * 10 ** (_PLACES - 1)).denominator == 1 for value in (expected, found))
    if not rounded or short:
        return expected == found
    return abs(expected - found) <= _TOLERANCE * min(Fraction(1), max(abs(expected), abs(found)))


def _tidy(text: str) -> str:
    text = text.replace("\\left", "").replace("\\right", "").replace("~", " ")
    text = re.sub(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\\[!;:]|\\ ", " ", text)
    return re.sub(r" {2,}", " ", text).strip(" ")


def _real(text: str) -> Number | None:
    """One real number, perhaps in brackets."""
    if inner := _bracketed(text):
        # `(1,234)` is a pair.
        return None if "," in inner else _real(inner)
    if text.startswith("-") and (inner := _bracketed(text[1:].lstrip(" "))):
        found = None if "," in inner or inner.startswith("-") else _real(inner)
        return found and Number(-found.real, unit=found.unit)
    return _plain(text) or _scientific(text) or _fraction(text)


def _bracketed(text: str) -> str:
    inner = text[1:-1]
    closed = text[:1] == "(" and text[-1:] == ")" and "(" not in inner and ")" not in inner
    return inner.strip(" ") if closed else ""


def _plain(text: str) -> Number | None:
    for form in _FORMS:
        if match := form.fullmatch(text):
            parts = {name: value or "" for name, value in match.groupdict().items()}
            break
    else:
        return None
    value = Fraction(re.sub(r"[^0-9]", "", parts.get("whole", "")) or 0)
    places = parts.get("places", "")
    again = "".join(parts.get(name, "") for name in ("over", "bar", "dot", "bracket"))
    if places:
        value += Fraction(int(places), 10 ** len(places))
    if again:
        value += Fraction(int(again), (10 ** len(again) - 1) * 10 ** len(places))
    if "under" in parts:
        if not int(parts["under"]):
            return None
        value += Fraction(int(parts["top"]), int(parts["under"]))
    unit = Fraction(1, 10 ** len(places)) if places and not again else Fraction(0)
    return Number(-value if parts["sign"] else value, unit=unit)


def _scientific(text: str) -> Number | None:
    if not (match := _SCIENTIFIC.fullmatch(text)):
        return None
    power = int(match["braced"] or match["round"] or match["bare"] or match["exponent_e"] or 0)
    mantissa = _plain(match["mantissa"] or match["mantissa_e"] or "1")
    if mantissa is None or abs(power) > _MAX_EXPONENT:
        return None
    value = mantissa.real * Fraction(10) ** power
    negative = match["sign"] or match["sign_e"]
    return Number(-value if negative else value, unit=mantissa.unit * Fraction(10) ** power)


def _fraction(text: str) -> Number | None:
    """`\\frac{a}{b}`, negative in any place, or a mixed number."""
    match = _FRACTION.search(text)
    if not match or match.end() != len(text):
        return None
    before = text[: match.start()].rstrip(" ").removesuffix("\\,").rstrip(" ")
    top = _plain(match["top"] or match["top1"] or "")
    under = _plain(match["under"] or match["under1"] or "")
    if top is None or under is None or not under.real:
        return None
    value = top.real / under.real
    unit = max(top.unit, under.unit)
    negative = before.startswith("-")
    before = before.removeprefix("-").lstrip(" ")
    if before:
        whole = _plain(before)
        mixed = whole and whole.real.denominator == 1 and not whole.unit and not unit
        if not mixed or value <= 0 or whole is None or "-" in text[len(before) + 1 :]:
            return None
        value += whole.real
    return Number(-value if negative else value, unit=unit)


def _complex(text: str) -> Number | None:
    """`a+bi` in either order, or such a sum over a whole number."""
    if not re.search(r"(?<![A-Za-z\\])i(?![A-Za-z])", text):
        return None
    divisor = Fraction(1)
    half = _FRACTION.fullmatch(text)
    if half and half["top"] and "i" in half["top"]:
        under = _plain(half["under"] or half["under1"] or "")
        if under is None or not under.real:
            return None
        text, divisor = half["top"], under.real
    elif match := _HALF.fullmatch(text):
        text, divisor = match[1], Fraction(int(match[2]))
    elif inner := _bracketed(text):
        text = inner
    match = _PARTS.fullmatch(text)
    if match and match["first"]:
        sign = "-" if match["sign"] == "-" else ""
        parts = [match["first"], sign + match["last"]]
    else:
        parts = [text]
    real = [found for part in parts if (found := _real(part)) is not None]
    imaginary = [found for part in parts if (found := _imaginary(part)) is not None]
    if len(imaginary) != 1 or len(real) != len(parts) - 1:
        return None
    return Number(
        real[0].real / divisor if real else Fraction(0),
        imaginary[0].real / divisor,
        unit=max(number.unit for number in real + imaginary),
    )


def _imaginary(text: str) -> Number | None:
    """The number before (or in a fraction, above) an `i`."""
    text = text.strip(" ")
    if text in ("i", "-i"):
        return Number(Fraction(-1 if text == "-i" else 1))
    if text.endswith("i"):
        return _real(re.sub(r" ?(?:\*|\\cdot)? ?i$", "", text))
    if match := re.fullmatch(r"(-?)([0-9]*) ?i ?/ ?([1-9][0-9]*)", text):
        value = Fraction(int(match[2] or 1), int(match[3]))
        return Number(-value if match[1] else value)
    if match := re.fullmatch(r"(-?\\frac ?\{-?[0-9]*) ?i ?(\}.*)", text):
        return _real(match[1] + ("1" if match[1][-1] in "{-" else "") + match[2])
    return None
