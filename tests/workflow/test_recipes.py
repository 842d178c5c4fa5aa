"""Five recipes by YAML alone, grown end to end, and asked every question; a fork and a takedown of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import recipes
from real_repository import PARAMS, Real
from sentences import Run, unheld
from tiny_flow import tiny_flow

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(2_400)]

LAST = {
    "base": "sft.000004",
    "no_dpo": "rlvr.000002",
    "soup_of_three": "sft.000004",
    "own": "sft.000004",
    "rl_zero": "rlzero.000002",
}
FIRST_PAGE = "https://mako.example/syntax.html"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Real:
    """One repository: recipes share what they have in common by key, with each other and with the tiny flow."""
    tiny = tiny_flow(tmp_path_factory, worker_id)
    made = tiny.copy(tmp_path_factory.mktemp("recipes") / "repository")
    recipes.bring(made.path)
    for name in recipes.RECIPES:
        text = recipes.params(made.read(PARAMS), name)
        (made.path / f"params/{name}.yaml").write_text(text)
    made.commit("five recipes")
    return made


def asked(repository: Real, *args: str, status: tuple[int, ...] = (0,)) -> str:
    done = repository.regrow(*args, check=False)
    assert done.returncode in status, f"{args} -> {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def answer(repository: Real, *args: str, status: tuple[int, ...] = (0,)) -> Any:
    return json.loads(asked(repository, *args, "--json", status=status))


def record(repository: Real, name: str) -> Any:
    return json.loads(repository.read(f"records/{name}.json"))


@pytest.fixture(scope="module")
def server(repository: Real) -> Iterator[str]:
    """One warm server for the runs of all recipes."""
    with repository.served() as address:
        yield address


@pytest.fixture(scope="module", params=list(recipes.RECIPES))
def grown(repository: Real, server: str, request: pytest.FixtureRequest) -> tuple[Real, str]:
    """The repository with the run of one recipe, committed."""
    name, file = str(request.param), f"params/{request.param}.yaml"
    repository.run("snakemake", "--cores", "2", "--configfile", file, REGROW_WARM=server)
    repository.commit(name)
    return repository, name


def test_a_recipe_grows_and_answers_every_question(grown: tuple[Real, str], tmp_path: Path) -> None:
    repository, name = grown
    last, file = LAST[name], f"params/{name}.yaml"
    assert "current." in asked(repository, "plan", "--params", file)
    again = repository.run("snakemake", "-n", "--cores", "2", "--configfile", file)
    assert "Nothing to be done" in again.stdout + again.stderr
    verified = answer(repository, "verify")
    assert verified["equal"] == len(verified["artifacts"]) > 20
    told = answer(repository, "audit", last)
    assert told["artifact"]["name"] == last and told["sources"]
    trained = answer(repository, "trace", FIRST_PAGE)["training"]
    assert "pretrain" in {entry["stage"] for entry in trained}
    seen = answer(repository, "batch", last, "--step", "1")
    assert seen[seen["kind"]]
    text = "the template is rendered with the context"
    searched = answer(repository, "explain", last, text, status=(0, 1))["data"]
    assert last in {run["checkpoint"] for data in searched for run in data["runs"]} or "rl" in last
    apart = answer(repository, "diff", last, "pretrain.000004", status=(1,))
    assert apart["causes"][0]["part"] == "further" and last in apart["causes"][0]["between"]
    for page, command in (("report.html", "report"), ("lineage.html", "explore")):
        option = "--output" if command == "report" else "--html"
        asked(repository, command, option, str(tmp_path / page))
        assert last.split(".")[0] in (tmp_path / page).read_text()
    stage, _, step = last.partition(".")
    assert f"{stage}-step{int(step)}" in asked(repository, "release")
    _forked(repository, name, tmp_path)
    _taken_down(repository, name)


def _forked(repository: Real, name: str, folder: Path) -> None:
    """`regrow fork`: the plan knows everything up to the fork point; nothing is left behind."""
    chats = name in ("base", "no_dpo", "own")
    at = {"no_dpo": "longcontext.000002", "soup_of_three": "midtrain.000002"}.get(
        name, "pretrain.000008"
    )
    rows = [
        {
            "messages": [
                {"role": "user", "content": "Where is the lamp?"},
                {"role": "assistant", "content": "It is in the garden."},
            ]
        }
        if chats
        else {"text": "Notes on lamps and gardens. " * 30}
    ]
    data = folder / "mine.jsonl"
    data.write_text("".join(json.dumps(row | {"licence": "CC0-1.0"}) + "\n" for row in rows))
    file = f"params/{name}.yaml"
    words = ("fork", at, "--data", str(data), "--name", "mine", "--here", "--params", file)
    if name == "rl_zero":
        done = repository.regrow(*words, check=False)
        assert done.returncode == 1 and "reads documents or conversations" in done.stderr
        return
    told = answer(repository, *words)
    assert told["checkpoint"] == at and told["plan"]
    planned = asked(repository, "plan", "--params", "params/mine.yaml")
    assert "run" in planned
    _clean(repository)


def _taken_down(repository: Real, name: str) -> None:
    """`regrow takedown`: the first step of each stage that saw the page, and a plan of what follows."""
    file = f"params/{name}.yaml"
    told = answer(repository, "takedown", FIRST_PAGE, "--name", "gone", "--params", file)
    first = told["touched"]["first"]
    assert first["pretrain"] >= 1
    assert set(first) <= {stage for stage in _stages(repository, name)} | {"anneal"}
    assert f"pretrain.{8:06d}" in told["plan"]["anew"]
    held = {row["path"].split("/")[1] for row in told["stored"] if row["holds"] == "tokens"}
    assert held >= {"pack", "index", *(["pack_part"] if name == "own" else [])}
    assert not any("_part." in job for job in told["plan"]["anew"])
    _clean(repository)


def _stages(repository: Real, name: str) -> set[str]:
    from regrow.params import schema

    return {s.name for s in schema.load(repository.path / f"params/{name}.yaml").stages}


def _clean(repository: Real) -> None:
    for part in ("forks", "takedowns", "params/mine.yaml", "params/gone.yaml"):
        repository.run("rm", "-rf", part)
    assert not repository.git("status", "--porcelain", "--", "records", "params")


def test_every_sentence_of_the_cards_falls_with_its_evidence(grown: tuple[Real, str]) -> None:
    repository, name = grown
    odd = unheld(Run(repository.path, LAST[name], {"name": "regrow-tiny"}))
    assert not odd, "\n".join(odd)


def test_an_artifact_of_another_recipe_is_rebuilt_from_its_hash(grown: tuple[Real, str]) -> None:
    """The recipe is written down from the records; nothing says which params file it was started with."""
    repository, name = grown
    if name == "rl_zero":  # the shortest one
        digest = record(repository, LAST[name])["output"]["sha256"][:12]
        told = asked(repository, "rebuild", digest)
        assert "outputs equal, byte for byte" in told


def test_what_each_recipe_is_about(grown: tuple[Real, str]) -> None:
    repository, name = grown
    made = {path.stem.split(".")[0] for path in (repository.path / "records").glob("*.json")}
    stages = _stages(repository, name)
    assert stages <= made
    if name == "base":
        assert not made & {"midtrain_data", "longcontext_data", "pairs", "difficulty", "anneal"}
        gains = answer(repository, "evals", "--gains")
        assert {(g["stage"], g["before"]["checkpoint"]) for g in gains} >= {
            ("sft", "pretrain-000008")
        }
    if name == "no_dpo":
        assert not made & {"dpo", "dpo_delta", "pairs"}
        assert (
            record(repository, "rlvr.000001")["inputs"]["base"]["record"]
            == "records/sft.000004.json"
        )
        card = repository.read("data/release/rlvr-000002/README.md")
        assert "(`rlvr`)" in card and "Supervised fine-tuning, Think" in card
        assert "preference" not in card.lower() and "dpo" not in card.lower()
        assert "passed at most 0.5" in card
    if name == "soup_of_three":
        inputs = record(repository, "soup.000004")["inputs"]
        runs = {key: inputs[key]["record"] for key in ("a", "b", "c")}
        assert runs == {
            "a": "records/second.000004.json",
            "b": "records/second_b.000004.json",
            "c": "records/second_c.000004.json",
        }
        assert (
            record(repository, "second.000002")["inputs"]["base"]["record"]
            == "records/midtrain.000004.json"
        )
        assert "Soup of three runs" in repository.read("data/release/sft-000004/README.md")
        _joined(repository)
    if name == "own":
        assert record(repository, "tokenizer")["counts"]["given"] == 500
        counts = record(repository, "ours")["counts"]
        assert counts["in"] == 2 * recipes.CHATS + 1 and counts["dropped"] == {"duplicate": 1}
        results = json.loads(repository.read("data/evaluate/sft-000004/results.json"))
        assert results["probes"]["task:parity:acc"]["items"] == 8
        told = json.dumps(answer(repository, "audit", "sft.000004"))
        assert "datasets/ours.jsonl" in told and "CC-BY-4.0" in told
        assert "CC-BY-4.0" in repository.read("data/release/sft-000004/DATA_CARD.md")
        _read(repository, told)
        _cut(repository, told)
    if name == "rl_zero":
        gains = answer(repository, "evals", "--gains")
        row = next(g for g in gains if (g["stage"], g["metric"]) == ("rlzero", "pass_rate"))
        assert row["before"]["checkpoint"] == "pretrain-000008"
        assert row["control"]["checkpoint"] == "rlzero_random-000001"


def _cut(repository: Real, audited: str) -> None:
    """Decontaminate, classify and pack are cut into three parts; each question sees all of them, no card any."""
    places = [f"00{n}of003" for n in range(3)]
    for step in ("decontaminate", "classify", "pack"):
        parts = [f"records/{step}_part.{place}.json" for place in places]
        inputs = record(repository, step)["inputs"].values()
        assert {entry.get("record") for entry in inputs} >= {*parts}
        assert all(f'"{part}"' in audited for part in parts)
    counts = [record(repository, f"decontaminate_part.{place}")["counts"] for place in places]
    whole = record(repository, "decontaminate")["counts"]
    assert sum(part["in"] for part in counts) == whole["in"]
    release = repository.path / "data/release/sft-000004"
    assert not any("of003" in card.read_text() for card in release.glob("*.md"))


def _read(repository: Real, audited: str) -> None:
    """Two sources of the recipe and the crawl: read and filtered in parts, gathered, and told apart by every question."""
    text = record(repository, "text")["counts"]
    assert (text["documents"]["notes"], text["documents"]["rows"]) == (5, 8)
    assert text["dropped"]["bad_json"] == 1 and text["dropped"]["empty"] >= 1
    assert text["licences"]["unknown"] >= 5 and text["licences"]["PSF-2.0"] == 3
    parts = [record(repository, f"read_rows.00{n}of002")["counts"] for n in range(2)]
    assert [sum(part[name] for part in parts) for name in ("files", "in", "kept")] == [4, 9, 8]
    assert all(f'"{path}"' in audited for path in ("corpus/rows", "corpus/notes/**/*.md"))
    card = repository.read("data/release/sft-000004/DATA_CARD.md")
    assert "Conversations of the data set `ours`" in card and "belongs to a fork" not in card
    assert "| notes | text | corpus/notes/**/*.md | CC0-1.0 | our wiki | 5 |" in card
    assert "| rows | jsonl | corpus/rows | unknown | https://dumps.example/ | 8 |" in card
    assert (
        "as the manifest of sources declares them" in card and "The run's crawler came to" in card
    )
    for query, first in (
        ("corpus/notes/a/note0.md", "read_notes"),
        ("https://manual.example/row1", "read_rows"),
        (FIRST_PAGE, "crawl"),
    ):
        assert answer(repository, "trace", query)["stops"][0]["step"] == first
    (repository.path.parent / "papers").mkdir(exist_ok=True)
    for kind in ("croissant", "cyclonedx", "ro-crate", "openlineage", "summary"):
        asked(repository, "export", kind, "sft.000004", "--out", "../papers")


def _joined(repository: Real) -> None:
    """Both midtrainings read sequences of two data sets, fine-tuning examples of two; every question follows them."""
    counts = record(repository, "joined_second")["counts"]
    taken = {name: row["joined"] for name, row in counts["joined"].items()}
    assert (
        abs(taken["more"] - 0.3 * counts["sequences"]) < 1
        and sum(taken.values()) == counts["sequences"]
    )
    assert (
        record(repository, "second_c.000004")["inputs"]["data"]["record"]
        == "records/joined_second.json"
    )
    both = record(repository, "both")["counts"]["think"]["joined"]
    # 40 examples last for 53 at three quarters; a quarter of these is one more than there are conversations.
    assert (both["ours"]["joined"], both["ours"]["repeats"], both["sft_data"]["joined"]) == (
        13,
        2,
        40,
    )
    assert (
        record(repository, "anneal")["inputs"]["midtrain_data"]["record"]
        == "records/midtrain_data.json"
    )
    # A document of the one data set that is in no other: traced into the joined pack, its step and its batch.
    seen = answer(repository, "batch", "second.000004", "--step", "1")
    assert all(row["source"] and row["component"] for row in seen["documents"])
    totals = answer(repository, "batch", "second.000004")
    assert {row["component"] for row in totals["by_component"]} >= {"questions", "quality"}
    assert all(row["licence"] for row in totals["by_licence"])
    found = answer(repository, "trace", FIRST_PAGE)
    stops = [stop["step"] for stop in found["stops"]]
    assert "midtrain_data" in stops or "more" in stops
    one = next(row for row in seen["documents"] if row.get("url"))
    entry = next(
        e for e in answer(repository, "trace", one["url"])["training"] if e["stage"] == "second"
    )
    assert 1 in entry["steps"]
    page = answer(repository, "explain", "second.000004", one["title"] or "the", status=(0, 1))
    assert "data/index/joined_second" in {data["index"] for data in page["data"]}
    told = json.dumps(answer(repository, "audit", "sft.000004"))
    assert all(
        f'"records/{name}.json"' in told for name in ("joined_second", "more", "both", "ours")
    )
    assert "CC-BY-4.0" in repository.read("data/release/sft-000004/DATA_CARD.md")
    card = repository.read("data/release/soup-000004/README.md")
    assert "Sequences of several data sets; tokens: midtrain_data" in card
    results = json.loads(repository.read("data/evaluate/midtrain-000004/results.json"))
    assert set(results["probes"]) == {"worked_answers"} and results["overall"]["bits_per_byte"] > 0


def test_a_fork_and_a_takedown_of_a_recipe_are_grown(
    grown: tuple[Real, str], tmp_path: Path
) -> None:
    repository, name = grown
    if name != "own":  # one stands for all: the steps are the same, and of this one some are cut
        return
    other = repository.copy(tmp_path / "copy")
    row = {
        "messages": [
            {"role": "user", "content": "Where is the lamp?"},
            {"role": "assistant", "content": "It is in the garden."},
        ],
        "licence": "CC0-1.0",
    }
    (tmp_path / "mine.jsonl").write_text(json.dumps(row) + "\n")
    words = (
        "--data",
        str(tmp_path / "mine.jsonl"),
        "--name",
        "mine",
        "--params",
        f"params/{name}.yaml",
    )
    asked(other, "fork", "pretrain.000004", *words)
    other.commit("fork")
    other.run("snakemake", "--cores", "2", "--configfile", "params/mine.yaml")
    made = {path.stem for path in (other.path / "records").glob("*.json")}
    assert "forksft.mine" in made and "pretrain.000008" not in made
    assert record(other, "sft.000002")["inputs"]["data"]["record"] == "records/ours.json"
    assert record(other, "ours")["inputs"]["beside"]["record"] == "records/forksft.mine.json"
    assert record(other, "sft.000002")["inputs"]["base"]["record"] == "records/pretrain.000004.json"
    assert "CC0-1.0" in other.read("data/release/sft-000004/DATA_CARD.md")
    assert record(other, "pretrain.000004") == record(repository, "pretrain.000004")

    other = repository.copy(tmp_path / "again")
    told = ("takedown", FIRST_PAGE, "--name", "gone", "--params", f"params/{name}.yaml")
    shown = asked(other, *told, "--run", "--cores", "2")
    assert "done gone" in shown
    down = record(other, "pretrain.000008")["inputs"]["data"]["record"]
    assert down == "records/pack_masked.gone.json"
    assert _parts(other) == _parts(repository) and len(_parts(other)) == 9
    done = answer(other, "takedown", "--finish", "gone")
    assert done["checks"]["slots_masked"] > 0 and "pretrain.000008" in done["checks"]["read"]


def _parts(repository: Real) -> dict[str, str]:
    """The records of what a cut recipe cuts."""
    return {path.name: path.read_text() for path in (repository.path / "records").glob("*_part.*")}
