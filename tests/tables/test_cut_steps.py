"""Decontaminate, classify and pack give the same bytes for any number of parts, and nothing is lost between them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recipes
from determinism import hashes, run_twice
from regrow import selection
from regrow.data.dedup import decontaminate
from regrow.data.mix import classify
from regrow.data.tables import groups, ranges, stream
from regrow.data.tokens import bpe, pack
from regrow.data.tokens import given as given_tokenizer
from regrow.params.data import Classify, Decontaminate, Pack, Tokenizer

PARAMS = SimpleNamespace(
    decontaminate=Decontaminate(ngram=8, heldout_share=0.1, max_overlap=0.2, common_ngram=3),
    classify=Classify(buckets=256, epochs=1, max_words=100, topics={"a": ["h0/"], "b": ["h1/"]},
                      quality_positive=["h0/v0"], quality_negative=["h1/"]),
    tokenizer=Tokenizer(),
    pack=Pack(sequence_length=32),
)  # fmt: skip
STEPS: dict[str, tuple[ModuleType, str]] = {
    "decontaminate": (decontaminate, "heldout"),
    "classify": (classify, "models"),
    "pack": (pack, ""),
}
PARTS = (1, 2, 7, 32, 150)


def documents(ties: bool) -> list[dict[str, Any]]:
    """60 documents of four hosts in no order, which share passages and a footer.

    `ties`: two with the id of another one, and two with its address as well.
    """
    rng = random.Random(5)
    passages = [" ".join(f"w{rng.randrange(10**6)}" for _ in range(20)) for _ in range(25)]
    footer = " ".join(f"foot{n}" for n in range(16))
    made: list[dict[str, Any]] = []
    for n in range(60):
        own = " ".join(f"own{n}x{k}" for k in range(rng.randrange(2, 30)))
        text = f"{own} {' '.join(rng.sample(passages, rng.randrange(3)))} {footer * (n % 2)}"
        url = f"http://h{n % 4}/v{n % 3}/p{n // 2}"
        made.append(
            {"id": f"{n * 7919 % 10_007:05d}", "url": url, "source": f"s{n % 4}", "text": text}
        )
    if ties:
        made += [{**made[5], "url": "http://else/5"}, {**made[6], "url": None}]
        made += [{**made[7], "text": "another text"}, dict(made[8])]
    return rng.sample(made, len(made))


def brought(folder: Path, ties: bool) -> dict[str, Path]:
    """The inputs of the first step; and of the tokenizer, which is given."""
    inputs = {name: folder / name for name in ("dedup", "evals", "tasks")}
    for path in inputs.values():
        path.mkdir(parents=True)
    stream.write(inputs["dedup"] / "documents.parquet",
                 dict.fromkeys(("id", "url", "source", "text"), pl.String), documents(ties))  # fmt: skip
    (folder / "evals/a.jsonl").write_text('{"id": "e", "text": "Sort the words own7x1 own7x2."}\n')
    for split in ("dev", "test"):
        asked = pl.DataFrame({"id": ["t"], "question": ["own8x0 own8x1 own8x2"]})
        asked.write_parquet(folder / f"tasks/{split}.parquet")
    recipes.tokenizer(folder / "given.json")
    return inputs


def whole(name: str, inputs: dict[str, Path], output: Path) -> dict[str, Any]:
    found: dict[str, Any] = STEPS[name][0].run(inputs, PARAMS, output)
    return found


def in_parts(
    name: str, inputs: dict[str, Path], output: Path, parts: int, order: Callable = list
) -> dict[str, Any]:
    """A step as the jobs of a cut recipe make it; `order`: of the parts."""
    module, prepared = STEPS[name]
    work = output.parent / f"{output.name}.jobs"
    needed = dict(inputs)
    if prepared:
        make = decontaminate.hold_out if name == "decontaminate" else classify.models
        make(inputs, PARAMS, work / prepared)
        needed[prepared] = work / prepared
    counts, made = [], {}
    for number in order(range(parts)):
        instance = selection.instance(number, parts)
        made[f"part.{instance}"] = work / instance
        counts.append(module.part(needed, PARAMS, work / instance, instance=instance))
    table = inputs["dedup" if name == "decontaminate" else "decontaminate"]
    file = "documents" if name == "decontaminate" else "train"
    rows = pl.scan_parquet(table / f"{file}.parquet").select(pl.len()).collect().item()
    assert sum(count["in"] for count in counts) == rows
    for count in counts:
        assert count["in"] == count["kept"] + sum(count.get("dropped", {}).values())
    found: dict[str, Any] = module.run({**needed, **made}, PARAMS, output)
    return found


def chain(
    inputs: dict[str, Path], output: Path, step: Callable[..., Any], mixed: bool
) -> list[Any]:
    """The steps one after the other; what each returned. `mixed`: also those from the mix on."""
    here = dict(inputs)
    counts = []
    for name in ("decontaminate", "classify"):
        counts.append(step(name, here, output / name))
        here[name] = output / name
    if mixed:
        train = pl.read_parquet(here["decontaminate"] / "train.parquet", columns=["id"])["id"]
        repeats = pl.Series([n % 4 for n in range(len(train))], dtype=pl.Int32)
        (output / "mix").mkdir()
        pl.DataFrame({"id": train, "repeats": repeats}).write_parquet(output / "mix/mix.parquet")
        here["mix"] = output / "mix"
        given_tokenizer.run(
            here | {"given": inputs["dedup"].parent / "given.json"}, PARAMS, output / "tokenizer"
        )
        here["tokenizer"] = output / "tokenizer"
        counts.append(step("pack", here, output / "pack"))
    return counts


def bytes_of(output: Path) -> dict[str, str]:
    return {name: value for name, value in hashes(output).items() if ".jobs/" not in name}


@pytest.fixture(params=[False, True], ids=["one piece", "many pieces"])
def _pieces(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(stream, "SMALL", 6_000)
        monkeypatch.setattr(stream, "GROUP_ROWS", 9)
        monkeypatch.setattr(stream, "BATCH", 1_000)


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("ties", [False, True], ids=["", "ties"])
def test_parts_decide_no_byte(tmp_path, monkeypatch, ties):
    inputs = brought(tmp_path / "in", ties)
    counts = chain(inputs, tmp_path / "whole", whole, mixed=not ties)
    expected = bytes_of(tmp_path / "whole")
    assert {"held_out", "overlaps_heldout", "holds_task"} == set(counts[0]["dropped"])
    assert len(expected) == (7 if ties else 14)
    for parts in PARTS:
        output = tmp_path / str(parts)

        def cut(name: str, inputs: dict[str, Path], output: Path, parts: int = parts) -> Any:
            return in_parts(name, inputs, output, parts, reversed)

        assert chain(inputs, output, cut, mixed=not ties) == counts
        assert bytes_of(output) == expected


def test_processes_decide_no_byte(tmp_path):
    inputs = brought(tmp_path / "in", ties=False)
    chain(inputs, tmp_path / "whole", whole, mixed=True)
    code = (
        f"import sys; from pathlib import Path; sys.path[:0] = {[str(Path(__file__).parent), str(Path(recipes.__file__).parent)]}\n"
        "import shutil, test_cut_steps as t\n"
        "inputs = {n: Path(sys.argv[2]) / n for n in ('dedup', 'evals', 'tasks')}\n"
        "out = Path(sys.argv[1])\n"
        "t.chain(inputs, out, lambda name, given, to: t.in_parts(name, given, to, 3), True)\n"
    )
    found = run_twice(code, tmp_path, str(tmp_path / "in"))
    of_steps = {name: value for name, value in found.items() if ".jobs/" not in name}
    assert of_steps == bytes_of(tmp_path / "whole")


def test_parts_that_do_not_fit_are_refused(tmp_path):
    inputs = brought(tmp_path / "in", ties=False)
    chain(inputs, tmp_path / "cut", lambda *given: in_parts(*given, parts=3), mixed=True)
    made = tmp_path / "cut"
    jobs = made / "pack.jobs"
    parts = {f"part.{path.name}": path for path in jobs.iterdir()}
    needed = {name: made / name for name in ("decontaminate", "mix", "tokenizer")}
    with pytest.raises(ValueError, match="2 parts of 3 are there"):
        pack.run({**needed, **dict(list(parts.items())[1:])}, PARAMS, tmp_path / "out")
    mix = pl.read_parquet(made / "mix/mix.parquet")
    shutil.copytree(made / "mix", tmp_path / "other")
    mix.with_columns(repeats=1).cast({"repeats": pl.Int32}).write_parquet(
        tmp_path / "other/mix.parquet"
    )
    with pytest.raises(groups.conservation.Lost, match="documents of the mix"):
        pack.run({**needed, **parts, "mix": tmp_path / "other"}, PARAMS, tmp_path / "out")
    mix.head(2).write_parquet(tmp_path / "other/mix.parquet")
    with pytest.raises(ValueError, match=r"tokens\.bin: .* rerun the steps of the parts"):
        pack.run({**needed, **parts, "mix": tmp_path / "other"}, PARAMS, tmp_path / "out")
    held = decontaminate.held.read(
        made / "decontaminate/heldout.parquet", decontaminate.Forgetful(8)
    )
    with pytest.raises(ValueError, match="rerun the steps of the parts"):
        held.counted(held.times[1:])


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 90), st.integers(4, 40), st.booleans())
def test_ranges_of_rows_tile_a_table(rows, parts, group, column):
    frame = pl.DataFrame(
        {"id": [str(n) for n in range(rows)], "n": range(rows)}, {"id": pl.String, "n": pl.Int64}
    )
    path = _TABLE
    frame.write_parquet(path, row_group_size=group)
    names = ["n"] if column else None
    cut = [ranges.of(path, selection.instance(part, parts)) for part in range(parts)]
    sizes = [end - start for start, end in cut]
    assert max(sizes) - min(sizes) <= 1 and cut[0][0] == 0
    assert all(one[1] == other[0] for one, other in pairwise(cut))
    assert cut[-1][1] == rows
    for start, end in (cut[0], cut[-1], (rows // 3, rows // 2)):
        expected = frame.slice(start, end - start)
        assert [*stream.rows(path, names, (start, end))] == expected.select(names or "*").to_dicts()
        read = [one for part in groups.frames(path, ["n"], (start, end)) for one in part["n"]]
        assert read == expected["n"].to_list()


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory):
    global _TABLE
    _TABLE = tmp_path_factory.mktemp("ranges") / "table.parquet"


def test_parts_come_in_the_order_of_their_numbers():
    names = [selection.instance(part, 1_200) for part in range(1_200)]
    inputs = {f"part.{name}": Path(name) for name in sorted(names)} | {"mix": Path("mix")}
    assert [path.name for path in ranges.made(inputs)] == names
    assert ranges.made({"mix": Path("mix")}) == []


def test_the_tokenizer_of_a_part_places_the_end_mark(tmp_path):
    inputs = brought(tmp_path / "in", ties=False)
    chain(inputs, tmp_path / "whole", whole, mixed=True)
    needed = {name: tmp_path / "whole" / name for name in ("decontaminate", "mix", "tokenizer")}
    pack.part(needed, PARAMS, tmp_path / "part", instance="001of002")
    table = pl.read_parquet(tmp_path / "part/documents.parquet")
    tokenizer, config = bpe.load(needed["tokenizer"])
    ends = table["tokens"].cum_sum().to_list()
    data = (tmp_path / "part/tokens.bin").read_bytes()
    tokens = [int.from_bytes(data[2 * end - 2 : 2 * end], "little") for end in ends]
    assert set(tokens) == {bpe.control(tokenizer, config, "eos_token")}
