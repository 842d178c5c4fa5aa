"""A chat with a small model that was trained, here, to think, to call a tool, and to answer."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

import tiny_inputs
from regrow.cli.chat.pieces import Pieces
from regrow.cli.chat.place import find
from regrow.cli.chat.screen import Screen
from regrow.cli.chat.session import Session, TooLong, load
from regrow.cli.chat.slash import Quit, command
from regrow.cli.chat.taught import taught
from regrow.cli.main import main
from regrow.data.tokens import bpe, chat, template
from regrow.evidence.ledger import Ledger
from regrow.learn.model import files
from regrow.learn.model.build import empty, initialise
from regrow.learn.model.config import olmo3_config
from regrow.learn.rollout.sampler import Request, sample
from regrow.learn.verifiers import tools
from regrow.numerics import torch as numerics
from regrow.numerics.torch import functional
from regrow.numerics.torch.install import install
from regrow.params.model import Model

SYSTEM = "Tools:\n" + tools.describe(["add"])
THINKS = [
    {"role": "user", "content": "larger, 3 or 5"},
    {"role": "assistant", "reasoning_content": "5 is more than 3", "content": "5"},
]
CALLS = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": "add 19 and 4"},
    {"role": "assistant", "tool_calls": ["add(a=19, b=4)"]},
    {"role": "tool", "content": "23"},
    {"role": "assistant", "content": "it is 23"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release folder of the trained model."""
    place = tiny_inputs.tokenizer(tmp_path_factory.mktemp("model") / "taught")
    tokenizer, _ = bpe.load(place)
    shape = Model(hidden=64, layers=4, heads=4, kv_heads=4, ffn=96, sliding_window=32, context=256)
    numerics.activate()
    config = olmo3_config(shape, vocabulary=tokenizer.get_vocab_size(), eos=1, pad=0)
    model = install(empty(config))
    initialise(model, 3)
    rows = [chat.example(tokenizer, messages) for messages in (THINKS, CALLS)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        for tokens, mask in rows:
            targets = torch.tensor([t if m else -100 for t, m in zip(tokens, mask, strict=True)])
            logits = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]
            loss = -functional.token_logprobs(logits[:-1], targets[1:]).sum() / sum(mask)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    files.save(model, place)
    raw = json.loads((place / "tokenizer_config.json").read_text())
    (place / "tokenizer_config.json").write_text(
        json.dumps(raw | {"chat_template": template.JINJA})
    )
    return place


def begin(folder: Path, form: str, **settings: Any) -> Session:
    return load(folder, folder, form, **{"temperature": 0.0, **settings})


def test_thinking_and_answer_come_apart_as_they_stream(folder: Path) -> None:
    pieces: list[tuple[str, str]] = []
    answer = begin(folder, "think").say("larger, 3 or 5", lambda k, t: pieces.append((k, t)))
    assert (answer.think, answer.answer, answer.ended) == ("5 is more than 3", "5", True)
    assert len(pieces) > 3, "it streams"
    whole = {k: "".join(t for kind, t in pieces if kind == k) for k in ("think", "answer")}
    assert whole == {"think": " 5 is more than 3", "answer": " 5"}


def test_a_call_is_run_and_its_result_read_back(folder: Path) -> None:
    pieces: list[tuple[str, str]] = []
    session = begin(folder, "instruct", system=SYSTEM)
    answer = session.say("add 19 and 4", lambda k, t: pieces.append((k, t)))
    assert answer.calls == [{"call": "add(a=19, b=4)", "result": "23"}]
    assert (answer.answer, answer.ended) == ("it is 23", True)
    assert ("call", "\n23") in pieces
    # The whole chat is the very conversation that a trainer would make of it.
    tokenizer = session.tokenizer
    assert (
        chat.example(tokenizer, CALLS[:1])[0] + session.exchanges[0]
        == chat.example(tokenizer, CALLS)[0]
    )


