"""A takedown of the tiny run: carried out, checked, signed, and held against a run that never had the text."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from real_repository import Real
from regrow.change.takedown.finish import _masked, _withdrawn
from regrow.change.takedown.touched import touched
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.params.schema import load

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.timeout(2_400),
]

TRAINED = (
    "pretrain.000008", "midtrain.000004", "midtrain_b.000004", "soup.000004",
    "longcontext.000002", "longcontext_control.000002", "sft.000004",
)  # fmt: skip
"""what learns from documents, and the first that learns from it"""
KEPT = "pretrain.000004"
"""the checkpoint of the middle of pretraining, before any of the documents was seen"""


def chosen(tree: Real) -> tuple[list[str], dict[str, int]]:
    """A document that pretraining reads behind KEPT, and one that only long context reads; first steps of both."""
    outputs = Outputs(Ledger.load(tree.path))
    params = load(tree.path / "params/tiny.yaml")
    table = outputs.table("mix", "mix.parquet")
    assert table is not None
    ids = table.select("id").sort("id").collect()["id"]
    first = {id: touched(outputs, [id], params)["first"] for id in ids}
    late = next(id for id, steps in first.items() if steps.get("pretrain", 0) > 4)
    long = next(
        id for id, steps in first.items() if steps.keys() == {"longcontext", "longcontext_control"}
    )
    return sorted([late, long]), touched(outputs, [late, long], params)["first"]


def written(tree: Real, place: Path, depth: str) -> tuple[Real, dict[str, Any]]:
    """A copy of the grown tree with the takedown `out` written and committed; what was said."""
    copy = tree.copy(place / "copy")
    ids, first = chosen(tree)
    args = ["--name", "out", "--depth", depth, "--why", "a test", "--params", "params/tiny.yaml"]
    said = json.loads(copy.regrow("takedown", *ids, *args, "--json").stdout)
    plan = json.loads(copy.regrow("plan", "--params", "params/out.yaml", "--json").stdout)["jobs"]
    why = [reason["part"] for job in plan for reason in job["reasons"]]
    assert why and "trust" not in why, "nothing was tampered with"
    early = copy.regrow("takedown", "--finish", "out", check=False)
    assert early.returncode and "the takedown out is not done" in early.stderr
    copy.commit("Takedown: out")
    copy.outcomes()
    return copy, {"ids": ids, "first": first, "said": said, "place": place}


def grown_from_nothing(copy: Real, path: Path) -> Real:
    """A clone of the takedown's commit without any record, cache or data."""
    clone = copy.clone(path)
    clone.git("rm", "-rq", "records", "dvc.lock")
    clone.commit("nothing was ever made")
    return clone


def grow(clone: Real) -> set[str]:
    """Grow a clone as far as TRAINED; the jobs that ran."""
    targets = [f"records/{name}.json" for name in TRAINED]
    clone.run("snakemake", "--cores", "2", *targets, "--configfile", "params/out.yaml")
    ran = clone.outcomes()
    assert set(ran) == {"run"}
    return set(ran["run"])


def record(tree: Real, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tree.read(f"records/{name}.json"))
    return found


@pytest.fixture(scope="module")
def masked(grown: Real, tmp_path_factory: pytest.TempPathFactory) -> tuple[Real, dict[str, Any]]:
    """Depth `training`, run to its end, checked and signed."""
    copy, what = written(grown, tmp_path_factory.mktemp("masked"), "training")
    done = copy.run("snakemake", "--cores", "2", "--configfile", "params/out.yaml")
    assert "does not stand for" not in done.stderr, "nothing was tampered with"
    what["ran"] = copy.outcomes()
    for name in ("key", "other"):
        copy.regrow("keygen", str(what["place"] / name))
    key = str(what["place"] / "key")
    what["told"] = json.loads(
        copy.regrow("takedown", "--finish", "out", "--key", key, "--json").stdout
    )
    return copy, what


def test_what_was_seen_before_is_kept(grown: Real, masked: tuple[Real, dict[str, Any]]) -> None:
    copy, what = masked
    ran, plan = what["ran"], what["said"]["plan"]
    assert set(ran) == {"run"} and set(ran["run"]) == set(plan["anew"])
    assert {"pretrain.000000", KEPT, "tokenizer", "pack", "midtrain_data"} <= set(plan["kept"])
    assert {
        "pretrain.000008",
        "pack_masked.out",
        "longcontext_data_masked.out",
        "rlvr.000002",
    } <= set(plan["anew"])
    for name in plan["kept"]:
        assert copy.read(f"records/{name}.json") == grown.read(f"records/{name}.json")
    checks = what["told"]["checks"]
    assert KEPT in checks["kept_checkpoints_that_saw_none"]
    assert checks["slots_masked"] > 0 < checks["tokens_masked"] < checks["tokens_unchanged"]
    moved = record(copy, "pretrain.000008")["output"]["sha256"]
    assert moved != record(grown, "pretrain.000008")["output"]["sha256"], "the text had an effect"


