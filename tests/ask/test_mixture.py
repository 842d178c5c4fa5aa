"""`regrow mix` and the picture, on records of a search with three proxies; an adopted mix in `regrow trace`."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from regrow.ask.mixture import answer
from regrow.ask.trace.journey import journey
from regrow.ask.trace.match import Match
from regrow.cli import main
from regrow.engine.records import encode
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.evidence.record import Record
from regrow.learn.search.mixture import _worth
from regrow.publish.mixing import picture
from small_tree import ID, url
from sound_records import output_of, sound

MEASURED = {"r1_000": 2.0, "r1_001": 1.5, "r1_002": 1.8}
PREDICTED = {"r1_000": 2.05, "r1_001": 1.5, "r1_002": 1.7}


def _found() -> dict[str, Any]:
    """What mixture.json of such a search says."""
    proxies = {
        name: {
            "held_out": name == "r1_002",
            "shares": {"laws": 0.5, "poems": 0.5},
            "measured": {"<text>": value},
            "predicted": {"<text>": {"log_linear": PREDICTED[name], "linear": 1.9, "mean": 1.75}},
        }
        for name, value in MEASURED.items()
    }
    domain = {"natural": 0.5, "limit": 0.6, "documents": 9, "tokens": 900, "bytes_per_token": 3.0}
    return {
        "by": "topic",
        "tokens": 1_000,
        "max_repeats": 2.0,
        "divergence": 0.05,
        "gap": 0.0,
        "domains": {
            "laws": domain | {"share": 0.6, "repeats": 0.67},
            "poems": domain | {"share": 0.4, "repeats": 0.44},
        },
        "left_out": ["news"],
        "targets": {
            "<text>": {"weight": 1.0, "floor": 1.0, "slopes": {}, "natural": 2.05, "chosen": 1.95}
        },
        "proxies": proxies,
        "worth": _worth(proxies, {"<text>": 1.0}),
    }


def _record(root: Path, step: str, content: dict[str, Any], parts: dict[str, Any]) -> str:
    folder = root / "data" / step
    folder.mkdir(parents=True)
    name = "confirm.json" if step == "confirm" else "mixture.json"
    (folder / name).write_text(json.dumps(content))
    inputs = {
        item: {"kind": "data", "path": "data/mixture", "record": "records/mixture.json"}
        for item in parts.get("inputs", {})
    }
    made = sound(
        {"step": step, "parts": parts, "inputs": inputs, "output": output_of(root, f"data/{step}")}
    )
    (root / "records").mkdir(exist_ok=True)
    (root / f"records/{step}.json").write_bytes(encode(made))
    return str(made["output"]["sha256"])


@pytest.fixture
def searched(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "Snakefile").touch()
    sha256 = _record(tmp_path, "mixture", _found(), {})
    one = {"natural": 2.0, "chosen": 1.9, "predicted_natural": 2.05, "predicted": 1.95}
    told = {"mean": one, "targets": {"<text>": one}}
    _record(tmp_path, "confirm", told, {"inputs": {"mixture": sha256}})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tables_say_shares_predictions_and_their_worth(searched: Path, capsys) -> None:
    assert main.main(["mix", "--proxies"]) == 0
    said = capsys.readouterr().out
    assert (
        "3 proxies, 1 of them held out" in said and "in no round, so not in the mix: news" in said
    )
    rows = {line.split()[0]: line.split() for line in said.splitlines() if line.startswith("  ")}
    assert rows["laws"][1:6] == ["0.5000", "0.6000", "0.6000", "at", "its"]
    assert rows["r1_001"][-3:] == ["1.500", ">", "1.500"]
    assert "0.100" in said and "-0.100" in said


def test_the_answer_as_json_names_the_key_of_the_record(searched: Path, capsys) -> None:
    assert main.main(["mix", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    key = Ledger.load(searched).by_name["mixture"].key
    assert said["key"] == key and said["confirm"]["mean"]["chosen"] == 1.9


def test_a_proxy_of_another_mixture_confirms_nothing(searched: Path) -> None:
    (searched / "records/confirm.json").unlink()
    (searched / "data/confirm/confirm.json").unlink()
    (searched / "data/confirm").rmdir()
    one = {"natural": 2.0, "chosen": 1.9, "predicted_natural": 2.05, "predicted": 1.95}
    told = {"mean": one, "targets": {"<text>": one}}
    _record(searched, "confirm", told, {"inputs": {"mixture": "0" * 64}})
    assert answer(searched)["confirm"] is None


def test_other_bytes_than_the_record_says_are_not_believed(searched: Path) -> None:
    path = searched / "data/mixture/mixture.json"
    path.write_text(path.read_text().replace("0.6", "0.7"))
    with pytest.raises(Unanswerable):
        answer(searched)


def test_without_a_search_the_fix_is_named(searched: Path) -> None:
    (searched / "records/mixture.json").unlink()
    with pytest.raises(Unanswerable, match=r"no record of a mix search here\. Fix: `snakemake"):
        answer(searched)


def test_adopt_and_svg_write_files(searched: Path, capsys) -> None:
    (searched / "mine.yaml").write_text("stages: [pretrain]\n")
    assert main.main(["mix", "--adopt", "mine.yaml", "--svg", "found.svg"]) == 0
    key = Ledger.load(searched).by_name["mixture"].key
    assert f"adopted: mixture {key}" in (searched / "mine.yaml").read_text()
    assert (searched / "found.svg").read_text() == picture(_found())


def test_the_picture_has_a_point_per_proxy_and_panel() -> None:
    drawn = ET.fromstring(picture(_found()))
    points = [e for e in drawn.iter() if e.tag.endswith("circle") and e.get("r") == "4"]
    assert len(points) == 3 + 2 * 3
    texts = [e.text or "" for e in drawn.iter() if e.tag.endswith("text")]
    assert "held out: error 0.100" in texts


def test_an_adopted_mix_is_named_where_a_document_is_followed(ledger: Ledger) -> None:
    raw = json.loads(json.dumps(ledger.by_name["mix"].raw))
    raw["parts"]["params"]["mix"]["adopted"] = f"mixture {'ab' * 32}"
    plain = next(stop for stop in _stops(ledger) if stop.step == "mix")
    assert "shares_from" not in plain.facts
    ledger.by_name["mix"] = Record("records/mix.json", raw)
    stop = next(stop for stop in _stops(ledger) if stop.step == "mix")
    assert stop.facts == {**plain.facts, "shares_from": f"mixture {'ab' * 32}"}


def _stops(ledger: Ledger) -> list[Any]:
    return journey(Outputs(ledger), Match(ID["joins"], url("joins")))
