from __future__ import annotations

import base64
import hashlib
import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from determinism import run_twice
from regrow.cli.main import main
from regrow.engine.visible import LONGEST, visible
from regrow.evidence.ledger import Ledger
from regrow.evidence.pages import embed
from regrow.publish.explorer.page import facts, page
from small_tree import ID
from sound_records import write_sound

VOID = {"meta", "br", "link", "img", "wbr", "input"}


class Checker(HTMLParser):
    """Elements open and close in order; what could fetch, run or be repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.bad: list[str] = []
        self.content: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.links += [
            v or "" for k, v in attrs if k in {"src", "href", "srcset", "data", "action"}
        ]
        self.ids += [v or "" for k, v in attrs if k == "id"]
        self.bad += [k for k, _ in attrs if k.startswith("on") or k == "style"]
        if tag in ("script", "style"):
            self.content.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.content[self.open[-1]][-1] += data


def checked(text: str) -> Checker:
    found = Checker()
    found.feed(text)
    found.close()
    assert not found.open
    return found


def data_of(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


def test_the_page_is_whole_and_fetches_nothing(explorer: Path) -> None:
    text = explorer.read_text(encoding="utf-8")
    found = checked(text)
    assert [link for link in found.links if not link.startswith("#")] == []
    assert len(found.ids) == len(set(found.ids)), "ids are there once"
    assert found.bad == [], "the policy would refuse handlers and styles in attributes"
    assert len(found.content["script"]) == 2, "the data and the script, and nobody else's"
    assert not re.search(
        r"url\(|@import|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text
    )
    assert not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(", text)


def test_the_policy_lets_exactly_this_script_and_style_run(explorer: Path) -> None:
    text = explorer.read_text(encoding="utf-8")
    found = checked(text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    rules = policy[1].replace("&#39;", "'")
    for tag, content in (
        ("script", found.content["script"][1]),
        ("style", found.content["style"][0]),
    ):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in rules
    assert rules.startswith("default-src 'none'") and "unsafe" not in rules


def test_hostile_documents_stay_text(explorer: Path) -> None:
    text = explorer.read_text(encoding="utf-8")
    rows = {row[0]: row for row in data_of(text)["documents"]["rows"]}
    assert rows[ID["joins"]][2] == "</script><script>document.title='owned'</script>"
    assert "⟨U+202E⟩" in rows[ID["queries"]][2] and "⟨U+0000⟩" in rows[ID["queries"]][2]
    assert not any(c in text for c in "\u202e\u2066\u2028\u0000\u001b")


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_visible_text_has_nothing_that_hides_or_moves(text: str) -> None:
    shown = visible(text)
    assert len(shown) <= LONGEST
    for c in shown:
        assert unicodedata.category(c) not in {"Cc", "Cs", "Cn", "Zl", "Zp", "Co"}
        assert unicodedata.bidirectional(c) not in {
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }
    shown.encode()
    if text.isascii() and text.isprintable() and len(text) <= LONGEST:
        assert shown == text


@given(
    st.recursive(
        st.text(alphabet=st.characters(exclude_categories=[])) | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_data_comes_back_from_a_page_as_it_was(value: Any) -> None:
    text = embed.as_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)
    text.encode()


def test_numbers_that_json_cannot_say_are_refused() -> None:
    with pytest.raises(ValueError):
        embed.as_json({"loss": float("nan")})


def test_every_record_is_told(ledger: Ledger) -> None:
    found = facts(ledger)
    assert [r["name"] for r in found["records"]] == [r.name for r in ledger.records]
    by_name = {r["name"]: r for r in found["records"]}
    mix = by_name["mix"]
    assert mix["sha256"] == ledger.by_name["mix"].sha256 and mix["key"] == ledger.by_name["mix"].key
    assert mix["documents"] == {"in": 5, "kept": 4, "dropped": {"low_quality": 1}}
    assert found["params"][mix["params"]] == ledger.by_name["mix"].parts["params"]
    assert by_name["rlvr.000004"]["evaluation"] == "evaluate.rlvr-000004"
    names = {"evaluate.rlvr-000004", "release.rlvr-000004"}
    assert names <= {node["name"] for node in found["graph"]["nodes"]}
    assert found["figures"]["values"]["rlvr.000004"], "its figures are there"
    text = page(ledger)
    assert 'id="curves-sft"' in text and 'id="curves-rlvr"' in text


def test_a_page_of_one_artifact_holds_what_it_was_made_from(ledger: Ledger) -> None:
    found = facts(ledger, ledger.by_name["sft.000002"])
    names = {record["name"] for record in found["records"]}
    assert {"sft.000002", "evaluate.sft-000002", "release.sft-000002", "mix"} <= names
    assert not names & {"sft.000004", "dpo.000002", "rlvr.000002"}
    assert found["artifact"]["name"] == "sft.000002"
    early = facts(ledger, ledger.by_name["crawl"])
    assert [record["name"] for record in early["records"]] == ["crawl"]
    checked(page(ledger, ledger.by_name["crawl"]))


def test_a_record_that_disagrees_is_shown_with_its_problem(tree: Path) -> None:
    path = tree / "records/dedup.json"
    raw = json.loads(path.read_text())
    raw["parts"]["inputs"]["filter"] = "0" * 64
    write_sound(path, raw)
    found = {r["name"]: r for r in facts(Ledger.load(tree))["records"]}
    assert "another filter" in found["dedup"]["problems"][0]
    assert found["filter"]["problems"] == []


def test_without_data_the_page_says_what_is_missing(tree: Path) -> None:
    import shutil

    shutil.rmtree(tree / "data")
    ledger = Ledger.load(tree)
    found = facts(ledger)
    assert "dvc pull" in found["missing"] and found["documents"]["rows"] == []
    checked(page(ledger))


CODE = """
import sys
from pathlib import Path
from regrow.publish.explorer.page import page
from regrow.evidence.ledger import Ledger
Path(sys.argv[1], "page.html").write_bytes(page(Ledger.load(Path(sys.argv[2]))).encode())
"""


def test_equal_bytes_in_other_processes(hostile: Path, explorer: Path, tmp_path: Path) -> None:
    found = run_twice(CODE, tmp_path, str(hostile))
    assert found == {"page.html": hashlib.sha256(explorer.read_bytes()).hexdigest()}
    assert str(hostile) not in explorer.read_text(encoding="utf-8")


def test_command(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree)
    assert main(["explore", "--html", str(tmp_path / "l.html")]) == 0
    assert "open it in a browser" in capsys.readouterr().out
    assert (tmp_path / "l.html").read_bytes() == page(Ledger.load(tree)).encode()
    assert main(["explore", "sft"]) == 0
    listed = capsys.readouterr().out
    assert "sft" in listed and "from sources" in listed and "rlvr" not in listed
    assert main(["explore", "mix", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["artifact"]["name"] == "mix"
    assert main(["explore", "--html", str(tmp_path / "no" / "l.html")]) == 1
    assert "--html" in capsys.readouterr().err
    assert main(["explore", "nothing-like-it"]) == 1
    assert main(["explore", "--documents", "-1"]) == 1
    assert "--documents" in capsys.readouterr().err
