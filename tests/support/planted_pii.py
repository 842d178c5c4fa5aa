"""Planted personal data of many forms, and texts that only look like it: what the filter finds.

Values are drawn from a seed, `EACH` of a form, and put into sentences. A value counts as found if
one find of its kind covers all of it. `python benchmarks/pii.py` prints the table.
"""

from __future__ import annotations

import base64
import random
import string
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from regrow.data.filters import pii
from regrow.data.filters.personal import numbers

EACH = 40
FRAMES = (
    "{}",
    "Write to {} or wait.",
    "The answer ({}) is known.",
    "Last seen: {}.",
    "one, {}, three",
    "- {}\n- the next line",
    '"{}"',
    "| row | {} | end |",
)
Maker = Callable[[random.Random], str]


class Found(NamedTuple):
    """A row of the table."""

    kind: str
    form: str
    sample: str
    share: float
    """of the planted values found, or of the look-alikes that raise an alarm"""
    alarms: dict[str, int]
    """finds by kind"""


def digits(rng: random.Random, n: int) -> str:
    return "".join(rng.choices(string.digits, k=n))


def letters(rng: random.Random, n: int, of: str = string.ascii_lowercase) -> str:
    return "".join(rng.choices(of, k=n))


HOLES = {
    "•": string.digits,
    "◦": "23456789",
    "□": string.ascii_lowercase,
    "◇": "0123456789abcdef",
}


def one(*patterns: str) -> Maker:
    """A maker that fills the holes of one of the patterns (`HOLES`)."""

    def make(rng: random.Random) -> str:
        return "".join(
            rng.choice(HOLES[character]) if character in HOLES else character
            for character in rng.choice(patterns)
        )

    return make


def area(rng: random.Random) -> str:
    while True:
        found = rng.choice("23456789") + digits(rng, 2)
        if found[1:] != "11" and found != "555":
            return found


def american(form: str) -> Maker:
    return lambda rng: form.format(area(rng), area(rng), digits(rng, 4))


def iban(form: str) -> Maker:
    def make(rng: random.Random) -> str:
        code, body = rng.choice(
            [("DE", 18), ("AT", 16), ("BE", 12), ("PL", 24), ("ES", 20), ("CH", 17), ("SE", 20)]
        )
        account = digits(rng, body)
        check = 98 - int("".join(str(int(c, 36)) for c in account + code + "00")) % 97
        whole = f"{code}{check:02d}{account}"
        groups = [whole[i : i + 4] for i in range(0, len(whole), 4)]
        return {"lower": whole.lower(), "one": whole}.get(form) or form.join(groups)

    return make


def card(prefix: str, length: int, groups: tuple[int, ...] = (), between: str = "") -> Maker:
    def make(rng: random.Random) -> str:
        body = prefix + digits(rng, length - len(prefix) - 1)
        number = next(body + d for d in string.digits if numbers.luhn(body + d))
        cut, place = [], 0
        for size in groups or (length,):
            cut.append(number[place : place + size])
            place += size
        return between.join(cut)

    return make


def ssn(between: str, label: str = "") -> Maker:
    def make(rng: random.Random) -> str:
        parts = (
            f"{rng.randint(100, 665)}",
            f"{rng.randint(1, 99):02d}",
            f"{rng.randint(1, 9999):04d}",
        )
        return label + between.join(parts)

    return make


def public_ip(rng: random.Random) -> str:
    first = rng.choice([n for n in range(11, 169) if n not in (100, 127)])
    return f"{first}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(32, 254)}"


def ip(form: str) -> Maker:
    return lambda rng: form.format(public_ip(rng))


def token(start: str, n: int, of: str = string.ascii_letters + string.digits) -> Maker:
    return lambda rng: start + letters(rng, n, of)


def jwt(rng: random.Random) -> str:
    head, body = (
        base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        for text in ('{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{digits(rng, 10)}"}}')
    )
    return f"{head}.{body}.{letters(rng, 43)}"


def key(end: bool) -> Maker:
    def make(rng: random.Random) -> str:
        body = "\n".join(letters(rng, 64, string.ascii_letters + "+/") for _ in range(6))
        name = rng.choice(["RSA ", "EC ", "", "OPENSSH "]) + "PRIVATE KEY-----"
        return f"-----BEGIN {name}\n{body}" + (f"\n-----END {name}" if end else "")

    return make