def test_an_answer_is_what_the_sampler_draws_at_once_and_can_be_replayed(folder: Path) -> None:
    def answers(seed: int) -> list[str]:
        session = begin(folder, "think", temperature=2.0, seed=seed, max_new_tokens=24)
        return [session.say(q, lambda k, t: None).text for q in ("larger, 3 or 5", "and now?")]

    first = answers(5)
    assert first == answers(5) and first != answers(6)
    session = begin(folder, "think")
    row = sample(
        session.model,
        [
            Request(
                prompt=chat.prompt(session.tokenizer, "larger, 3 or 5", "think"),
                name=("chat", 5, 1),
            )
        ],
        max_new_tokens=24,
        temperature=2.0,
        end_tokens=chat.end_tokens(session.tokenizer, "think"),
    )[0]
    assert chat.decode(session.tokenizer, row.tokens) == first[0]


def test_ctrl_c_ends_the_answer_and_the_chat_goes_on(folder: Path) -> None:
    seen = 0

    def interrupt(kind: str, text: str) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise KeyboardInterrupt

    session = begin(folder, "think")
    answer = session.say("larger, 3 or 5", interrupt)
    assert answer.interrupted and not answer.ended and 0 < answer.tokens < 10
    assert session.exchanges[0][-1] == chat.end_tokens(session.tokenizer, "think")[0]
    session.reset()
    assert session.say("larger, 3 or 5", lambda k, t: None).answer == "5"


def test_old_messages_make_room_and_too_long_ones_are_refused(folder: Path) -> None:
    session = begin(folder, "think", max_new_tokens=30)
    forgotten = [session.say("larger, 3 or 5", lambda k, t: None).forgotten for _ in range(12)]
    assert forgotten[0] == 0 and sum(forgotten) > 0
    assert sum(map(len, session.exchanges)) < session.context
    with pytest.raises(TooLong, match="256 positions"):
        session.say("word " * 300, lambda k, t: None)


def test_base_models_continue_text_and_are_asked_questions(folder: Path) -> None:
    session = begin(folder, "text", max_new_tokens=8)
    pieces: list[str] = []
    answer = session.say("larger", lambda k, t: pieces.append(t))
    assert answer.answer.startswith("".join(pieces)[:4]) and session.exchanges == []
    session = begin(folder, "plain", max_new_tokens=8)
    session.say("3 or 5?", lambda k, t: None)
    assert session.exchanges == []


def texts() -> st.SearchStrategy[str]:
    return st.text(alphabet=st.characters(codec="utf-8"), max_size=12)


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return bpe.load(folder)[0]


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.tuples(st.sampled_from(["think", "answer", "call"]), texts()), max_size=5))
def test_pieces_are_the_text_whatever_the_bytes(
    parts: list[tuple[str, str]], tokenizer: Tokenizer
) -> None:
    tokens: list[int] = []
    for kind, text in parts:
        ids = [int(t) for row in bpe.encode(tokenizer, [text]) for t in row]
        opens, closes = {
            "think": (chat.THINK, chat.THINK_END),
            "call": (chat.CALL, chat.CALL_END),
            "answer": ("", ""),
        }[kind]
        tokens += [tokenizer.token_to_id(opens)] if opens else []
        tokens += ids
        tokens += [tokenizer.token_to_id(closes)] if closes else []
    found: list[tuple[str, str]] = []
    pieces = Pieces(tokenizer, lambda k, t: found.append((k, t)))
    for n in range(len(tokens) + 1):
        pieces.feed(tokens[:n])
        assert not any("�" in t for _, t in found) or any("�" in t for _, t in parts)
    pieces.finish(tokens)
    for kind in ("think", "answer", "call"):
        wanted = "".join(t for k, t in parts if k == kind)
        assert "".join(t for k, t in found if k == kind) == wanted


def test_the_screen_shows_people_everything_and_pipes_the_answer() -> None:
    def shown(everything: bool) -> str:
        stream = io.StringIO()
        screen = Screen(stream, everything=everything)
        for kind, text in [
            ("think", " 5 is"),
            ("think", " more"),
            ("answer", " 5"),
            ("answer", "!"),
        ]:
            screen(kind, text)  # type: ignore[arg-type]
        screen.end("cut off")
        return stream.getvalue()

    assert shown(True) == "(thinks) 5 is more\n5!\n(cut off)\n"
    assert shown(False) == "5!\n"