def test_it_equals_a_run_that_never_read_the_text(
    masked: tuple[Real, dict[str, Any]], tmp_path: Path
) -> None:
    """From nothing, every training step on masked sequences alone, the kept checkpoints included.

    The takedown says which checkpoints it keeps; here it is made to keep none, and its own check of
    that number is taken out.
    """
    copy, what = masked
    clone = grown_from_nothing(copy, tmp_path / "clone")
    block = clone.read("params/out.yaml")
    for stage, step in what["first"].items():
        clone.edit("params/out.yaml", f"    {stage}: {step}\n", f"    {stage}: 1\n")
    assert clone.read("params/out.yaml") != block
    clone.edit(
        "src/regrow/data/takedown/mask.py",
        "    if said != found:",
        "    if said.keys() != found.keys():",
    )
    ran = grow(clone)
    assert ran > {"crawl", "pack", "pack_masked.out", "pretrain.000000", KEPT, *TRAINED}
    assert record(clone, KEPT)["inputs"]["data"]["record"] == "records/pack_masked.out.json"
    for name in sorted(ran):
        assert record(clone, name)["output"] == record(copy, name)["output"], name


def test_questions_after_it(grown: Real, masked: tuple[Real, dict[str, Any]]) -> None:
    copy, what = masked
    for id in what["ids"]:
        assert "seen by" in grown.regrow("trace", id).stdout.splitlines()[-1]
        assert copy.regrow("trace", id).stdout.splitlines()[-1] == "not seen: masked by a takedown"
    order = json.loads(copy.regrow("batch", "pretrain.000008", "--step", str(what["first"]["pretrain"]), "--json").stdout)  # fmt: skip
    assert order["documents"] and not any(id in json.dumps(order) for id in what["ids"])
    assert json.loads(copy.regrow("audit", "rlvr.000002", "--json").stdout)["problems"] == []
    diff = copy.regrow("diff", "pretrain.000008@HEAD~1", "pretrain.000008", check=False)
    assert diff.returncode in (0, 1) and "Traceback" not in diff.stderr


def test_the_statement_is_signed_and_a_forged_one_is_refused(
    masked: tuple[Real, dict[str, Any]], tmp_path: Path
) -> None:
    copy, what = masked
    path = copy.path / "takedowns/out/statement.intoto.jsonl"
    assert what["told"]["statement"] == "takedowns/out/statement.intoto.jsonl"

    def check(file: Path, key: str, *artifacts: str) -> tuple[int, str]:
        public = str(what["place"] / f"{key}.pub")
        done = copy.regrow("attest", "--check", str(file), "--public-key", public, *artifacts, check=False)  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    status, text = check(path, "key", "rlvr.000002")
    assert status == 0, text
    assert check(path, "other", "rlvr.000002")[0] == 1
    assert check(path, "key", KEPT)[0] == 1, "it says nothing of what was kept"
    envelope = json.loads(path.read_text())
    said = json.loads(base64.b64decode(envelope["payload"]))
    assert said["predicate"]["documents"]["ids"] == what["ids"]
    assert said["predicate"]["firstSteps"] == what["first"]
    assert {s["name"] for s in said["subject"]} >= {"data/rlvr/000002"}, said["subject"]
    said["predicate"]["documents"]["ids"] = ["0" * 32]
    envelope["payload"] = base64.b64encode(json.dumps(said).encode()).decode()
    (tmp_path / "forged.jsonl").write_text(json.dumps(envelope) + "\n")
    assert check(tmp_path / "forged.jsonl", "key", "rlvr.000002")[0] == 1


def test_finish_sees_what_is_left_and_what_moved(masked: tuple[Real, dict[str, Any]]) -> None:
    """It does not believe the masking step: one token of a document is enough."""
    copy, what = masked
    ledger = Ledger.load(copy.path)
    records = [ledger.by_name["pack_masked.out"]]
    old = (copy.path / "data/pack/tokens.bin").read_bytes()
    file = copy.path / "data/pack_masked/out/tokens.bin"
    whole = file.read_bytes()
    gone = [i for i in range(0, len(old), 2) if old[i : i + 2] != whole[i : i + 2]]
    kept = next(i for i in range(0, len(old), 2) if i not in gone)
    assert _masked(Outputs(ledger), what["ids"], records)["tokens_masked"] >= len(gone) > 0
    for at, token, said in (
        (gone[0], old[gone[0] : gone[0] + 2], "a token of a document is left"),
        (kept, bytes([old[kept] ^ 1, old[kept + 1]]), "another document moved"),
    ):
        file.write_bytes(whole[:at] + token + whole[at + 2 :])
        try:
            with pytest.raises(Unanswerable, match=said):
                _masked(Outputs(ledger), what["ids"], records)
            done = copy.regrow("takedown", "--finish", "out", check=False)
            assert done.returncode and "is not done: pack_masked.out" in done.stderr
        finally:
            file.write_bytes(whole)


def test_withdrawn_it_equals_a_run_from_nothing(grown: Real, tmp_path: Path) -> None:
    """Depth `everything`: every record of what learns from documents, key included."""
    copy, what = written(grown, tmp_path, "everything")
    ran = grow(copy)
    assert ran <= set(what["said"]["plan"]["anew"]) and not {"crawl", "text"} & ran
    ledger = Ledger.load(copy.path)
    made = [ledger.by_name[name] for name in sorted(ran)]
    assert len(_withdrawn(Outputs(ledger), what["ids"], made)["tables_without_them"]) > 5
    with pytest.raises(Unanswerable, match="names a document"):
        _withdrawn(Outputs(Ledger.load(grown.path)), what["ids"], made)
    for id in what["ids"]:
        said = copy.regrow("trace", id).stdout.splitlines()[-1]
        assert said == "dropped by withdraw.out: takedown"
    clone = grown_from_nothing(copy, tmp_path / "clone")
    nothing = grow(clone)
    assert nothing > ran | {"crawl", "text", "withdraw.out", *TRAINED}
    for name in sorted(nothing):
        assert clone.read(f"records/{name}.json") == copy.read(f"records/{name}.json"), name
