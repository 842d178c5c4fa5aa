"""Hold-out by groups, overlap with held-out documents and evals."""

import json
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from determinism import run_twice
from regrow.data.dedup import decontaminate, evals, holdout
from regrow.data.dedup.overlap import References
from regrow.params.data import Decontaminate

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = {"id": pl.String, "url": pl.String, "source": pl.String, "text": pl.String}


def text(seed: int, n: int = 200) -> str:
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(n))


def site(versions: tuple[str, ...] = ("1.0", "2.0"), pages: int = 30) -> list[dict[str, str]]:
    return [
        {
            "id": f"{page:02d}-{version}",
            "url": f"http://docs/{version}/p{page}.html",
            "source": f"docs-{version}",
            "text": f"{text(page)} {text(1_000 * page + int(version[0]), 60)}",
        }
        for page in range(pages)
        for version in versions
    ]


def eval_folder(tmp_path: Path, **items: str) -> Path:
    folder = tmp_path / "evals"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"id": k, "text": v}) for k, v in items.items()]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def tasks_folder(tmp_path: Path, *questions: str) -> Path:
    """dev.parquet with these questions, and test.parquet with none."""
    folder = tmp_path / "tasks"
    folder.mkdir(parents=True, exist_ok=True)
    for split, asked in (("dev", questions), ("test", ())):
        rows = [{"id": f"task{n}", "question": q} for n, q in enumerate(asked)]
        schema = {"id": pl.String, "question": pl.String}
        pl.DataFrame(rows, schema).write_parquet(folder / f"{split}.parquet")
    return folder


def run(tmp_path: Path, rows: list[dict[str, str]], folder: Path, **params: object):
    tmp_path.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, SCHEMA).write_parquet(tmp_path / "documents.parquet")
    if not (tmp_path / "tasks").exists():
        tasks_folder(tmp_path)
    counts = decontaminate.run(
        {"dedup": tmp_path, "evals": folder, "tasks": tmp_path / "tasks"},
        SimpleNamespace(decontaminate=Decontaminate(**params)),
        tmp_path / "out",
    )
    tables = [pl.read_parquet(tmp_path / f"out/{n}.parquet") for n in ("train", "heldout", "drops")]
    return counts, *tables


def test_whole_groups_are_held_out(tmp_path):
    rows = site()
    counts, train, heldout, drops = run(tmp_path, rows, eval_folder(tmp_path))
    assert len(heldout) == 4  # ceil(0.06 x 60)
    pages = {i.split("-")[0] for i in heldout["id"]}
    assert len(pages) == 2
    assert not pages & {i.split("-")[0] for i in train["id"]}
    assert set(train["domain"]) == {"docs"}
    assert set(drops["id"]) == set(heldout["id"])
    assert set(drops["reason"]) == {"held_out"}
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values()) == 60
    assert counts["domains"]["docs"]["heldout_ngrams_seen"] == 0


def test_what_overlaps_a_heldout_document_goes(tmp_path):
    rows = site(versions=("1.0",))
    _, train, heldout, _ = run(tmp_path, rows, eval_folder(tmp_path))
    victim = heldout["text"][0].split()
    ngrams = len(victim) - 12
    for share, gone in ((0.35, True), (0.25, False)):
        part = " ".join(victim[: round(share * ngrams) + 12])
        copy = {
            "id": "zz",
            "url": "http://else/x",
            "source": "else",
            "text": f"{part} {text(77, 900)}",
        }
        counts, train, again, drops = run(
            tmp_path / str(share), [*rows, copy], eval_folder(tmp_path)
        )
        assert again["id"].to_list() == heldout["id"].to_list()
        assert ("zz" not in set(train["id"])) is gone
        if gone:
            drop = drops.filter(pl.col("id") == "zz").to_dicts()[0]
            assert drop["reason"] == "overlaps_heldout"
            assert drop["detail"] == heldout["id"][0]
            assert drop["value"] == pytest.approx(round(share * ngrams) / ngrams)
            assert drop["threshold"] == 0.30
        else:
            assert counts["domains"]["docs"]["heldout_ngrams_seen"] == round(share * ngrams)


