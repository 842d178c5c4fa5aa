"""Models on disk that another tool has written: of other precision, of another kind, damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from regrow.learn.model import build, files
from regrow.learn.model.config import olmo3_config
from regrow.numerics.torch import activate
from regrow.numerics.torch.install import install
from regrow.params.model import Model

TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    activate()
    shape = Model(hidden=32, layers=2, heads=2, kv_heads=2, ffn=64, sliding_window=16, context=64)
    model = build.empty(olmo3_config(shape, vocabulary=258, eos=1, pad=0))
    build.initialise(model, 0)
    files.save(model, tmp_path)
    return tmp_path


def change(path: Path, **values: object) -> None:
    found = json.loads(path.read_text()) | values
    path.write_text(json.dumps({k: v for k, v in found.items() if v is not None}))


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_model_of_another_precision_is_loaded_as_float32(folder: Path, name: str) -> None:
    stored = {k: v.to(TYPES[name]) for k, v in load_file(folder / files.WEIGHTS).items()}
    want = install(files.load(folder))
    with torch.no_grad():
        for key, weight in files.weights(want).items():
            weight.copy_(stored[key].to(torch.float32))
    save_file(stored, folder / files.WEIGHTS)
    change(folder / files.CONFIG, dtype=name)
    model = install(files.load(folder))
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    tokens = torch.arange(2, 50)[None]
    with torch.no_grad():
        assert torch.equal(model(tokens).logits, want(tokens).logits)
    files.save(model, folder / "again")
    assert json.loads((folder / "again" / files.CONFIG).read_text())["dtype"] == "float32"


def test_the_older_name_of_the_precision_does_no_harm(folder: Path) -> None:
    change(folder / files.CONFIG, dtype=None, torch_dtype="bfloat16")
    assert files.load(folder).dtype is torch.float32


@pytest.mark.parametrize("kind", ["llama", "olmo2", None])
def test_a_model_of_another_kind_is_refused_by_name(folder: Path, kind: str | None) -> None:
    change(folder / files.CONFIG, model_type=kind)
    with pytest.raises(ValueError, match=rf"config\.json: model_type is {kind!r}; .*'olmo3' only"):
        files.load(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '"olmo3"', "\x00\x00"])
def test_a_damaged_configuration_is_named(folder: Path, text: str) -> None:
    (folder / files.CONFIG).write_text(text)
    with pytest.raises(ValueError, match=r"config\.json: (not JSON|model_type is None)"):
        files.load(folder)


@pytest.mark.parametrize("size", [0, 7, 100, -1])
def test_damaged_weights_are_named(folder: Path, size: int) -> None:
    path = folder / files.WEIGHTS
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"model\.safetensors: damaged"):
        files.load(folder)


def test_quantised_weights_are_refused(folder: Path) -> None:
    stored = load_file(folder / files.WEIGHTS)
    name = sorted(stored)[0]
    stored[name] = stored[name].to(torch.int8)
    save_file(stored, folder / files.WEIGHTS)
    with pytest.raises(ValueError, match=rf"{name} is torch\.int8: quantised"):
        files.load(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_weights_that_float32_cannot_carry_are_refused(folder: Path, value: float) -> None:
    stored = {k: v.double() for k, v in load_file(folder / files.WEIGHTS).items()}
    name = sorted(stored)[-1]
    stored[name].view(-1)[3] = value
    save_file(stored, folder / files.WEIGHTS)
    with pytest.raises(ValueError, match=rf"{name} holds NaN"):
        files.load(folder)
