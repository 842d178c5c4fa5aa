"""The whole step: what it writes, from what, and that it writes the same twice."""

import json

import pytest

import tiny_inputs
from determinism import run_twice
from regrow.learn.evaluate import items, metrics, offline, step

PROBES = {"form": "plain", "text": 1, "long": 1, "yarn": 1}
CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.evaluate import Evaluate
from regrow.learn.evaluate import step
output, settings, *paths = map(Path, sys.argv[1:])
params = SimpleNamespace(evaluate=Evaluate(**json.loads(str(settings))))
step.run({path.parent.name: path for path in paths}, params, output, instance="longcontext_control-000020",
         probes={"form": "plain", "text": 1, "long": 1, "yarn": 1})
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return tiny_inputs.probes(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def done(inputs, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "evaluate"
    counts = step.run(
        inputs, tiny_inputs.params(), output, instance="longcontext_control-000020", probes=PROBES
    )
    return output, counts


def test_writes_three_files_and_nothing_else(done):
    output, counts = done
    names = ["items.parquet", "results.json", "samples.json"]
    assert sorted(path.name for path in output.iterdir()) == names
    results = json.loads((output / "results.json").read_text())
    overall = results["overall"]
    assert (
        counts.items()
        >= {
            "documents": overall["documents"],
            "bytes": overall["bytes"],
            "bits_per_byte": overall["bits_per_byte"],
            **{name: figure["value"] for name, figure in results["probes"].items()},
        }.items()
    )
    assert results["checkpoint"] == "longcontext_control-000020"
    about = (results["stage"], results["seed"], results["form"])
    assert about == ("longcontext_control", 0, "plain")
    assert results["trained"] == {"step": 20, "tokens": 40_960}


def test_the_probes_of_the_stage_follow_from_the_items(done):
    results = json.loads((done[0] / "results.json").read_text())
    found = items.read(done[0] / "items.parquet")
    assert set(results["probes"]) == {
        *(found.keys() - {"bits_per_byte"}),
        *("pass@1", "pass@2"),
    }
    assert {"loss_long", "loss_long_yarn", "needle", "worked_answers"} < set(found)
    assert len(found["exact_match"]) == 18
    assert len(found["pass_rate"]) == 3 * 3 * 2
    again = metrics.figures([i for each in found.values() for i in each], 400, 0)
    assert again == results["probes"]
    by_document = {d["id"]: d["bits"] / d["bytes"] for d in results["documents"]}
    assert {i.item: pytest.approx(i.value, abs=1e-6) for i in found["bits_per_byte"]} == by_document


def test_worked_answers_equal_a_direct_computation(done, inputs):
    import torch

    from regrow.data.tokens import chat
    from regrow.learn.evaluate.questions import choose
    from regrow.learn.evaluate.vocabulary import Vocabulary
    from regrow.learn.model.files import load

    model, vocabulary = load(inputs["checkpoint"]), Vocabulary(inputs["tokenizer"])
    found = {i.item: i.value for i in items.read(done[0] / "items.parquet")["worked_answers"]}
    for q in choose(inputs["tasks"], "test", 99, 0):
        ids = vocabulary.encode(chat.plain(q.question, q.trace, q.answer))
        prompt = chat.prompt(vocabulary.tokenizer, q.question, "plain")
        assert ids[: len(prompt)] == prompt
        count = len(ids) - len(prompt)
        ids = ids[-65:]  # as much of the question as fits
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].double()
        nats = torch.log_softmax(logits, -1)[range(len(ids) - 1), ids[1:]][-count:].sum()
        solution = chat.plain(q.question, q.trace, q.answer).partition("\n\n")[2]
        bits = -float(nats) / 0.6931471805599453
        assert found[q.id] == pytest.approx(bits / len(solution.encode()), rel=1e-5)


def test_figures_follow_from_the_documents_in_the_file(done):
    results = json.loads((done[0] / "results.json").read_text())
    assert set(results["domains"]) == {"a.example", "b.example", "c.example", "unknown"}
    for name, shown in [*results["domains"].items(), (None, results["overall"])]:
        rows = [d for d in results["documents"] if name in (None, d["domain"])]
        assert shown["documents"] == len(rows)
        assert shown["bytes"] == sum(row["bytes"] for row in rows)
        expected = sum(row["bits"] for row in rows) / shown["bytes"]
        assert shown["bits_per_byte"] == pytest.approx(expected, abs=1e-6)
        assert shown["low"] <= shown["bits_per_byte"] <= shown["high"]
    # Random weights know nothing: about log2 of the vocabulary per token.
    assert 3 < results["overall"]["bits_per_byte"] < 12


def test_bits_equal_a_direct_computation(done, inputs):
    import torch

    from regrow.learn.evaluate.vocabulary import Vocabulary
    from regrow.learn.model.files import load

    model, vocabulary = load(inputs["checkpoint"]), Vocabulary(inputs["tokenizer"])
    results = json.loads((done[0] / "results.json").read_text())
    texts = dict(tiny_inputs.documents().select("id", "text").iter_rows())
    for row in results["documents"][::3]:
        text = texts[row["id"]].encode()[: row["bytes"]].decode()
        stream, nats = [1, *vocabulary.encode(text)], 0.0
        for first in range(0, len(stream) - 1, 64):
            last = min(first + 64, len(stream) - 1)
            start = max(0, last - 64)
            ids = torch.tensor(stream[start : last + 1])
            with torch.no_grad():
                logits = model(input_ids=ids[None]).logits[0, first - start : -1].double()
            nats += float(
                torch.log_softmax(logits, -1).gather(1, ids[first - start + 1 :, None]).sum()
            )
        assert row["bits"] == pytest.approx(-nats / 0.6931471805599453, rel=1e-6)


def test_samples(done):
    samples = json.loads((done[0] / "samples.json").read_text())["samples"]
    text = [s for s in samples if s["form"] == "text"]
    assert [s["prompt"] for s in text] == tiny_inputs.params().evaluate.sample_prompts
    assert all(s["text"] and (s["tokens"] == 20 or s["ended"]) for s in text)
    # A question of each family, from the dev split.
    asked = [s["prompt"] for s in samples if s["form"] == "plain"]
    assert len(asked) == 3
    assert set(asked) <= set(tiny_inputs.questions(6, "dev")["question"])


def test_a_prompt_longer_than_the_context_is_named(inputs, tmp_path):
    from regrow.learn.evaluate.samples import grow
    from regrow.learn.evaluate.vocabulary import Vocabulary
    from regrow.learn.model.files import load

    params = tiny_inputs.params(sample_prompts=["word " * 200]).evaluate
    with pytest.raises(ValueError, match=r"evaluate\.sample_prompts: 'word word"):
        grow(load(inputs["checkpoint"]), Vocabulary(inputs["tokenizer"]), params)


def test_the_task_folder_works_for_any_lm_eval_user(inputs, tmp_path):
    offline.prepare()
    from lm_eval.tasks import TaskManager

    from regrow.learn.evaluate.documents import choose
    from regrow.learn.evaluate.harness import GROUP, write_tasks

    chosen = choose(inputs["decontaminate"] / "heldout.parquet", tiny_inputs.params().evaluate)
    names = write_tasks(chosen, tmp_path / "tasks", tmp_path / "cache")
    manager = TaskManager(include_path=str(tmp_path / "tasks"), include_defaults=False)
    loaded = manager.load([GROUP])
    assert sorted(loaded["tasks"]) == sorted(names.values())
    texts = [doc["text"] for task in loaded["tasks"].values() for doc in task.eval_docs]
    assert sorted(texts) == sorted(d.text for d in chosen)


def test_two_runs_write_the_same_bytes(inputs, done, tmp_path):
    from determinism import hashes

    settings = tiny_inputs.params().evaluate.model_dump_json()
    # The code names an input by the folder that its path lies in.
    places = []
    for name, path in inputs.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "it").symlink_to(path)
        places.append(str(tmp_path / name / "it"))
    assert run_twice(CODE, tmp_path, settings, *places) == hashes(done[0])


