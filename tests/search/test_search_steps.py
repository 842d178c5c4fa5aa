"""The steps of a mix search on three small domains, from the packs to a confirmed mixture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import library_corpus as corpus
import tiny_inputs
from determinism import hashes, run_twice
from regrow.data.tables import parquet as tables
from regrow.learn.search import confirm, law, mixture, proxy, scores, supply, swarm
from regrow.params.search import Search

TOPIC = {"asyncio": "events", "email": "mail", "xml": "markup", "manual": "language"}
FIRST = ["events", "mail", "markup"]
SEARCH = Search.model_validate(
    {
        "sequence_length": 32,
        "strength": [1.0, 8.0],
        "rounds": [{"proxies": 5, "held_out": 2, "domains": FIRST}],
        "max_repeats": 2.0,
        "proxy": {
            "steps": 3,
            "checkpoint_every": 3,
            "batch_sequences": 4,
            "micro_batch_sequences": 4,
            "model": {
                "hidden": 16,
                "heads": 2,
                "kv_heads": 2,
                "ffn": 32,
                "context": 32,
                "sliding_window": 16,
            },
        },
        "scored": {"max_documents": 1, "max_bytes": 200},
    }
)


def _documents(root: Path, names: list[str]) -> None:
    """What decontaminate, classify and the tokenizer write: documents of these topics."""
    rows = [
        (url, text[:1_500])
        for url, text in corpus.pages(9)
        if TOPIC.get(url.split("/")[3]) in names
    ]
    frame = corpus.frame(rows)
    held = pl.col("id").str.slice(0, 1).is_in(["0", "7"])
    train = frame.filter(~held)
    tables.write(train, root / "decontaminate/train.parquet")
    tables.write(frame.filter(held), root / "decontaminate/heldout.parquet")
    topic = pl.col("domain").replace_strict(TOPIC)
    tables.write(train.select("id", topic=topic), root / "classify/scores.parquet")


def _supply(root: Path, names: list[str], search: Search, tokenizer: Path) -> Path:
    _documents(root, names)
    inputs = {name: root / name for name in ("decontaminate", "classify")}
    supply.run(inputs | {"tokenizer": tokenizer}, SimpleNamespace(search=search), root / "domains")
    return root / "domains"


def _swarm(domains: Path, output: Path, search: Search, instance: str) -> dict:
    params = SimpleNamespace(search=search)
    return swarm.run({"domains": domains}, params, output, instance=instance)


def _proxy(pack: Path, output: Path, search: Search, instance: str, scratch: Path) -> None:
    asked = search.proxy.model_dump(mode="json")
    proxy.run({"swarm": pack}, None, output, instance=instance, scratch=scratch, proxy=asked)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A whole search: data by step and instance, below one folder."""
    root = tmp_path_factory.mktemp("search")
    tokenizer = tiny_inputs.tokenizer(root / "tokenizer")
    domains = _supply(root, FIRST, SEARCH, tokenizer)
    heldout = {name: root / name for name in ("tokenizer", "decontaminate")}
    asked = SEARCH.model_dump(mode="json")
    params = SimpleNamespace(search=SEARCH)
    for one in SEARCH.instances():
        _swarm(domains, root / "swarm" / one, SEARCH, one)
        _proxy(root / "swarm" / one, root / "proxy" / one, SEARCH, one, root / "scratch" / one)
        inputs = {"proxy": root / "proxy" / one, **heldout}
        output = root / "proxy_scores" / one
        scores.run(inputs, None, output, instance=one, scored=asked["scored"])
    inputs = {f"proxy_scores.{one}": root / "proxy_scores" / one for one in SEARCH.instances()}
    inputs["domains"] = domains
    mixture.run(inputs, params, root / "mixture", tokens=9_000, most=1.5)
    inputs |= {"mixture": root / "mixture", **heldout}
    confirm.run(inputs, params, root / "confirm", scratch=root / "scratch/confirm")
    return root


def _json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_document_is_in_the_pack_of_its_domain(made: Path) -> None:
    train = tables.read(made / "decontaminate/train.parquet", ["id", "domain"])
    domains = supply.read(made / "domains")
    assert list(domains) == FIRST
    for name, one in domains.items():
        index = tables.read(one.folder / "index.parquet")
        theirs = train.filter(pl.col("domain").replace_strict(TOPIC) == name)["id"]
        assert set(index["id"]) <= set(theirs) and one.documents == theirs.len()
        tokens = np.fromfile(one.folder / "tokens.bin", dtype="<u2")
        assert one.tokens - one.sequences * 32 < 32 and len(tokens) == one.sequences * 32


