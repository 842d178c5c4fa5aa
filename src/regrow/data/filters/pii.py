"""Personal data and secrets: kept, masked, or a reason to drop the document.

Source: Dolma (arXiv 2402.00159, section 5.3: three kinds by regular expressions, and their masks); Olmo 3 looks
for personal data in PDFs only, with language models. Kinds, forms and check digits are in
`regrow.data.filters.personal`. A mask is no anonymity: names, addresses, dates of birth and whatever is spelled in another way stay;
docs/concepts/data.md gives recall and false alarms on planted cases. Nothing that was found is
written down, only how often which kind was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from regrow.data.filters.document import Document, Drop
from regrow.data.filters.personal import addresses, contacts, numbers, secrets
from regrow.params.data import Filter

REASON = "pii"
FORMS: dict[str, tuple[str, Callable[[str], Iterator[tuple[int, int]]]]] = {
    "secret": ("SECRET", secrets.secrets),
    "email": ("EMAIL_ADDRESS", contacts.emails),
    "iban": ("IBAN_CODE", numbers.ibans),
    "card": ("CREDIT_CARD", numbers.cards),
    "ssn": ("US_SSN", numbers.social_security),
    "ip": ("IP_ADDRESS", addresses.addresses),
    "phone": ("PHONE_NUMBER", contacts.phones),
}
"""kind -> (name in its mask, where it is in a text); of what overlaps, the kind above counts"""
_ALIKE = str.maketrans(
    {
        **{first + i: str(i) for first in (0xFF10, 0x660, 0x6F0, 0x966, 0x9E6) for i in range(10)},
        0xFF20: "@",
        0xFE6B: "@",
        0xFF0E: ".",
        0xFF0D: "-",
        0xFF0B: "+",
        0xFF1A: ":",
    }
)
"""digits and signs of other scripts and widths, one character for one"""


def clean(document: Document, params: Filter) -> Document | Drop | None:
    """The document with masks and their counts, or a drop; as it is if it holds nothing."""
    if params.pii == "keep":
        return None
    found = find(document.text, params.pii_kinds)
    if not found:
        return None
    counts = written(Counter(kind for _, _, kind in found))
    if params.pii == "drop":
        return Drop(REASON, float(len(found)), 0.0, counts)
    parts, end = [], 0
    for start, stop, kind in found:
        parts += [document.text[end:start], f"|||{FORMS[kind][0]}|||"]
        end = stop
    return replace(document, text="".join([*parts, document.text[end:]]), pii=counts)


def find(text: str, kinds: Iterable[str]) -> list[tuple[int, int, str]]:
    """(start, end, kind) of everything found, in the order of the text; none overlaps another."""
    plain = text if text.isascii() else text.translate(_ALIKE)
    wanted = set(kinds)
    found: list[tuple[int, int, str]] = []
    for kind, (_, places) in FORMS.items():
        if kind not in wanted:
            continue
        for start, end in sorted(places(plain)):
            found.append((start, end, kind))
    rank = {kind: place for place, kind in enumerate(FORMS)}
    taken: list[tuple[int, int, str]] = []
    covered = bytearray(len(text)) if found else bytearray()
    for start, end, kind in sorted(found, key=lambda one: (rank[one[2]], one[0], -one[1])):
        if any(covered[start:end]):
            continue
        covered[start:end] = b"\1" * (end - start)
        taken.append((start, end, kind))
    return sorted(taken)


def written(counts: Counter[str]) -> str:
    """Counts as they stand in a table: `email=2 phone=1`, in the order of `FORMS`."""
    return " ".join(f"{kind}={counts[kind]}" for kind in FORMS if counts[kind])


def summed(rows: Iterable[str | None]) -> dict[str, int]:
    """Documents with a find, and finds by kind, of rows that `written` wrote."""
    total: Counter[str] = Counter()
    for row in rows:
        if row:
            total["documents"] += 1
            for part in row.split():
                kind, _, number = part.partition("=")
                total[kind] += int(number)
    return {name: total[name] for name in ("documents", *FORMS)}
