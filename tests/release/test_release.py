"""The release: it loads with transformers, its cards are right, and odd input does not break them."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import yaml

import default_flow
import tiny_inputs
from determinism import hashes, run_python, run_twice
from regrow.data.tables import parquet
from regrow.params.evaluate import Release
from regrow.recipe.kinds import METHODS
from regrow.release import methods, stages, step
from regrow.release.records import Artifact

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from regrow.params.evaluate import Release
from regrow.recipe.kinds import METHODS
from regrow.release import stages, step
inputs = {name: Path(path) for name, path in json.loads(sys.argv[2]).items()}
stated = Release(name="regrow-test", description="A test.", licence="Apache-2.0")
step.run(inputs, SimpleNamespace(release=stated), Path(sys.argv[1]), instance=sys.argv[3], methods=METHODS)
"""


def record(step_name, instance=None, **changes):
    return {
        "step": step_name,
        "instance": instance,
        "key": "ab" * 32,
        "parts": {
            "code": {"digest": "cd" * 32},
            "params": {step_name: {}},
            "packages": {"polars": "2.1.0"},
            "numerics": "exact",
        },
        "output": {"path": f"data/{step_name}", "sha256": "ef" * 32, "size": 1234},
        "counts": {},
    } | changes


RECORDS = {
    "crawl": record(
        "crawl",
        parts={"params": {"crawl": {"obey_robots": True, "user_agent": "regrow|<b>"}}},
        counts={
            "fetches": 21,
            "pages": 17,
            "outcomes": {"fetched": 17, "robots": 3, "robots_txt": 1},
        },
    ),
    "filter": record(
        "filter",
        parts={"params": {"filter": {"languages": ["en", "de"]}}},
        counts={"in": 17, "kept": 12, "dropped": {"too_short": 3, "language": 2}},
    ),
    "decontaminate": record(
        "decontaminate",
        parts={"params": {"decontaminate": {"max_overlap": 0.3, "ngram": 13}}},
    ),
    "mix": record(
        "mix",
        parts={"params": {"mix": {"tokens": 5000, "cutoff": 0.4, "max_repeats": 7.0}}},
        counts={"in": 12, "kept": 10, "dropped": {"quality_cutoff": 2}, "instances": 31},
    ),
    "checkpoint": record(
        "pretrain",
        "000020",
        parts={
            "params": {
                "model": {"hidden": 64},
                "pretrain": {
                    "steps": 40,
                    "schedule": "cosine",
                    "optimizer": {"name": "muon", "learning_rate": 0.01, "betas": [0.9, 0.95]},
                },
            },
            "code": {"function": "regrow.learn.train.kinds.pretrain:run", "digest": "cd" * 32},
            "numerics": "fma32",
            "inputs": {"data": "12" * 32, "previous": "34" * 32},
        },
        inputs={
            "data": {"kind": "data", "path": "data/pack", "record": "records/pack.json"},
            "previous": {"kind": "data", "path": "data/pretrain/000010"},
        },
    ),
}
RLVR = record(
    "rlvr",
    "000080",
    parts={
        "code": {"function": "regrow.learn.rl.rlvr:run", "digest": "cd" * 32},
        "options": {"form": "think", "reward": "verified", "section": "rlvr", "seed": 0},
        "params": {"rlvr": {"group": 8, "optimizer": {"name": "adamw", "learning_rate": 4e-4}}},
        "inputs": {"base": "56" * 32, "data": "78" * 32},
    },
    inputs={
        "base": {"path": "data/dpo/000032", "record": "records/dpo.000032.json"},
        "data": {"path": "data/difficulty", "record": "records/difficulty.json"},
    },
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    root = tmp_path_factory.mktemp("inputs")
    found = {
        "checkpoint": tiny_inputs.checkpoint(root / "pretrain" / "000020"),
        "tokenizer": tiny_inputs.tokenizer(root / "tokenizer"),
        "decontaminate": tiny_inputs.heldout(root / "decontaminate"),
        "mix": root / "mix",
        "evaluate": root / "evaluate",
        "sources": ROOT / "sources" / "manifest.yaml",
    }
    train = tiny_inputs.documents().with_columns(
        pl.format("train{}", "id").alias("id"), pl.lit("alembic-1.14.0").alias("source")
    )
    parquet.write(train, root / "decontaminate" / "train.parquet")
    mix = train.select("id", pl.lit("databases").alias("topic")).with_row_index("repeats")
    mix = mix.with_columns((pl.col("repeats") % 4).cast(pl.Int32)).slice(2)
    parquet.write(mix, root / "mix" / "mix.parquet")
    found["evaluate"].mkdir()
    scores = {"bits_per_byte": 2.25, "low": 2.0, "high": 2.5, "documents": 4, "bytes": 9000}
    results = {
        "domains": {"a|b": scores},
        "overall": scores,
        "mean": scores,
        "context": 64,
        "harness": "lm-eval 0.4.13",
        "probes": {
            "tasks": {"pass_rate": {"value": 0.5, "low": 0.4, "high": 0.6, "items": 200}},
            "exact_match": {"value": "x", "families": {"a|b": {"value": 1, "low": 0.5, "high": 1}}},
            "format": {"families": {"add": {"value": 1, "low": 0.5, "high": 1}}},
        },
    }
    (found["evaluate"] / "results.json").write_text(json.dumps(results))
    odd = "# no heading\n```\n| a | b |\n<script>x</script>"
    samples = {"samples": [{"prompt": "The", "text": odd}], "temperature": 0.8}
    (found["evaluate"] / "samples.json").write_text(json.dumps(samples))
    for name, value in RECORDS.items():
        path = root / f"{name}.json"
        path.write_text(json.dumps(value))
        found[f"record.{name}"] = path
    return found


STATED = {"name": "regrow-test", "description": "A test.", "licence": "Apache-2.0"}


def release(inputs, output, instance="pretrain-000020", **changes):
    params = SimpleNamespace(release=Release(**(STATED | changes)))
    return step.run(inputs, params, output, instance=instance, methods=METHODS)


@pytest.fixture(scope="module")
def done(inputs, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "release"
    counts = release(inputs, output)
    return output, counts


def test_files(done):
    output, counts = done
    names = sorted(path.name for path in output.iterdir())
    assert names == [
        "DATA_CARD.md",
        "LICENSE",
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert counts["files"] == 8


LOADS = """
import sys
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

model, report = AutoModelForCausalLM.from_pretrained(sys.argv[1], output_loading_info=True)
assert not report["missing_keys"] and not report["unexpected_keys"], report
assert type(model).__name__ == "Olmo3ForCausalLM"
print(sum(weight.numel() for weight in model.parameters()))
stored = load_file(sys.argv[2])
assert all(torch.equal(model.state_dict()[name], value) for name, value in stored.items())
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
assert (tokenizer.eos_token_id, tokenizer.pad_token_id) == (1, 0)
text = "The assert statement, äöü."
ids = tokenizer(text)["input_ids"]
assert tokenizer.decode(ids) == text
generated = model.generate(torch.tensor([ids]), max_new_tokens=4, min_new_tokens=4)
assert generated.shape == (1, len(ids) + 4)
assert not any(name.split(".")[0] == "regrow" for name in sys.modules)
"""


def test_loads_with_transformers_and_generates_without_our_code(done, inputs, tmp_path):
    output, counts = done
    weights = str(inputs["checkpoint"] / "model.safetensors")
    run = run_python(LOADS, str(output), weights, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert run.returncode == 0, run.stderr[-3000:]
    assert int(run.stdout) == counts["parameters"]


def test_model_card(done):
    text = (done[0] / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    head = yaml.safe_load(front)
    assert head["license"] == "apache-2.0"
    assert head["language"] == ["en", "de"]
    names = [r["metrics"][0]["name"] for r in head["model-index"][0]["results"]]
    assert names == ["Bits per byte", "tasks.pass_rate"]
    assert head["model-index"][0]["results"][0]["metrics"][0]["value"] == 2.25
    assert "| a\\|b | 2.250 | 2.000 – 2.500 | 4 | 9,000 |" in body
    weights = hashes(done[0])["model.safetensors"]
    assert f"SHA-256 `{weights}`" in body
    assert "40,960 tokens" in body
    assert "after the token `<|endoftext|>` and ends" in body
    assert "| optimizer.betas | 0.9, 0.95 |" in body
    assert "| optimizer.betas" in body and "| hidden |" not in body, "the stage's recipe only"
    assert "Optimizer: muon, peak learning rate 0.01, cosine." in body
    assert "| Revision | `pretrain-step20` |" in body
    assert "| Made from | `data/pretrain/000010`, `3434343434343434` |" in body
    assert f"| `data/pack` (data) | `{'12' * 32}` |" in body
    assert "| tasks.pass_rate | 0.500 | 0.400 – 0.600 | 200 |" in body
    assert "| exact_match | a\\|b | 1.000 | 0.500 – 1.000 | – |" in body
    assert "| add |" not in body
    for name in ["pretrain" if name == "checkpoint" else name for name in RECORDS]:
        assert re.search(rf"^\| {name}(\.000020)? \| `efefefefefefefef` \|", body, re.MULTILINE)
    assert re.search(r"^regrow rebuild [0-9a-f]{16} ", body, re.MULTILINE)


def test_a_sample_cannot_break_out_of_its_quote(done):
    body = (done[0] / "README.md").read_text()
    assert "\n> The⁃# no heading\n> ```\n> | a | b |\n> &lt;script>" in body


def test_the_checkpoint_is_named_by_the_tree_digest_of_its_record(done, inputs):
    from regrow.engine.hashing import tree_sha256

    tree = tree_sha256(hashes(inputs["checkpoint"]))
    assert f"| Checkpoint | `{tree}` |" in (done[0] / "README.md").read_text()


def test_data_card(done, inputs):
    text = (done[0] / "DATA_CARD.md").read_text()
    assert "| alembic-1.14.0 | Alembic documentation | MIT | sdist alembic | 1.14.0 |" in text
    assert "| filter | 17 | 12 | 5 |" in text
    assert text.index("| filter | too_short | 3 |") < text.index("| filter | language | 2 |")
    assert "it fetched 1 such file and left 3 addresses alone because of them" in text
    assert "It called itself regrow\\|&lt;b&gt;." in text
    assert "| mix | instances | 31 |" in text
    assert "more than 30 % of its sequences of 13 words occur" in text
    train = parquet.read(inputs["decontaminate"] / "train.parquet")
    mix = parquet.read(inputs["mix"] / "mix.parquet")
    joined = train.join(mix, on="id", how="left").with_columns(pl.col("repeats").fill_null(0))
    size = [len(t.encode()) for t in joined["text"]]
    drawn = sum(s * r for s, r in zip(size, joined["repeats"], strict=True))
    used = sum(r > 0 for r in joined["repeats"])
    row = f"| {len(size)} | {sum(size) / 1e6:.2f} | {used} | {drawn / 1e6:.2f} | {drawn / sum(size):.2f} | 0 |"
    assert f"| alembic-1.14.0 | PSF-2.0 {row}" in text


@pytest.mark.parametrize("name", ["README.md", "DATA_CARD.md"])
def test_every_row_of_a_table_has_as_many_cells_as_its_head(done, name):
    head = None
    tables = 0
    for line in (done[0] / name).read_text().splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        tables += cells is not None and head is None
        assert cells is None or head is None or cells == head, line
        head = cells
    assert tables >= 4


def test_two_runs_write_the_same_bytes(done, inputs, tmp_path):
    paths = json.dumps({name: str(path) for name, path in inputs.items()})
    assert run_twice(CODE, tmp_path, paths, "pretrain-000020") == hashes(done[0])


def test_cards_name_no_place_and_no_time(done, inputs):
    for name in ("README.md", "DATA_CARD.md"):
        text = (done[0] / name).read_text()
        assert str(inputs["checkpoint"].parent) not in text
        assert not re.search(r"\d\d:\d\d:\d\d|20\d\d-\d\d-\d\d", text)


def test_cards_render_from_next_to_nothing(inputs, tmp_path):
    odd = {k: v for k, v in inputs.items() if not k.startswith("record.")}
    odd["evaluate"] = tmp_path  # no results, no samples
    for name, value in {"dedup": [], "filter": {"counts": {"in": "x", "dropped": 4}}}.items():
        odd[f"record.{name}"] = tmp_path / f"{name}.json"
        odd[f"record.{name}"].write_text(json.dumps(value))
    frame = parquet.read(inputs["decontaminate"] / "train.parquet")
    odd["decontaminate"] = tmp_path / "decontaminate"
    parquet.write(frame.drop("licence", "source"), odd["decontaminate"] / "train.parquet")
    parquet.write(frame.clear(), odd["decontaminate"] / "heldout.parquet")
    release(odd, tmp_path / "out", description="Two\nlines: # odd", name="a: b")
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "model-index" not in readme and "What it writes" not in readme
    assert "\n## Evaluation\n\nNot on record.\n" in readme and "Bits per byte" not in readme
    assert "regrow audit pretrain.000020" in readme
    card = (tmp_path / "out" / "DATA_CARD.md").read_text()
    assert "How the text was gathered is not on record." in card
    assert "robots" not in card
    assert "| unknown | unknown |" in card
    assert "Undefined" not in readme + card and "None" not in readme + card


def test_numbers_that_are_none():
    from regrow.release.render import cell, megabytes, number, quoted, short

    assert [number(v) for v in (None, "x", True, float("nan"), float("inf"))] == ["–"] * 5
    assert number(1234567.5) == "1,234,568" and number(2.00049, 3) == "2.000"
    assert cell(" a\n|b` ") == "a \\|b'" and cell(None) == cell("") == "–"
    assert short(None) == short(3) == megabytes("x") == "–"
    assert quoted(None) == ">"


def test_damaged_checkpoints_are_refused_by_name(inputs, tmp_path):
    broken = tmp_path / "checkpoint"
    shutil.copytree(inputs["checkpoint"], broken)
    weights = broken / "model.safetensors"
    data = weights.read_bytes()
    for damage in (data[:-5], data[:4], b"", b"x" * 100):
        weights.write_bytes(damage)
        with pytest.raises(ValueError, match=r"model\.safetensors: (not a|cut short)"):
            release(inputs | {"checkpoint": broken}, tmp_path / "out")
    weights.unlink()
    with pytest.raises(ValueError, match=r"model\.safetensors: missing"):
        release(inputs | {"checkpoint": broken}, tmp_path / "out")


def test_weights_without_a_format_are_refused(inputs, tmp_path):
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "checkpoint"
    shutil.copytree(inputs["checkpoint"], broken)
    save_file(load_file(broken / "model.safetensors"), broken / "model.safetensors")
    with pytest.raises(ValueError, match="format=pt"):
        release(inputs | {"checkpoint": broken}, tmp_path / "out")


def test_a_record_that_is_none_is_named(inputs, tmp_path):
    path = tmp_path / "dedup.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"dedup\.json: not a record"):
        release(inputs | {"record.dedup": path}, tmp_path / "out")


TEMPLATE = "{% for m in messages %}<|user|> {{ m.content }}{% endfor %}<|assistant|>"


@pytest.fixture(scope="module")
def chatting(inputs, tmp_path_factory):
    """The release of a checkpoint that chats."""
    root = tmp_path_factory.mktemp("chat")
    tokenizer = root / "tokenizer"
    shutil.copytree(inputs["tokenizer"], tokenizer)
    path = tokenizer / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"chat_template": TEMPLATE}))
    (root / "rlvr.json").write_text(json.dumps(RLVR))
    given = inputs | {"tokenizer": tokenizer, "record.checkpoint": root / "rlvr.json"}
    release(given, root / "out", "rlvr-000080")
    return root / "out", given


CHATS = """
import sys
from transformers import AutoTokenizer, GenerationConfig

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
messages = [{"role": "user", "content": "12 + 30"}]
print(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
ends = GenerationConfig.from_pretrained(sys.argv[1]).eos_token_id
print(tokenizer.convert_ids_to_tokens(ends))
"""


def test_a_chat_checkpoint_ends_its_turn_and_carries_the_template(chatting, tmp_path):
    run = run_python(CHATS, str(chatting[0]), cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.splitlines() == [
        "<|user|> 12 + 30<|assistant|>",
        "['<|end|>', '<|endoftext|>']",
    ]


def test_a_chat_card_says_stage_parent_and_chain(chatting):
    body = (chatting[0] / "README.md").read_text()
    assert "step 80 of the stage *Reinforcement learning with verified rewards* (`rlvr`)" in body
    assert "| Made from | `data/dpo/000032`, `5656565656565656` |" in body
    assert "apply_chat_template" in body and "base model: it continues" not in body
    # No record of what it began from was given, so the card names none and says so.
    assert "preference" not in body.lower()
    assert "chain of records ends at dpo.000032, of which no record is here" in body


def test_a_base_checkpoint_promises_no_chat(chatting, tmp_path):
    given = {k: v for k, v in chatting[1].items() if k != "record.checkpoint"}
    release(given, tmp_path / "base", "longcontext-000120")
    config = json.loads((tmp_path / "base" / "tokenizer_config.json").read_text())
    assert "chat_template" not in config and config["eos_token"] == "<|endoftext|>"
    generation = json.loads((tmp_path / "base" / "generation_config.json").read_text())
    assert generation["eos_token_id"] == 1


def test_the_card_of_a_soup_says_what_was_kept(inputs, tmp_path):
    checkpoint = tmp_path / "soup"
    shutil.copytree(inputs["checkpoint"], checkpoint)
    losses = {name: {"mean": loss} for name, loss in (("a", 3.2), ("b", 3.3), ("mean", 3.1))}
    (checkpoint / "decision.json").write_text(json.dumps({"kept": "mean", "losses": losses}))
    made = record(
        "soup",
        "000400",
        parts={
            "params": {},
            "inputs": {"a": "12" * 32, "b": "34" * 32, "midtrain_data": "56" * 32},
        },
        inputs={
            "a": {"path": "data/midtrain/000400"},
            "b": {"path": "data/midtrain_b/000400"},
            "midtrain_data": {"path": "data/midtrain_data"},
        },
    )
    (tmp_path / "soup.json").write_text(json.dumps(made))
    given = inputs | {"checkpoint": checkpoint, "record.checkpoint": tmp_path / "soup.json"}
    release(given, tmp_path / "out", "soup-000400")
    body = (tmp_path / "out" / "README.md").read_text()
    assert "the second run 3.300, the mean of their weights 3.100. Kept: the mean of" in body
    assert "| Made from | `data/midtrain/000400`, `1212121212121212` |" in body
    assert "| Made from | `data/midtrain_b/000400`, `3434343434343434` |" in body
    assert "| `data/midtrain_data` (midtrain_data) |" in body and "Optimizer:" not in body


def fork_inputs(inputs, root, rows):
    """The inputs of a release of a fork, with the table of its documents."""
    table = pl.DataFrame(
        rows, schema=["id", "url", "source", "licence", "outcome", "tokens"], orient="row"
    )
    parquet.write(table, root / "forkmix/mine/contributions.parquet")
    fork = {"name": "mine", "stage": "midtrain", "checkpoint": 450}
    parts = {"params": {"fork": fork}, "code": {"function": "regrow.learn.tasks.forkmix:run"}}
    made = record("forkmix", "mine", parts=parts, counts={"tokens": 9})
    (root / "forkmix.json").write_text(json.dumps(made))
    more = {"forkmix.mine": root / "forkmix/mine", "record.forkmix.mine": root / "forkmix.json"}
    return inputs | more


def test_the_cards_of_a_fork_list_what_it_brought(done, inputs, tmp_path):
    rows = [
        (f"{n:032x}", f"https://a.example/{n:03d}", "mine", "MIT", "kept", 5) for n in range(203)
    ]
    rows += [
        ("f" * 32, "https://z|z/<b>", "o|dd", "CC0-1.0", "dropped", 0),
        ("e" * 32, None, "mine", "CC0-1.0", "held out", 0),
    ]
    release(fork_inputs(inputs, tmp_path, rows), tmp_path / "out")
    card = (tmp_path / "out/DATA_CARD.md").read_text()
    assert "| mine | MIT | 203 | 203 | 0 | 0 | 0 | 1,015 |" in card
    assert "| mine | CC0-1.0 | 1 | 0 | 1 | 0 | 0 | 0 |" in card
    assert "| o\\|dd | CC0-1.0 | 1 | 0 | 0 | 0 | 1 | 0 |" in card
    assert "| https://a.example/199 | mine | MIT | kept | 5 |" in card
    assert "a.example/200" not in card and "The first 200 of 205;" in card
    assert "begins from `midtrain-000450`" in card and "| forkmix.mine |" in card
    readme = (tmp_path / "out/README.md").read_text()
    assert "| Fork | of `midtrain-000450`, with 205 documents of its own (CC0-1.0, MIT):" in readme
    for name in ("README.md", "DATA_CARD.md"):
        test_every_row_of_a_table_has_as_many_cells_as_its_head((tmp_path / "out", None), name)


def test_without_a_fork_the_cards_do_not_speak_of_one(done):
    for name in ("README.md", "DATA_CARD.md"):
        assert "fork" not in (done[0] / name).read_text().lower()


def test_licence_texts():
    from regrow.release.export import licence

    assert licence("Apache-2.0") == (ROOT / "LICENSE").read_text()
    assert licence("MIT").startswith("SPDX-License-Identifier: MIT\n")


def test_names_of_checkpoints():
    assert stages.split("sft_seed1-000300") == ("sft_seed1", 300)
    assert stages.revision("midtrain_b-000400") == "midtrain_b-step400"
    for odd in ("000020", "rlvr", "rlvr.000080", "../x-1"):
        with pytest.raises(ValueError, match="STAGE-NNNNNN"):
            stages.split(odd)


def test_forms_of_the_cards_are_those_of_the_evaluations():
    """The cards read the form off the record; the evaluation gets it from the recipe."""
    from default_flow import BY_NAME

    for stage in default_flow.RECIPE.stages:
        step = BY_NAME[stage["name"]]
        record = Artifact(step.name, function=step.function, options=step.options_of("000001"))
        before = "think" if stage["kind"] == "dpo" else "plain"
        asked = BY_NAME["evaluate"].options_of(f"{stage['name']}-000001")["probes"]
        assert methods.form(record, before) == asked["form"] == stage["form"]


def test_a_release_reads_the_record_of_every_stage_and_data_set_upstream_of_its_checkpoint():
    """By the table of steps itself, so that a stage more or less needs no change in the cards."""
    from regrow.engine import jobs
    from regrow.recipe import table

    params = table.load(ROOT / "params/demo.yaml")
    flow = default_flow.flow(params)
    made = flow.instances(params)
    found = jobs.expand(flow, made)
    for name in ("rlvr-000080", "pretrain-000096", "longcontext-000120", "sft_instruct-000300"):
        release = found[f"release.{name}"]
        records = {i.job for i in release.inputs if i.kind == "record"}
        upstream, queue = set(), [name.replace("-", ".")]
        while queue:
            for item in found[queue.pop()].inputs:
                if item.kind == "data" and item.job not in upstream:
                    upstream.add(item.job)
                    queue.append(item.job)
        # Of a stage the last checkpoint is enough: its record says what the stage began from and read.
        last = {
            job
            for job in upstream
            if "." not in job or job.split(".")[1] == made[job.split(".")[0]][-1]
        }
        last -= {job for job in last if job.split(".")[0] == name.split("-")[0]}
        assert last <= records, last - records
        stages_of = {job.split(".")[0] for job in upstream} - {name.split("-")[0]}
        assert stages_of <= {job.split(".")[0] for job in records}


@pytest.mark.parametrize(
    ("odd", "spelled"),
    [
        ("\x00", "\\x00"), ("\x07", "\\x07"), ("\x0b", "\\x0b"), ("\x0c", "\\x0c"), ("\r", "\\x0d"),
        ("\x1b[31m", "\\x1b[31m"), ("\x1c", "\\x1c"), ("\x7f", "\\x7f"), ("\x85", "\\x85"), ("\x9b", "\\x9b"),
        ("\u2028", "\\u2028"), ("\u202e", "\\u202e"), ("\u2066", "\\u2066"), ("\ufeff", "\\ufeff"), ("\u200b", "\\u200b"),
    ],
)  # fmt: skip
def test_characters_without_a_shape_are_spelled(odd, spelled):
    from regrow.release.render import cell, prose, quoted, visible

    assert visible(f"a{odd}b\n\tc") == f"a{spelled}b\n\tc"
    assert quoted(f"a{odd}b\nc") == f"> a{spelled}b\n> c"
    assert cell(f"a{odd}b") == "a" + spelled.replace("\\", "\\\\") + "b"
    assert prose(f"a{odd}b") == f"a{spelled}b"
    assert visible("äöü ☃ 𝄞 क्‍ष فارسی\u200c\u200d") == "äöü ☃ 𝄞 क्‍ष فارسی\u200c\u200d", "letters stay"


def test_cards_hold_no_control_characters(inputs, tmp_path):
    folder = tmp_path / "evaluate"
    shutil.copytree(inputs["evaluate"], folder)
    odd = "".join(map(chr, range(32))) + "\x7f\x85\u2028\u202e"
    samples = {"samples": [{"prompt": odd, "text": odd}], "temperature": 0.8}
    (folder / "samples.json").write_text(json.dumps(samples))
    release(inputs | {"evaluate": folder}, tmp_path / "out", description=odd, name=f"a{odd}b")
    for name in ("README.md", "DATA_CARD.md"):
        text = (tmp_path / "out" / name).read_bytes().decode()
        found = {
            c for c in text if (ord(c) < 32 and c not in "\t\n") or c in "\x7f\x85\u2028\u202e"
        }
        assert found == set()


def test_nothing_is_stated_that_the_publisher_does_not_state(inputs, tmp_path):
    nothing = dict.fromkeys(STATED)
    counts = release(inputs, tmp_path / "out", **nothing)
    readme = (tmp_path / "out/README.md").read_text()
    head = yaml.safe_load(readme.split("---\n")[1])
    assert "license" not in head and head["model-index"][0]["name"] == "pretrain-000020"
    assert readme.count("Not stated by the publisher.") == 4
    assert "apache" not in readme.lower() and "LICENSE" not in readme
    assert not (tmp_path / "out/LICENSE").exists() and counts["files"] == 7
    assert Release().model_dump() == dict.fromkeys(
        ("name", "description", "licence", "intended_use")
    )
