"""`regrow evals`: what each stage gained, computed from known items, and the comparison."""

import json
import shutil
import xml.etree.ElementTree as ET

import pytest

import evals_tree
from regrow.ask.evals.gains import gains
from regrow.ask.evals.read import Evaluations
from regrow.ask.evals.wins import wins
from regrow.cli.main import main
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.learn.evaluate.bootstrap import MICRO, Score
from regrow.learn.evaluate.items import Item
from small_tree import republish


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return evals_tree.write_tree(tmp_path_factory.mktemp("evals"))


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    return evals_tree.write_tree(tmp_path_factory.mktemp("seeded"), seeds=True)


def rows(tree):
    return gains(Evaluations(Ledger.load(tree)))


def row(found, stage, metric):
    return next(r for r in found if (r["stage"], r["metric"]) == (stage, metric))


def test_the_json_is_a_list_of_the_agreed_form(tree, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    assert main(["evals", "--gains", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, list)
    for each in found:
        assert each.keys() >= {"stage", "metric", "better", "before", "after", "seeds"}
        assert each["better"] in ("higher", "lower")
        assert each["seeds"] == 1
        for side in ("before", "after"):
            assert each[side]["low"] <= each[side]["value"] <= each[side]["high"]
    stages = {each["stage"] for each in found}
    assert stages >= {"pretrain", "midtrain", "longcontext", "sft", "dpo", "rlvr"}
    assert stages >= {"rlzero", "rlzero_random", "dpo_delta", "sft_instruct"}


def test_pretraining_compares_its_first_and_last_checkpoint_document_by_document(tree):
    found = row(rows(tree), "pretrain", "bits_per_byte")
    assert found["before"]["checkpoint"] == "pretrain-000000"
    assert found["after"]["checkpoint"] == "pretrain-000480"
    assert found["before"]["value"] == pytest.approx(8.145)
    assert found["paired"] == {"value": -5.5, "low": -5.5, "high": -5.5}
    assert found["clear"]
    cost = row(rows(tree), "midtrain", "bits_per_byte")
    assert not cost["clear"]
    assert cost["paired"]["value"] == pytest.approx(0.02)


def test_both_sides_are_of_the_same_items(tree):
    found = row(rows(tree), "midtrain", "exact_match")
    assert found["items"] == 24  # those that the pretrained model was asked
    difference = found["after"]["value"] - found["before"]["value"]
    assert found["paired"]["value"] == pytest.approx(difference, abs=2e-6)
    # None of 24 right says that the rate is low, not that it is 0.
    assert found["before"]["high"] == pytest.approx(3.8415 / (24 + 3.8415), abs=1e-4)


def test_the_long_context_gain_is_set_against_its_control(tree):
    found = [r for r in rows(tree) if (r["stage"], r["metric"]) == ("longcontext", "loss_long")]
    assert [r["paired"]["value"] for r in found] == [pytest.approx(-0.42)] * 2
    assert found[0]["control"]["paired"]["value"] == pytest.approx(-0.17)
    assert found[1]["control"]["paired"]["value"] == pytest.approx(-0.08)
    assert found[0]["control"]["survives"]


def test_the_control_of_rl_zero(tree, tmp_path):
    found = row(rows(tree), "rlzero", "pass_rate")
    assert found["clear"]
    assert found["control"]["checkpoint"] == "rlzero_random-000030"
    assert found["control"]["survives"]
    assert row(rows(tree), "rlzero_random", "pass_rate")["paired"]["high"] < 0
    # A control that gains as much leaves nothing to RL.
    other = evals_tree.write_tree(tmp_path)
    for path in (other / "data/evaluate").glob("rlzero_random*/*"):
        path.write_bytes((other / "data/evaluate/rlzero-000060" / path.name).read_bytes())
    republish(other, "evaluate.rlzero_random-000030")
    found = row(rows(other), "rlzero", "pass_rate")
    assert found["clear"]
    assert not found["control"]["survives"]


def test_controls_in_words(tree, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    assert main(["evals", "--gains"]) == 0
    out = capsys.readouterr().out
    lines = out[out.index("\nrlzero\n") :].splitlines()
    assert lines[5].endswith(": the gain survives it")  # of the pass rate
    assert lines[9].endswith(": no gain to survive it")  # greedy answers did not change


def test_a_difference_inside_its_interval_is_no_gain(tree):
    assert not row(rows(tree), "dpo_delta", "exact_match")["clear"]
    assert row(rows(tree), "dpo_delta", "preference (delta)")["clear"]


def test_a_win_share_never_comes_without_accuracy_and_length(tree):
    dpo = [r["metric"] for r in rows(tree) if r["stage"] == "dpo"]
    assert {"win_share", "preference (judged)", "exact_match", "tokens"} <= set(dpo)
    assert row(rows(tree), "dpo", "tokens")["better"] == "lower"


def answer(task, right, tokens, sample=0):
    return [
        Item("pass_rate", task, "f", sample, right),
        Item("tokens_drawn", task, "f", sample, tokens),
    ]


def test_wins_are_decided_by_the_judges_score(tmp_path):
    before = [*answer("a", 1.0, 20.0), *answer("b", 1.0, 20.0), *answer("c", 0.0, 9.0)]
    after = [*answer("a", 1.0, 10.0), *answer("b", 0.0, 1.0), *answer("c", 0.0, 9.0)]
    before += [*answer("d", 0.0, 50.0), *answer("d", 1.0, 5.0, 1)]
    after += [*answer("d", 1.0, 90.0), *answer("d", 0.0, 4.0, 1)]
    evals_tree.write_evaluation(tmp_path, "sft-000300", before)
    evals_tree.write_evaluation(tmp_path, "dpo-000032", after)
    found = Evaluations(Ledger.load(tmp_path))
    sides = found.last("sft"), found.last("dpo")
    assert wins(*sides, 0.0025, drawn=True) == {
        ("f", "a"): Score(MICRO, 1),  # shorter
        ("f", "b"): Score(0, 1),  # shorter, but wrong
        ("f", "d"): Score(MICRO, 2),  # one of two
    }
    # Without a price for length only right and wrong decide.
    assert ("f", "a") not in wins(*sides, 0.0, drawn=True)
    assert found.length_weight() == 0.0025


def test_the_judges_price_of_length_comes_from_the_record_of_the_pairs(tmp_path):
    evals_tree.write_evaluation(tmp_path, "sft-000300", answer("a", 1.0, 20.0))
    evals_tree.write_record(tmp_path, "pairs", None, {"pairs": {"length_weight": 0.5}})
    evals_tree.write_record(tmp_path, "pairs_seed1", None, {"pairs": {"length_weight": 0.25}})
    found = Evaluations(Ledger.load(tmp_path))
    assert (found.length_weight(), found.length_weight(1)) == (0.5, 0.25)


def test_seeds_are_counted_averaged_and_shown_one_by_one(tree, seeded):
    one, three = (row(rows(t), "rlvr", "pass_rate") for t in (tree, seeded))
    assert (one["seeds"], three["seeds"]) == (1, 3)
    each = three["per_seed"]
    assert [r["seed"] for r in each] == [0, 1, 2]
    assert each[0]["after"] == one["after"]["value"]
    mean = sum(r["after"] for r in each) / 3
    assert three["after"]["value"] == pytest.approx(mean, abs=2e-6)
    # Preference pairs are made anew under each seed: three times as many items.
    pairs = row(rows(seeded), "dpo", "preference (judged)")
    assert (pairs["seeds"], pairs["items"]) == (3, 300)
    assert row(rows(seeded), "pretrain", "bits_per_byte")["seeds"] == 1


def test_published_results_of_seeds_stand_in_for_data_and_count_only_with_the_recorded_bytes(
    seeded, tmp_path, monkeypatch, capsys
):
    copy = tmp_path / "copy"
    shutil.copytree(seeded, copy)
    monkeypatch.chdir(copy)
    assert main(["evals", "--publish"]) == 0
    assert "6 evaluations" in capsys.readouterr().out
    expected = rows(seeded)
    for folder in (copy / "data").glob("evaluate_seed*"):
        shutil.rmtree(folder)
    assert rows(copy) == expected
    for path in (copy / "published").glob("evaluate_seed2.*/items.parquet"):
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    for path in (copy / "published").glob("evaluate_seed2.*/results.json"):
        path.write_bytes(path.read_bytes() + b" ")
    assert row(rows(copy), "sft", "exact_match")["seeds"] == 2
    # What has no record any more goes.
    (copy / "records/evaluate_seed2.sft_seed2-000300.json").unlink()
    kept = [copy / "published" / name for name in ("store/files/md5/ab/cd", "README.md", "mine/x")]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not an evaluation")
    assert main(["evals", "--publish"]) == 0
    assert all(path.is_file() for path in kept), "the store goes with the evaluations"
    assert not (copy / "published/evaluate_seed2.sft_seed2-000300").exists()


def test_publishing_without_seeds_is_refused(tree, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    assert main(["evals", "--publish"]) != 0
    assert "snakemake --cores all seeds" in capsys.readouterr().err


def test_a_stage_that_is_not_there_has_no_row(tmp_path):
    tree = evals_tree.write_tree(tmp_path)
    (tree / "records/evaluate.soup-000400.json").unlink()
    assert not any(r["stage"].startswith("longcontext") for r in rows(tree))
    assert row(rows(tree), "rlvr", "pass_rate")


def test_folders_that_are_not_on_disk_are_named(tmp_path, monkeypatch, capsys):
    tree = evals_tree.write_tree(tmp_path)
    (tree / "data/evaluate/rlvr-000080/results.json").unlink()
    monkeypatch.chdir(tree)
    assert main(["evals", "--gains"]) == 0
    out = capsys.readouterr().out
    assert "dvc pull data/evaluate/rlvr-000080" in out
    assert "rlzero" in out


def test_the_default_is_the_last_checkpoint_of_every_stage(tree):
    found = Evaluations(Ledger.load(tree))
    names = [e.name for e in found.named([])]
    assert "sft-000300" in names
    assert "sft-000100" not in names
    assert names.index("pretrain-000480") < names.index("soup-000400") < names.index("rlvr-000080")
    assert [e.name for e in found.named(["sft"])] == ["sft-000100", "sft-000300"]
    for name in ("sft-000300", "sft.000300", "evaluate.sft-000300", "data/evaluate/sft-000300"):
        assert [e.name for e in found.named([name])] == ["sft-000300"]
    with pytest.raises(Unanswerable, match=r"no evaluation of `sftt` on disk. Did you mean sft"):
        found.named(["sftt"])


def test_the_table_as_json_and_as_text(tree, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    assert main(["evals", "sft-000300", "pretrain-000480", "--json"]) == 0
    sft, pretrain = json.loads(capsys.readouterr().out)
    assert sft["checkpoint"] == "sft-000300"
    assert sft["form"] == "think"
    assert sft["probes"]["exact_match"]["families"].keys() == {"add", "copy"}
    assert pretrain["probes"]["bits_per_byte"]["value"] == pytest.approx(2.645)
    assert main(["evals"]) == 0
    out = capsys.readouterr().out
    line = next(x for x in out.splitlines() if x.lstrip().startswith("rlvr-000080"))
    assert "0.658 [" in line
    assert "bits/byte" in out


def test_the_plot_is_sound_xml_and_holds_every_figure(tree, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    assert main(["evals", "--plot", str(tmp_path / "x.svg")]) == 0
    root = ET.parse(tmp_path / "x.svg").getroot()
    dots = [e for e in root.iter() if e.get("class") == "dot"]
    assert len(dots) > 40
    width = float(root.get("viewBox").split()[2])
    assert all(0 <= float(dot.get("cx")) <= width for dot in dots)
    titles = [e.text for e in root.iter() if e.tag.endswith("title")]
    assert any("rlvr-000080: 0.658" in t for t in titles)
    assert main(["evals", "--plot", str(tmp_path / "x.html")]) == 0
    assert (tmp_path / "x.html").read_text().startswith("<!doctype html>")
    assert main(["evals", "--plot", str(tmp_path / "x.png")]) == 1
    assert "svg or .html" in capsys.readouterr().err


def test_nothing_to_show_is_said(tmp_path, monkeypatch, capsys):
    evals_tree.write_record(tmp_path, "crawl", None, {})
    monkeypatch.chdir(tmp_path)
    for arguments in (["evals"], ["evals", "--gains"]):
        assert main(arguments) == 1
        assert "no evaluation to show" in capsys.readouterr().err
