"""What the filter of personal data finds of planted cases, and what it mistakes: prints a table in Markdown.

    python benchmarks/pii.py [--write]
    python benchmarks/pii.py --numbers  # needs the package phonenumbers, which is not among the dependencies

The second form takes its cases from somebody else: the example numbers of libphonenumber, fixed and mobile, of all its regions.

With `--write` the table goes into docs/concepts/data.md. The cases are in tests/support/planted_pii.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/support"))
import planted_pii
from regrow.data.filters import pii

PAGE = Path(__file__).resolve().parent.parent / "docs/concepts/data.md"
BEGIN = "<!-- pii: written by benchmarks/pii.py --write -->\n"
END = "<!-- end of pii -->\n"


def table() -> str:
    """The three tables: recall by form, alarms by look-alike, precision by kind."""
    planted, alike = planted_pii.measured()
    lines = ["| kind | form | found |\n| --- | --- | --- |\n"]
    lines += [f"| {row.kind} | {row.form} | {row.share:.0%} |\n" for row in planted]
    lines += ["\n| looks like it | taken for it |\n| --- | --- |\n"]
    for row in alike:
        kinds = f" ({', '.join(row.alarms)})" if row.alarms else ""
        lines.append(f"| {row.form} | {row.share:.0%}{kinds} |\n")
    shares = planted_pii.precision(planted, alike).items()
    lines.append(
        "\nOf all finds in these two tables the share that was planted: "
        + ", ".join(f"{kind} {share:.0%}" for kind, share in shares)
        + ".\n"
    )
    return "".join(lines)


def parts(text: str) -> tuple[str, str, str]:
    """The page before, inside and after the tables."""
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    return before + BEGIN, inside, END + after


def numbers() -> str:
    """How many of libphonenumber's example numbers are found, by the form in which they are written."""
    import phonenumbers as peer

    forms = {
        "+ and country code": ("Call ", peer.PhoneNumberFormat.INTERNATIONAL),
        "+ and country code, in one piece": ("Call ", peer.PhoneNumberFormat.E164),
        "national, behind Tel.": ("Tel.: ", peer.PhoneNumberFormat.NATIONAL),
        "national": ("Call ", peer.PhoneNumberFormat.NATIONAL),
    }
    kinds = (peer.PhoneNumberType.FIXED_LINE, peer.PhoneNumberType.MOBILE)
    cases = [
        number
        for region in sorted(peer.SUPPORTED_REGIONS)
        for kind in kinds
        if (number := peer.example_number_for_type(region, kind))
    ]
    lines = [f"phonenumbers {peer.__version__}, {len(cases)} numbers\n"]
    for name, (before, form) in forms.items():
        hits = 0
        for case in cases:
            value = peer.format_number(case, form)
            whole = (len(before), len(before) + len(value), "phone")
            hits += whole in pii.find(f"{before}{value} today.", ["phone"])
        lines.append(f"{name}: {hits}\n")
    return "".join(lines)


def main() -> None:
    """Print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into docs/concepts/data.md")
    parser.add_argument("--numbers", action="store_true", help="the numbers of libphonenumber")
    options = parser.parse_args()
    if not options.write:
        print(numbers() if options.numbers else table())
        return
    before, _, after = parts(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(before + table() + after, encoding="utf-8")


if __name__ == "__main__":
    main()