PLANTED: list[tuple[str, str, Maker]] = [
    ("email", "plain", one("□□□□.□□□□□@□□□□□.com", "□□•@□□□□-□□□.de", "AAA_□□@□□□.□□□.co.uk")),
    ("email", "with a tag, an apostrophe, a percent sign", one("□□□+□□□@□□□.org", "□'□□□□@□□□.ie", "□□%□□@□□□.net")),
    ("email", "of other scripts", one("пётр••@почта.рф", "用户•@例子.广告", "□□□@bücher□.de", "josé□□@□□□.es")),
    ("email", "in a mailto: or a query", one("mailto:□□□□@□□□□.org", "?to=□□□□@□□□.org")),
    ("email", "`@` in brackets", one("□□□□[at]□□□□.org", "□□□□ (at) □□□□.org", "□□□□ {at} □□□□.com", "□□□□(@)□□□□.net")),
    ("email", "`@` and dots in brackets", one("□□□□ (at) □□□□ (dot) org", "□□□□[at]□□□□[dot]com")),
    ("email", "`&#64;` or `%40` for `@`", one("□□□□&#64;□□□□.org", "□□□□%40□□□□.org")),
    ("email", "`at` and `dot` as words", one("□□□□ at □□□□ dot com")),
    ("email", "with spaces around `@`", one("□□□□ @ □□□□.com")),
    ("email", "in quotes before `@`", one('"□□□□ □□□□"@□□□□.org')),
    ("email", "at a host without a dot or at an IP address", one("□□□□@□□□□□", "□□□□@[••.••.••.••]")),
    ("email", "written backwards", one("moc.□□□□@□□□□")),
    ("phone", "+ and country code, in groups", one("+49 30 ••••••", "+44 20 ◦••• ••••", "+33 6 •• •• •• ••", "+81-3-◦•••-••••", "+91 ••••• •••••", "+86 139 •••• ••••", "+55 (11) •••••-••••", "+972-2-•••-••••", "+353 1 ••• ••••", "+7 (495) •••-••-••")),
    ("phone", "+ and country code, in one piece", one("+49157••••••••", "+447•••••••••", "+336••••••••", "+346••••••••", "+8190••••••••", "+23480••••••••", "+316••••••••", "+467••••••••")),
    ("phone", "with (0)", one("+44 (0)20 ◦••• ••••", "+49 (0) 30 •••••••", "+43 (0)1 ••• ••••")),
    ("phone", "00 and country code", one("0049 30 •••••••", "00 44 20 ◦••• ••••", "0033 6 •• •• •• ••")),
    ("phone", "00 and country code, in one piece", one("004930•••••••", "0041449••••••")),
    ("phone", "North American, in groups", lambda rng: american(rng.choice(["({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "{} {} {}", "1-{}-{}-{}", "+1 {}-{}-{}"]))(rng)),
    ("phone", "national, behind Tel., Fax, 电话 ...", one("Tel.: 030 •••••••", "Fax 020 ◦••• ••••", "Tél : 06 •• •• •• ••", "电话：010-••••••••", "phone: 03-◦•••-••••", "Mobile 07•• ••••••")),
    ("phone", "the same in Arabic or Devanagari digits", lambda rng: "Tel: " + digits(rng, 9).translate({48 + i: rng.choice((0x660, 0x966)) + i for i in range(10)})),
    ("phone", "behind a sign of a telephone", one("☎ 030 •••••••", "📞 07•• ••••••")),
    ("phone", "national, without a word before it", one("06 •• •• •• ••", "020 ◦••• ••••", "030/•••••••", "03-◦•••-••••", "07•• ••••••")),
    ("phone", "North American, in one piece", american("{}{}{}")),
    ("phone", "in words", lambda rng: " ".join(rng.choices(["two", "three", "four", "seven", "nine"], k=10))),
    ("ip", "IPv4", ip("{}")),
    ("ip", "IPv4 in an address, with a port or a prefix", lambda rng: ip(rng.choice(["http://{}/x", "{}:8080", "{}/24", "ip={}", "::ffff:{}"]))(rng)),
    ("ip", "IPv6", one("2a02:8◇◇◇:◇◇◇◇:◇◇◇◇:◇◇◇◇:◇◇◇◇:◇◇◇◇:◇◇◇◇", "2a00:1450:◇◇◇◇::◇◇◇◇", "2600:1◇◇◇::◇")),
    ("ip", "IPv6 in brackets, with a port", one("[2a02:8◇◇◇:9◇◇◇::◇◇◇◇]:443")),
    ("ip", "with [.] for dots", lambda rng: public_ip(rng).replace(".", "[.]")),
    ("ip", "as one number", lambda rng: str(rng.randint(2**27, 2**31))),
    ("ip", "behind a name and a hyphen, or a word of versions", lambda rng: ip(rng.choice(["host-{}", "build {}"]))(rng)),
    ("iban", "in one piece", iban("one")),
    ("iban", "in groups, by spaces or hyphens", lambda rng: iban(rng.choice([" ", "-", "\u00a0"]))(rng)),
    ("iban", "in small letters", iban("lower")),
    ("iban", "over two lines", iban("\n")),
    ("card", "in one piece", lambda rng: card(*rng.choice([("4", 16), ("53", 16), ("2345", 16), ("37", 15), ("6011", 16), ("36", 14), ("3530", 16), ("62", 16)]))(rng)),
    ("card", "in the groups on the card", lambda rng: rng.choice([card("4", 16, (4, 4, 4, 4), " "), card("51", 16, (4, 4, 4, 4), "-"), card("34", 15, (4, 6, 5), " "), card("38", 14, (4, 6, 4), " ")])(rng)),
    ("card", "in other groups", card("4", 16, (2, 2, 2, 2, 2, 2, 2, 2), " ")),
    ("ssn", "with hyphens", ssn("-")),
    ("ssn", "behind its name", lambda rng: ssn(rng.choice(["", " ", "-"]), rng.choice(["SSN: ", "SSN ", "Social Security Number: "]))(rng)),
    ("ssn", "without hyphens or a name", lambda rng: ssn(rng.choice(["", " "]))(rng)),
    ("secret", "AWS access key id", token("AKIA", 16, string.ascii_uppercase + "234567")),
    ("secret", "AWS secret key behind its name", token("aws_secret_access_key = ", 40)),
    ("secret", "GitHub tokens", lambda rng: rng.choice([token("gh" + "p_", 36), token("gh" + "s_", 36), token("github" + "_pat_", 82)])(rng)),
    ("secret", "keys of Google, Slack, Stripe", lambda rng: rng.choice([token("AI" + "za", 35), token("xox" + "b-", 24), token("sk" + "_live_", 24)])(rng)),
    ("secret", "private key block", key(True)),
    ("secret", "private key block, cut off", key(False)),
    ("secret", "JSON web token", jwt),
    ("secret", "password, or a key of no known form", one("password = □□□□•□•□", "api_key: ◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇◇")),
    ("name", "of a person", one("Mr Jan Novák", "Dr Aisha Bello")),
    ("place", "postal address", one("•• Elm Street, Springfield", "Hauptstraße •, ••••• Berlin")),
    ("date", "of birth", one("born on 3 May 1•7•")),
    ("id", "passport, tax or identity number of a country", one("Passport C•X•••••", "NINO QQ •• •• •• C")),
]  # fmt: skip

LOOKALIKES: list[tuple[str, Maker]] = [
    ("version of four numbers", one("version ◦.•.◦.•", "v◦.•.•.•", "release ◦.•.2◦.•", "build 1◦.•.◦◦.•", "foo-•.•.•.•.tar.gz", "foo==•.•.◦.•", "Chrome/◦◦.0.◦◦.•")),
    ("bare version of four numbers", one("upgr□de to ◦.•.◦•.•• now")),
    ("heading number", one("\n1.•.◦.• Results", "\n◦.•.1.•. Methods", "\n12.◦.1.1.\u00a0Résumé")),
    ("private or documentation IP address", one("10.•.◦•.•", "192.168.•.◦•", "127.0.0.1", "172.16.•.•", "198.51.100.•", "203.0.113.•", "fe80::◦◇◇◇", "2001:db8::◦◇◇◇", "::1", "255.255.255.0")),
    ("address of a domain for documentation", one("□□□□@example.com", "□□□□@□□□.example", "□□□@localhost")),
    ("file name, decorator, handle", one("icon@2x.png", "@□□□□□.□□□□", "@□□□□_□□", "□@•.•.•", "□□□□@•.◦•.•.tgz", "git@□□□□.org:□□□/□□□.git")),
    ("matrix product in code", one("□@□.shape", "X@W.mean()", "query@key.transpose()")),
    ("date", one("20◦◦-0◦-1•", "1•/0◦/20◦◦", "1•.0◦.20◦◦", "1997-20◦◦", "2019091•T1•2233", "20◦◦-0◦-1• 1•:2•:3•")),
    ("date behind Tel. or mobile", one("mobile 1998-20◦◦", "phone 20◦◦-0◦-1•")),
    ("time, ratio, MAC address, C++ scope", one("◦◦:◦•:◦◦", "◦:•:◦•", "◇◇:◇◇:◇◇:◇◇:◇◇:◇◇", "std::□□□□", "□□::□□::□□", "b□d::c□fe")),
    ("ISBN, ISSN, DOI, arXiv number", one("ISBN 978-0-◦•-••••••-•", "9780•••••••••", "ISSN ◦•••-•••X", "10.◦•••/□□□□.20◦◦.•••••", "arXiv:2◦••.•••••v2", "0-◦•-••••••-•")),
    ("hash, UUID", one("◇" * 40, "◇" * 64, "◇◇◇◇◇◇◇◇-◇◇◇◇-4◇◇◇-a◇◇◇-◇◇◇◇◇◇◇◇◇◇◇◇")),
    ("amount, coordinate, large number", one("$•,•••,•••.••", "◦•• ••• •••", "48.•••••, -122.•••••", "+•.◦•e-◦•", "+◦• %", "3.14159265358979", "1 ◦•• •••")),
    ("postal code, course, part number", one("◦••••-••••", "◦•-••••-•", "CS ◦••-•••", "A-◦•-••••-B")),
    ("part number like a US social security number", one("◦◦◦-◦•-◦•••")),
    ("number of 16 digits", one("◦•••••••••••••••", "4•••••••••••••••", "53••••••••••••••")),
    ("IMEI, EAN, order number", one("00•••••••••••", "3520•••••••••••", "40•••••••••••", "10••••••••", "order ◦•••••••")),
    ("fictitious telephone number", one("(212) 555-01••", "212-555-01••", "+1 212 555 01••")),
    ("sum, range, score", one("•••-•••", "◦•-◦◦-•", "2 + ◦•• - ◦•", "x**3 - ◦•••••••*x**2 + ◦••••••••*x", "◦•-◦•, ◦•-◦•", "(◦•) ◦•")),
    ("example key", lambda rng: rng.choice(["AKIA" + "IOSFODNN7EXAMPLE", "gh" + "p_" + "x" * 12, "eyJhbGciOi...", "-----BEGIN PUBLIC KEY-----"])),
]  # fmt: skip


def measured() -> tuple[list[Found], list[Found]]:
    """Rows of the planted forms, and of the look-alikes."""
    planted, alike = [], []
    for place, (kind, form, maker) in enumerate(PLANTED):
        rng = random.Random(place)
        hits, kinds, sample = 0, Counter[str](), ""
        for number in range(EACH):
            value = maker(rng)
            sample = sample or value.split("\n")[0][:46]
            before, _, after = FRAMES[number % len(FRAMES)].partition("{}")
            found = pii.find(before + value + after, pii.FORMS)
            kinds.update(name for _, _, name in found)
            hits += covered(found, kind, before, value)
        planted.append(Found(kind, form, sample, hits / EACH, dict(sorted(kinds.items()))))
    for place, (form, make) in enumerate(LOOKALIKES):
        rng = random.Random(1_000 + place)
        raised, kinds, sample = 0, Counter[str](), ""
        for number in range(EACH):
            value = make(rng)
            sample = sample or value.strip()[:46]
            found = pii.find(FRAMES[number % len(FRAMES)].format(value), pii.FORMS)
            kinds.update(name for _, _, name in found)
            raised += bool(found)
        alike.append(Found("", form, sample, raised / EACH, dict(sorted(kinds.items()))))
    return planted, alike


def covered(found: list[tuple[int, int, str]], kind: str, before: str, value: str) -> bool:
    """Whether one find of the kind covers the value, without the word or mark that introduces it."""
    start, end = len(before), len(before) + len(value)
    for first, last, name in found:
        if name == kind and start <= first and last <= end:
            left = value[: first - start] + value[last - start :]
            if kind == "phone":
                return not any(character.isdigit() for character in left)
            if kind == "email":
                return left in ("", "mailto:", "?to=")
            if kind == "ip":
                return left in ("", "http:///x", ":8080", "/24", "ip=", "::ffff:", "[]:443")
            return not left or left.rstrip().lower().endswith((":", "=", "ssn"))
    return False


def precision(planted: list[Found], alike: list[Found]) -> dict[str, float]:
    """Of the finds of each kind, the share that is in planted values of that kind."""
    right, wrong = Counter[str](), Counter[str]()
    for row in planted:
        for kind, n in row.alarms.items():
            (right if kind == row.kind else wrong)[kind] += n
    for row in alike:
        wrong.update(row.alarms)
    return {kind: right[kind] / (right[kind] + wrong[kind]) for kind in pii.FORMS}
