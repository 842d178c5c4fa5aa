"""Whatever a PDF is, it is a document or a row with its reason, and the next one is read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from determinism import SETTINGS, run_python
from layout_pdf import ABOUT, HILLS, RIVER, Sheet, document, wrapped
from regrow.data.pdf import page, segments, worker
from regrow.data.pdf.client import Client
from regrow.data.pdf.document import convert
from regrow.data.pdf.extract import extract
from regrow.data.text import client as clients
from regrow.data.text.document import Document, Dropped, document_id
from regrow.data.text.record import Record
from regrow.data.text.wire import read_record, record_bytes
from regrow.data.web.cost import TooCostlyError
from regrow.params.sources import Text
from small_pdf import page as one_page
from small_pdf import pdf, stream
from source_files import write

GOOD = document(Sheet().lines(72, 700, wrapped(ABOUT, 90)), title="On keepers")


def record(name: str, body: bytes) -> Record:
    return Record(f"source://mine/{name}", "resource", "", 200, {"content-type": "application/pdf"}, body, "", 0, False)  # fmt: skip


def made(body: bytes, **params: Any) -> Document | Dropped:
    return convert(record("a.pdf", body), Text(**params))[0]


def encrypted() -> bytes:
    """A PDF with a password that is not empty: its key is of no use."""
    body = pdf(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>",
        b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -44>>" % (b"41" * 32, b"42" * 32),
    )  # fmt: skip
    return body.replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 3 0 R/ID[<00><00>]")


def test_a_good_one_has_title_name_and_metadata():
    found, metadata = convert(record("a.pdf", GOOD), Text())
    assert isinstance(found, Document)
    assert (found.title, found.text, found.charset) == ("On keepers", ABOUT, "pdf")
    assert found.id == document_id("source://mine/a.pdf", GOOD)
    assert metadata == {"pages": "1", "pdf_page_numbers": f"[[0, {len(ABOUT)}, 1]]"}


CYCLE = pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>")  # fmt: skip
FORMS = one_page(b"/X Do", stream(b"/X Do " * 4, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>"), resources=b"/XObject<</X 6 0 R>>")  # fmt: skip
REASONS = {
    "broken_pdf": b"no pdf", "encrypted_pdf": encrypted(), "empty": document(Sheet()), "scanned": document(Sheet().picture()),
    "too_costly": FORMS,
}  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_has_a_file(reason: str):
    found = made(REASONS[reason])
    assert isinstance(found, Dropped) and found.reason == reason


@pytest.mark.parametrize("body", [CYCLE, GOOD[:400], b"%PDF-1.7\n" + bytes(999)])
def test_damaged_files_and_cyclic_trees_are_rows(body: bytes):
    found = made(body)
    assert isinstance(found, Dropped) and found.reason in ("broken_pdf", "empty")


def test_a_damaged_page_does_not_spoil_the_others():
    sheets = document(*(Sheet().lines(72, 700, wrapped(text, 90)) for text in (ABOUT, RIVER, HILLS)))  # fmt: skip
    at = sheets.index(b"/Type/Page/", sheets.index(b"/Type/Page/") + 9)
    found = extract(sheets[:at] + b"/Type/Pige/" + sheets[at + 11 :], 9)
    assert ABOUT in found.text and HILLS in found.text


def test_thousands_of_pages_are_counted_and_read_up_to_the_limit():
    shared = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 3 0 R/Resources<</Font<</F 4 0 R>>>>>>"
    kids = b" ".join(b"%d 0 R" % (5 + number) for number in range(2_000))
    text = stream(b"BT /F 10 Tf 72 700 Td (A line of the page, the same on each.) Tj ET")
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    body = pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count 2000>>" % kids, text, font, *[shared] * 2_000)  # fmt: skip
    found = extract(body, 3)
    assert (found.pages, found.read) == (2_000, 3) and found.text.count("A line") == 3
    document, metadata = convert(record("a.pdf", body), Text(pdf_max_pages=3))
    assert isinstance(document, Document) and metadata["pages_left_out"] == "1997"


def test_a_page_and_a_document_have_a_limit_of_characters(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(segments, "MAX_PAGE_CHARACTERS", 100)
    found = made(GOOD)
    assert isinstance(found, Dropped)
    assert (found.reason, found.threshold, found.detail) == ("too_costly", 100, "characters of a page")  # fmt: skip
    monkeypatch.setattr(segments, "MAX_PAGE_CHARACTERS", 10_000)
    monkeypatch.setattr("regrow.data.pdf.extract.MAX_CHARACTERS", 500)
    with pytest.raises(TooCostlyError, match="all pages"):
        extract(document(*[Sheet().lines(72, 700, wrapped(ABOUT, 90))] * 3), 9)


def test_places_and_sizes_that_no_page_has_are_left_out_or_bounded():
    sheet = Sheet().lines(72, 700, wrapped(ABOUT, 90))
    for matrix in ("1e30 0 0 1e30 72 600", "0 0 0 0 72 500", "1 0 0 1 1e30 400", "1e-30 0 0 1e-30 72 300", "3 7 -7 3 200 200"):  # fmt: skip
        sheet.shown.append(b"BT /F 10 Tf %s Tm (odd) Tj ET" % matrix.encode())
    assert extract(document(sheet), 9).text.startswith(ABOUT)


HARM = """
import os, signal, sys
from regrow.data.pdf import worker
worker.cpu_seconds = lambda settings: 1
right = worker.convert
def convert(record, settings):
    harm = {"loop": "while True: pass", "memory": "x = [bytes(1 << 22) for _ in range(1 << 20)]", "segv": "os.kill(os.getpid(), signal.SIGSEGV)",
            "error": "raise KeyError('x')"}
    exec(harm.get(record.url.rpartition("/")[2], ""))
    return right(record, settings)
