"""Answers of a model that has learned known ones: what it says, and how that is scored."""

import json

import pytest

import tiny_inputs
from learned_model import learn
from regrow.data.tokens import chat
from regrow.data.tokens.bpe import load
from regrow.learn.evaluate import offline, step
from regrow.learn.evaluate.conversation import Prompt, converse
from regrow.learn.evaluate.items import read
from regrow.learn.evaluate.questions import choose
from regrow.learn.tasks import tools

offline.prepare()

SYSTEM = "Tools:\nadd"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    found = tiny_inputs.probes(tmp_path_factory.mktemp("inputs"))
    # Short tasks, so that a conversation with a tool fits 64 positions.
    return found | {"tasks": tiny_inputs.tasks(tmp_path_factory.mktemp("tasks"), 2)}


@pytest.fixture(scope="module")
def asked(inputs):
    return choose(inputs["tasks"], "test", 9, 0)


def think(tokenizer, question, *, wrong=False):
    answer = "nothing" if wrong else question.answer
    message = {"role": "assistant", "reasoning_content": "so", "content": answer}
    return chat.example(tokenizer, [{"role": "user", "content": question.question}, message])[0]


@pytest.fixture(scope="module")
def thinker(inputs, asked, tmp_path_factory):
    """Answers every test task in the Think form, those of `repeat` wrongly; the model and its folder."""
    tokenizer, _ = load(inputs["tokenizer"])
    texts = [think(tokenizer, q, wrong=q.family == "repeat") for q in asked]
    folder = tmp_path_factory.mktemp("thinker")
    return learn(inputs["checkpoint"], texts, folder), folder


def test_the_step_scores_what_the_model_says(inputs, thinker, asked, tmp_path):
    counts = step.run(
        inputs | {"checkpoint": thinker[1]},
        tiny_inputs.params(),
        tmp_path,
        instance="sft-000007",
        probes={"form": "think", "preferences": 1, "untrained": "instruct"},
    )
    results = json.loads((tmp_path / "results.json").read_text())
    probes = results["probes"]
    assert {name: f["value"] for name, f in probes["exact_match"]["families"].items()} == {
        "add": 1.0,
        "copy": 1.0,
        "repeat": 0.0,
    }
    assert probes["exact_match"]["value"] == counts["exact_match"] == pytest.approx(2 / 3, abs=1e-6)
    assert probes["format"]["value"] == 1.0
    assert probes["constraints_all"]["value"] == 0.0
    assert probes["preference"]["families"].keys() == {"delta", "judged"}
    assert results["form"] == "think"
    assert "overall" not in results
    found = read(tmp_path / "items.parquet")
    tokenizer, _ = load(inputs["tokenizer"])
    lengths = {i.item: i.value for i in found["tokens"]}
    for q in asked:
        whole = think(tokenizer, q, wrong=q.family == "repeat")
        assert lengths[q.id] == len(whole) - len(chat.prompt(tokenizer, q.question, "think"))
    assert {i.sample for i in found["pass_rate"]} == {0, 1}
    # The form it was not trained on: it thinks, which is wrong there.
    assert probes["format_instruct"]["value"] == 0.0
    samples = json.loads((tmp_path / "samples.json").read_text())["samples"]
    assert len(samples) == 3
    assert all(s["form"] == "think" and "<think>" in s["text"] for s in samples)


@pytest.fixture(scope="module")
def caller(inputs, tmp_path_factory):
    """Calls `add` for one question and reads the result back, and answers another at once."""
    tokenizer, _ = load(inputs["tokenizer"])
    task = {
        "tools": SYSTEM,
        "question": "2 + 3?",
        "tool_call": "add(a=2, b=3)",
        "answer": "5",
    }
    other = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ]
    texts = [
        chat.example(tokenizer, tools.conversation(task))[0],
        chat.example(tokenizer, other)[0],
    ]
    return learn(inputs["checkpoint"], texts, tmp_path_factory.mktemp("caller")), texts


def test_tools_are_run_and_their_results_read_back(inputs, caller):
    model, texts = caller
    tokenizer, _ = load(inputs["tokenizer"])
    asked = [
        Prompt(chat.prompt(tokenizer, "2 + 3?", "instruct", SYSTEM), ("a",)),
        Prompt(chat.prompt(tokenizer, "Hi", "instruct"), ("b",)),
    ]
    found = converse(model, tokenizer, asked, "instruct", max_new_tokens=30, temperature=0, slots=4)
    assert found[0].text == (
        "<tool_call> add(a=2, b=3)</tool_call><|end|><|tool|> 5<|end|><|assistant|> 5<|end|>"
    )
    assert found[1].text == " Hello<|end|>"
    assert all(answer.ended for answer in found)
    # Drawn is what the model said, not the tool's message.
    assert asked[0].tokens + found[0].drawn != texts[0]
    assert len(found[0].drawn) + len(chat.result(tokenizer, ["5"])) == len(texts[0]) - len(
        asked[0].tokens
    )


def test_a_prompt_that_fills_the_context_gets_no_answer(inputs, caller):
    model, _ = caller
    tokenizer, _ = load(inputs["tokenizer"])
    asked = [
        Prompt([5] * 64, ("long",)),
        Prompt(chat.prompt(tokenizer, "Hi", "instruct"), ("b",)),
    ]
    found = converse(model, tokenizer, asked, "instruct", max_new_tokens=30, temperature=0, slots=4)
    assert (found[0].text, found[0].drawn, found[0].ended) == ("", [], False)
    assert found[1].ended


def test_a_plain_answer_ends_at_its_blank_line(inputs, asked, tmp_path):
    tokenizer, _ = load(inputs["tokenizer"])
    copies = [q for q in asked if q.family == "copy"]
    texts = [
        tokenizer.encode(chat.plain(q.question, "", q.answer) + "And on and on").ids for q in copies
    ]
    model = learn(inputs["checkpoint"], texts, tmp_path)
    prompts = [Prompt(chat.prompt(tokenizer, q.question, "plain"), (q.id,)) for q in copies]
    found = converse(model, tokenizer, prompts, "plain", max_new_tokens=30, temperature=0, slots=1)
    assert [answer.text for answer in found] == [f"Answer: {q.answer}\n\n" for q in copies]
    together = converse(
        model, tokenizer, prompts[::-1], "plain", max_new_tokens=30, temperature=1, slots=2
    )
    alone = converse(
        model, tokenizer, prompts[:1], "plain", max_new_tokens=30, temperature=1, slots=1
    )
    assert together[-1] == alone[0]
