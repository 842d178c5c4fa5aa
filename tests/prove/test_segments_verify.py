"""Verification of segments, on a small run of every stage that was really trained."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from safetensors.torch import load_file, save_file

import trained_tree
from regrow.cli.main import main
from regrow.data.tables import parquet
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.learn.rl import groups, rlvr
from regrow.learn.train import digest
from regrow.numerics.random import Stream
from regrow.prove.segments import chain, compare, odds
from regrow.prove.segments import links as links_of
from regrow.prove.segments.challenge import Challenge, challenge
from regrow.prove.segments.draw import Sample, draw
from regrow.prove.segments.replay import Replay
from regrow.prove.segments.states import States
from regrow.prove.segments.units import Kind, Run, run_of
from regrow.prove.segments.verified_files import VerifiedFiles
from regrow.prove.segments.verify import Verification

LAST = "rlvr.000004"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Only read."""
    return trained_tree.grow(tmp_path_factory.mktemp("trained") / "tree")


@pytest.fixture
def tree(trained: Path, tmp_path: Path) -> Path:
    """A copy to forge."""
    return Path(shutil.copytree(trained, tmp_path / "tree"))


class Verifier:
    """What the command does, without the terminal."""

    def __init__(self, root: Path, scratch: Path, checkpoint: str = LAST) -> None:
        self.ledger = Ledger.load(root)
        self.scratch = scratch
        self.verified = VerifiedFiles(root, scratch)
        self.run: Run = run_of(self.ledger, self.verified, self.ledger.by_name[checkpoint])

    def challenge(self, kind: Kind = "span", segments: int = 99, **more: Any) -> Challenge:
        values: dict[str, Any] = {"seed": "s", "share": 0.05, "wanted": 0.99}
        states = more.pop("states", None)
        sample = Sample(kind, count=segments, **(values | more))
        return challenge(self.run, sample, {}, States(states) if states else None)

    def work(self, what: Challenge) -> Verification:
        return Verification(Replay(self.ledger, self.verified), what, self.scratch / "work")

    def verify(self, what: Challenge) -> dict[str, Any]:
        return self.work(what).answer()

    def seed(self, unit: str, segments: int, *, drawn: bool) -> str:
        """A seed under which a unit is (not) drawn."""
        for number in range(1000):
            what = self.challenge(segments=segments, seed=str(number))
            if (unit in [u.name for u in what.drawn]) == drawn:
                return str(number)
        raise AssertionError


def perturb(folder: Path, before: str = digest.FIRST, element: int = 5, ulp: int = 1) -> None:
    """Change one weight of a checkpoint, and everything in it that tells of its weights.

    `before`: the chain that its first link hangs on.
    """
    weights = load_file(folder / "model.safetensors")
    name = "model.layers.1.mlp.up_proj.weight"
    flat = weights[name].view(-1)
    for _ in range(ulp):
        flat[element] = torch.nextafter(flat[element], torch.tensor(math.inf))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    links = digest.read(folder / "digests.jsonl")
    mine = chain.state_link(folder)
    before = links[-2]["chain"] if len(links) > 1 else before
    links[-1] |= {key: mine[key] for key in ("digest", "tensors")}
    links[-1]["chain"] = links_of.joined(before, mine["digest"])
    digest.write(links, folder / "digests.jsonl")


def forge(root: Path, name: str) -> None:
    """A forgery without a seam: one weight is another, all records agree, the rest is trained on it."""
    folder = root / "data" / name.replace(".", "/")
    parent = {"dpo.000006": "sft/000006", "rlvr.000002": "dpo/000006"}.get(name)
    before = digest.read(root / "data" / parent / "digests.jsonl")[-1]["chain"] if parent else ""
    perturb(folder, before)
    trained_tree.write_record(root, name)
    trained_tree.retrain(root, name)


