"""Sources that are elsewhere: frozen, fetched to the byte or refused with a reason, never fetched twice."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import archives
from determinism import hashes, run_twice
from file_server import FileServer, busy, cut, redirect
from regrow.change.sources import check, freeze, listing
from regrow.cli.main import main
from regrow.data.sources import bucket, download, fetch, frozen, naming, packages, unpack
from regrow.data.sources.frozen import Entry, Frozen, FrozenError
from regrow.data.sources.kinds import html, jsonl
from regrow.data.sources.trouble import ArchiveError, ChangedError, FetchError, MissingError
from regrow.engine import names as engine_names
from regrow.engine.errors import FlowError, StepFailed
from regrow.engine.handover import Call
from regrow.engine.present import Present
from regrow.engine.runner import Runner
from regrow.evidence.errors import Unanswerable
from regrow.params import addresses
from regrow.params.schema import ParamsError, load
from regrow.params.schema import check as checked
from regrow.prove.rebuild import rebuild
from regrow.recipe import table

LINES = b"".join(
    json.dumps({"id": str(n), "text": f"A text with the number {n}."}).encode() + b"\n"
    for n in range(50)
)
PAGE = b"<html><head><title>A page</title></head><body><p>Words of a page that can be read.</p></body></html>"
ABOUT: dict[str, Any] = {"licence": "CC0-1.0", "origin": "written for a test"}


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(
        {"/dump/a.jsonl": LINES, "/dump/b.jsonl": LINES[: LINES.index(b"\n") + 1]}
    ) as one:
        yield one


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def how(waits: list[float]) -> freeze.How:
    return freeze.How(said=lambda sentence: None, wait=waits.append)


def _recipe(root: Path, **entry: Any) -> str:
    (root / "Snakefile").touch()
    (root / "params").mkdir(exist_ok=True)
    path = root / "params/mine.yaml"
    path.write_text(yaml.safe_dump({"sources": [{"mine": ABOUT | entry}], "stages": ["pretrain"]}))
    return str(path)


def _list(root: Path) -> dict[str, Any]:
    return json.loads((root / "frozen/mine.json").read_text())


def _fetch(
    root: Path,
    asked: list[str],
    output: Path,
    instance: str = "000of001",
    select: tuple[str, ...] = (),
) -> dict[str, Any]:
    source = {"name": "mine", "select": list(select), "asked": addresses.digest(asked)}
    return fetch.run(
        {"list": root / "frozen/mine.json"},
        None,
        output,
        source=source,
        instance=instance,
        scratch=root / "scratch",
    )


def _frozen(root: Path, *entries: Entry, asked: tuple[str, ...] = ()) -> list[str]:
    """A list written by hand; what it asks for."""
    (root / "frozen").mkdir(exist_ok=True)
    found = asked or tuple(entry.asked or entry.address for entry in entries)
    (root / "frozen/mine.json").write_text(frozen.written(Frozen("mine", found, entries)))
    return list(found)


def _entry(address: str, body: bytes, **more: str) -> Entry:
    return Entry(
        address, naming.of_address(address), len(body), hashlib.sha256(body).hexdigest(), **more
    )


def _shelve(root: Path, body: bytes) -> str:
    """Put bytes where fetched files are kept."""
    digest = hashlib.sha256(body).hexdigest()
    (root / ".regrow/fetched").mkdir(parents=True, exist_ok=True)
    (root / ".regrow/fetched" / digest).write_bytes(body)
    return digest


class TestFreezing:
    def test_a_list_says_the_bytes_and_nothing_is_fetched_twice(
        self, server: FileServer, how: freeze.How, tmp_path: Path
    ):
        asked = [f"{server.root}/dump/{name}.jsonl" for name in "ab"]
        recipe = _recipe(tmp_path, files=asked)
        answer = freeze.freeze(tmp_path, recipe, [], how)
        assert (
            answer["sources"][0]["new"] == asked
            and answer["sources"][0]["bytes"] == len(LINES) + 49
        )
        files = _list(tmp_path)["files"]
        assert [f["sha256"] for f in files] == [
            hashlib.sha256(server.files[p]).hexdigest() for p in ("/dump/a.jsonl", "/dump/b.jsonl")
        ]
        assert files[0]["etag"] == server.etag("/dump/a.jsonl") and files[0]["size"] == len(LINES)
        seen = len(server.seen)
        freeze.freeze(tmp_path, recipe, [], how)
        counts = _fetch(tmp_path, asked, tmp_path / "out")
        assert len(server.seen) == seen
        assert (counts["addresses"], counts["files"]) == (2, 2)
        host = server.root.removeprefix("http://").replace(":", "%3A")
        assert (tmp_path / f"out/files/{host}/dump/a.jsonl").read_bytes() == LINES

    def test_a_new_address_leaves_the_others_as_they_were(
        self, server: FileServer, how: freeze.How, tmp_path: Path
    ):
        asked = [f"{server.root}/dump/{name}.jsonl" for name in "ab"]
        recipe = _recipe(tmp_path, files=asked[:1])
        freeze.freeze(tmp_path, recipe, [], how)
        server.files["/dump/a.jsonl"] += b"{}\n"
        _recipe(tmp_path, files=asked)
        [row] = freeze.freeze(tmp_path, recipe, [], how)["sources"]
        assert (row["new"], row["changed"]) == (asked[1:], [])
        assert [method for method, path, _ in server.seen if path == "/dump/a.jsonl"] == ["GET"]
        [row] = freeze.freeze(tmp_path, recipe, [], freeze.How(True, how.said, how.wait))["sources"]
        assert (row["new"], row["changed"]) == ([], asked[:1])
        assert [m for m, path, _ in server.seen if path == "/dump/b.jsonl"] == ["GET", "HEAD"]

    def test_busy_servers_are_asked_again_and_broken_answers_go_on(
        self, server: FileServer, how: freeze.How, waits: list[float], tmp_path: Path
    ):
        path = "/dump/a.jsonl"
        server.faults[path] = [busy(503), busy(429, "7"), cut(300, server.etag(path))]
        freeze.freeze(tmp_path, _recipe(tmp_path, files=[server.root + path]), [], how)
        assert _list(tmp_path)["files"][0]["sha256"] == hashlib.sha256(LINES).hexdigest()
        assert [asked for _, _, asked in server.seen] == ["", "", "", "bytes=300-"]
        assert waits == [1.0, 7.0, 1.0]

    def test_a_file_that_changed_between_two_parts_begins_again(
        self, server: FileServer, how: freeze.How, tmp_path: Path
    ):
        path = "/dump/a.jsonl"
        server.faults[path] = [cut(300, server.etag(path))]
        server.files[path] = b'{"text": "new"}\n' * 40
        server.faults[path][0:1] = [cut(300, '"of the old one"')]
        freeze.freeze(tmp_path, _recipe(tmp_path, files=[server.root + path]), [], how)
        assert (
            _list(tmp_path)["files"][0]["sha256"] == hashlib.sha256(server.files[path]).hexdigest()
        )

    def test_without_an_etag_a_broken_file_begins_again(self, how: freeze.How, tmp_path: Path):
        with FileServer({"/a.jsonl": LINES}, etags=False) as server:
            server.faults["/a.jsonl"] = [cut(300)]
            freeze.freeze(tmp_path, _recipe(tmp_path, files=[f"{server.root}/a.jsonl"]), [], how)
            assert [asked for _, _, asked in server.seen] == ["", ""]
        assert _list(tmp_path)["files"][0]["size"] == len(LINES)

    def test_what_fails_is_named_and_what_came_is_kept(
        self, server: FileServer, how: freeze.How, waits: list[float], tmp_path: Path
    ):
        path = "/dump/b.jsonl"
        asked = [f"{server.root}/dump/a.jsonl", f"{server.root}{path}", f"{server.root}/no.jsonl"]
        recipe = _recipe(tmp_path, files=asked)
        server.faults[path] = [busy()] * 6
        with pytest.raises(
            FetchError, match=r"(?s)2 of 3 files.*answers 503, 6 times in a row.*no such file"
        ):
            freeze.freeze(tmp_path, recipe, [], how)
        assert waits == [1, 2, 4, 8, 16] and not (tmp_path / "frozen/mine.json").exists()
        server.files["/no.jsonl"] = b"{}\n"
        freeze.freeze(tmp_path, recipe, [], how)
        assert [p for _, p, _ in server.seen].count("/dump/a.jsonl") == 1
        assert not list((tmp_path / ".regrow/fetched/parts").glob("*.json"))

    def test_a_later_call_goes_on_where_an_earlier_one_ended(
        self, server: FileServer, waits: list[float], tmp_path: Path
    ):
        path, part = "/dump/a.jsonl", tmp_path / "a.part"
        server.faults[path] = [cut(700, server.etag(path)), *[busy()] * 7]
        with pytest.raises(FetchError, match="what came is kept"):
            download.Web(waits.append).fetch(server.root + path, part)
        assert part.read_bytes() == LINES[:700]
        server.faults[path], server.seen[:] = [], []
        assert download.Web(waits.append).fetch(server.root + path, part) == server.etag(path)
        assert part.read_bytes() == LINES
        assert server.seen == [("GET", path, "bytes=700-")]

    def test_redirects_are_followed_to_the_web_only(
        self, server: FileServer, how: freeze.How, tmp_path: Path
    ):
        server.faults["/latest.jsonl"] = [redirect("/dump/a.jsonl"), redirect("file:///etc/passwd")]
        recipe = _recipe(tmp_path, files=[f"{server.root}/latest.jsonl"])
        freeze.freeze(tmp_path, recipe, [], how)
        assert _list(tmp_path)["files"][0]["name"].endswith("/latest.jsonl")
        (tmp_path / "frozen/mine.json").unlink()
        with pytest.raises(
            FetchError, match="Redirection to url 'file:///etc/passwd' is not allowed"
        ):
            freeze.freeze(tmp_path, recipe, [], how)

    def test_a_name_with_dots_stays_in_its_folder(
        self, server: FileServer, how: freeze.How, tmp_path: Path
    ):
        server.files["/x/%2e%2e/%2e%2e/e.jsonl?n=1"] = LINES
        asked = [f"{server.root}/x/%2e%2e/%2e%2e/e.jsonl?n=1"]
        freeze.freeze(tmp_path, _recipe(tmp_path, files=asked), [], how)
        _fetch(tmp_path, asked, tmp_path / "out")
        [made] = [p for p in (tmp_path / "out/files").rglob("*") if p.is_file()]
        assert made.relative_to(tmp_path / "out/files").parts[1:4] == ("x", "%2E%2E", "%2E%2E")
        assert made.name.endswith("-e.jsonl")

    def test_an_unknown_source_gets_its_nearest_name(self, how: freeze.How, tmp_path: Path):
        with pytest.raises(Unanswerable, match=r"no source is called `mime`. Did you mean `mine`"):
            freeze.freeze(
                tmp_path, _recipe(tmp_path, files=["https://a.example/x.jsonl"]), ["mime"], how
            )


class TestFetching:
    def test_without_what_was_kept_the_network_gives_the_same_bytes(
        self,
        server: FileServer,
        how: freeze.How,
        waits: list[float],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ):
        monkeypatch.setattr(download.time, "sleep", waits.append)
        asked = [f"{server.root}/dump/{name}.jsonl" for name in "ab"]
        freeze.freeze(tmp_path, _recipe(tmp_path, files=asked), [], how)
        _fetch(tmp_path, asked, tmp_path / "kept")
        for path in (tmp_path / ".regrow/fetched").iterdir():
            if path.is_file():
                path.unlink()
        server.faults["/dump/a.jsonl"] = [cut(10, server.etag("/dump/a.jsonl"))]
        counts = _fetch(tmp_path, asked, tmp_path / "again")
        assert hashes(tmp_path / "again") == hashes(tmp_path / "kept")
        assert counts == _fetch(tmp_path, asked, tmp_path / "third")

    def test_parts_hold_each_file_once_and_a_new_one_moves_no_other(self, tmp_path: Path):
        bodies = [b"%d\n" % n for n in range(40)]
        for body in bodies:
            _shelve(tmp_path, body)
        entries = [_entry(f"https://a.example/{n}.txt", body) for n, body in enumerate(bodies)]
        made: list[dict[str, dict[str, str]]] = []
        for count in (39, 40):
            asked = _frozen(tmp_path, *entries[:count])
            parts = {f"{n:03d}of007": tmp_path / f"{count}/{n}" for n in range(7)}
            found = [_fetch(tmp_path, asked, path, part)["files"] for part, path in parts.items()]
            assert sum(found) == count
            made.append({part: hashes(path) for part, path in parts.items()})
        assert sum(made[0][part] != made[1][part] for part in made[0]) == 1
        assert all("files.tsv" in files for files in made[0].values())

    def test_other_bytes_are_an_error_that_says_all(self, server: FileServer, tmp_path: Path):
        address = f"{server.root}/dump/a.jsonl"
        asked = _frozen(tmp_path, _entry(address, LINES[:-1] + b" "))
        with pytest.raises(ChangedError) as caught:
            _fetch(tmp_path, asked, tmp_path / "out")
        said = str(caught.value)
        assert address in said and hashlib.sha256(LINES).hexdigest() in said
        assert hashlib.sha256(LINES[:-1] + b" ").hexdigest() in said
        assert "freeze RECIPE --update" in said and "dvc pull" in said
        assert not (tmp_path / "out/files").exists()

    def test_a_longer_file_is_not_fetched_to_its_end(self, server: FileServer, tmp_path: Path):
        server.files["/long.jsonl"] = b"x" * 5_000_000
        asked = _frozen(tmp_path, _entry(f"{server.root}/long.jsonl", LINES))
        with pytest.raises(ChangedError, match=rf"\({len(LINES) + 1:,} bytes or more\)"):
            _fetch(tmp_path, asked, tmp_path / "out")

    def test_a_file_that_is_there_no_more(self, server: FileServer, tmp_path: Path):
        asked = _frozen(tmp_path, _entry(f"{server.root}/no.jsonl", LINES))
        with pytest.raises(MissingError, match=r"no such file .*404.*Fix: `dvc pull`"):
            _fetch(tmp_path, asked, tmp_path / "out")

    def test_a_damaged_kept_file_is_not_believed(
        self, server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ):
        digest = _shelve(tmp_path, LINES)
        (tmp_path / ".regrow/fetched" / digest).write_bytes(LINES.replace(b"A text", b"B text"))
        asked = _frozen(tmp_path, _entry(f"{server.root}/dump/a.jsonl", LINES))
        _fetch(tmp_path, asked, tmp_path / "out")
        assert "has other bytes than its name says" in capsys.readouterr().err
        [made] = (tmp_path / "out/files").rglob("*.jsonl")
        assert made.read_bytes() == LINES

    def test_a_list_of_another_recipe(self, tmp_path: Path):
        _frozen(tmp_path, _entry("https://a.example/x.jsonl", LINES))
        with pytest.raises(
            FrozenError,
            match=r"asked: was frozen for other files.*regrow sources freeze RECIPE mine",
        ):
            _fetch(tmp_path, ["https://a.example/y.jsonl"], tmp_path / "out")

    def test_readers_read_what_was_fetched(self, tmp_path: Path):
        _shelve(tmp_path, LINES)
        asked = _frozen(tmp_path, _entry("https://a.example/d/x.jsonl", LINES))
        _fetch(tmp_path, asked, tmp_path / "out")
        params = checked({"stages": ["pretrain"]}, "x")
        entry = ABOUT | {"name": "mine", "kind": "jsonl"}
        counts = jsonl.run(
            {"fetched": tmp_path / "out"},
            params,
            tmp_path / "read",
            source=entry,
            instance="000of001",
        )
        assert (counts["files"], counts["in"], counts["kept"]) == (1, 50, 50)
        empty = tmp_path / "empty"
        empty.mkdir()
        (empty / "files.tsv").write_text("")
        counts = jsonl.run(
            {"fetched": empty}, params, tmp_path / "none", source=entry, instance="001of002"
        )
        assert counts["in"] == 0


_TWICE = """
import sys
from pathlib import Path
from regrow.data.sources import fetch
root = Path(sys.argv[2])
source = {"name": "mine", "select": ["usr/**/*.html"], "asked": sys.argv[3]}
fetch.run({"list": root / "frozen/mine.json"}, None, Path(sys.argv[1]), source=source, instance="000of001", scratch=Path("s").resolve())
"""


class TestArchives:
    FILES = {
        "usr/doc/a.html": PAGE,
        "usr/doc/A.html": PAGE + b"2",
        "usr/doc/.git/b.html": b"3",
        "usr/doc/c.txt": b"4",
        "usr/doc/\u00fc b.html": b"5",
    }

    @pytest.mark.parametrize("packing", ["xz", "gz", "zst"])
    def test_a_debian_package(self, packing: str, tmp_path: Path):
        path = tmp_path / "x_1_all.deb"
        path.write_bytes(archives.deb(self.FILES, {"./usr/doc/l.html": "/etc/passwd"}, packing))
        made = unpack.unpack(path, fetch.selected(["usr/doc/**/*.html"]), tmp_path / "out")
        assert {name: p.read_bytes() for name, p in made.files.items()} == {
            n: b for n, b in self.FILES.items() if n != "usr/doc/c.txt"
        }
        assert made.left == {"unselected": 1, "link": 1} and made.members == 6

    @pytest.mark.parametrize(
        ("name", "make"), [("x-1-py3-none-any.whl", archives.wheel), ("x-1.tar.gz", archives.tar)]
    )
    def test_wheels_and_source_archives(self, name: str, make: Any, tmp_path: Path):
        (tmp_path / name).write_bytes(make(self.FILES, {"usr/doc/l.html": "../../../etc/passwd"}))
        made = unpack.unpack(tmp_path / name, fetch.selected(["**/*.html"]), tmp_path / "out")
        assert len(made.files) == 4 and made.left == {"unselected": 1, "link": 1}
        assert all(p.is_file() and not p.is_symlink() for p in (tmp_path / "out").iterdir())

    @pytest.mark.parametrize("member", ["../e.html", "/etc/e.html", "a/../../e.html"])
    @pytest.mark.parametrize(
        ("name", "make"), [("x.zip", archives.wheel), ("x.tar.gz", archives.tar)]
    )
    def test_a_member_that_leads_out_is_an_error(
        self, name: str, make: Any, member: str, tmp_path: Path
    ):
        (tmp_path / name).write_bytes(make({member: b"x"}))
        with pytest.raises(ArchiveError, match="leads out of its folder"):
            unpack.unpack(tmp_path / name, fetch.selected([]), tmp_path / "out")
        assert not list(tmp_path.rglob("e.html"))

    @pytest.mark.parametrize(("name", "body"), [
        ("x.deb", b"no"), ("x.deb", archives.deb(FILES)[:300]), ("x.deb", archives.deb(FILES)[:-200]),
        ("x.whl", archives.wheel(FILES)[:-40]), ("x.tar.gz", archives.tar(FILES)[:-30]), ("x.tar.gz", b"no gzip"),
        ("x.zip", archives.wheel(FILES).replace(PAGE[:20], b"")), ("x.rpm", b""),
    ])  # fmt: skip
    def test_damage_is_an_error(self, name: str, body: bytes, tmp_path: Path):
        (tmp_path / name).write_bytes(body)
        with pytest.raises(ArchiveError, match=f"^{name}: "):
            unpack.unpack(tmp_path / name, fetch.selected([]), tmp_path / "out")

    def test_sizes_are_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(unpack, "MEMBER_BYTES", 1_000_000)
        (tmp_path / "x.zip").write_bytes(archives.wheel({"bomb.html": bytes(3_000_000)}))
        with pytest.raises(ArchiveError, match="is larger than is unpacked here"):
            unpack.unpack(tmp_path / "x.zip", fetch.selected([]), tmp_path / "zip")
        monkeypatch.setattr(unpack, "WHOLE_BYTES", 2_000_000)
        (tmp_path / "x.tar.xz").write_bytes(
            archives.tar({"bomb.bin": bytes(9_000_000)}, packing="xz")
        )
        with pytest.raises(ArchiveError, match="has more than 2,000,000 bytes"):
            unpack.unpack(tmp_path / "x.tar.xz", fetch.selected(["*.html"]), tmp_path / "tar")

    def test_a_giant_header_is_not_held(self, tmp_path: Path):
        long = archives.tar({"d/" + "n" * 2_000_000: b""}, packing="")
        (tmp_path / "x.tar").write_bytes(long)
        with pytest.raises(ArchiveError, match="a header is larger"):
            unpack.unpack(tmp_path / "x.tar", fetch.selected([]), tmp_path / "out")

    def test_the_step_unpacks_alike_in_every_process(self, tmp_path: Path):
        body = archives.deb(self.FILES, {"./usr/doc/l.html": "a.html"})
        _shelve(tmp_path, body)
        entry = Entry(
            "debian:x-doc=1:2~3",
            "x-doc_1%3a2~3_all.deb",
            len(body),
            hashlib.sha256(body).hexdigest(),
            "",
            "debian",
            "x-doc",
            "1:2~3",
            "debian:x-doc",
        )
        asked = _frozen(tmp_path, entry)
        counts = _fetch(tmp_path, asked, tmp_path / "out", select=("usr/**/*.html",))
        assert counts["members"] == counts["files"] + sum(counts["left"].values()) == 6
        made = run_twice(_TWICE, tmp_path, str(tmp_path), addresses.digest(asked))
        assert made == hashes(tmp_path / "out")
        assert engine_names.faults(made) == []
        assert {n.partition("/")[2] for n in made if n.startswith("files/")} == {
            "x-doc_1%3A2%7E3/usr/doc/A.html",
            f"x-doc_1%3A2%7E3/usr/doc/a--{hashlib.sha256(b'usr/doc/a.html').hexdigest()[:12]}.html",
            "x-doc_1%3A2%7E3/usr/doc/%2Egit/b.html", "x-doc_1%3A2%7E3/usr/doc/%C3%BC%20b.html",
        }  # fmt: skip
        params = checked({"stages": ["pretrain"]}, "x")
        source = ABOUT | {"name": "mine", "kind": "html"}
        read = html.run(
            {"fetched": tmp_path / "out"},
            params,
            tmp_path / "read",
            source=source,
            instance="000of001",
        )
        assert read["files"] == 4 and read["kept"] >= 2
        assert (
            pl.read_parquet(tmp_path / "read/documents.parquet")["url"]
            .str.contains("x-doc_1")
            .all()
        )

    def test_an_archive_at_an_address(self, tmp_path: Path):
        body = archives.tar(self.FILES, packing="xz")
        _shelve(tmp_path, body)
        asked = _frozen(tmp_path, _entry("https://a.example/docs.tar.xz?v=2", body))
        counts = _fetch(tmp_path, asked, tmp_path / "out", select=("usr/doc/*.txt",))
        assert (counts["files"], counts["left"]) == (1, {"unselected": 4})
        [made] = (tmp_path / "out/files").rglob("*.txt")
        assert made.parts[-3:] == ("usr", "doc", "c.txt") and made.read_bytes() == b"4"

    def test_patterns_that_find_nothing(self, tmp_path: Path):
        body = archives.wheel(self.FILES)
        _shelve(tmp_path, body)
        asked = _frozen(tmp_path, _entry("https://a.example/x.zip", body))
        with pytest.raises(ArchiveError, match="`select` finds none of its 5 files"):
            _fetch(tmp_path, asked, tmp_path / "out", select=("doc/*.html",))


@given(
    st.lists(
        st.one_of(
            st.text(),
            st.sampled_from(
                [
                    "..",
                    ".git",
                    "A",
                    "a",
                    "a/b",
                    "x.dvc",
                    "__pycache__/b",
                    "CON.",
                    "ß",
                    "SS",
                    "n" * 300,
                ]
            ),
        ),
        max_size=8,
    )
)
def test_names_pass_whatever_an_archive_says(given_names: list[str]):
    members = {
        "/".join(p for p in n.split("/") if p not in ("", "."))
        for n in given_names
        if "\ud800" not in n
    }
    made = [naming.of_member(n) for n in members if n]
    apart = list(naming.apart(made).values())
    assert engine_names.faults(apart) == []
    assert all(naming.fault(name) == "" for name in apart)
    assert len(set(made)) == len(apart)


class TestLists:
    GOOD = _entry("https://a.example/x.jsonl", LINES, etag='"1"')

    def test_a_list_reads_as_it_was_written(self, tmp_path: Path):
        _frozen(tmp_path, self.GOOD, _entry("https://a.example/A.jsonl", b""))
        found = frozen.load(tmp_path / "frozen/mine.json")
        assert found.files[1] == self.GOOD and found.source == "mine"
        assert frozen.written(found) == (tmp_path / "frozen/mine.json").read_text()

    @pytest.mark.parametrize(("change", "field"), [
        ({"sha256": "12"}, r"files\[0\].sha256: must be 64 hexadecimal digits, got '12'"),
        ({"size": "9"}, r"files\[0\].size: has the value '9'"), ({"size": -1}, r"files\[0\].size: must not be negative"),
        ({"name": "../e.jsonl"}, r"files\[0\].name: `../e.jsonl`: the part `..` could leave"),
        ({"name": "/e"}, r"files\[0\].name"), ({"name": "a/.git/hooks"}, r"files\[0\].name"),
        ({"colour": "red"}, r"files\[0\].colour"), ({"registry": "debian", "package": "..", "version": "", "name": "x_1~2%3a_all.deb"}, "name"),
        ({"registry": "debian", "package": "x", "version": "1", "name": "../x.deb"}, r"files\[0\].name"),
    ])  # fmt: skip
    def test_errors_name_the_field(self, change: dict[str, Any], field: str, tmp_path: Path):
        _frozen(tmp_path, self.GOOD)
        raw = _list(tmp_path)
        raw["files"][0] |= change
        (tmp_path / "frozen/mine.json").write_text(json.dumps(raw))
        if change.get("package") == "..":
            assert frozen.load(tmp_path / "frozen/mine.json").files[0].folder == "%2E._"
            return
        with pytest.raises(FrozenError, match=f"^frozen/mine.json: {field}.*Fix: `git checkout"):
            frozen.load(tmp_path / "frozen/mine.json")

    def test_two_files_of_one_name_are_refused_and_never_written(self, tmp_path: Path):
        two = [_entry(f"{scheme}://a.example/x.jsonl", b"") for scheme in ("http", "https")]
        made = frozen.named(two)
        assert len({entry.name for entry in made}) == 2
        _frozen(tmp_path, *two)
        with pytest.raises(FrozenError, match=r"files.name: `a.example/x.jsonl` comes twice"):
            frozen.load(tmp_path / "frozen/mine.json")

    def test_a_damaged_list(self, tmp_path: Path):
        (tmp_path / "mine.json").write_text("{")
        with pytest.raises(FrozenError, match="is no JSON"):
            frozen.load(tmp_path / "mine.json")
        with pytest.raises(FrozenError, match=r"is missing. Fix: `regrow sources freeze"):
            frozen.load(tmp_path / "other.json")


class TestChecking:
    def test_what_changed_is_named(self, server: FileServer, how: freeze.How, tmp_path: Path):
        names = ["same", "etag", "size", "gone"]
        server.files |= {f"/{name}.jsonl": LINES for name in names}
        recipe = _recipe(tmp_path, files=[f"{server.root}/{name}.jsonl" for name in names])
        freeze.freeze(tmp_path, recipe, [], how)
        server.files["/etag.jsonl"] = LINES.replace(b"A text", b"B text")
        server.files["/size.jsonl"] = b"{}\n"
        del server.files["/gone.jsonl"]
        found = check.check(tmp_path, recipe, [], check.How(said=how.said, wait=how.wait))
        states = {row["address"].rpartition("/")[2]: row["state"] for row in found["files"]}
        assert states == {
            "same.jsonl": "same",
            "etag.jsonl": "changed",
            "size.jsonl": "changed",
            "gone.jsonl": "missing",
        }
        assert found["states"] == {"same": 1, "changed": 2, "missing": 1, "failed": 0, "unknown": 0}
        found = check.check(tmp_path, recipe, [], check.How(True, how.said, how.wait))
        assert [row["state"] for row in found["files"]] == ["changed", "missing", "same", "changed"]

    def test_without_an_etag_nothing_is_claimed(self, how: freeze.How, tmp_path: Path):
        with FileServer({"/a.jsonl": LINES}, etags=False) as server:
            recipe = _recipe(tmp_path, files=[f"{server.root}/a.jsonl"])
            freeze.freeze(tmp_path, recipe, [], how)
            [row] = check.check(tmp_path, recipe, [], check.How(said=how.said))["files"]
            assert row["state"] == "unknown" and "--bytes" in row["detail"]


class TestRecipes:
    @pytest.mark.parametrize(("entry", "said"), [
        ({"files": ["ftp://a.example/x.jsonl"]}, "a scheme that is not read"),
        ({"files": ["https://u:p@a.example/x.jsonl"]}, "a user or password, which would be committed"),
        ({"files": ["https://a.example/*.jsonl"]}, "is a pattern, and a web server lists no files"),
        ({"files": ["https://a.example/"], "kind": "text"}, "names no file"),
        ({"files": ["https://a.example/a b.jsonl"]}, "Fix: write it as `%20`"),
        ({"files": ["https://a.example/x.jsonl", "here/x.jsonl"]}, "is an address and `here/x.jsonl` a path"),
        ({"files": ["https://a.example/x.jsonl"] * 2}, "comes twice"),
        ({"files": ["x/y.md"], "select": ["*.md"]}, "Fix: write the pattern into `files`"),
        ({"packages": ["npm:x"], "kind": "html"}, "names no registry that is read"),
        ({"packages": ["debian:x==1"], "kind": "html"}, "is no package of debian"),
        ({"packages": ["debian:x"]}, "kind: the endings of `select` do not say it"),
        ({"packages": ["debian:xx"], "select": ["../x.html"]}, "is no path inside an archive"),
        ({"packages": ["debian:xx"], "files": ["a/x.html"], "kind": "html"}, "has only one of `files`, `packages` and `paths`"),
        ({"kind": "html"}, "`packages: [debian:python3.11-doc]`"),
    ])  # fmt: skip
    def test_errors_name_field_and_fix(self, entry: dict[str, Any], said: str, tmp_path: Path):
        with pytest.raises(ParamsError) as caught:
            load(Path(_recipe(tmp_path, **entry)))
        assert said in str(caught.value) and "Fix:" in str(caught.value)
        assert "u:p" not in str(caught.value)

    def test_the_steps_of_a_source_that_is_elsewhere(self, tmp_path: Path):
        recipe = _recipe(
            tmp_path, packages=["debian:x-doc", "pypi:y==1"], select="usr/**/*.html", shards=3
        )
        params = load(Path(recipe))
        assert params.sources[0].kind == "html"
        steps = {step.name: step for step in table.recipe(params.model_dump(mode="json"))}
        step = steps["fetch_mine"]
        assert step.network and step.inputs[0].path == "frozen/mine.json"
        assert step.instances and step.instances(params) == ["000of003", "001of003", "002of003"]
        assert [(i.step, i.instance) for i in steps["read_mine"].inputs] == [("fetch_mine", "same")]
        assert "packages" not in steps["read_mine"].options_of(None)["source"]
        assert steps["text"].options_of(None)["sources"][0]["files"] == [
            "debian:x-doc",
            "pypi:y==1",
        ]

    def test_local_sources_have_the_options_that_they_had(self, tmp_path: Path):
        params = load(Path(_recipe(tmp_path, files=["notes/*.md"])))
        steps = {step.name: step for step in table.recipe(params.model_dump(mode="json"))}
        assert "fetch_mine" not in steps
        assert sorted(steps["read_mine"].options_of(None)["source"]) == [
            "fields", "files", "kind", "licence", "max_document_bytes", "max_row_bytes", "metadata", "name", "origin",
        ]  # fmt: skip

    def test_no_name_forges_a_line(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ):
        monkeypatch.chdir(tmp_path)
        entry = {"files": ["notes/*.md"], "origin": "x\x1b[2J\nforged  row", "licence": "MIT"}
        main(["sources", "list", _recipe(tmp_path, **entry)])
        out = capsys.readouterr().out
        assert "\x1b" not in out and len(out.splitlines()) == 4

    def test_the_list_says_what_is_missing(
        self,
        server: FileServer,
        how: freeze.How,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ):
        recipe = _recipe(tmp_path, files=[f"{server.root}/dump/a.jsonl"], shards=4)
        [row] = listing.listed(tmp_path, recipe)["sources"]
        assert row["missing"] == [f"not frozen: `regrow sources freeze {recipe} mine`"]
        freeze.freeze(tmp_path, recipe, [], how)
        [row] = listing.listed(tmp_path, recipe)["sources"]
        assert (
            row["where"],
            row["files"],
            row["bytes"],
            row["fetched"],
            row["missing"],
            row["shards"],
        ) == ("frozen", 1, len(LINES), 1, [], 4)
        monkeypatch.chdir(tmp_path)
        assert main(["sources", "list", recipe]) == 0
        assert "mine" in capsys.readouterr().out
        assert main(["sources", "check", recipe, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["states"]["same"] == 1
        del server.files["/dump/a.jsonl"]
        assert main(["sources", "check", recipe]) == 1
        assert "missing" in capsys.readouterr().out


class TestPackages:
    def test_files_are_asked_for_by_their_tags(self):
        wheel = packages._form(
            addresses.package("pypi:x==1"),
            "x-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        )
        assert wheel == [
            "--only-binary",
            ":all:",
            "--implementation",
            "cp",
            "--python-version",
            "311",
            "--abi",
            "cp311",
            "--platform",
            "manylinux_2_17_x86_64",
            "--platform",
            "manylinux2014_x86_64",
        ]
        assert packages._form(addresses.package("pypi-sdist:x"), "") == ["--no-binary", ":all:"]
        assert packages._form(addresses.package("pypi:x==1"), "") == []

    @pytest.mark.parametrize(("registry", "file", "version"), [
        ("debian", "x-doc_1%3a2.3-4_all.deb", "1:2.3-4"), ("pypi", "x_y-1.2-py3-none-any.whl", "1.2"),
        ("pypi", "x-y-1.2rc1.tar.gz", "1.2rc1"),
    ])  # fmt: skip
    def test_versions_come_from_the_files_names(self, registry: str, file: str, version: str):
        assert packages.version_of(addresses.Package(registry, "x", ""), file) == version

    def test_pip_brings_a_wheel_from_where_it_is_set_up_to(
        self, how: freeze.How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        about = {
            "x_doc-1.2.dist-info/METADATA": b"Metadata-Version: 2.1\nName: x-doc\nVersion: 1.2\n",
            "x_doc-1.2.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "x_doc-1.2.dist-info/RECORD": b"",
            "x_doc/i.html": PAGE,
        }
        (tmp_path / "links").mkdir()
        (tmp_path / "links/x_doc-1.2-py3-none-any.whl").write_bytes(archives.wheel(about))
        for name, value in {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(tmp_path / "links"),
            "PIP_CONFIG_FILE": "/dev/null",
        }.items():
            monkeypatch.setenv(name, value)
        recipe = _recipe(tmp_path, packages=["pypi:x-doc"], select=["**/*.html"])
        freeze.freeze(tmp_path, recipe, [], how)
        [row] = _list(tmp_path)["files"]
        assert (row["address"], row["version"], row["asked"]) == (
            "pypi:x-doc==1.2",
            "1.2",
            "pypi:x-doc",
        )
        assert (
            _fetch(tmp_path, ["pypi:x-doc"], tmp_path / "out", select=("**/*.html",))["files"] == 1
        )
        (tmp_path / ".regrow/fetched" / row["sha256"]).unlink()
        _fetch(tmp_path, ["pypi:x-doc"], tmp_path / "again", select=("**/*.html",))
        assert hashes(tmp_path / "again") == hashes(tmp_path / "out")
        with pytest.raises(FetchError, match=r"pypi:no-such-thing==9: pip does not find it"):
            packages.download(addresses.package("pypi:no-such-thing==9"), tmp_path / "none")

    def test_apt_get_brings_a_package_and_its_version_is_pinned(
        self, how: freeze.How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        body = archives.deb({"usr/doc/i.html": PAGE})
        (tmp_path / "x.deb").write_bytes(body)
        (tmp_path / "bin").mkdir()
        tool = tmp_path / "bin/apt-get"
        tool.write_text(
            f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\ncp {tmp_path}/x.deb x-doc_1%3a2-3_all.deb\n'
        )
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
        recipe = _recipe(tmp_path, packages=["debian:x-doc"], select=["**/*.html"])
        freeze.freeze(tmp_path, recipe, [], how)
        [row] = _list(tmp_path)["files"]
        assert row["address"] == "debian:x-doc=1:2-3"
        (tmp_path / ".regrow/fetched" / row["sha256"]).unlink()
        _fetch(tmp_path, ["debian:x-doc"], tmp_path / "out", select=("**/*.html",))
        assert (tmp_path / "calls").read_text() == "download x-doc\ndownload x-doc=1:2-3\n"
        tool.write_text("#!/bin/sh\necho 'E: Unable to locate package x-doc' >&2\nexit 100\n")
        (tmp_path / "scratch" / row["sha256"]).unlink()
        with pytest.raises(
            MissingError, match=r"debian:x-doc=1:2-3: apt-get does not find it.*dvc pull"
        ):
            _fetch(tmp_path, ["debian:x-doc"], tmp_path / "third", select=("**/*.html",))
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(FetchError, match="needs apt-get, which this system does not have"):
            packages.download(addresses.package("debian:x-doc"), tmp_path / "none")


class TestBuckets:
    def test_without_s3fs_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        monkeypatch.setitem(sys.modules, "s3fs", None)
        with pytest.raises(FetchError, match=r"s3://b/x.jsonl: needs s3fs.*regrow\[s3\]"):
            download.Web().fetch("s3://b/x.jsonl", tmp_path / "x")

    def test_patterns_and_bytes_of_a_bucket(
        self, how: freeze.How, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        fsspec = pytest.importorskip("fsspec")
        system = fsspec.filesystem("memory")
        system.pipe({"/b/d/a.jsonl": LINES, "/b/d/b.jsonl": b"{}\n", "/b/d/c.txt": b""})

        class Memory:
            """A bucket in memory, as s3fs shows one."""

            def glob(self, pattern: str) -> list[str]:
                return [path.lstrip("/") for path in system.glob(pattern.removeprefix("s3://"))]

            def info(self, address: str) -> dict[str, Any]:
                return {"size": system.info(address.removeprefix("s3://"))["size"], "ETag": '"e"'}

            def open(self, address: str, mode: str) -> Any:
                return system.open(address.removeprefix("s3://"), mode)

        monkeypatch.setattr(bucket, "_system", lambda address: Memory())
        recipe = _recipe(tmp_path, files=["s3://b/d/*.jsonl"])
        freeze.freeze(tmp_path, recipe, [], how)
        assert [row["address"] for row in _list(tmp_path)["files"]] == [
            "s3://b/d/a.jsonl",
            "s3://b/d/b.jsonl",
        ]
        for path in (tmp_path / ".regrow/fetched").glob("?" * 64):
            path.unlink()
        assert _fetch(tmp_path, ["s3://b/d/*.jsonl"], tmp_path / "out")["files"] == 2
        system.rm("/b/d/b.jsonl")
        found = check.check(tmp_path, recipe, [], check.How(said=how.said))
        assert [row["state"] for row in found["files"]] == ["same", "missing"]


def test_a_missing_list_says_the_command_and_a_closed_run_why_it_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The engine's part: the message of a missing list, and of a step that asks hosts in a closed run."""
    _recipe(tmp_path, files=["https://a.example/x.jsonl"], shards=2)
    present = Present(tmp_path, "params/mine.yaml")
    with pytest.raises(
        FlowError,
        match=r"frozen/mine.json is missing. Fix: `regrow sources freeze params/mine.yaml mine`",
    ):
        present.source_sha256("frozen/mine.json")
    runner = object.__new__(Runner)
    runner.job, runner.present = present.job("fetch_mine", "000of002"), present
    monkeypatch.setenv("REGROW_HERMETIC", "1")
    with pytest.raises(StepFailed, match=r"lets no step ask a host") as caught:
        runner._call(Call("none:none", (), {}, tmp_path, (), tmp_path, {}))
    assert "regrow run fetch_mine --instance 000of002 --params params/mine.yaml" in str(
        caught.value
    )


def test_a_rebuild_finds_what_was_fetched_and_leaves_it(server: FileServer, tmp_path: Path):
    here, root = tmp_path / "here", tmp_path / "rebuild"
    root.mkdir()
    _shelve(here, LINES)
    asked = _frozen(root, _entry(f"{server.root}/dump/a.jsonl", LINES))
    rebuild._lend_fetched(here, root)
    _fetch(root, asked, root / "out")
    assert server.seen == []
    shutil.rmtree(root)
    assert len(list((here / ".regrow/fetched").iterdir())) == 1
