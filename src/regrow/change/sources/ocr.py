"""`regrow sources ocr`: what OCR read on scanned pages, checked, taken over from olmOCR, or made by it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regrow import selection
from regrow.change.sources import olmocr
from regrow.change.sources.named import sources
from regrow.change.sources.ocr_rows import File, body, files, matched, row, written
from regrow.data.pdf import ocr
from regrow.data.pdf.client import Client
from regrow.data.sources.progress import Said, to_stderr
from regrow.data.text.document import Dropped
from regrow.data.text.record import Record
from regrow.evidence.errors import Unanswerable
from regrow.params.source import Source
from regrow.params.sources import Text

_UNREAD = ("scanned", "unmapped_fonts")
"""reasons for which a PDF is dropped that OCR can read"""


def check(root: Path, recipe: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Compare the frozen rows of each source with its PDFs.

    Returns:
        for each source that names `ocr`: `pdfs`, `matched`; `stale`: rows for a PDF whose bytes are others now;
        `unmatched`: rows for a PDF that the source has not; `damaged`: a sentence for each row that cannot be used;
        `without`: rows that name no digest.

    Raises:
        Unanswerable: no source names `ocr`, or the files of one are not here.
    """
    return [_checked(root, source) for source in _named(root, recipe, names)]


def _named(root: Path, recipe: str, names: Sequence[str]) -> list[Source]:
    found = [source for source in sources(root, recipe, names) if source.kind == "pdf"]
    missing = [source.name for source in found if not source.ocr]
    if names and missing:
        raise Unanswerable(f"{recipe}: sources: {missing[0]}.ocr: is missing. Fix: `ocr: ocr/{missing[0]}.jsonl`.")  # fmt: skip
    found = [source for source in found if source.ocr]
    if not found:
        raise Unanswerable(f"{recipe}: no source of kind pdf names `ocr`. Fix: `ocr: ocr/NAME.jsonl` in its entry.")  # fmt: skip
    return found


def _checked(root: Path, source: Source) -> dict[str, Any]:
    known = files(root, source)
    frozen = ocr.load(root / source.ocr) if (root / source.ocr).exists() else ocr.Frozen()
    digests, names = {one.sha256 for one in known}, {one.name for one in known}
    lost = sorted((frozen.names[sha], sha) for sha in frozen.places if sha not in digests)
    return {
        "name": source.name,
        "ocr": source.ocr,
        "pdfs": len(known),
        "matched": len(digests & frozen.places.keys()),
        "stale": [name for name, _ in lost if name in names],
        "unmatched": [name or sha for name, sha in lost if name not in names],
        "damaged": frozen.faults,
        "without": frozen.counts["unnamed"],
        "repeated": frozen.counts["repeated"],
    }


def take(
    root: Path, recipe: str, name: str, results: Path, how: Mapping[str, Any]
) -> dict[str, Any]:
    """Take over rows that olmOCR wrote elsewhere (`WORKSPACE/results`), found by digest or name of their PDF.

    Args:
        results: a file or folder of JSON Lines.
        how: model, model_revision, parameters, as far as they are known.

    Raises:
        Unanswerable: there is no row, or the source's `ocr` is no file of JSON Lines.
    """
    (source,) = _named(root, recipe, [name])
    rows, faults = _rows(results)
    if not rows:
        raise Unanswerable(f"{results}: holds no row of olmOCR ({'; '.join(faults[:3]) or 'no .jsonl file'}).")  # fmt: skip
    known = files(root, source)
    found, lost = matched(rows, known)
    return _written(root, source, known, found, how) | {"unmatched": lost, "damaged": faults}


def make(root: Path, recipe: str, name: str, run: olmocr.Run, said: Said = to_stderr) -> dict[str, Any]:  # fmt: skip
    """Run olmOCR on the PDFs that have scanned pages, and freeze what it reads. Not yet run on a GPU.

    Raises:
        Unanswerable: olmOCR, vLLM, a GPU or poppler is missing (the message says which), or olmOCR failed.
    """
    (source,) = _named(root, recipe, [name])
    run = run.ready()
    known = files(root, source)
    scanned = _scanned(known, source)
    said(f"{name}: {len(scanned):,} of {len(known):,} PDFs have scanned pages")
    if not scanned:
        return _written(root, source, known, {}, {}) | {"unmatched": [], "damaged": []}
    workspace = root / ".regrow/ocr" / name
    for one in scanned:
        target = workspace / "pdfs" / f"{one.sha256}.pdf"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body(one, source))
    run.pipeline(workspace, [workspace / "pdfs" / f"{one.sha256}.pdf" for one in scanned])
    rows, faults = _rows(workspace / "results")
    found, lost = matched(rows, known)
    return _written(root, source, known, found, run.how()) | {"unmatched": lost, "damaged": faults}


def _rows(place: Path) -> tuple[list[ocr.Reading], list[str]]:
    rows, faults = [], []
    for name, path in selection.files(place.absolute()) if place.exists() else ():
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if name.endswith(".jsonl") and line.strip():
                try:
                    rows.append(ocr.parsed(line))
                except ocr.DamagedError as error:
                    faults.append(f"{name}, line {number}: {error}")
    return rows, faults


def _written(
    root: Path, source: Source, known: Sequence[File], found: Mapping[str, ocr.Reading], how: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """Add readings to the frozen file of a source; a PDF that is read again has its new row."""
    target = root / source.ocr
    if not source.ocr.endswith(".jsonl") or target.is_dir():
        raise Unanswerable(f"{source.name}.ocr: `{source.ocr}` is not a file that can be written. Fix: `ocr: ocr/{source.name}.jsonl`.")  # fmt: skip
    by_digest = {one.sha256: one for one in known}
    rows = {sha: row(by_digest[sha], reading, how) for sha, reading in found.items()}
    before = ocr.load(target) if target.exists() else ocr.Frozen()
    for sha in before.places.keys() - rows.keys():
        kept = before.reading(sha)
        assert kept is not None
        rows[sha] = dict(kept.row)
    if rows:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(written(rows.values()), encoding="utf-8")
    return {"name": source.name, "ocr": source.ocr, "new": len(found), "rows": len(rows)}


def _scanned(known: Sequence[File], source: Source) -> list[File]:
    """The PDFs that have a page that only OCR can read."""
    found = []
    with Client(Text()) as client:
        for one in known:
            headers = {"content-type": "application/pdf"}
            client.send(Record(one.name, "resource", "", 200, headers, body(one, source), "", 0, False))  # fmt: skip
            made = client.receive()
            dropped = isinstance(made, Dropped) and made.reason in _UNREAD
            if dropped or {"scanned_pages", "unmapped_pages"} & client.metadata.keys():
                found.append(one)
    return found