@pytest.mark.parametrize(("pages", "gone"), [(10, True), (11, False)])
def test_page_furniture_is_no_overlap(tmp_path, pages, gone):
    """A held-out stub that is mostly the site's footer: only up to `common_ngram` pages share it."""
    footer = text(606, 40)
    rows = site(versions=("1.0",))
    first = run(tmp_path / "first", rows, eval_folder(tmp_path))[2]["id"][0]
    for row in rows:
        if row["id"] == first:
            row["text"] = f"{text(607, 15)} {footer}"
    held = set(run(tmp_path / "held", rows, eval_folder(tmp_path))[2]["id"])
    with_footer = [row for row in rows if row["id"] not in held][:pages]
    for row in with_footer:
        row["text"] += f" {footer}"
    _, train, heldout, drops = run(tmp_path / "last", rows, eval_folder(tmp_path))
    assert set(heldout["id"]) == held
    lost = set(drops.filter(pl.col("reason") == "overlaps_heldout")["id"])
    assert lost == ({row["id"] for row in with_footer} if gone else set())
    assert len(train) == len(rows) - len(held) - len(lost)


def test_an_eval_item_inside_a_long_page_is_found(tmp_path):
    question = text(4_242, 60)
    rows = site(versions=("1.0",))
    page = {"id": "zz", "url": "http://e/x", "source": "e", "text": f"{text(9, 5_000)} {question}"}
    _, train, _, drops = run(
        tmp_path, [*rows, page], eval_folder(tmp_path, q1=text(4_243), q2=question)
    )
    drop = drops.filter(pl.col("reason") == "overlaps_eval").to_dicts()
    assert [(d["id"], d["detail"], d["value"]) for d in drop] == [("zz", "q2", 1.0)]
    assert "zz" not in set(train["id"])


def test_domains_by_prefix_and_by_source():
    prefixes = {"manuals": ["docs/", "h/manual"], "plays": ["docs/plays/"]}
    assert holdout.domain("http://docs/x", "s-1.0", prefixes) == "manuals"
    assert holdout.domain("https://docs/plays/x", "s-1.0", prefixes) == "plays"
    assert holdout.domain("http://other/x", "sqlalchemy-2.0.36", prefixes) == "sqlalchemy"
    assert holdout.domain("http://other/x", "roundup-2.6.0-templates", {}) == "roundup-templates"
    assert holdout.domain("http://other/x", "boost-81", {}) == "boost"
    assert holdout.domain("http://other/x", "debian-faq", {}) == "debian-faq"
    assert holdout.domain("", "", {}) == "unknown"


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("http://a/1.4.54/orm/x.html", "http://a/2.0.36/orm/x.html", True),
        ("http://a/en/14/orm/x.html", "http://b/en/20/orm/x.html", True),
        ("http://a/v1.4/x.html", "http://a/x.html", True),
        ("http://a/changelog_14.html", "http://a/changelog_20.html", False),
        ("http://a/1.4/x.html", "http://a/1.4/y.html", False),
    ],
)
def test_group(one, two, same):
    assert (holdout.group(one, "d") == holdout.group(two, "d")) is same
    assert holdout.group(one, "d") != holdout.group(one, "e")


