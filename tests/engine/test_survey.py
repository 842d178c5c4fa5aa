"""What the environment's survey reads of installed packages is what `importlib.metadata` and `packaging` say of them."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from regrow.engine.environment import _head, _needed, _normal, _top_level


def test_every_installed_package_reads_as_its_parser_reads_it() -> None:
    count = 0
    for distribution in importlib.metadata.distributions():
        said = _head(distribution)
        assert said["name"] == [distribution.metadata["Name"]]
        assert said["version"] == [distribution.version]
        needs = [Requirement(text) for text in distribution.metadata.get_all("Requires-Dist") or []]
        held = [r for r in needs if not r.marker or r.marker.evaluate({"extra": ""})]
        found = {need for text in said["requires-dist"] if (need := _needed(text))}
        assert found == {_normal(r.name) for r in held}, distribution.metadata["Name"]
        files = [file for file in distribution.files or [] if file.suffix == ".py"]
        by_files = {f.parts[0] if len(f.parts) > 1 else f.stem for f in files}
        by_name = set((distribution.read_text("top_level.txt") or "").split())
        assert _top_level(distribution) == (by_name or by_files)
        count += 1
    assert count > 150


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("numpy>=1.2,<3", "numpy"),
        ("Foo_Bar[extra,other] (>=1) ; python_version >= '3'", "foo-bar"),
        ("x @ https://a.example/x.whl ; python_version < '3'", ""),
        ("y; extra == 'dev'", ""),
        ("zope.interface!=4", "zope-interface"),
    ],
)
def test_a_requirement_names_a_package_where_it_holds(text: str, name: str) -> None:
    assert _needed(text) == name


def test_a_folded_field_goes_on_and_a_description_is_not_read() -> None:
    text = "Name: a\r\nRequires-Dist: b ;\r\n python_version >= '3'\r\nVersion: 1\r\n\r\nName: no\nVersion: 2\n"
    read = SimpleNamespace(read_text=lambda file: text if file == "METADATA" else None)
    assert _head(read) == {
        "name": ["a"],
        "version": ["1"],
        "requires-dist": ["b ; python_version >= '3'"],
    }


def test_names_that_csv_quotes_are_read_by_its_rules(tmp_path: Path) -> None:
    record = '"a,b.py",,\npkg/x.py,sha256=1,2\nsingle.py,,\ndata.txt,,\n'
    files = [Path(name) for name in ("a,b.py", "pkg/x.py", "single.py", "data.txt")]
    quoted = SimpleNamespace(read_text={"RECORD": record}.get, files=files)
    assert _top_level(quoted) == {"a,b", "pkg", "single"}
