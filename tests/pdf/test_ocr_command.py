"""`regrow sources ocr`: rows of olmOCR taken over, compared with the PDFs, and what lacks where it cannot run."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from layout_pdf import ABOUT, Sheet, document, wrapped
from regrow.change.sources import ocr, olmocr
from regrow.cli.main import main
from regrow.data.pdf import ocr as rows
from regrow.evidence.errors import Unanswerable
from regrow.params.schema import ParamsError, load
from regrow.recipe import table
from source_files import write

SCAN = document(Sheet().picture())
OTHER = document(Sheet().picture(), Sheet().picture())
TEXT = document(Sheet().lines(72, 700, wrapped(ABOUT, 90)))


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Snakefile").touch()
    write(tmp_path / "scans/a.pdf", SCAN)
    write(tmp_path / "scans/sub/b.pdf.gz", gzip.compress(OTHER))
    write(tmp_path / "scans/text.pdf", TEXT)
    recipe(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recipe(root: Path, **entry: Any) -> str:
    said = {"files": ["scans/**/*"], "kind": "pdf", "licence": "CC0-1.0", "origin": "a test", "ocr": "ocr/scans.jsonl"}  # fmt: skip
    path = write(root / "params/mine.yaml", yaml.safe_dump({"sources": [{"scans": said | entry}], "stages": ["pretrain"]}))  # fmt: skip
    return str(path)


def row(file: str, *pages: str, **about: Any) -> str:
    """As olmOCR writes it: with dates and a path of its machine."""
    text = "".join(f"{page}\n" for page in pages)
    ends = [sum(len(p) + 1 for p in pages[: n + 1]) for n in range(len(pages))]
    spans = [[begin, end, n + 1] for n, (begin, end) in enumerate(zip([0, *ends], ends, strict=False))]  # fmt: skip
    metadata = {"Source-File": file, "olmocr-version": "0.4.27", "pdf-total-pages": len(pages), "total-input-tokens": 9, **about}  # fmt: skip
    return json.dumps({"id": "0", "text": text, "source": "olmocr", "added": "2026-11-30", "created": "2026-11-30", "metadata": metadata,
                       "attributes": {"pdf_page_numbers": spans, "primary_language": ["en"]}}) + "\n"  # fmt: skip


def test_rows_that_olmocr_wrote_elsewhere_are_taken_over_by_digest_or_name(root: Path, capsys: Any):
    results = root / "results"
    write(results / "output_1.jsonl", row(f"/tmp/pdfs/{sha(OTHER)}.pdf", "Page one.", "Page two."))
    write(results / "output_2.jsonl", row("s3://bucket/a.pdf", "The only page.") + row("/x/none.pdf", "Lost.") + "{\n")  # fmt: skip
    command = ["sources", "ocr", "params/mine.yaml", "scans", "--results", "results", "--model", "m/n", "--revision", "abc"]  # fmt: skip
    assert main(command) == 1  # one row belongs to no PDF, one is damaged
    said = capsys.readouterr().out
    assert "2 new, 2 rows" in said and "none.pdf" in said and "output_2.jsonl, line 3: is not JSON" in said  # fmt: skip
    written = (root / "ocr/scans.jsonl").read_text()
    found = [json.loads(line) for line in written.splitlines()]
    assert [one["metadata"]["sha256"] for one in found] == sorted([sha(SCAN), sha(OTHER)])
    by_name = {one["metadata"]["Source-File"]: one for one in found}
    assert set(by_name) == {"a.pdf", "sub/b.pdf.gz"}
    about = by_name["a.pdf"]["metadata"]
    assert (about["model"], about["model_revision"], about["olmocr-version"]) == ("m/n", "abc", "0.4.27")  # fmt: skip
    assert "2026" not in written and "/tmp" not in written and "s3:" not in written
    assert by_name["sub/b.pdf.gz"]["attributes"]["page_sha256"] == [sha(b"Page one.\n"), sha(b"Page two.\n")]  # fmt: skip
    assert main(command) == 1 and (root / "ocr/scans.jsonl").read_text() == written
    assert rows.load(root / "ocr/scans.jsonl").faults == []
    assert main(["sources", "ocr", "params/mine.yaml"]) == 0
    assert "2 of 3 PDFs have a row" in capsys.readouterr().out


def test_a_row_of_a_pdf_that_changed_is_stale_and_one_of_no_pdf_is_unmatched(
    root: Path, capsys: Any
):
    write(root / "results.jsonl", row("a.pdf", "The only page.") + row("b.pdf", "One.", "Two."))
    ocr.take(root, "params/mine.yaml", "scans", root / "results.jsonl", {})
    write(root / "scans/a.pdf", SCAN + b"\n")
    (root / "scans/sub/b.pdf.gz").unlink()
    (found,) = ocr.check(root, "params/mine.yaml", [])
    assert (found["stale"], found["unmatched"], found["matched"]) == (["a.pdf"], ["sub/b.pdf.gz"], 0)  # fmt: skip
    assert main(["sources", "ocr", "params/mine.yaml"]) == 1
    out = capsys.readouterr().out
    assert "stale" in out and "unmatched" in out


def test_a_newer_reading_takes_the_place_of_the_older_and_others_stay(root: Path):
    write(root / "one.jsonl", row("a.pdf", "First.") + row("b.pdf", "One.", "Two."))
    write(root / "two.jsonl", row("a.pdf", "Better."))
    for name in ("one", "two"):
        ocr.take(root, "params/mine.yaml", "scans", root / f"{name}.jsonl", {})
    frozen = rows.load(root / "ocr/scans.jsonl")
    texts = {sha256: frozen.reading(sha256).row["text"] for sha256 in frozen.places}  # type: ignore[union-attr]
    assert texts == {sha(SCAN): "Better.\n", sha(OTHER): "One.\nTwo.\n"}


def test_without_olmocr_vllm_and_a_gpu_it_says_what_lacks(root: Path, monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    monkeypatch.setattr(olmocr.shutil, "which", lambda name: None)
    monkeypatch.setattr(olmocr.Run, "_asked", lambda self: {"olmocr": "", "vllm": "", "torch": "2", "gpu": ""})  # fmt: skip
    with pytest.raises(Unanswerable) as caught:
        ocr.make(root, "params/mine.yaml", "scans", olmocr.Run("py"))
    said = str(caught.value)
    for part in ("olmocr is not installed", "vllm is not installed", "sees no GPU", "pdftoppm", "--results"):  # fmt: skip
        assert part in said
    monkeypatch.undo()
    with pytest.raises(Unanswerable, match="does not answer as Python"):
        olmocr.Run("/no/python").ready()


def test_only_pdfs_with_scanned_pages_are_read_and_how_is_written_down(root: Path, monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    given: list[str] = []

    def pipeline(self: olmocr.Run, workspace: Path, pdfs: list[Path]) -> None:
        given.extend(path.stem for path in pdfs)
        assert all(path.read_bytes() in (SCAN, OTHER) for path in pdfs)
        write(workspace / "results/o.jsonl", row(str(pdfs[0]), "Read.") + row(str(pdfs[1]), "Read.", "Too."))  # fmt: skip

    monkeypatch.setattr(olmocr.Run, "ready", lambda self: self)
    monkeypatch.setattr(olmocr.Run, "pipeline", pipeline)
    monkeypatch.setattr(olmocr.Run, "_fetched", lambda self: Path("snapshots/c0ffee"))
    said: list[str] = []
    engine = olmocr.Run("py", "m/n", options=("--workers", "2"), versions=(("vllm", "0.11"),))
    answer = ocr.make(root, "params/mine.yaml", "scans", engine, said.append)
    assert given == [sha(SCAN), sha(OTHER)] and said == ["scans: 2 of 3 PDFs have scanned pages"]
    assert (answer["new"], answer["unmatched"]) == (2, [])
    about = json.loads((root / "ocr/scans.jsonl").read_text().splitlines()[0])["metadata"]
    assert about["model_revision"] == "c0ffee"
    assert about["parameters"] == {"options": ["--workers", "2"], "vllm": "0.11"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": "html"}, "scans.ocr: only PDFs have scanned pages"), ({"ocr": "https://a.example/x.jsonl"}, "is an address"),
        ({"ocr": "../x.jsonl"}, "scans.ocr: `../x.jsonl` is no path below"), ({"ocr": "data/x.jsonl"}, "scans.ocr: `data/x.jsonl` is where steps"),
    ],
)  # fmt: skip
def test_a_recipe_is_refused_where_ocr_makes_no_sense(entry: dict[str, Any], said: str, root: Path):
    with pytest.raises(ParamsError, match="scans") as caught:
        load(Path(recipe(root, **entry)))
    assert said in str(caught.value)


def test_what_ocr_read_is_an_input_of_the_step_and_other_sources_have_none(root: Path):
    step = {
        one.name: one for one in table.recipe(load(Path(recipe(root))).model_dump(mode="json"))
    }["read_scans"]
    assert [(one.name, one.path) for one in step.inputs] == [("files.000", "scans/**/*"), ("ocr", "ocr/scans.jsonl")]  # fmt: skip
    assert step.options["source"]["ocr"] == "ocr/scans.jsonl"
    none = {
        one.name: one
        for one in table.recipe(load(Path(recipe(root, ocr=""))).model_dump(mode="json"))
    }["read_scans"]
    assert [one.name for one in none.inputs] == ["files.000"] and "ocr" not in none.options["source"]  # fmt: skip


def test_commands_name_what_is_missing(root: Path):
    with pytest.raises(Unanswerable, match="holds no row of olmOCR"):
        ocr.take(root, "params/mine.yaml", "scans", root / "nothing", {})
    recipe(root, ocr="")
    with pytest.raises(Unanswerable, match=r"no source of kind pdf names `ocr`"):
        ocr.check(root, "params/mine.yaml", [])
    with pytest.raises(Unanswerable, match=r"scans.ocr: is missing"):
        ocr.check(root, "params/mine.yaml", ["scans"])
    recipe(root, ocr="ocr")
    write(root / "r.jsonl", row("a.pdf", "Read."))
    with pytest.raises(Unanswerable, match="is not a file that can be written"):
        ocr.take(root, "params/mine.yaml", "scans", root / "r.jsonl", {})