@given(
    st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 4), max_size=40),
    st.floats(0.01, 0.4),
    st.integers(0, 6),
    st.integers(0, 3),
)
def test_choice_keeps_its_promises(groups, share, least, seed):
    chosen = holdout.choose(groups, share, least, seed)
    assert chosen == holdout.choose(dict(reversed(groups.items())), share, least, seed)
    total, held = sum(groups.values()), sum(groups[g] for g in chosen)
    assert 2 * held <= total
    if total >= 2 * least + 8:  # room for the largest group
        assert held >= min(least, total // 2)
        assert held >= share * total or 2 * held > total - 8


def test_a_new_page_leaves_the_choice_of_most_others_alone():
    groups = {f"p{i}": 1 for i in range(200)}
    before = holdout.choose(groups, 0.1, 4, 0)
    after = holdout.choose({**groups, "new": 1}, 0.1, 4, 0)
    assert len(before ^ after) <= 2
    assert holdout.choose(groups, 0.1, 4, 1) != before


def test_overlap_is_containment_in_the_shorter():
    sets = [np.arange(10, dtype=np.uint64), np.arange(5, 105, dtype=np.uint64)]
    references = References(sets)
    assert references.overlap(np.arange(4, dtype=np.uint64)) == (1.0, 0)
    assert references.overlap(np.arange(8, 208, dtype=np.uint64)) == (0.97, 1)
    assert references.overlap(np.array([999], np.uint64)) == (0.0, -1)
    assert references.overlap(np.empty(0, np.uint64)) == (0.0, -1)
    assert References([]).overlap(np.arange(4, dtype=np.uint64)) == (0.0, -1)
    assert references.seen(np.array([3, 7, 500], np.uint64)).tolist() == [3, 7]
    assert References([]).seen(np.array([3], np.uint64)).tolist() == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "a.jsonl, line 2: no JSON"),
        ('{"id": "x"}', "a.jsonl, line 2: field text must be a string"),
        ("[]", "a.jsonl, line 2: no JSON object"),
        ("[" * 100_000, "a.jsonl, line 2: no JSON .nested too deeply"),
        ('{"id": ' + "9" * 5_000 + "}", "a.jsonl, line 2: no JSON that can be read"),
        ('{"id": "x", "text": "\\ud800"}', "a.jsonl, line 2: half a surrogate pair"),
        ('{"id": "x", "text": "t", "question": 1}', "line 2: field question must be a string"),
        ('{"id": "ok", "text": "t"}', "a.jsonl, line 2: id 'ok' is taken"),
    ],
)
def test_bad_eval_files_are_named(tmp_path, line, message):
    (tmp_path / "a.jsonl").write_text('{"id": "ok", "text": "t"}\n' + line + "\n")
    with pytest.raises(ValueError, match=message):
        evals.load(tmp_path)


def test_the_evals_of_the_repository_load():
    items = evals.load(ROOT / "evals")
    assert len([i for i in items if i.id.startswith("HumanEval/")]) == 164
    assert all(len(i.text.split()) >= 13 for i in items)


def test_odd_rows_and_empty_input(tmp_path):
    rows = [{"id": "a", "url": None, "source": None, "text": None}]
    folder = eval_folder(tmp_path, q=text(1))
    counts, train, _, _ = run(tmp_path / "odd", rows, folder)
    assert train["domain"].to_list() == ["unknown"]
    counts = run(tmp_path / "none", [], folder)[0]
    assert counts == {"in": 0, "kept": 0, "dropped": {}, "domains": {}}


CODE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from regrow.data.dedup import decontaminate
from regrow.params.data import Decontaminate
inputs = dict(zip(("dedup", "evals", "tasks"), map(Path, sys.argv[2:])))
decontaminate.run(inputs, SimpleNamespace(decontaminate=Decontaminate()), Path(sys.argv[1]))
"""


def test_same_bytes_under_other_settings(tmp_path):
    folder = tmp_path / "dedup"
    folder.mkdir()
    rows = site()
    pl.DataFrame(rows, SCHEMA).write_parquet(folder / "documents.parquet")
    tasks = str(tasks_folder(tmp_path, "Sort 45, 64."))
    found = run_twice(CODE, tmp_path, str(folder), str(ROOT / "evals"), tasks)
    assert set(found) == {"train.parquet", "heldout.parquet", "drops.parquet"}
    pl.DataFrame(rows[::-1], SCHEMA).write_parquet(folder / "documents.parquet")
    (tmp_path / "again").mkdir()
    assert run_twice(CODE, tmp_path / "again", str(folder), str(ROOT / "evals"), tasks) == found
