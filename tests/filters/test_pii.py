"""Personal data: what is found and masked, what is not, and that the page says so."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from types import SimpleNamespace as Params

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planted_pii
from regrow.data.filters import pii, step
from regrow.data.filters.document import Document, Drop
from regrow.data.filters.personal import contacts, numbers
from regrow.params.data import Filter
from regrow.params.schema import ParamsError, check

ROOT = Path(__file__).parents[2]


def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_pii", ROOT / "benchmarks/pii.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def masked(text: str, **settings: object) -> str:
    answer = pii.clean(Document(text), Filter(**{"pii": "mask"} | settings))
    return answer.text if isinstance(answer, Document) else text


def test_the_page_has_what_the_benchmark_measures():
    module = benchmark()
    page = module.PAGE.read_text(encoding="utf-8")
    assert module.parts(page)[1] == module.table(), "run: python benchmarks/pii.py --write"


def test_recall_and_alarms_on_planted_cases():
    planted, alike = planted_pii.measured()
    found = {(row.kind, row.form): row.share for row in planted}
    assert len(found) == len(planted) > 50
    whole = {
        kind: sum(share == 1 for (k, _), share in found.items() if k == kind) for kind in pii.FORMS
    }
    assert whole == {"secret": 7, "email": 7, "iban": 3, "card": 2, "ssn": 2, "ip": 4, "phone": 8}
    missed = sorted(form for (_, form), share in found.items() if share < 1)
    assert len(missed) == 20
    assert all(found[key] == 0 for key in found if key[1] in missed)  # no form is found by halves
    alarms = {row.form: round(row.share, 3) for row in alike if row.share}
    assert alarms == {
        "bare version of four numbers": 0.85,
        "matrix product in code": 0.25,
        "part number like a US social security number": 0.9,
        "number of 16 digits": 0.025,
    }


def test_masks_and_counts():
    text = "Ann <ann@mail.org>, Bob bob@web.de; tel. +49 30 1234567, from 85.42.8.183."
    answer = pii.clean(Document(text), Filter(pii="mask"))
    assert isinstance(answer, Document)
    assert answer.text == (
        "Ann <|||EMAIL_ADDRESS|||>, Bob |||EMAIL_ADDRESS|||; tel. |||PHONE_NUMBER|||, "
        "from |||IP_ADDRESS|||."
    )
    assert answer.pii == "email=2 ip=1 phone=1"
    assert pii.summed([answer.pii, None, "email=1"]) == {
        "documents": 2, "secret": 0, "email": 3, "iban": 0, "card": 0, "ssn": 0, "ip": 1, "phone": 1,
    }  # fmt: skip
    assert masked(answer.text) == answer.text
    assert masked(text, pii_kinds=["ip"]) == text.replace("85.42.8.183", "|||IP_ADDRESS|||")
    assert pii.clean(Document(text), Filter()) is None
    assert pii.clean(Document("nobody"), Filter(pii="mask")) is None


def test_a_drop_says_how_much_and_not_what():
    drop = pii.clean(Document("ann@mail.org, bob@web.de"), Filter(pii="drop"))
    assert drop == Drop("pii", 2.0, 0.0, "email=2")
    assert pii.clean(Document("ann at mail"), Filter(pii="drop")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask (+49 30 1234567) today", "ask (|||PHONE_NUMBER|||) today"),
        ("+49 30 1234567 2 more", "|||PHONE_NUMBER||| more"),  # a group more is still a number
        ("x**2 + 4782399900*x", None),
        ('UUID("7e4a23e2-b969-4761-be35-1a8ced58e323")', None),  # IBAN's check digits by chance
        ("+999 30 1234567", "+999 30 1234567"),  # no such country
        ("+1 212 911 0000", "+1 212 911 0000"),
        ("(398)699-6057x0340", "|||PHONE_NUMBER|||x0340"),
        ("ﾃｽﾄ　ann＠mail．org", "ﾃｽﾄ　|||EMAIL_ADDRESS|||"),
        ("http://85.42.8.183/x", "http://|||IP_ADDRESS|||/x"),
        ("Version 85.42.8.183", "Version 85.42.8.183"),
        ("see 4.6.4.1 Stable", "see 4.6.4.1 Stable"),
        ("256.42.8.183 and 085.42.8.183", "256.42.8.183 and 085.42.8.183"),
        ("DE89 3704 0044 0532 0130 00 is it", "|||IBAN_CODE||| is it"),
        ("DE89 3704 0044 0532 0130 01 is not", "DE89 3704 0044 0532 0130 01 is not"),
        ("4111 1111 1111 1111", "|||CREDIT_CARD|||"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("4111 1111-1111 1111", "4111 1111-1111 1111"),
        ("666-12-3456 000-12-3456 912-12-3456 123-00-4567", None),
        ("078-05-1120", None),  # printed in an advertisement
        ("SSN 123 45 6780", "SSN |||US_SSN|||"),
        ("-----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY----- are marks", None),
        ("eyJhbGciOiJIUzI1NiJ9x.eyJzdWIiOiIxIn0.aaaaaaaaaaaaaaaaaaaaaa", None),  # no JSON in it
        ("the total is 12-34-5678 or 1,234,567.89", None),
    ],
)
def test_single_cases(text: str, expected: str | None):
    assert masked(text) == (text if expected is None else expected)


def test_check_digits():
    assert numbers.mod97("GB82WEST12345698765432") == 1  # ISO 13616's example
    assert numbers.mod97("GB82WEST12345698765423") != 1
    assert numbers.luhn("79927398713")  # ISO/IEC 7812's example
    assert not any(numbers.luhn(f"7992739871{d}") for d in "012456789")
    assert numbers.issued("2221" + "0" * 12)
    assert not numbers.issued("2220" + "0" * 12)
    assert numbers.issued("2720" + "9" * 12)
    assert not numbers.issued("2721" + "0" * 12)
    assert contacts.international("4930123456")
    assert not contacts.international("4930")


@given(st.text(alphabet="@.+-() 0123456789abx:/\n１٣", max_size=80))
def test_finds_are_apart_and_inside_the_text(text: str):
    found = pii.find(text, pii.FORMS)
    edges = [place for start, end, _ in found for place in (start, end)]
    assert edges == sorted(edges)
    assert all(start < end <= len(text) for start, end, _ in found)


@pytest.mark.parametrize(
    "unit",
    ["@", "a@", "1 ", "+1", "1.1.1.1.", "a:", "DE12 ", "-----BEGIN PRIVATE KEY-----", "eyJaaaaaaaa.", "(at)", "a.b@c.d."],
)  # fmt: skip
def test_hostile_text_costs_its_length(unit: str):
    """Steps of the searches are not seen from here; a square of 50,000 would take minutes."""
    pii.find(unit * (50_000 // len(unit)), pii.FORMS)


def test_the_step_counts_and_writes_a_column_only_when_it_is_on(tmp_path: Path):
    rows = [
        {"id": "a", "url": "http://x.org/a", "mime": "text/x-python", "text": "# ann@mail.org\nx = 1  # and some more of it\n"},
        {"id": "b", "url": "http://x.org/b", "mime": "text/x-python", "text": "def f(x):\n    return x * 2 + 1  # more\n"},
    ]  # fmt: skip
    (tmp_path / "text").mkdir()
    pl.DataFrame(rows).write_parquet(tmp_path / "text/documents.parquet")

    def run(**settings: object) -> tuple[dict[str, object], pl.DataFrame]:
        params = Params(filter=Filter(**settings))
        counts = step.run({"text": tmp_path / "text"}, params, tmp_path / "out")
        return counts, pl.read_parquet(tmp_path / "out/documents.parquet")

    counts, table = run()
    assert counts == {"in": 2, "kept": 2, "dropped": {}}
    assert "pii" not in table.columns

    counts, table = run(pii="mask")
    assert counts["kept"] == 2
    assert counts["pii"]["documents"] == counts["pii"]["email"] == 1
    assert table["pii"].to_list() == ["email=1", None]
    assert table["text"][0].startswith("# |||EMAIL_ADDRESS|||\n")

    counts, table = run(pii="drop")
    assert (counts["kept"], counts["dropped"]) == (1, {"pii": 1})
    assert counts["pii"]["email"] == 1
    assert "pii" not in table.columns
    assert pl.read_parquet(tmp_path / "out/drops.parquet")["detail"].to_list() == ["email=1"]


def test_an_unknown_kind_is_an_error():
    with pytest.raises(ParamsError, match=r"filter\.pii_kinds"):
        check({"filter": {"pii_kinds": ["mail"]}}, "p.yaml")
