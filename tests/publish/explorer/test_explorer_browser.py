"""The page in headless Chromium."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chromium import BROWSER, Chromium
from small_tree import ID

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.fixture
def tab(browser: Chromium, explorer: Path) -> Iterator[Chromium]:
    """The page, open; afterwards: no error, no request but for the page, nothing owned."""
    browser.errors.clear()
    browser.media()
    browser.open(explorer)
    yield browser
    title = browser.value("document.title")
    assert browser.errors == []
    assert {url.partition("#")[0] for url in browser.requests} == {explorer.resolve().as_uri()}
    assert (
        "owned" not in title
        and browser.value("document.querySelectorAll('#panel img, #panel script').length") == 0
    )


def panel(tab: Chromium) -> str:
    return str(tab.value("document.getElementById('panel').innerText"))


def title(tab: Chromium) -> str:
    return str(tab.value("document.querySelector('#title bdi').textContent"))


def type_in(tab: Chromium, text: str) -> None:
    tab.key("/")
    assert tab.value("document.activeElement.id") == "find"
    tab.key(*text)


def test_search_finds_a_document_and_shows_its_way(tab: Chromium) -> None:
    type_in(tab, ID["short"][:8])
    assert "1 document" in panel(tab) and "dropped by filter: length.words" in panel(tab)
    tab.key("Enter")
    tab.wait("document.querySelector('ol.way') !== null")
    assert title(tab) == "About short"
    assert tab.value(
        "[...document.querySelectorAll('.node.stop .name')].map(n => n.textContent)"
    ) == ["filter"]
    assert tab.value("document.querySelectorAll('.node.way').length") == 3
    assert re.search(r"value\s+2", panel(tab)) and re.search(r"threshold\s+50", panel(tab))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("planner", {"queries"}),  # a word of its text
        ("stored quer", {"views"}),  # all words, the last begun
        ("doc/short", {"short"}),  # of its url
        ("About held", {"held"}),  # of its title
        ("zzzz", set()),
    ],
)
def test_search_by_words_url_title(tab: Chromium, query: str, names: set[str]) -> None:
    type_in(tab, query)
    hrefs = tab.value("[...document.querySelectorAll('#panel .found a')].map(a => a.hash)")
    assert set(hrefs) == {f"#d={ID[name]}" for name in names}


def test_a_document_that_training_saw_names_the_steps(tab: Chromium, explorer: Path) -> None:
    tab.open(explorer, f"#d={ID['joins']}")
    text = panel(tab)
    assert re.search(r"seen by \d+ steps? of pretrain", text)
    steps = tab.value("[...document.querySelectorAll('.steps')].map(n => n.textContent)")
    assert len(steps) >= 2 and all(re.fullmatch(r"[\d–, ]+", line) for line in steps)
    on = tab.value("[...document.querySelectorAll('.node.way .name')].map(n => n.textContent)")
    assert {"crawl", "mix", "pack", "pretrain", "midtrain_data", "midtrain"} <= set(on)
    assert tab.value("document.querySelectorAll('.node.stop').length") == 0


def test_hostile_titles_are_shown_as_text(tab: Chromium, explorer: Path) -> None:
    for name, part in (
        ("joins", "</script>"),
        ("indexes", "<img src=x"),
        ("queries", "⟨U+202E⟩"),
        ("views", "<!--"),
    ):
        tab.open(explorer, f"#d={ID[name]}")
        assert part in title(tab)
    tab.open(explorer, "#q=example")
    assert tab.value(
        "[...document.querySelectorAll('#panel a')].every(a => a.protocol === 'file:')"
    )


def test_the_keyboard_walks_along_the_edges(tab: Chromium) -> None:
    tab.value("document.querySelector('#graph [data-node=\"0\"]').focus()")
    tab.key("Home")
    seen = [title(tab)]
    for _ in range(40):
        tab.key("ArrowDown")
        if title(tab) == seen[-1]:
            break
        seen.append(title(tab))
        assert tab.value("document.activeElement.classList.contains('selected')")
    names = [name.partition(".")[0] for name in seen]
    assert names[0] == "sources" and "text" in names and len(names) > 8
    edges = tab.value(EDGES)
    assert all([a, b] in edges for a, b in itertools.pairwise(names)), "each step follows an edge"
    assert "Nothing was made from this." in tab.value("document.getElementById('said').textContent")
    for name in reversed(seen[:-1]):
        tab.key("ArrowUp")
        assert title(tab) == name, "the way up is the way down"
    before = title(tab)
    tab.key("End")
    assert title(tab).startswith("release.rlvr") and title(tab) != before
    tab.key("Enter")
    assert tab.value("document.activeElement.id") == "title"
    tab.key("Escape")
    assert tab.value("document.activeElement.classList.contains('node')")


EDGES = """(() => {
  const name = (n) => document.getElementById("n" + n).querySelector("title").textContent.split(".")[0];
  return [...document.querySelectorAll("#edges .edge")].map((e) => [name(e.dataset.from), name(e.dataset.to)]);
})()"""


def test_only_one_node_is_in_the_order_of_tabs(tab: Chromium) -> None:
    count = "document.querySelectorAll('#graph [tabindex=\"0\"]').length"
    assert tab.value(count) == 1
    tab.value("document.querySelector('#graph [tabindex=\"0\"]').focus()")
    tab.key("ArrowUp", "ArrowUp", "ArrowLeft", " ")
    assert tab.value(count) == 1
    labels = tab.value(
        "[...document.querySelectorAll('.node')].map(n => n.getAttribute('aria-label'))"
    )
    assert all(labels) and any("reads" in label and "read by" in label for label in labels)


def test_unfolding_moves_what_is_below_and_folding_brings_it_back(
    tab: Chromium, explorer: Path
) -> None:
    text = explorer.read_text(encoding="utf-8")
    shape = "[...document.querySelectorAll('#edges .edge')].map(e => e.getAttribute('d')).join('|')"
    places = (
        "[...document.querySelectorAll('.node')].map(n => n.getAttribute('transform')).join('|')"
    )
    python = re.findall(r'<path class="edge"[^>]* d="([^"]*)"', text)
    assert tab.value(shape) == "|".join(python), "script and Python draw alike"
    nodes = re.findall(r'<g class="node[^>]*(translate\([^)]*\))', text)
    assert tab.value(places) == "|".join(nodes)
    drawn = tab.value(shape), tab.value(places)
    tab.value("document.getElementById('unfold').click()")
    assert tab.value(shape) != drawn[0]
    boxes = tab.value(
        "[...document.querySelectorAll('.node')].map(n => { const b = n.querySelector('.box').getBoundingClientRect();"
        " return [b.left, b.top, b.right, b.bottom]; })"
    )
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], "nodes overlap"
    tab.value(
        "document.querySelector('.node.open .row').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    tab.wait("document.querySelector('#title bdi').textContent.startsWith('pretrain.')")
    assert tab.value("document.querySelector('.row.selected') !== null")
    tab.value("document.getElementById('unfold').click()")
    assert (tab.value(shape), tab.value(places)) == drawn


def test_two_checkpoints_side_by_side(tab: Chromium, explorer: Path) -> None:
    tab.open(explorer, "#c=dpo.000002,dpo_delta.000002")
    text = panel(tab)
    assert "part there" in text and "judged" in text and "delta" in text
    assert tab.value("document.querySelectorAll('.figures tbody tr').length") > 0
    tab.open(explorer, "#c=sft.000002,rlvr.000004")
    assert "rlvr.000004 was trained on from sft.000002" in panel(tab)
    tab.value("document.getElementById('swap').focus()")
    tab.key("Enter")
    tab.wait("location.hash === '#c=rlvr.000004%2Csft.000002'")
    assert tab.value("document.activeElement.id") == "swap", "the focus stays where it was"
    tab.key("c")
    assert tab.value("location.hash").startswith("#c=")


def test_two_checkpoints_have_paired_differences(tab: Chromium, explorer: Path) -> None:
    """Later minus earlier, whichever stands left; the figures are those of Python."""
    rows = "[...document.querySelectorAll('.figures tr')].map(r => [...r.children].slice(0, 2).map(c => c.textContent))"
    tab.open(explorer, "#c=dpo.000002,rlvr.000004")
    there = tab.value(rows)
    assert there[0][1] == "B − A, paired"
    tab.open(explorer, "#c=rlvr.000004,dpo.000002")
    back = tab.value(rows)
    assert back[0][1] == "A − B, paired" and back[1:] == there[1:]
    data = json.loads(tab.value("document.getElementById('data').textContent"))
    found = {
        data["figures"]["probes"][data["paired"]["probes"][place]]["title"]: (value, items)
        for place, value, _, _, items, _ in data["paired"]["differences"]["dpo.000002,rlvr.000004"]
        if data["paired"]["probes"][place] in data["figures"]["probes"]
    }
    shown = {name.rstrip(" ↑↓"): text for name, text in there[1:] if text != "–"}
    assert shown.keys() == found.keys() and len(found) >= 2
    for name, (value, items) in found.items():
        assert f"{abs(value):.3f}" in shown[name] or f"{abs(value):.1f}" in shown[name]
        assert f"{items} item" in shown[name]


def test_a_task_is_found_by_its_words_and_by_what_was_made_of_it(
    tab: Chromium, explorer: Path
) -> None:
    hrefs = "[...document.querySelectorAll('#panel .found a')].map(a => a.hash)"
    type_in(tab, "question 0 add")
    assert set(tab.value(hrefs)) == {f"#t={split}-add-0" for split in ("train", "dev", "test")}
    tab.open(explorer, "#t=train-add-0")
    text = panel(tab)
    for part in (
        "passed",
        "think-0",
        "pair-",
        "mean reward by step",
        "step 3, reward",
        "midtrain",
    ):
        assert part in text, part
    assert tab.value("document.querySelectorAll('#panel .rewards rect').length") >= 1
    on = tab.value("[...document.querySelectorAll('.node.way .name')].map(n => n.textContent)")
    assert {"tasks", "sft_data", "sft", "difficulty", "rlvr", "midtrain_data", "midtrain"} <= set(
        on
    )
    tab.open(explorer, "#t=test-add-0")
    assert "held out" in panel(tab) and "mean reward" not in panel(tab)


def test_tasks_alone_can_be_listed(tab: Chromium, explorer: Path) -> None:
    tab.value("document.querySelector('#panel a[href=\"#q=\"]').click()")
    tab.wait("document.querySelectorAll('#panel .found a').length > 0")
    hrefs = tab.value("[...document.querySelectorAll('#panel .found a')].map(a => a.hash)")
    assert hrefs and all(href.startswith("#t=") for href in hrefs)
    assert tab.value("document.getElementById('end').value") == "task"


def test_a_followed_link_takes_the_focus_along(tab: Chromium, explorer: Path) -> None:
    tab.open(explorer, "#a=dedup")
    tab.value(
        "[...document.querySelectorAll('#panel td a')].find(a => a.textContent === 'filter').focus()"
    )
    tab.key("Enter")
    tab.wait("document.querySelector('#title bdi').textContent === 'filter'")
    assert tab.value("document.activeElement.id") == "title"


def test_on_a_narrow_screen_what_was_found_comes_first(tab: Chromium, explorer: Path) -> None:
    tab.open(explorer, "", 400, 800)
    type_in(tab, "planner")
    assert tab.value(
        "document.querySelector('#panel .found').getBoundingClientRect().top < innerHeight / 2"
    )
    tab.key("Escape")
    assert tab.value("getComputedStyle(document.getElementById('chart')).display") != "none"


def test_a_record_panel_has_hash_params_code_packages_and_figures(
    tab: Chromium, explorer: Path
) -> None:
    tab.open(explorer, "#a=rlvr.000004")
    tab.value("document.querySelectorAll('#panel details').forEach(d => d.open = true)")
    text = panel(tab)
    for part in (
        "rlvr.batch_sequences",
        "regrow.learn.rl.rlvr",
        "polars",
        "fma32",
        "difficulty",
        "exact match",
    ):
        assert part in text
    assert tab.value("document.querySelectorAll('#panel .curve svg.chart').length") >= 1
    assert tab.value("document.querySelectorAll('#panel .interval .whisker').length") > 0
    tab.open(explorer, "#a=filter")
    assert "length.words" in panel(tab)
    assert tab.value("document.querySelectorAll('#panel .bar i').length") >= 3


@pytest.mark.parametrize(
    "route",
    [
        "",
        "#a=rlvr.000004",
        "#c=sft.000002,rlvr.000004",
        "#q=a",
        f"#d={ID['joins']}",
        "#t=train-add-0",
    ],
)
def test_narrow_screens_do_not_scroll_sideways(tab: Chromium, explorer: Path, route: str) -> None:
    tab.open(explorer, route, 400, 800)
    assert tab.value("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(tab: Chromium, explorer: Path, scheme: str) -> None:
    """Contrast of 4.5 to 1 (WCAG 2.2, 1.4.3) of text in the panel, in both schemes."""
    tab.media(prefers_color_scheme=scheme)
    for route in ("#a=rlvr.000004", "#t=train-add-0", "#t=test-add-0", "#c=dpo.000002,rlvr.000004"):
        tab.open(explorer, route)
        worst = tab.value(CONTRAST)
        assert worst[0] >= 4.5, (route, worst)


CONTRAST = """(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = (node) => { for (; node; node = node.parentElement) { const c = parse(getComputedStyle(node).backgroundColor); if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  let worst = [99, ""];
  for (const node of document.querySelectorAll("#panel *, .top *")) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    const a = light(parse(getComputedStyle(node).color).slice(0, 3)), b = light(back(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, node.className + " " + node.textContent.slice(0, 40)];
  }
  return worst;
})()"""


def test_nothing_moves_where_motion_is_not_wanted(tab: Chromium, explorer: Path) -> None:
    tab.media(prefers_reduced_motion="reduce")
    tab.open(explorer)
    assert tab.value("getComputedStyle(document.querySelector('.node')).transitionDuration") == "0s"
    tab.media(prefers_reduced_motion="no-preference")
    assert tab.value("getComputedStyle(document.querySelector('.node')).transitionDuration") != "0s"


def test_paper_shows_graph_and_panel_and_no_buttons(tab: Chromium, explorer: Path) -> None:
    tab.open(explorer, "#a=mix")
    tab.media(media="print")
    assert tab.value("getComputedStyle(document.querySelector('.tools')).display") == "none"
    assert tab.value("getComputedStyle(document.getElementById('view')).overflow") == "visible"


def test_a_script_from_elsewhere_may_not_run(tab: Chromium) -> None:
    tab.value(
        "(() => { const s = document.createElement('script'); s.textContent = \"document.title = 'owned'\"; document.body.append(s); })()"
    )
    assert tab.value("document.title").endswith("lineage")
    assert any("Content Security Policy" in text for text in tab.errors)
    tab.errors.clear()


@pytest.mark.parametrize(
    "route",
    [
        "#a=nothing",
        "#d=zz",
        "#n=99999",
        "#c=a",
        "#c=mix,text",
        "#%E0%A4%A",
        "#q=%",
        "#a=__proto__",
        "#n=-1",
        "#t=nothing",
    ],
)
def test_a_link_that_means_nothing_shows_something(
    tab: Chromium, explorer: Path, route: str
) -> None:
    tab.open(explorer, route)
    assert title(tab)
