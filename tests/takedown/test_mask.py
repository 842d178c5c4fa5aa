"""Masked documents: every token of theirs is gone, all else stands where it stood."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import default_flow
import pack_files
from determinism import ROOT, run_twice
from regrow.data.takedown import mask, slots, withdraw
from regrow.data.takedown.first import first_steps
from regrow.data.tokens.order import Order
from regrow.engine import jobs
from regrow.params.schema import Params, load
from regrow.params.takedown import Takedown

EOS, PAD, LENGTH = 1, 2, 8

PACK = {"pretrain": {"settings": "pretrain"}}
"""what reads the pack"""


def name(number: int) -> str:
    """The id of a document."""
    return f"{number:032x}"


def pack(folder: Path, lengths: list[tuple[int, int]]) -> Path:
    """A pack of instances (document, tokens), each ended by EOS, the rest cut off."""
    stream: list[int] = []
    rows = []
    for document, length in lengths:
        rows.append((name(document), 0, len(stream), len(stream) + length))
        stream += [10 + document] * (length - 1) + [EOS]
    whole = max(1, len(stream) // LENGTH) * LENGTH
    stream += [PAD] * (whole - len(stream))
    return pack_files.write_pack(folder, stream, LENGTH, rows, eos=EOS, pad=PAD, vocabulary=64)


packs = st.lists(st.tuples(st.integers(0, 5), st.integers(2, 11)), min_size=2, max_size=20)


@settings(deadline=None, max_examples=60)
@given(packs, st.sets(st.integers(0, 5), min_size=1, max_size=3))
def test_every_token_of_the_documents_goes_and_no_other_moves(
    lengths: list[tuple[int, int]], gone: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        source, output = pack(Path(place) / "a", lengths), Path(place) / "b"
        family = {name(n): name(n) for n in gone}
        rows = slots.mask(source, output, family, "art17")
        before = np.fromfile(source / "tokens.bin", dtype="<u2")
        after = np.fromfile(output / "tokens.bin", dtype="<u2")
        theirs = np.isin(before, [10 + n for n in gone])
        assert (after[theirs] == PAD).all()
        assert (after[~theirs] == before[~theirs]).all()
        assert sum(row["tokens"] for row in rows) == int(theirs.sum())
        old, new = (pl.read_parquet(p / "index.parquet") for p in (source, output))
        place = ["instance", "repeat", "start", "end"]
        assert new.select(place).equals(old.select(place))
        assert not set(new["id"]) & family.keys()
        kept = ~pl.col("id").is_in(sorted(family))
        assert new.filter(pl.col("id") != "takedown:art17").equals(old.filter(kept))


@settings(deadline=None, max_examples=40)
@given(packs, st.integers(0, 5), st.integers(1, 3), st.integers(1, 12))
def test_the_first_step_is_the_first_that_reads_a_token(
    lengths: list[tuple[int, int]], gone: int, batch: int, steps: int
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = pack(Path(place), lengths)
        tokens = np.fromfile(folder / "tokens.bin", dtype="<u2").reshape(-1, LENGTH)
        order = Order(len(tokens), 7, "pretrain")
        reading = [
            step + 1
            for step in range(steps)
            for sequence in order.at(step * batch, batch).tolist()
            if (tokens[sequence] == 10 + gone).any()
        ]
        block = SimpleNamespace(seed=7, batch_sequences=batch, steps=steps)
        found = first_steps(PACK, folder, {name(gone)}, SimpleNamespace(pretrain=block))
        # A sequence that holds only the end of a document (its border) counts as read: never too late.
        assert found.get("pretrain", steps + 1) <= min(reading, default=steps + 1)
        if reading and tokens.shape[0] == 1:
            assert found == {"pretrain": 1}


def tree(tmp_path: Path) -> tuple[dict[str, Path], SimpleNamespace]:
    data = pack(tmp_path / "pack", [(0, 9), (1, 9), (2, 9), (0, 5), (3, 9)])
    listed = tmp_path / "documents.json"
    listed.write_text(json.dumps({"documents": [name(1)]}))
    block = Params().pretrain.model_copy(update={"steps": 4, "batch_sequences": 1})
    first = first_steps(PACK, data, {name(1)}, SimpleNamespace(pretrain=block))
    params = SimpleNamespace(takedown=Takedown(name="art17", first=first), pretrain=block)
    return {"documents": listed, "data": data}, params


def test_a_step_that_is_said_too_late_is_refused(tmp_path: Path) -> None:
    inputs, params = tree(tmp_path)
    late = params.takedown.first["pretrain"] + 1
    params.takedown = Takedown(name="art17", first={"pretrain": late})
    with pytest.raises(ValueError, match="a checkpoint that is kept would have seen the documents"):
        mask.run(inputs, params, tmp_path / "out", instance="art17", data="pack", stages=PACK)


def test_jobs_before_the_first_step_are_as_if_nothing_had_been_taken_down() -> None:
    flow = default_flow.flow()
    first = {"pretrain": 100, "longcontext": 3}
    plain = load(ROOT / "params/demo.yaml")
    taken = plain.model_copy(
        update={"takedown": Takedown.model_validate({"name": "art17", "first": first})}
    )

    def unfold(params: Params) -> dict[str, jobs.Job]:
        made = {s.name: s.instances(params) for s in flow.steps if s.instances}
        return jobs.expand(flow, made, flow.inherited(params), flow.first_affected(params))

    before, after = unfold(plain), unfold(taken)
    same = {n for n in before if n in after and before[n].inputs == after[n].inputs}
    assert {"pack", "midtrain_data", "tokenizer", "pretrain.000000", "pretrain.000096"} <= same
    reads = {item.name: item.job for item in after["pretrain.000192"].inputs}
    assert reads == {"data": "pack_masked.art17", "previous": "pretrain.000096"}
    assert after["longcontext.000120"].inputs[0].job == "longcontext_data_masked.art17"
    # Midtraining saw none of it, but begins from weights that did not: only its base is another.
    assert before["midtrain.000450"].inputs == after["midtrain.000450"].inputs


CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.schema import Params, load
from regrow.params.takedown import Takedown
from regrow.data.takedown import mask
output, base, first = sys.argv[1:]
base = Path(base)
block = Params().pretrain.model_copy(update={"steps": 4, "batch_sequences": 1})
params = SimpleNamespace(takedown=Takedown(name="art17", first=json.loads(first)), pretrain=block)
inputs = {"documents": base / "documents.json", "data": base / "pack"}
mask.run(inputs, params, Path(output), instance="art17", data="pack", stages={"pretrain": {"settings": "pretrain"}})
"""