worker.convert = convert
worker.main()
"""


@pytest.fixture
def harmful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client whose workers do harm on some names, in place of a parser that does."""
    script = write(tmp_path / "harmful.py", HARM)
    real = clients.subprocess.Popen
    monkeypatch.setattr(clients.subprocess, "Popen", lambda command, **more: real([sys.executable, str(script), command[-1]], **more))  # fmt: skip
    with Client(Text(pdf_max_pages=40)) as client:
        yield client


def test_what_a_pdf_does_to_its_parser_is_a_row_and_the_others_come_through(harmful: Client):
    found = {}
    for name in ("a", "loop", "b", "memory", "c", "segv", "d", "error", "e"):
        harmful.send(record(name, GOOD))
        found[name] = harmful.receive()
    dropped = {n: (one.reason, one.detail) for n, one in found.items() if isinstance(one, Dropped)}
    assert dropped == {
        "loop": ("too_costly", "processor time"), "memory": ("too_costly", "needs more memory than a PDF may have"),
        "segv": ("parser_failed", "SIGSEGV"), "error": ("parser_failed", "KeyError"),
    }  # fmt: skip
    loop = found["loop"]
    assert isinstance(loop, Dropped) and loop.value == worker.cpu_seconds(Text(pdf_max_pages=40)) == 70  # fmt: skip
    for name in "abcde":
        assert isinstance(found[name], Document) and harmful.metadata["pages"] == "1"


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(place=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(GOOD)))
def test_no_damage_raises(place: int, byte: int, cut: int):
    for body in (GOOD[:place] + bytes([byte]) + GOOD[place + 1 :], GOOD[:cut]):
        found, _, good = worker.result(record("a.pdf", body), Text())
        assert isinstance(found, Document) or found.reason in ("broken_pdf", "empty", "encrypted_pdf", "too_costly", "scanned")  # fmt: skip
        assert good


STEP = """
import hashlib, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.data.sources.kinds import pdf
from regrow.params.source import Source
from regrow.params.sources import Text
entry = Source(name="mine", kind="pdf", files=("in",), licence="unknown", origin="a test").model_dump()
root, parts = Path(sys.argv[1]), int(sys.argv[2])
for part in range(parts):
    inputs = {"files": Path(f"{root}/in#{part:03d}of{parts:03d}") if parts > 1 else root / "in"}
    pdf.run(inputs, SimpleNamespace(text=Text()), root / f"out{parts}" / str(part), source=entry, instance="")
for path in sorted((root / f"out{parts}").rglob("*.parquet")):
    print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_the_step_gives_equal_bytes_in_two_processes(tmp_path: Path):
    said = []
    for number, env in enumerate(SETTINGS):
        root = tmp_path / str(number)
        write(root / "in/a.pdf", GOOD)
        write(root / "in/sub/b.pdf", document(*[Sheet().lines(72, 700, wrapped(t, 44)).lines(320, 700, wrapped(ABOUT, 44)) for t in (RIVER, HILLS)]))  # fmt: skip
        write(root / "in/c.pdf", b"no")
        done = run_python(STEP, str(root), "1", cwd=root, **env)
        assert done.returncode == 0, done.stderr[-2000:]
        said.append(done.stdout)
    assert said[0] == said[1] and len(said[0].split()) == 2


def test_a_page_is_closed_and_nothing_of_pdfium_is_held():
    with pypdfium2.PdfDocument(GOOD) as opened:
        read = page.read(opened, 1)
    assert next(one.text for one in read.main).startswith("The keeper")


def test_a_record_with_what_ocr_read_goes_through_the_pipe():
    import io

    one = record("a.pdf", GOOD)
    again = read_record(io.BytesIO(record_bytes(one)))
    assert again == one