def test_commands(folder: Path) -> None:
    session = begin(folder, "instruct")
    session.exchanges.append([1])
    assert command(session, "/temperature 0.5") == "temperature: 0.5" and session.temperature == 0.5
    assert "out of range" in command(session, "/temperature nan")
    assert "wants a number" in command(session, "/seed x")
    assert command(session, "/tools add").endswith(tools.describe(["add"]))
    assert session.system == SYSTEM and session.exchanges == []
    assert "no tool rm" in command(session, "/tools rm")
    assert command(session, "/system none") == "system message: none" and session.system is None
    assert command(session, "/form think") == "form: think" and session.form == "think"
    assert "no form" in command(session, "/form x")
    assert "/reset" in command(session, "/what") and "/reset" in command(session, "/help")
    with pytest.raises(Quit):
        command(session, "/quit")


def test_where_a_checkpoint_lies(
    folder: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find(str(folder)).form == "think"
    monkeypatch.chdir(finished)
    place = find("sft")
    assert (place.name, place.form) == ("sft.000004", "think")
    assert place.folder == finished / "data/sft/000004"
    assert place.tokenizer == finished / "data/tokenizer"
    assert find("rlzero").starting_form == "plain" and find("soup").starting_form == "text"
    assert find("release.sft_instruct-000002").form == "instruct"


def test_what_was_taught_is_read_from_the_records(ledger: Ledger) -> None:
    counted = {
        "tasks": {"train": {"add": 9, "sort": 4}, "dev": {"add": 1, "sort": 1}},
        "evaluate.sft-000004": {"exact_match": 0.375},
    }
    known = Ledger(
        ledger.root,
        [
            replace(r, raw={**r.raw, "counts": counted.get(r.name, r.counts)})
            for r in ledger.records
        ],
    )
    said = taught(known, known.by_name["sft.000004"])
    assert said.startswith("sft.000004 was taught 2 kinds of question")
    assert "  add " in said and "  sort " in said and "  count " not in said
    assert "38% rightly" in said
    assert taught(known, known.by_name["pretrain.000008"]) == "", "no task went into pretraining"


def test_a_question_of_a_kind_that_was_taught_is_answered_without_a_word_about_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = find(str(folder))
    monkeypatch.setattr("regrow.cli.chat.place.find", lambda name: replace(real, taught="KINDS"))
    asked = ["chat", str(folder), "--temperature", "0", "--once"]
    assert main([*asked, "What is 3 + 4?"]) == 0
    assert "KINDS" not in capsys.readouterr().err
    assert main([*asked, "What is the capital of France?"]) == 0
    got = capsys.readouterr()
    assert "KINDS" in got.err and "KINDS" not in got.out
    assert main([*asked, "hello", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["taught"] is False


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    yield lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_the_command_for_scripts(
    folder: Path, capsys: pytest.CaptureFixture[str], typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["chat", str(folder), "--temperature", "0"]
    assert main([*asked, "--once", "larger, 3 or 5"]) == 0
    assert capsys.readouterr().out == "5\n", "a pipe gets the answer alone"
    instruct = [*asked, "--form", "instruct", "--system", SYSTEM, "--json"]
    assert main([*instruct, "--once", "add 19 and 4"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["calls"][0]["result"] == "23" and answer["answer"] == "it is 23"
    typed("larger, 3 or 5\n/seed 4\n/reset\n\nlarger, 3 or 5\n/quit\nlarger, 3 or 5\n")
    assert main(asked) == 0
    got = capsys.readouterr()
    assert got.out == "5\n5\n" and "seed: 4" in got.err
    typed("larger, 3 or 5")
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["think"] == "5 is more than 3"
    assert main([*asked, "--once", "word " * 300]) == 1
    assert main(["chat", str(folder), "--tools", "rm", "--once", "x"]) == 1
    assert "no tool rm" in capsys.readouterr().err
    monkeypatch.chdir(folder)
    assert main(["chat", "nothing", "--once", "x"]) == 1
