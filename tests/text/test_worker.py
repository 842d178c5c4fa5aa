"""Pages are read in a process with limits: whatever one does to it is a row, and the others come through."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regrow.data.text import client as clients
from regrow.data.text import document, worker
from regrow.data.text.client import Client, WorkerError, converted
from regrow.data.text.document import Document, Dropped
from regrow.data.text.record import Record
from regrow.engine import hermetic
from regrow.engine.handover import Call
from regrow.params.sources import Text
from small_repository import ROOT
from warc_files import MANIFEST, WORDS, html, members, response

HARM = {
    "/loop": "while True: pass",
    "/memory": "x = [bytes(1 << 20) for _ in range(1 << 20)]",
    "/segv": "os.kill(os.getpid(), signal.SIGSEGV)",
    "/abort": "os.abort()",
    "/error": "raise KeyError('x')",
    "/recursion": "(f := lambda: f())()",
    "/printed": "print('noise', flush=True)",
}
HARMFUL = f"""
import os, resource, signal, sys
from regrow.data.text import document, worker
worker.CPU_SECONDS = 1
right = worker.convert
def convert(record, settings):
    exec({HARM!r}.get(record.url.removeprefix("http://a.example"), ""))
    return right(record, settings)
worker.convert = convert
worker.main()
"""


def record(path: str, body: bytes | None = None) -> Record:
    body = html(WORDS + path) if body is None else body
    return Record(
        f"http://a.example{path}",
        "response",
        path,
        200,
        {"content-type": "text/html"},
        body,
        "",
        0,
        False,
    )


@pytest.fixture
def harmful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client whose workers do harm on some addresses, in place of a parser that does."""
    script = tmp_path / "harmful.py"
    script.write_text(HARMFUL)
    real = clients.subprocess.Popen

    def started(command: list[str], **options: Any) -> Any:
        return real([sys.executable, str(script), command[-1]], **options)

    monkeypatch.setattr(clients.subprocess, "Popen", started)
    with Client(Text()) as client:
        yield client


def test_what_a_page_does_to_its_parser_is_a_row_and_the_others_come_through(
    harmful: Client,
) -> None:
    paths = ["/1", *(p for path in HARM for p in (path, f"/after{path}"))]
    got = dict(zip(paths, converted(map(record, paths), harmful), strict=True))
    reasons = {path: one.reason for path, one in got.items() if isinstance(one, Dropped)}
    assert reasons == {
        "/loop": "too_costly",
        "/memory": "too_costly",
        "/segv": "parser_failed",
        "/abort": "parser_failed",
        "/error": "parser_failed",
        "/recursion": "parser_failed",
    }
    details = {path: one.detail for path, one in got.items() if isinstance(one, Dropped)}
    assert (details["/segv"], details["/error"], details["/loop"]) == (
        "SIGSEGV",
        "KeyError",
        "processor time",
    )
    for path, one in got.items():
        if isinstance(one, Document):
            assert one == document.convert(record(path), Text())


def test_a_worker_that_is_killed_from_outside_ends_the_step_and_makes_no_row(
    harmful: Client,
) -> None:
    assert harmful._process
    os.kill(harmful._process.pid, signal.SIGKILL)
    harmful._process.wait()
    harmful.send(record("/1"))
    with pytest.raises(WorkerError, match="killed: is there enough memory"):
        harmful.receive()


def test_the_worker_has_room_for_the_largest_page() -> None:
    settings = Text(max_html_bytes=1_000_000)
    with Client(settings) as client:
        client.send(record("/large", b"x<br>" * 200_000))
        large = client.receive()
    assert isinstance(large, Document)
    assert worker.memory_bytes(settings) < 2 << 30


def test_the_text_step_runs_closed(tmp_path: Path) -> None:
    for name in ("crawl", "output"):
        (tmp_path / name).mkdir()
    (tmp_path / "crawl/x.warc.gz").write_bytes(members(response("/1", html())))
    (tmp_path / "manifest.yaml").write_text(MANIFEST)
    inputs = {"crawl": tmp_path / "crawl", "sources": tmp_path / "manifest.yaml"}
    params = ROOT / "tests/params/tiny.yaml"
    one = Call(
        "regrow.data.text.step:extract", (), inputs, params, ("text",), tmp_path / "output", {}
    )
    packages = (
        "polars",
        "polars-runtime-32",
        "idna",
        "resiliparse",
        "fastwarc",
        "warcio",
        "six",
        "lxml",
        "pypdfium2",
        "pyyaml",
    )
    assert hermetic.call("text", one, packages)[0]["kept"] == 1