def test_an_honest_run_is_equal_in_every_stage(trained: Path, tmp_path: Path) -> None:
    mine = Verifier(trained, tmp_path)
    answer = mine.verify(mine.challenge())
    assert answer["verdict"] == "equal" and not answer["faults"]
    assert len(answer["results"]) == len(trained_tree.CHAIN)  # rollouts included: every file
    assert {r["name"].split(".")[0] for r in answer["results"]} == {
        "pretrain", "midtrain", "midtrain_b", "soup", "longcontext", "sft", "dpo", "rlvr",
    }  # fmt: skip
    assert answer["price"]["steps"] == answer["price"]["of_steps"] == 40
    assert answer["catch"]["odds"] == 1.0
    assert sum(r["links"] for r in answer["results"]) == answer_links(mine)


def answer_links(mine: Verifier) -> int:
    return sum(len(span.links) for span in mine.run.spans)


@pytest.mark.parametrize(
    "name",
    [
        "pretrain.000003",
        "midtrain.000003",
        "midtrain_b.000006",
        "longcontext.000006",
        "sft.000003",
        "dpo.000006",
        "rlvr.000002",
    ],
)
def test_a_forged_checkpoint_is_caught_when_drawn_and_not_otherwise(
    tree: Path, tmp_path: Path, name: str
) -> None:
    forge(tree, name)
    mine = Verifier(tree, tmp_path)
    caught = mine.verify(mine.challenge(segments=6, seed=mine.seed(name, 6, drawn=True)))
    assert caught["verdict"] == "differs" and not caught["faults"]
    bad = caught["results"][-1]
    assert bad["name"] == name and bad["step"] == mine.ledger.by_name[name].trained[1]  # type: ignore[index]
    assert bad["tensors"] == ["model/model.layers.1.mlp.up_proj.weight"]
    assert bad["files"] == ["digests.jsonl", "model.safetensors"]
    # The honest limit: the forgery lies in one span, and only that span shows it.
    passed = mine.verify(mine.challenge(segments=6, seed=mine.seed(name, 6, drawn=False)))
    assert passed["verdict"] == "equal"


def test_a_swapped_initialisation_is_always_caught(tree: Path, tmp_path: Path) -> None:
    folder = tree / "data/pretrain/000000"
    perturb(folder)
    trained_tree.write_record(tree, "pretrain.000000")
    trained_tree.retrain(tree, "pretrain.000000")
    mine = Verifier(tree, tmp_path)
    answer = mine.verify(mine.challenge(segments=1))
    assert answer["verdict"] == "differs" and len(answer["results"]) == 1
    assert answer["results"][0]["files"] == ["digests.jsonl", "model.safetensors"]


def test_a_doctored_rollout_is_caught(tree: Path, tmp_path: Path) -> None:
    """The weights are honest, the published rewards are not."""
    path = tree / "data/rlvr/000004/rollouts.parquet"
    parquet.write(parquet.read(path).with_columns(reward=pl.lit(1.0)), path)
    trained_tree.write_record(tree, LAST)
    mine = Verifier(tree, tmp_path)
    whole = mine.verify(mine.challenge())
    assert whole["results"][-1]["files"] == ["rollouts.parquet"]
    part = mine.run.units("link")[-1]
    what = replace(mine.challenge("link"), drawn=(part,))
    from regrow.prove.segments.challenge import lay_out

    answer = mine.verify(replace(what, reruns=lay_out((part,), None)))
    assert answer["verdict"] == "differs"