@pytest.mark.parametrize("instance", ["000020", "pretrain", "pretrain-20"])
def test_an_instance_of_no_stage_is_refused(inputs, tmp_path, instance):
    with pytest.raises(ValueError, match="STAGE-NNNNNN"):
        step.run(inputs, tiny_inputs.params(), tmp_path, instance=instance, probes=PROBES)


def test_the_questions_work_for_any_lm_eval_user(inputs, tmp_path):
    offline.prepare()
    from lm_eval.tasks import TaskManager

    from regrow.learn.evaluate.questions import choose
    from regrow.learn.evaluate.replies import write_questions, write_worked

    settings = tiny_inputs.params().evaluate
    asked = choose(inputs["tasks"], "test", 9, 0)
    names = write_questions(asked, "think", settings, tmp_path / "tasks", "drawn")
    worked = write_worked(asked, tmp_path / "tasks")
    manager = TaskManager(include_path=str(tmp_path / "tasks"), include_defaults=False)
    tasks = manager.load([*names.values(), worked])["tasks"]
    assert sorted(tasks) == sorted([*names.values(), worked])
    task = tasks[names["copy"]]
    (doc,) = [d for d in task.eval_docs if d["question"] == "Say cat."]
    said = ["<think> so</think> cat<|end|>", "<think> so</think> dog<|end|>", "cat"]
    assert task.process_results(doc, [said]) == {
        "exact_match": [1.0, 0.0, 0.0],
        "format": [1.0, 1.0, 0.0],
        "score": [1.0, 0.0, 0.0],
    }
