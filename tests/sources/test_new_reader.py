"""A reader is added in the two files that CONTRIBUTING names, and everything that asks for kinds of sources knows it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DECLARED = '''"""Letters, a file each."""

from __future__ import annotations

from regrow.params.readable import Files

FILES = Files(endings=(".eml",), packed=(".gz",))
'''
READER = '''"""Letters as mail programs keep them (RFC 5322), a file each."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

from regrow.data.sources.decoding import clean, decoded
from regrow.data.sources.item import Item, Refused
from regrow.data.sources.opening import HEAD_BYTES
from regrow.data.sources.step import reading
from regrow.data.sources.whole import address, content
from regrow.params.readers.mail import FILES
from regrow.params.source import Source

SUFFIXES = FILES.suffixes


def read(path: Path, name: str, source: Source) -> Iterator[Item | Refused]:
    """The plain text of a letter."""
    body, said = content(path, name, source), clean(name)
    if isinstance(body, Refused):
        yield body
        return
    letter = message_from_bytes(body, policy=policy.default)
    plain = letter.get_body(("plain",))
    if plain is None:
        yield Refused(body[:HEAD_BYTES], "missing_text", "no plain text", said, said)
        return
    found = decoded(plain.get_payload(decode=True), said, said)
    if isinstance(found, Refused):
        yield found
        return
    yield Item(
        text=found.text, payload=body, name=said, url=address(name, source), title=str(letter["subject"] or ""),
        charset=found.charset, repaired=found.repaired,
    )


run = reading(SUFFIXES, read)
'''
PROBE = """
import json, sys
from pathlib import Path

import polars as pl
import regrow
from regrow.data.sources.reader import reader
from regrow.engine.closure import Modules, closure
from regrow.params.schema import Params, json_schema
from regrow.recipe.order import rank
from regrow.engine import jobs
from regrow.release.corpora import reads
from regrow.selection import instance

here = Path(sys.argv[1])
entry = {"files": ["letters/**/*.eml"], "licence": "CC0-1.0", "origin": "a test"}
rows = {**entry, "files": ["rows/*.jsonl"]}
params = Params.model_validate({"sources": [{"letters": entry}, {"rows": rows}], "stages": ["pretrain"]})
table = jobs.flow().under(params.model_dump(mode="json"))
step = table.step("read_letters")
modules = Modules(here / "cache.json", table.packages)
def reached(name):
    step = table.step(name)
    found = closure(modules, step.function.partition(":")[0], table.params_root, step.model_sections).modules
    return [m for m in found if "mail" in m or "kinds.jsonl" in m or "readers.jsonl" in m]
counts = __import__(step.function.partition(":")[0], fromlist=["run"]).run(
    {"files.000": here / "letters"}, params, here / "out", instance=instance(0, 1), **step.options
)
print(json.dumps({
    "at": regrow.__file__,
    "kind": params.sources[0].kind,
    "function": step.function,
    "reached": {name: reached(name) for name in ("read_letters", "read_rows", "dedup")},
    "schema": json_schema()["properties"]["sources"]["items"]["anyOf"][1]["additionalProperties"]["properties"]["kind"]["enum"],
    "reads": reads(step.function),
    "rank": rank(step.function) == rank(table.step("read_rows").function),
    "endings": reader("mail").SUFFIXES,
    "counts": counts,
    "texts": sorted(pl.read_parquet(here / "out/documents.parquet", glob=False)["text"]),
    "reasons": sorted(pl.read_parquet(here / "out/drops.parquet", glob=False)["reason"]),
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process says whose regrow has one more reader."""
    here = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "src/regrow", here / "src/regrow", ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    (here / "src/regrow/params/readers/mail.py").write_text(DECLARED)
    (here / "src/regrow/data/sources/kinds/mail.py").write_text(READER)
    letters = here / "letters"
    (letters / "deep").mkdir(parents=True)
    head = "From: a@a.example\nSubject: Rain\nContent-Type: text/%s; charset=utf-8\n\n"
    (letters / "a.eml").write_text(head % "plain" + "It rained all day on the hills.\n")
    (letters / "deep/b.eml").write_text(head % "html" + "<p>Only a page.</p>\n")
    (letters / "deep/c.txt").write_text("No letter.\n")
    env = {**os.environ, "PYTHONPATH": str(here / "src")}
    done = subprocess.run([sys.executable, "-c", PROBE, str(here)], cwd=here, env=env, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["at"] == str(here / "src/regrow/__init__.py")
    return found


def test_a_recipe_names_it_by_the_ending_of_its_files(said: dict[str, Any]) -> None:
    assert said["kind"] == "mail" and said["function"] == "regrow.data.sources.kinds.mail:run"
    assert "mail" in said["schema"] and said["endings"] == [".eml", ".eml.gz"]


def test_it_reads_and_refuses(said: dict[str, Any]) -> None:
    assert said["texts"] == ["It rained all day on the hills."]
    assert said["reasons"] == ["missing_text", "other_file"]
    assert (said["counts"]["in"], said["counts"]["kept"]) == (3, 1)


def test_cards_and_orders_know_that_it_reads(said: dict[str, Any]) -> None:
    assert said["reads"] and said["rank"]


def test_it_is_in_the_key_of_its_own_sources_alone(said: dict[str, Any]) -> None:
    mine = ["regrow.data.sources.kinds.mail", "regrow.params.readers.mail"]
    rows = ["regrow.data.sources.kinds.jsonl", "regrow.params.readers.jsonl"]
    assert {name: sorted(found) for name, found in said["reached"].items()} == {
        "read_letters": mine, "read_rows": rows, "dedup": [],
    }  # fmt: skip


def test_the_readers_of_this_checkout_are_each_in_both_folders() -> None:
    folders = ("src/regrow/params/readers", "src/regrow/data/sources/kinds")
    declared, reading = ({path.stem for path in (ROOT / folder).glob("*.py")} for folder in folders)
    assert declared == reading
