"""The static site: every page, every link, equal bytes, and how it looks where there is little room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chromium import BROWSER, Chromium
from regrow.evidence.errors import Unanswerable
from regrow.publish.site import check
from regrow.publish.site.build import EXPLORER, MARK, REPORT, RUN, build, write
from regrow.publish.site.markdown import Page
from regrow.publish.site.tree import navigation, place, read, relative
from small_repository import ROOT

REGROW = "import sys; from regrow.cli.main import main; sys.exit(main())"


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    return build(ROOT, run=False)


@pytest.fixture
def small(finished: Path, tmp_path: Path) -> Path:
    """A run of few documents with two pages of documentation."""
    root = Path(shutil.copytree(finished, tmp_path / "small"))
    (root / "docs").mkdir()
    (root / "README.md").write_text("# Small\n[Docs](docs/README.md#two)\n", encoding="utf-8")
    (root / "docs/README.md").write_text("# One\n\n## Two\n", encoding="utf-8")
    return root


def test_every_page_of_docs_is_a_page_of_the_site_and_in_its_navigation(site: dict[str, bytes]):
    pages = [p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md")]
    assert {place(p) for p in ["README.md", *pages]} <= set(site)
    entries = [path for group in navigation(read(ROOT)) for _, path in group.entries]
    assert len(entries) == len(set(entries))
    assert set(pages) <= set(entries)
    assert [g.title for g in navigation(read(ROOT))] == [
        "Regrow",
        "Guides",
        "Concepts",
        "Reference",
    ]
    home = site["index.html"].decode()
    assert all(f'href="{place(path)}"' in home for path in entries)
    assert b"<script" not in b"".join(c for p, c in site.items() if p.endswith(".html"))


def test_two_builds_in_other_processes_give_equal_bytes(tmp_path: Path, site: dict[str, bytes]):
    for name, seed, zone, locale, folder in (
        ("a", "0", "Pacific/Kiritimati", "C", ROOT),
        ("b", "4242", "America/St_Johns", "C.UTF-8", ROOT / "docs/guides"),
    ):
        env = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale}
        subprocess.run(
            [sys.executable, "-c", REGROW, "site", "--no-run", "--output", str(tmp_path / name)],
            cwd=folder, env=env, check=True, capture_output=True,
        )  # fmt: skip
    for name in ("a", "b"):
        files = (p for p in (tmp_path / name).rglob("*") if p.is_file())
        assert {p.relative_to(tmp_path / name).as_posix(): p.read_bytes() for p in files} == site


def test_a_run_gives_its_report_and_explorer_twice_the_same(small: Path):
    made = build(small)
    assert b"report.html" in made[RUN] and b"explorer.html" in made[RUN]
    assert b"How it grew" in made[REPORT] or b"how it grew" in made[REPORT]
    assert len(made[EXPLORER]) > len(made["index.html"])
    assert build(small) == made


def test_without_a_run_the_site_says_so_and_has_the_documentation(small: Path):
    shutil.rmtree(small / "data")
    made = build(small)
    assert REPORT not in made and EXPLORER not in made
    assert b"There is no run in the checkout" in made[RUN] and b"<h1" in made["docs/index.html"]


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("docs/none.txt", "no such file"),
        ("docs/README.md#three", "no such heading"),
        ("#nowhere", "no such heading"),
        ("../outside.md", "no such file"),
        ("docs", "no such file"),
    ],
)
def test_a_link_that_leads_nowhere_ends_the_build(small: Path, link: str, why: str):
    (small / "README.md").write_text(
        f"# Small\n\n| a |\n| --- |\n| [b]({link}) |\n", encoding="utf-8"
    )
    with pytest.raises(Unanswerable) as refused:
        build(small)
    assert f"README.md: {link}: {why}" in str(refused.value)


def test_raw_html_is_refused_and_comments_go():
    with pytest.raises(Unanswerable, match="raw HTML"):
        Page("a.md", "# A\n\nOne <script>alert(1)</script>.\n")
    page = Page("a.md", "<!-- table: by a test -->\n\n# A `b`\n\n## A b\n\n## A b\n\n`<script>`\n")
    assert [h.anchor for h in page.headings] == ["a-b", "a-b-1", "a-b-2"]
    assert page.title == "A b"
    html = page.html(lambda link: link)
    assert "<!--" not in html and "&lt;script&gt;" in html


def test_a_picture_leads_to_its_file_unless_it_is_in_a_link():
    html = Page("a.md", "![B](b.png)\n\n[![C](c.png)](d.md)\n").html(lambda link: f"x/{link}")
    assert '<a href="x/b.png"><img src="x/b.png" alt="B"' in html
    assert '<a href="x/d.md"><img src="x/c.png" alt="C"' in html


def test_the_check_finds_what_is_broken_and_what_is_loaded_from_elsewhere():
    good = {
        "a.html": b'<a href="b/c.html#x">',
        "b/c.html": b'<p id="x"><a href="../a.html">',
        "s.css": b"",
    }
    assert check.broken(good) == []
    for page, why in {
        '<a href="no.html">': "no.html: no such file",
        '<a href="b/c.html#y">': "b/c.html#y: no such anchor",
        '<a href="#y">': "#y: no such anchor",
        '<a href="/s.css">': "/s.css: is not relative",
        '<img src="https://x.example/p.png">': "https://x.example/p.png: is loaded from elsewhere",
        '<link rel="stylesheet" href="//x.example/s.css">': "//x.example/s.css: is loaded from elsewhere",
        '<script src="no.js"></script>': "no.js: no such file",
    }.items():
        assert check.broken(good | {"a.html": page.encode()}) == [f"a.html: {why}"]
    assert check.broken(good | {"a.html": b'<a href="https://x.example/">'}) == []
    assert (
        relative("a/b/c.html", "a/d.html") == "../d.html"
        and relative("x.html", "y/z.html") == "y/z.html"
    )


def test_only_a_folder_that_it_built_is_replaced(tmp_path: Path):
    folder = tmp_path / "public"
    write({"index.html": b"1", "old/page.html": b"", MARK: b""}, folder)
    write({"index.html": b"2", MARK: b""}, folder)
    assert sorted(p.name for p in folder.iterdir()) == sorted([MARK, "index.html"])
    assert (folder / "index.html").read_bytes() == b"2"
    (folder / MARK).unlink()
    with pytest.raises(Unanswerable, match="did not build"):
        write({"index.html": b"3", MARK: b""}, folder)
    assert (folder / "index.html").read_bytes() == b"2"
    assert [p.name for p in tmp_path.iterdir()] == ["public"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone_and_none_asks_for_anything_else(
    browser: Chromium, site: dict[str, bytes], tmp_path: Path, scheme: str
):
    write(site, tmp_path / "site")
    browser.errors.clear()
    browser.media(prefers_color_scheme=scheme)
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=400, height=800, deviceScaleFactor=1, mobile=True,
    )  # fmt: skip
    wide, grounds = [], set()
    for path in [p for p in site if p.endswith(".html")][:: 1 if scheme == "light" else 15]:
        browser.requests.clear()
        url = (tmp_path / "site" / path).as_uri()
        browser.call("Page.navigate", url=url)
        browser.wait(
            f"location.href === {url!r} && document.readyState === 'complete' && !!document.querySelector('main')"
        )
        if browser.value("document.documentElement.scrollWidth") > 400:
            wide.append(path)
        assert all(url.startswith((tmp_path / "site").as_uri()) for url in browser.requests)
        grounds.add(browser.value("getComputedStyle(document.body).backgroundColor"))
    assert wide == []
    assert grounds == {{"light": "rgb(253, 253, 251)", "dark": "rgb(18, 22, 19)"}[scheme]}
    assert browser.errors == []
