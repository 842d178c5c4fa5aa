"""Lists of paths, as Common Crawl has them: chosen, frozen, one archive a job, from a local server with real archives."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from file_server import FileServer
from regrow.ask.doctor import inputs
from regrow.change.sources import check, freeze
from regrow.cli.main import main
from regrow.data.sources import fetch, frozen
from regrow.data.sources.kinds import warc
from regrow.data.sources.trouble import FetchError
from regrow.params import addresses
from regrow.params.schema import ParamsError, load
from regrow.params.schema import check as checked
from regrow.recipe import corpora, table
from warc_files import html, members, response

CRAWL = "crawl-data/CC-MAIN-2026-17/segments"
PATHS = [
    f"{CRAWL}/{segment}/warc/CC-{segment}-{n:05d}.warc.gz"
    for segment in ("17.0", "17.1")
    for n in range(4)
]
ABOUT: dict[str, Any] = {"licence": "unknown", "origin": "Common Crawl"}


@pytest.fixture
def server() -> Iterator[FileServer]:
    files = {
        f"/{path}": members(*(response(f"/{place}/{n}", html(f"Page {n} of {path}. " * 30)) for n in range(3)))
        for place, path in enumerate(PATHS)
    }  # fmt: skip
    with FileServer(files | {"/crawl-data/CC/warc.paths.gz": _packed(PATHS)}) as one:
        yield one


@pytest.fixture
def how() -> freeze.How:
    return freeze.How(said=lambda sentence: None, wait=lambda seconds: None)


def _packed(lines: list[str]) -> bytes:
    return gzip.compress("".join(f"{line}\n" for line in lines).encode())


def _recipe(root: Path, server: FileServer, shards: int = 1, **paths: Any) -> str:
    (root / "Snakefile").touch()
    (root / "params").mkdir(exist_ok=True)
    path = root / "params/mine.yaml"
    said = {"list": f"{server.root}/crawl-data/CC/warc.paths.gz"} | paths
    path.write_text(
        yaml.safe_dump({"sources": [{"web": ABOUT | {"paths": said, "shards": shards}}], "stages": ["pretrain"]})
    )  # fmt: skip
    return str(path)


def _addresses(root: Path) -> list[str]:
    return [row["address"] for row in json.loads((root / "frozen/web.json").read_text())["files"]]


def _read(root: Path, recipe: str) -> list[list[str]]:
    """Addresses of the documents of each part, by the steps of the recipe."""
    params = load(Path(recipe))
    steps = {step.name: step for step in table.recipe(params.model_dump(mode="json"))}
    found = []
    for instance in steps["read_web"].instances(params):
        fetched, output = root / "out" / instance, root / "read" / instance
        fetch.run(
            {"list": root / "frozen/web.json"}, params, fetched,
            instance=instance, scratch=root / "scratch", **steps["fetch_web"].options,
        )  # fmt: skip
        warc.run({"fetched": fetched}, params, output, instance=instance, **steps["read_web"].options)  # fmt: skip
        found.append(sorted(pl.read_parquet(output / "documents.parquet")["url"]))
    return found


def test_one_archive_a_job_and_the_same_documents_for_any_number(
    server: FileServer, how: freeze.How, tmp_path: Path
):
    recipe = _recipe(tmp_path, server, every=2)
    [row] = freeze.freeze(tmp_path, recipe, [], how)["sources"]
    assert _addresses(tmp_path) == [f"{server.root}/{path}" for path in PATHS[::2]]
    assert row["files"] == 4
    [whole] = _read(tmp_path, recipe)
    assert len(whole) == 12
    each = _read(tmp_path, _recipe(tmp_path, server, every=2, shards=4))
    assert [len(part) for part in each] == [3, 3, 3, 3]
    assert sorted(url for part in each for url in part) == whole
    seen = [path for method, path, _ in server.seen if method == "GET" and path.endswith(".warc.gz")]  # fmt: skip
    assert len(seen) == len(set(seen)) == 4  # nothing was fetched twice


@pytest.mark.parametrize(("choice", "places"), [
    ({"segments": ["17.1"]}, [4, 5, 6, 7]), ({"segments": ["17.1", "17.0"], "every": 3, "first": 1}, [1, 4, 7]),
    ({"first": 6}, [6, 7]), ({"prefix": "{root}/mirror/"}, []),
])  # fmt: skip
def test_what_is_chosen(
    server: FileServer,
    how: freeze.How,
    tmp_path: Path,
    choice: dict[str, Any],
    places: list[int],
):
    if "prefix" in choice:
        choice = {"prefix": choice["prefix"].format(root=server.root)}
        with pytest.raises(FetchError, match=r"8 of 8 files could not be frozen"):
            freeze.freeze(tmp_path, _recipe(tmp_path, server, **choice), [], how)
        assert f"/mirror/{PATHS[0]}" in [path for _, path, _ in server.seen]
        return
    freeze.freeze(tmp_path, _recipe(tmp_path, server, **choice), [], how)
    assert _addresses(tmp_path) == [f"{server.root}/{PATHS[place]}" for place in places]


def test_a_choice_that_grows_fetches_what_is_new_alone(
    server: FileServer, how: freeze.How, tmp_path: Path
):
    freeze.freeze(tmp_path, _recipe(tmp_path, server, every=4), [], how)
    before = len(server.seen)
    recipe = _recipe(tmp_path, server, every=2)
    [row] = freeze.freeze(tmp_path, recipe, [], how)["sources"]
    assert (len(row["new"]), row["changed"], row["removed"]) == (2, [], [])
    gets = [path for method, path, _ in server.seen[before:] if method == "GET"]
    assert gets == ["/crawl-data/CC/warc.paths.gz", f"/{PATHS[2]}", f"/{PATHS[6]}"]
    found = frozen.load(tmp_path / "frozen/web.json")
    assert {entry.asked for entry in found.files} == set(found.asked)
    assert frozen.written(found) == (tmp_path / "frozen/web.json").read_text()


def test_files_need_not_be_kept(server: FileServer, how: freeze.How, tmp_path: Path):
    recipe = _recipe(tmp_path, server, every=8)
    freeze.freeze(tmp_path, recipe, [], freeze.How(False, how.said, how.wait, keep=False))
    assert [path for path in (tmp_path / ".regrow/fetched").iterdir() if path.is_file()] == []
    [urls] = _read(tmp_path, recipe)
    assert len(urls) == 3


def test_another_list_is_named(server: FileServer, how: freeze.How, tmp_path: Path):
    recipe = _recipe(tmp_path, server, every=8)
    freeze.freeze(tmp_path, recipe, [], how)
    server.files["/crawl-data/CC/warc.paths.gz"] = _packed(PATHS[1:])
    found = check.check(tmp_path, recipe, [], check.How(said=how.said))
    assert [row["state"] for row in found["files"]] == ["changed", "same"]


@pytest.mark.parametrize(("body", "said"), [
    (b"no gzip", r"is not a list of paths: gz: damaged"), (_packed(PATHS)[:-9], r"is not a list of paths: gz: ends after"),
    (_packed(["a b"]), r"is not a list of paths: .* has a space"), (_packed(PATHS[:1] * 2), r"twice"),
    (gzip.compress("ü".encode()), r"has bytes beyond ASCII"), (_packed([]), r"none of its 0 paths is chosen"),
])  # fmt: skip
def test_a_list_that_is_none(
    server: FileServer, how: freeze.How, tmp_path: Path, body: bytes, said: str
):
    server.files["/crawl-data/CC/warc.paths.gz"] = body
    with pytest.raises(FetchError, match=said):
        freeze.freeze(tmp_path, _recipe(tmp_path, server), [], how)
    assert not (tmp_path / "frozen").exists()


@pytest.mark.parametrize(("paths", "said"), [
    ({"list": "https://a.example/wat.paths.gz"}, r"files of `wat.paths` hold no documents"),
    ({"list": "https://a.example/mine.gz"}, r"the name of the list .* does not say it"),
    ({"list": "ftp://a.example/warc.paths.gz"}, r"web.paths: .*scheme that is not read"),
    ({"list": "https://a.example/warc.paths.gz", "prefix": "/mirror/"}, r"web.paths: .*scheme"),
    ({"list": "https://a.example/warc.paths.gz", "segments": ["a/b"]}, r"segments: `a/b` is not the name of a folder"),
    ({"list": "https://a.example/warc.paths.gz", "every": 0}, r"every"),
    ({"list": "https://a.example/warc.paths.gz", "each": 2}, r"unknown key"),
])  # fmt: skip
def test_a_recipe_that_says_it_wrongly(paths: dict[str, Any], said: str):
    with pytest.raises(ParamsError, match=said):
        checked({"sources": [{"web": ABOUT | {"paths": paths}}], "stages": ["pretrain"]}, "x")


def test_paths_and_files_are_two_sources():
    entry = ABOUT | {"paths": "https://a.example/wet.paths.gz", "files": ["dumps/*.warc"]}
    with pytest.raises(
        ParamsError, match=r"web.paths: a source has only one of `files`, `packages` and `paths`"
    ):
        checked({"sources": [{"web": entry}], "stages": ["pretrain"]}, "x")


def test_the_choice_in_one_line_says_what_is_unusual():
    short = {"list": "https://a.example/warc.paths.gz"}
    usual = short | {"prefix": "https://a.example/", "segments": [], "every": 1, "first": 0}
    assert addresses.choice(short) == addresses.choice(usual) == f"paths:{short['list']}"
    more = usual | {"segments": ["b", "a"], "every": 9}
    assert addresses.choice(more) == f"paths:{short['list']} segments=a,b every=9"


@pytest.mark.parametrize("place", [
    {"paths": {"list": "https://a.example/warc.paths.gz", "every": 9, "segments": ["17.0"]}},
    {"packages": ["debian:a-doc", "pypi:b==1.0"], "select": ["**/*.html"]},
    {"files": ["https://a.example/a.tar.gz"], "select": ["**/*.html"]}, {"files": ["s3://bucket/*.jsonl"]},
])  # fmt: skip
def test_a_rebuild_finds_the_recipe_in_the_records(place: dict[str, Any]):
    asked = checked({"sources": [{"web": ABOUT | place | {"shards": 2}}], "stages": ["pretrain"]}, "x")  # fmt: skip
    steps = {step.name: step for step in table.recipe(asked.model_dump(mode="json"))}
    records = [
        {"step": step.name, "instance": instance, "parts": {"options": step.options_of(instance)}}
        for step in steps.values()
        for instance in (step.instances(asked) if step.instances else [""])
        if step.name in ("fetch_web", "read_web", "text")
    ]
    again = checked({"sources": corpora.entries(records), "stages": ["pretrain"]}, "x")
    assert again.sources == asked.sources


def test_the_doctor_names_a_source_that_is_not_frozen(
    server: FileServer, how: freeze.How, tmp_path: Path
):
    recipe = _recipe(tmp_path, server, every=8)
    found = inputs.sources(tmp_path, load(Path(recipe)), crawled=False)
    [one] = [finding for finding in found if finding.name == "sources"]
    assert one.severity == "fail" and "is not frozen" in one.says
    freeze.freeze(tmp_path, recipe, [], how)
    assert [f for f in inputs.sources(tmp_path, load(Path(recipe)), False) if f.severity == "fail"] == []  # fmt: skip
    other = _recipe(tmp_path, server, every=4)
    assert "for other files" in inputs.sources(tmp_path, load(Path(other)), False)[0].says


def test_the_command_says_how_many_jobs(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):  # fmt: skip
    recipe = _recipe(tmp_path, server, every=4)
    monkeypatch.chdir(tmp_path)
    assert main(["sources", "freeze", recipe, "--no-keep"]) == 0
    assert "`shards: 2` makes one job of each file" in capsys.readouterr().out