def test_a_pack_has_the_sequences_of_its_shares(made: Path) -> None:
    domains = supply.read(made / "domains")
    for one in SEARCH.instances():
        folder = made / "swarm" / one
        rows = tables.read(folder / "sequences.parquet")
        tokens = np.fromfile(folder / "tokens.bin", dtype="<u2").reshape(-1, 32)
        assert len(tokens) == rows.height == 12
        told = _json(folder / "mixture.json")
        for name, share in told["shares"].items():
            assert share * 12 == pytest.approx(rows.filter(pl.col("domain") == name).height)
            assert abs(share - told["drawn"][name]) <= 1 / 12
        for row, (name, number, _) in zip(tokens, rows.iter_rows(), strict=True):
            source = np.fromfile(domains[name].folder / "tokens.bin", dtype="<u2").reshape(-1, 32)
            assert (row == source[number]).all()


def test_the_mixture_keeps_to_the_limits_and_says_what_it_is_worth(made: Path) -> None:
    told = _json(made / "mixture/mixture.json")
    domains = supply.read(made / "domains")
    assert sum(one["share"] for one in told["domains"].values()) == pytest.approx(1)
    assert told["max_repeats"] == 1.5 and told["gap"] <= 1e-8
    for name, one in told["domains"].items():
        assert one["repeats"] == pytest.approx(one["share"] * 9_000 / domains[name].tokens)
        assert one["repeats"] <= 1.5 + 1e-3
    held = [name for name, one in told["proxies"].items() if one["held_out"]]
    assert held == ["r1_003", "r1_004"]
    for target, one in told["worth"]["held_out"]["targets"].items():
        errors = [
            abs(p["predicted"][target]["log_linear"] - p["measured"][target])
            for name, p in told["proxies"].items()
            if name in held
        ]
        assert one["log_linear"]["error"] == pytest.approx(sum(errors) / 2)
        assert one["log_linear"]["proxies"] == 2


def test_the_chosen_mixture_is_confirmed_beside_the_natural_one(made: Path) -> None:
    told = _json(made / "confirm/confirm.json")
    natural = _json(made / "proxy_scores/r1_000/scores.json")["targets"]
    predicted = _json(made / "mixture/mixture.json")["targets"]
    for name, one in told["targets"].items():
        assert one["natural"] == natural[name]["bits_per_byte"]
        assert one["predicted"] == predicted[name]["chosen"]
        assert one["chosen"] > 0
    assert not set(told["targets"]) ^ set(natural)


def test_bits_per_byte_count_every_token_once(made: Path) -> None:
    """By hand: one forward pass per window, natural logarithms summed over the tokens."""
    import torch

    from regrow.learn.evaluate.documents import choose
    from regrow.learn.evaluate.vocabulary import Vocabulary
    from regrow.learn.model.files import load
    from regrow.params.evaluate import Evaluate

    model = load(made / "proxy/r1_001")
    vocabulary = Vocabulary(made / "tokenizer")
    asked = Evaluate(max_documents=1, max_bytes=200)
    found = _json(made / "proxy_scores/r1_001/scores.json")["targets"]
    for document in choose(made / "decontaminate/heldout.parquet", asked):
        tokens = [1, *vocabulary.encode(document.text)]
        bits = 0.0
        for begin in range(0, len(tokens) - 1, 32):
            window = torch.tensor([tokens[begin : begin + 33]])
            with torch.no_grad():
                logits = model(input_ids=window[:, :-1]).logits.double().log_softmax(-1)
            bits -= logits.gather(-1, window[:, 1:, None]).sum().item() / np.log(2)
        assert found[document.domain]["bits_per_byte"] == pytest.approx(
            bits / document.size, rel=1e-4
        )


