"""A fork of the tiny run: made on top of its parent, made from nothing, asked about, and left again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from real_repository import Real

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.timeout(2_400),
]

TARGETS = ("sft.000002", "release.longcontext-000002")


def brought(folder: Path) -> list[str]:
    """A file of documents and one of conversations, as arguments of `regrow fork`."""
    words = [
        "river",
        "stone",
        "lamp",
        "garden",
        "window",
        "copper",
        "thread",
        "harbour",
        "basket",
        "winter",
        "candle",
        "orchard",
    ]
    documents = [
        {
            "text": " ".join(words[(n * 5 + k * (k + n)) % len(words)] for k in range(90)) + ".",
            "url": f"https://notes.example/{n}",
            "licence": "CC-BY-4.0",
        }
        for n in range(24)
    ]
    chats = [
        {
            "messages": [
                {"role": "user", "content": f"What lies in the {word}?"},
                {"role": "assistant", "content": f"A {words[-1 - n]} lies there."},
            ],
            "licence": "CC0-1.0",
        }
        for n, word in enumerate(words)
    ]
    found = []
    for name, rows in (("notes", documents), ("chats", chats)):
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        found += ["--data", str(path)]
    return found


@pytest.fixture(scope="module")
def forked(grown: Real, tmp_path_factory: pytest.TempPathFactory) -> tuple[Real, dict, dict]:
    """A fork in midtraining, grown as far as TARGETS and committed; what was said, and what ran."""
    place = tmp_path_factory.mktemp("fork")
    copy = grown.copy(place / "copy")
    args = ["midtrain-000002", *brought(place), "--name", "mine", "--params", "params/tiny.yaml"]
    said = json.loads(copy.regrow("fork", *args, "--json").stdout)
    assert said["branch"] == {"name": "mine", "from": "main"}
    copy.commit("Fork: mine")
    records = [f"records/{name}.json" for name in TARGETS]
    copy.run("snakemake", "--cores", "2", *records, "--configfile", "params/mine.yaml")
    ran = copy.outcomes()
    copy.commit("Records: mine")
    return copy, said, ran


def test_only_what_is_the_forks_own_runs(forked: tuple[Real, dict, dict]) -> None:
    _, said, ran = forked
    assert set(ran) == {"run"}
    assert set(ran["run"]) <= set(said["plan"]["anew"])
    assert {"forkmix.mine", "midtrain.000004", "midtrain_b.000004", "forksft.mine"} <= set(
        ran["run"]
    )
    assert not any(name.startswith(("pretrain", "crawl", "midtrain.000002")) for name in ran["run"])


def test_from_nothing_it_is_the_same(forked: tuple[Real, dict, dict]) -> None:
    copy, _, _ = forked
    answer = json.loads(copy.regrow("rebuild", "sft.000002", "--json").stdout)
    assert answer["verdict"] == "equal" and answer["from"] == "sources"
    names = {row["name"] for row in answer["jobs"]}
    assert {"crawl", "pretrain.000008", "midtrain.000002", "forkmix.mine", "sft.000002"} <= names


def test_questions_name_the_forks_documents(forked: tuple[Real, dict, dict]) -> None:
    copy, _, _ = forked

    def ask(*args: str, check: bool = True) -> dict:
        return json.loads(copy.regrow(*args, "--json", check=check).stdout)

    # Half of the stage was trained on the parent's mix: each step is told by what it read.
    early = ask("batch", "midtrain.000004", "--step", "2")["documents"]
    assert not any(row.get("component") == "own" for row in early)
    late = [ask("batch", "midtrain.000004", "--step", str(n))["documents"] for n in (3, 4)]
    own = [row for rows in late for row in rows if row.get("component") == "own"]
    assert own and all(row["url"].startswith("https://notes.example/") for row in own)
    assert {row["licence"] for row in own} == {"CC-BY-4.0"}
    totals = ask("batch", "midtrain.000004")
    by = {row["component"]: row["tokens"] for row in totals["by_component"]}
    assert 0 < by["own"] < sum(by.values()) == totals["tokens"]

    audited = ask("audit", "sft.000002")
    assert [(part["job"], part["count"]) for part in audited["own"]] == [
        ("forkmix.mine", 24),
        ("forksft.mine", 12),
    ]
    assert {row["url"] for row in audited["own"][0]["rows"]} == {
        f"https://notes.example/{n}" for n in range(24)
    }
    assert "CC-BY-4.0" in {row["licence"] for row in audited["licences"]}
    assert audited["problems"] == [] and ask("audit", "midtrain.000002")["own"] == []

    told = ask("diff", "longcontext.000002@main", "longcontext.000002", check=False)
    lists = [b["documents"] for cause in told["causes"] for b in cause.get("brings", [])]
    assert any(found and found["added"]["count"] == 24 for found in lists)
    assert any(found and found["added"]["licences"] == {"CC-BY-4.0": 24} for found in lists)

    card = copy.read("data/release/longcontext-000002/DATA_CARD.md")
    assert "## Documents of the fork" in card and "https://notes.example/7" in card
    assert "Conversations of the fork" not in card, "no conversation reached the base model"
    assert "of `midtrain-000002`" in copy.read("data/release/longcontext-000002/README.md")

    summary = copy.regrow("export", "summary", "sft.000002", "--out", "-", "--json").stdout
    (section,) = [s for s in json.loads(summary)["sections"] if s["number"] == "2.6"]
    fields = {field["key"]: field["value"] for field in section["fields"]}
    assert fields["forkmix.mine"][0]["Number"] == 24 and fields["forksft.mine"][0]["Number"] == 12
    for form, path in (
        ("croissant", "forkmix.mine/contributions.parquet"),
        ("cyclonedx", "forks/mine/chats.parquet"),
    ):
        text = copy.regrow("export", form, "sft.000002", "--out", "-").stdout
        assert "(fork mine)" in text and path in text
    copy.regrow("explore", "sft.000002", "--html", "out.html")
    assert "notes.example/7" in copy.read("out.html")
    (copy.path / "out.html").unlink()


def test_the_parent_comes_back_with_its_branch(
    forked: tuple[Real, dict, dict], grown: Real
) -> None:
    copy, _, _ = forked
    copy.git("switch", "-q", "main")
    outcomes = copy.build()
    assert "run" not in outcomes
    assert copy.dirty() == ""
    assert copy.read("dvc.lock") == grown.read("dvc.lock")
    copy.git("switch", "-q", "mine")
