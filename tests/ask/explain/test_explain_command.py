"""`regrow explain` as people call it: on the terminal, as JSON, as a page."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import tiny_inputs
from chromium import BROWSER, Chromium
from regrow.ask.explain.page import page
from regrow.cli.chat.place import Place
from regrow.cli.chat.session import load
from regrow.cli.main import main
from small_tree import ID, TEXTS

NAME = "sft.000004"


@pytest.fixture
def here(texts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(texts)
    return texts


def test_the_terminal_tells_shares_spans_documents_and_steps(here, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    assert main(["explain", NAME, TEXTS["views"], "--min-tokens", "3", "--spans", "2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(NAME)
    assert "share in spans of at least" in out and "all that it was trained on  " in out
    assert (
        f"{ID['views'][:12]}  document: https://manual.example/doc/views.html (manual-1.0, MIT)"
        in out
    )
    assert re.search(r"pretrain +steps? \d", out)
    assert "trained on" in out and " bits; " in out
    assert [line for line in out.splitlines() if len(line) > 110] == []


def test_json_is_the_whole_answer(here, capsys):
    assert main(["explain", NAME, " is asked in think", "--min-tokens", "4", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["checkpoint"] == NAME and answer["sample"] is None
    assert answer["spans"][0]["found_in"][0]["seen"][0]["roles"] == ["context"]


@pytest.mark.parametrize("way", ["file", "-", "pipe"])
def test_a_text_comes_from_a_file_or_standard_input(here, tmp_path, capsys, monkeypatch, way):
    (tmp_path / "text").write_text(TEXTS["views"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXTS["views"]))
    more = {"file": ["--file", str(tmp_path / "text")], "-": ["--file", "-"], "pipe": []}[way]
    assert main(["explain", NAME, *more, "--min-tokens", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == TEXTS["views"]


def test_no_span_is_the_answer_no(here, capsys):
    assert main(["explain", NAME, "qqqq jjjj"]) == 1
    assert "no span of 8 tokens or more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sft.000004", "--file", "nowhere.txt"], "nowhere.txt: cannot be read"),
        (["sft.000004", "x", "--min-tokens", "0"], "--min-tokens: 1 or more"),
        (["sft.000004", ""], "an empty text"),
        (["dedup", "x"], "dedup is no checkpoint"),
        (["nothing", "x"], "no artifact is called"),
        (
            ["sft.000004", "A view is a", "--html", "/nowhere/x.html"],
            "Name another file with --html",
        ),
    ],
)
def test_errors_name_what_is_wrong(here, capsys, arguments, said):
    assert main(["explain", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_a_release_means_its_checkpoint(here, capsys):
    assert (
        main(["explain", "release.sft-000004", TEXTS["views"], "--min-tokens", "3", "--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["checkpoint"] == NAME


def told(explainers: dict[str, Any], text: str) -> dict[str, Any]:
    return {**explainers[NAME].explain(text, 3), "sample": None}


def test_the_page_is_whole_and_runs_nothing(explainers):
    text = f"{TEXTS['views']} <script>alert(1)</script> & <b>"
    answer = told(explainers, text)
    html = page(answer)
    assert html == page(answer)
    assert "<script" not in html and "&lt;script&gt;alert(1)" in html
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    assert not re.search(r'(src|href)="(?!#)', html)
    for number in re.findall(r'href="#(span-\d+)"', html):
        assert f'id="{number}"' in html
    assert len(re.findall(r'<div class="span"', html)) == len(answer["spans"]) > 0
    assert "manual-1.0, MIT" in html and ID["views"][:16] in html


def test_the_page_says_how_a_sample_was_drawn(explainers):
    about = {"prompt": "<why>", "form": "think", "temperature": 0.6, "seed": 3, "ended": False}
    html = page({**told(explainers, TEXTS["views"]), "sample": about})
    assert "&lt;why&gt;" in html and "seed 3, cut off" in html


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_the_page_in_a_browser(explainers, tmp_path):
    (tmp_path / "page.html").write_text(page(told(explainers, TEXTS["views"])), encoding="utf-8")
    with Chromium(tmp_path / "profile") as browser:
        browser.open(tmp_path / "page.html", width=400, height=800)
        assert browser.errors == [] and len(browser.requests) == 1
        assert browser.value("document.querySelectorAll('.text a').length") > 0
        assert browser.value("getComputedStyle(document.querySelector('.text a')).backgroundColor") not in (
            "rgba(0, 0, 0, 0)", "transparent",
        )  # fmt: skip
        assert browser.value("document.documentElement.scrollWidth <= innerWidth")


def test_a_sample_is_the_answer_that_chat_gives(tmp_path):
    taught = tiny_inputs.tokenizer(tmp_path / "taught")
    tiny_inputs.checkpoint(taught)
    place = Place("sft.000004", taught, taught, "think")
    settings = {"temperature": 0.9, "seed": 5}
    found = place.session(max_new_tokens=12, **settings).draw("What is it?")
    answer = load(taught, taught, "think", max_new_tokens=12, **settings).say(
        "What is it?", lambda *_: None
    )
    assert (found.form, found.ended, len(found.tokens)) == ("think", answer.ended, answer.tokens)
    assert len(found.tokens) > 1
    session = load(taught, taught, "think")
    from regrow.data.tokens import chat

    assert chat.decode(session.tokenizer, found.tokens) == answer.text