def test_a_new_domain_leaves_the_packs_of_old_proxies_as_they_are_and_the_laws_read_both_rounds(
    made: Path, tmp_path: Path
) -> None:
    more = SEARCH.model_dump(mode="json")
    more["rounds"].append({"proxies": 2, "held_out": 0, "domains": [*FIRST, "language"]})
    search = Search.model_validate(more)
    domains = _supply(tmp_path, [*FIRST, "language"], search, made / "tokenizer")
    proxies = {one: made / "proxy" / one for one in SEARCH.instances()}
    for one in search.instances():
        told = _swarm(domains, tmp_path / "swarm" / one, search, one)
        if one in proxies:
            assert hashes(tmp_path / "swarm" / one) == hashes(made / "swarm" / one), one
        else:
            assert set(told["domains"]) == {*FIRST, "language"}
            proxies[one] = tmp_path / "proxy" / one
            _proxy(tmp_path / "swarm" / one, proxies[one], search, one, tmp_path / "scratch")
    inputs = {"domains": domains}
    heldout = {"tokenizer": made / "tokenizer", "decontaminate": tmp_path / "decontaminate"}
    for one, folder in proxies.items():
        inputs[f"proxy_scores.{one}"] = tmp_path / "scores" / one
        asked = search.scored.model_dump(mode="json")
        scores.run(
            {"proxy": folder, **heldout},
            None,
            tmp_path / "scores" / one,
            instance=one,
            scored=asked,
        )
    params = SimpleNamespace(search=search)
    mixture.run(inputs, params, tmp_path / "mixture", tokens=9_000, most=1.5)
    told = _json(tmp_path / "mixture/mixture.json")
    assert list(told["proxies"]) == sorted(proxies) and set(told["targets"]) == set(TOPIC)
    for one, about in told["proxies"].items():
        assert (about["shares"]["language"] == 0) is one.startswith("r1"), one
    fitted = [about for about in told["proxies"].values() if not about["held_out"]]
    assert len(fitted) == 3 + 2
    assert search.natural() == "r2_000"  # not r1_000, whose mix lacks the new domain
    natural = {name: about["natural"] for name, about in told["domains"].items()}
    assert told["proxies"]["r2_000"]["shares"] == pytest.approx(natural, abs=1 / 12)
    rows = [[about["shares"][name] for name in sorted(told["domains"])] for about in fitted]
    fit = law.log_linear(rows, [about["measured"]["manual"] for about in fitted])
    assert list(fit.t) == list(told["targets"]["manual"]["slopes"].values())


def test_a_domain_that_is_not_there_is_named(made: Path, tmp_path: Path) -> None:
    raw = SEARCH.model_dump(mode="json")
    raw["rounds"][0]["domains"] = ["events", "poems"]
    with pytest.raises(ValueError, match=r"rounds\[0\]\.domains: no domain `poems`.*events, mail"):
        _swarm(made / "domains", tmp_path, Search.model_validate(raw), "r1_001")


def test_a_proxy_that_reads_too_much_is_named(made: Path, tmp_path: Path) -> None:
    raw = SEARCH.model_dump(mode="json")
    raw["proxy"] |= {"steps": 4_000, "checkpoint_every": 4_000}
    with pytest.raises(ValueError, match=r"proxies of 16000 sequences .* more than 4 times"):
        _swarm(made / "domains", tmp_path, Search.model_validate(raw), "r1_001")


def test_an_unknown_weight_is_named(made: Path, tmp_path: Path) -> None:
    raw = SEARCH.model_dump(mode="json") | {"weights": {"poems": 1.0}}
    inputs = {f"proxy_scores.{one}": made / "proxy_scores" / one for one in SEARCH.instances()}
    params = SimpleNamespace(search=Search.model_validate(raw))
    with pytest.raises(ValueError, match=r"search\.weights\.poems: no hold-out domain"):
        mixture.run(
            inputs | {"domains": made / "domains"}, params, tmp_path, tokens=9_000, most=1.5
        )


def test_nothing_to_search_in_is_named(made: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no domain fills a sequence"):
        _supply(tmp_path, [], SEARCH, made / "tokenizer")


CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.learn.search import mixture, proxy, scores, supply, swarm
from regrow.params.search import Search
out, made, asked = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
params = SimpleNamespace(search=Search.model_validate(asked))
old = {name: made / name for name in ("decontaminate", "classify", "tokenizer")}
supply.run(old, params, out / "domains")
one = "r1_001"
swarm.run({"domains": out / "domains"}, params, out / "swarm" / one, instance=one)
proxy.run({"swarm": out / "swarm" / one}, None, out / "proxy" / one, instance=one,
          scratch=out.parent / "scratch", proxy=asked["proxy"])
scores.run({"proxy": out / "proxy" / one, **old}, None, out / "proxy_scores" / one,
           instance=one, scored=asked["scored"])
inputs = {f"proxy_scores.{name}": made / "proxy_scores" / name for name in params.search.instances()}
mixture.run({"domains": out / "domains", **inputs}, params, out / "mixture", tokens=9_000, most=1.5)
"""


def test_every_step_gives_equal_bytes_in_other_processes(made: Path, tmp_path: Path) -> None:
    found = run_twice(CODE, tmp_path, str(made), SEARCH.model_dump_json())
    here = tmp_path / "here"
    for part in ("domains", "swarm/r1_001", "proxy/r1_001", "proxy_scores/r1_001", "mixture"):
        shutil.copytree(made / part, here / part)
    assert found == hashes(here)
