"""The published search (benchmarks/results/mixing.json): the page and the picture say what it says, and it is found again.

`regrow mix --json > benchmarks/results/mixing.json` writes it in a tree that has searched under params/mixsearch.yaml;
`PYTHONPATH=tests/support python tests/search/test_search_results.py` then writes table and picture.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from regrow.learn.search import law, optimum
from regrow.learn.search.mixture import _worth
from regrow.numerics import exact
from regrow.params.schema import load
from regrow.publish.mixing import picture

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks/results/mixing.json"
PAGE = ROOT / "docs/guides/mixing.md"
IMAGE = ROOT / "docs/images/mixing.svg"
BEGIN, END = "<!-- results: written by tests/search/test_search_results.py -->\n", "<!-- end -->"


def _found() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def tables(found: dict[str, Any]) -> str:
    """The part of the page between the marks."""
    lines = [
        "| topic | natural share | chosen share | limit | times read |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, one in sorted(found["domains"].items(), key=lambda item: -item[1]["share"]):
        lines.append(
            f"| {name} | {one['natural']:.3f} | {one['share']:.3f} | {one['limit']:.3f} | {one['repeats']:.2f} |"
        )
    lines += [
        "",
        "| hold-out domain | natural: predicted | measured | chosen: predicted | measured | "
        "rank correlation | error | error of the mean |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    confirm, worth = found["confirm"], found["worth"]["held_out"]
    for name in [*sorted(found["targets"]), "weighted mean"]:
        tested = confirm["targets"].get(name, confirm["mean"])
        of = worth["targets"].get(name, worth["mean"])
        fields = ("predicted_natural", "natural", "predicted", "chosen")
        said = " | ".join(f"{tested[field]:.3f}" for field in fields)
        own, plain = of["log_linear"], of["mean"]
        lines.append(
            f"| {name} | {said} | {own['rank']:.2f} | {own['error']:.3f} | {plain['error']:.3f} |"
        )
    return "\n".join(lines) + "\n"


def test_the_page_has_the_figures() -> None:
    assert PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0] == tables(
        _found()
    )


def test_the_picture_is_of_this_search() -> None:
    assert IMAGE.read_text(encoding="utf-8") == picture(_found())


def test_laws_and_mixture_are_found_again_from_what_was_measured() -> None:
    found, search = _found(), load(ROOT / "params/mixsearch.yaml").search
    assert search is not None and list(found["proxies"]) == search.instances()
    names = sorted(found["domains"])
    fitted = [one for one in found["proxies"].values() if not one["held_out"]]
    rows = [[one["shares"][name] for name in names] for one in fitted]
    laws, weights = [], []
    for target, said in sorted(found["targets"].items()):
        made = law.log_linear(rows, [one["measured"][target] for one in fitted])
        assert dict(zip(names, made.t, strict=True)) == said["slopes"]
        assert float(exact.exp(made.c)) == said["floor"]
        laws.append(made)
        weights.append(said["weight"])
    domains = [found["domains"][name] for name in names]
    caps = [found["max_repeats"] * one["tokens"] / found["tokens"] for one in domains]
    natural = [one["natural"] for one in domains]
    best = optimum.optimum(laws, weights, natural, caps, found["divergence"])
    assert optimum.decimals(best.shares, caps) == [one["share"] for one in domains]
    weight = {name: one["weight"] for name, one in found["targets"].items()}
    assert _worth(found["proxies"], weight) == found["worth"]


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(
        before + BEGIN + tables(_found()) + END + rest.partition(END)[2], encoding="utf-8"
    )
    IMAGE.write_text(picture(_found()), encoding="utf-8")
