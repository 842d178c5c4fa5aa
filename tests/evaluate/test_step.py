"""The whole step: what it writes, from what, and that it writes the same twice."""

import json

import pytest

import tiny_inputs
from determinism import run_twice
from regrow.evaluate import offline, step

CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.evaluate import Evaluate
from regrow.evaluate import step
output, settings, *paths = map(Path, sys.argv[1:])
params = SimpleNamespace(evaluate=Evaluate(**json.loads(str(settings))))
names = ("checkpoint", "tokenizer", "decontaminate")
step.run(dict(zip(names, paths)), params, output, instance="000020")
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return tiny_inputs.inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def done(inputs, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "evaluate"
    counts = step.run(inputs, tiny_inputs.params(), output, instance="000020")
    return output, counts


def test_writes_two_files_and_nothing_else(done):
    output, counts = done
    assert sorted(path.name for path in output.iterdir()) == ["results.json", "samples.json"]
    results = json.loads((output / "results.json").read_text())
    assert counts == {
        "documents": results["overall"]["documents"],
        "bytes": results["overall"]["bytes"],
        "bits_per_byte": results["overall"]["bits_per_byte"],
    }
    assert results["checkpoint"] == "000020"
    assert results["trained"] == {"step": 20, "tokens": 40_960}


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

    from regrow.evaluate.vocabulary import Vocabulary
    from regrow.model.files import load

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
    assert [s["prompt"] for s in samples] == tiny_inputs.params().evaluate.sample_prompts
    assert all(s["text"] and (s["tokens"] == 20 or s["ended"]) for s in samples)


def test_a_prompt_longer_than_the_context_is_named(inputs, tmp_path):
    from regrow.evaluate.samples import grow
    from regrow.evaluate.vocabulary import Vocabulary
    from regrow.model.files import load

    params = tiny_inputs.params(sample_prompts=["word " * 200]).evaluate
    with pytest.raises(ValueError, match=r"evaluate\.sample_prompts: 'word word"):
        grow(load(inputs["checkpoint"]), Vocabulary(inputs["tokenizer"]), params)


def test_the_task_folder_works_for_any_lm_eval_user(inputs, tmp_path):
    offline.prepare()
    from lm_eval.tasks import TaskManager

    from regrow.evaluate.documents import choose
    from regrow.evaluate.harness import GROUP, write_tasks

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
    found = run_twice(CODE, tmp_path, settings, *(str(path) for path in inputs.values()))
    assert found == hashes(done[0])