def test_equal_bytes_in_two_processes(tmp_path: Path) -> None:
    _, params = tree(tmp_path / "base")
    first = json.dumps(params.takedown.first)
    made = run_twice(CODE, tmp_path, str(tmp_path / "base"), first)
    assert {"tokens.bin", "index.parquet", "meta.json", "masked.parquet"} <= made.keys()


def test_withdrawn_documents_are_dropped_with_their_reason(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    frame = pl.DataFrame(
        {"id": [name(0), name(1)], "url": ["http://a/0", "http://a/1"], "text": ["x", "y"]}
    )
    frame.write_parquet(tmp_path / "text/documents.parquet")
    listed = tmp_path / "documents.json"
    listed.write_text(json.dumps({"documents": [name(1)]}))
    inputs = {"text": tmp_path / "text", "documents": listed}
    out = tmp_path / "out"
    out.mkdir()
    withdraw.run(inputs, SimpleNamespace(), out, instance="art17")
    assert pl.read_parquet(out / "documents.parquet")["id"].to_list() == [name(0)]
    assert pl.read_parquet(out / "drops.parquet").select("id", "reason").row(0) == (
        name(1),
        "takedown",
    )
    listed.write_text(json.dumps({"documents": [name(9)]}))
    with pytest.raises(ValueError, match=f"{name(9)} is no document"):
        withdraw.run(inputs, SimpleNamespace(), out, instance="art17")