def forge_by(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """A publisher's machine that does not do what the record says."""
    if what == "reward":  # the first answer to every prompt passes, whatever it says
        honest = groups.random
        monkeypatch.setitem(
            groups.REWARDS,
            "random",
            lambda name, sample, answer: honest(name, sample, answer) if sample else (1.0, ""),
        )
    else:  # answers drawn again under another key: who draws often enough finds good ones

        def again(*arguments: Any) -> groups.Sampler:
            *others, key = arguments
            return groups.Sampler(*others, key + " once more")

        monkeypatch.setattr(rlvr, "Sampler", again)


@pytest.mark.parametrize("what", ["reward", "rollout"])
def test_weights_that_learned_from_forged_rewards_or_rollouts_are_caught(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """All of it agrees with itself: rollouts, rewards, weights, chain, and what came after."""
    before = (tree / "data/rlvr/000002/rollouts.parquet").read_bytes()
    with monkeypatch.context() as machine:
        forge_by(machine, what)
        trained_tree.make(tree, "rlvr.000002")
    assert (tree / "data/rlvr/000002/rollouts.parquet").read_bytes() != before
    trained_tree.retrain(tree, "rlvr.000002")
    mine = Verifier(tree, tmp_path)
    caught = mine.verify(mine.challenge(segments=6, seed=mine.seed("rlvr.000002", 6, drawn=True)))
    assert caught["verdict"] == "differs" and not caught["faults"]
    bad = caught["results"][-1]
    assert bad["name"] == "rlvr.000002" and bad["step"] == 1
    assert {"rollouts.parquet", "model.safetensors"} <= set(bad["files"])
    passed = mine.verify(mine.challenge(segments=6, seed=mine.seed("rlvr.000002", 6, drawn=False)))
    assert passed["verdict"] == "equal"


def test_rows_that_a_filter_left_are_those_that_were_written_alone() -> None:
    rows = [
        {
            "step": step,
            "tokens": list(range(step % 7)),
            "logprobs": None if step % 3 else [0.5, -0.0],
        }
        for step in range(40)
    ]
    schema = {"step": pl.Int64, "tokens": pl.List(pl.Int64), "logprobs": pl.List(pl.Float32)}
    part = pl.DataFrame(rows, schema=schema).filter(pl.col("step").is_between(11, 20))
    alone = pl.DataFrame(rows[11:21], schema=schema)
    assert compare._bytes(part) == compare._bytes(alone)
    rows[12]["logprobs"] = [0.5, 0.0]
    assert compare._bytes(pl.DataFrame(rows[11:21], schema=schema)) != compare._bytes(alone)


def test_what_contradicts_itself_is_found_without_training(tree: Path, tmp_path: Path) -> None:
    """A swap that is not carried through the chain and the later records costs nothing to find."""
    folder = tree / "data/sft/000003"
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] += 1
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    mine = Verifier(tree, tmp_path)
    with pytest.raises(
        Unanswerable, match=r"sft/000003/model\.safetensors does not hold the bytes"
    ):
        mine.verify(mine.challenge())
    trained_tree.write_record(tree, "sft.000003")
    mine = Verifier(tree, tmp_path / "2")
    answer = mine.verify(mine.challenge(segments=1))
    assert answer["verdict"] == "differs" and not answer["results"]
    assert answer["faults"] == {
        "sft.000003": ["the last link is not the digest of the stored state"],
        "sft.000006": ["records/sft.000006.json: its input `previous` is not the output of "
                       "records/sft.000003.json"],
    }  # fmt: skip


@pytest.mark.parametrize("what", ["drop", "edit", "swap"])
def test_a_broken_chain_is_found_without_training(tree: Path, tmp_path: Path, what: str) -> None:
    path = tree / "data/pretrain/000006/digests.jsonl"
    links = digest.read(path)
    if what == "drop":
        links = links[1:]
    elif what == "edit":
        links[0]["digest"] = "0" * 64
    else:
        links = links[::-1]
    digest.write(links, path)
    trained_tree.write_record(tree, "pretrain.000006")
    mine = Verifier(tree, tmp_path)
    answer = mine.verify(mine.challenge(segments=1))
    assert answer["verdict"] == "differs" and "pretrain.000006" in answer["faults"]


def test_an_ancestry_that_was_cut_is_no_shorter_run(tree: Path, tmp_path: Path) -> None:
    """Whoever removes the record of a poisoned parent does not escape the draw."""
    (tree / "records/pack.json").unlink()
    mine = Verifier(tree, tmp_path)
    answer = mine.verify(mine.challenge(segments=1))
    assert set(answer["faults"]) == {f"pretrain.{step:06d}" for step in (3, 6)} | (
        {"pretrain.000000"} & set(answer["faults"])
    )
    (tree / "records/midtrain.000003.json").unlink()
    mine = Verifier(tree, tmp_path / "2")
    with pytest.raises(Unanswerable, match=r"names records/midtrain\.000003\.json, which is not"):
        mine.verify(mine.challenge(segments=1))


def test_a_record_cannot_have_anything_called(tree: Path, tmp_path: Path) -> None:
    mine = Verifier(tree, tmp_path)
    record = mine.ledger.by_name["sft.000003"]
    record.raw["parts"]["code"]["function"] = "shutil:rmtree"
    with pytest.raises(Unanswerable, match="no function of this package"):
        Replay(mine.ledger, mine.verified).task(record, tmp_path / "out")


def test_other_data_than_the_record_names_is_refused(tree: Path, tmp_path: Path) -> None:
    path = tree / "data/pack/tokens.bin"
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    mine = Verifier(tree, tmp_path, "pretrain.000006")
    with pytest.raises(Unanswerable, match=r"data/pack/tokens.bin does not hold the bytes"):
        mine.verify(mine.challenge())
    path.unlink()
    with pytest.raises(Unanswerable, match=r"dvc pull data/pack"):
        Verifier(tree, tmp_path / "2", "pretrain.000006").verify(mine.challenge())


def test_a_link_is_rerun_from_the_last_state_and_alone_where_one_is_handed_out(
    trained: Path, tmp_path: Path
) -> None:
    mine = Verifier(trained, tmp_path)
    alone = mine.challenge("link")
    assert alone.population == answer_links(mine) == 25
    assert alone.price.steps == 40  # all links of a span are done in one go
    one = next(
        mine.challenge("link", segments=1, seed=str(n))
        for n in range(100)
        if mine.challenge("link", segments=1, seed=str(n)).drawn[0].name == "dpo.000006:4-6"
    )
    assert one.price.steps == 6
    folder = tmp_path / "states"
    made = mine.work(one).hand_out(States(folder))
    assert made == [folder / "dpo/000004"]
    assert mine.work(one).hand_out(States(folder)) == []
    given = mine.challenge("link", segments=1, seed=one.seed, states=folder)
    assert given.price.steps == 2
    answer = mine.verify(given)
    assert answer["verdict"] == "equal" and answer["results"][-1]["links"] == 1
    assert answer["results"][-1]["begin"] == 4
    perturb(made[0])
    with pytest.raises(Unanswerable, match="did not keep to the chain"):
        mine.challenge("link", segments=1, seed=one.seed, states=folder)


def test_every_link_of_every_stage_comes_out_of_a_handed_out_state(
    trained: Path, tmp_path: Path
) -> None:
    mine = Verifier(trained, tmp_path)
    mine.work(mine.challenge("link")).hand_out(States(tmp_path / "states"))
    what = mine.challenge("link", states=tmp_path / "states")
    assert len(what.reruns) == what.population and what.price.steps == 40
    answer = mine.verify(what)
    assert answer["verdict"] == "equal"
    assert States(tmp_path / "states").of(mine.run.spans[-3]) == {
        2: tmp_path / "states/dpo/000002",
        4: tmp_path / "states/dpo/000004",
    }


def test_a_thousand_forgeries_are_caught_at_the_stated_odds(trained: Path, tmp_path: Path) -> None:
    """Every span is rerun once; each forgery publishes other digests for some and draws anew."""
    mine = Verifier(trained, tmp_path)
    units = mine.run.units("span")
    made = {
        unit.name: Replay(mine.ledger, mine.verified).run(unit.span.record, tmp_path / unit.name)
        for unit in units
    }
    count = len(units)
    assert count == 11
    for share, drawn in ((0.05, 3), (0.25, 4)):
        wrong = odds.forged(count, share)
        stated = odds.odds(count, wrong, drawn)
        caught = 0
        for trial in range(1000):
            # The forger chooses as he likes: here by chance, there the spans that cost most.
            ranks = Stream("forger", trial).bits64(count).tolist()
            order = sorted(range(count), key=lambda i: (trial % 2 * -units[i].span.steps, ranks[i]))
            forged = set(order[:wrong])
            picked = draw(
                [unit.name for unit in units],
                drawn,
                checkpoint=mine.run.checkpoint.sha256,
                seed=f"verifier {trial}",
            )
            for index in picked:
                span = units[index].span
                if index in forged:  # claims other weights at its end
                    last = span.links[-1] | {"digest": f"{trial:064x}"}
                    span = replace(span, links=(*span.links[:-1], last))
                found = compare.span(
                    mine.verified, span, span.begin, span.end, made[units[index].name]
                )
                assert found.equal == (index not in forged)
                if not found.equal:
                    caught += 1
                    break
        print(f"{wrong} of {count} forged, {drawn} drawn: {caught} of 1,000 caught, {stated:.1%}")
        error = math.sqrt(stated * (1 - stated) / 1000)
        assert abs(caught / 1000 - stated) <= 3.5 * error, (share, drawn, caught, stated)


def test_links_drawn_without_handed_out_states_catch_no_less_than_stated(
    trained: Path, tmp_path: Path
) -> None:
    """On the way to a drawn link those before it are compared as well."""
    mine = Verifier(trained, tmp_path)
    count = mine.challenge("link").population
    wrong, drawn = odds.forged(count, 0.1), 4
    caught = 0
    for trial in range(1000):
        what = mine.challenge("link", segments=drawn, seed=f"v{trial}")
        ranks = Stream("forger", trial).bits64(count).tolist()
        units = mine.run.units("link")
        forged = {units[i].name for i in sorted(range(count), key=lambda i: ranks[i])[:wrong]}
        covered = {
            unit.name
            for unit in units
            for rerun in what.reruns
            if rerun.span is unit.span and rerun.begin <= unit.begin and unit.end <= rerun.end
        }
        assert {unit.name for unit in what.drawn} <= covered
        caught += bool(forged & covered)
    stated = odds.odds(count, wrong, drawn)
    assert caught / 1000 >= stated - 3.5 * math.sqrt(stated * (1 - stated) / 1000)


def test_the_command_says_price_and_odds_first(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(trained)
    assert main(["verify", "rlvr"]) == 0
    assert "training steps" in capsys.readouterr().out
    assert main(["verify", "pretrain.000006", "--segments", "1", "--seed", "a"]) == 0
    said = capsys.readouterr().out
    assert said.index("price: ") < said.index("odds of catching") < said.index("equal, bit for bit")
    assert "seed a" in said and "50.00%" in said
    assert main(["verify", "sft", "--catch", "0.5", "--odds", "0.9", "-n", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["catch"]["odds"] >= 0.9 and plan["population"] == 8
    assert main(["verify", "sft", "--unit", "link", "--stretch", "0.2", "-n"]) == 0
    assert "100.00%  odds of catching 4 forged links in one stretch" in capsys.readouterr().out
    again = ["verify", "sft", "--segments", str(len(plan["drawn"])), "--seed", plan["seed"], "-n"]
    assert main([*again, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["drawn"] == plan["drawn"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--segments", "3"], "goes with one CHECKPOINT"),
        (["sft", "--segments", "1", "--odds", "0.5"], "give one of them"),
        (["sft", "--segments", "1", "--states", "x"], "--unit link"),
        (["sft", "--unit", "link", "--segments", "1", "--hand-out", "x"], "--seed"),
        (["a", "b", "c"], "two runs"),
        (["sft", "--stretch", "0.1", "--odds", "0.5"], "not with --segments"),
        (["sft", "--no-rerun"], "two runs"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pack", "--segments", "1"], "is no checkpoint"),
        (["pretrain.000000", "--segments", "1"], "no training behind it"),
        (["sft", "--segments", "0"], "at least one"),
        (["sft", "--catch", "1.5"], "forged share"),
        (["sft", "--catch", "0"], "forged share"),
        (["sft", "--odds", "0"], "odds are above 0"),
    ],
)
def test_what_cannot_be_answered_says_why(
    trained: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(trained)
    assert main(["verify", *arguments]) == 1
    assert message in capsys.readouterr().err
