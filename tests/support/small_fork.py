"""The small tree with a fork: own documents, their mix, and midtraining that read it; or with a takedown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import small_tree
from regrow.data.tables import parquet as tables
from regrow.learn.tasks.mid.text import identity
from small_tree import ID
from sound_records import output_of, write_sound

OWN = {name: small_tree.document_id(name) for name in ("kept", "aside", "leak", "late")}


def write_fork(tree: Path, monkeypatch: pytest.MonkeyPatch, since: int = 0) -> Path:
    """The small tree after midtraining read the mix of a fork, from the checkpoint of step `since` on."""
    passage = {name: identity("own", id, 0) for name, id in OWN.items()}
    documents = [
        {
            "id": id,
            "url": f"file:{name}.md",
            "source": "notes",
            "licence": "CC-BY-4.0",
            "text": f"My {name} notes.\nMore of them.",
        }
        for name, id in OWN.items()
    ]
    tables.write(pl.DataFrame(documents).sort("id"), tree / "forks/mine/documents.parquet")
    mix = tree / "data/forkmix/mine"
    monkeypatch.setattr(
        small_tree, "TOKENS", small_tree.TOKENS | {passage["kept"]: 24, passage["aside"]: 20}
    )
    small_tree.write_pack(mix, [passage["kept"], "question1", passage["kept"], "passage1"])
    small_tree.write_pack(mix / "heldout/own", [passage["aside"]])
    row = {
        "component": "own",
        "source": "notes",
        "generator": None,
        "licence": "CC-BY-4.0",
        "parent": OWN["kept"],
        "text": "My kept notes.",
    }
    old = pl.read_parquet(tree / "data/midtrain_data/documents.parquet")
    tables.write(
        pl.concat([old, pl.DataFrame([{"id": passage["kept"], **row}], schema=old.schema)]).sort(
            "id"
        ),
        mix / "documents.parquet",
    )
    leak = {
        "id": OWN["leak"],
        "step": "forkmix",
        "reason": "leak.heldout",
        "value": 0.9,
        "threshold": 0.2,
        "detail": ID["held"],
    }
    tables.write(tables.drops([leak]), mix / "drops.parquet")
    _record(tree, since)
    return tree


def _record(tree: Path, since: int) -> None:
    record = json.loads((tree / "records/midtrain_data.json").read_text())
    record |= {
        "step": "forkmix",
        "instance": "mine",
        "output": output_of(tree, "data/forkmix/mine"),
    }
    record["parts"]["code"]["function"] = "regrow.learn.tasks.forkmix:run"
    record["inputs"]["documents"] = {"kind": "source", "path": "forks/mine"}
    record["parts"]["inputs"]["documents"] = "0" * 64
    write_sound(tree / "records/forkmix.mine.json", record)
    for path in (tree / "records").glob("midtrain*.[0-9]*.json"):
        changed = json.loads(path.read_text())
        if int(changed["instance"]) <= since:
            continue
        changed["inputs"]["data"]["record"] = "records/forkmix.mine.json"
        changed["inputs"]["data"]["path"] = "data/forkmix/mine"
        path.write_text(json.dumps(changed))


def write_takedown(tree: Path, name: str) -> Path:
    """The small tree after a document was masked in the packing that pretraining reads."""
    data = tree / "data/pack_masked/gone"
    shutil.copytree(tree / "data/pack", data)
    index = pl.read_parquet(data / "index.parquet")
    hit = pl.col("id") == ID[name]
    slots = index.filter(hit).with_columns(
        pl.lit("").alias("pack"),
        pl.col("id").alias("document"),
        (pl.col("end") - pl.col("start")).alias("tokens"),
    )
    tables.write(slots, data / "masked.parquet")
    label = pl.when(hit).then(pl.lit("takedown:gone")).otherwise(pl.col("id")).alias("id")
    tables.write(index.with_columns(label), data / "index.parquet")
    record: dict[str, Any] = json.loads((tree / "records/pack.json").read_text())
    record |= {
        "step": "pack_masked",
        "instance": "gone",
        "output": output_of(tree, "data/pack_masked/gone"),
    }
    record["inputs"] = {
        "data": {"kind": "data", "path": "data/pack", "record": "records/pack.json"}
    }
    record["parts"]["inputs"] = {
        "data": json.loads((tree / "records/pack.json").read_text())["output"]["sha256"]
    }
    write_sound(tree / "records/pack_masked.gone.json", record)
    for path in (tree / "records").glob("pretrain.*.json"):
        changed = json.loads(path.read_text())
        for entry in changed["inputs"].values():
            if entry.get("record") == "records/pack.json":
                entry |= {
                    "record": "records/pack_masked.gone.json",
                    "path": "data/pack_masked/gone",
                }
        path.write_text(json.dumps(changed))
    return tree


def write_chats(tree: Path) -> Path:
    """The small tree after fine-tuning read conversations of a fork beside the flow's examples."""
    data = tree / "data/forksft/mine"
    shutil.copytree(tree / "data/sft_data", data)
    think = pl.read_parquet(data / "think.parquet")
    own = pl.col("id") == "think-1"
    told = {
        "id": "own-1",
        "task": "chat-1",
        "family": "own",
        "teacher": "notes",
        "licence": "CC0-1.0",
    }
    changes = [pl.when(own).then(pl.lit(v)).otherwise(pl.col(k)).alias(k) for k, v in told.items()]
    tables.write(think.with_columns(changes), data / "think.parquet")
    rows = [
        {
            "id": f"chat-{n}",
            "url": None,
            "source": "notes",
            "licence": "CC0-1.0",
            "outcome": outcome,
        }
        for n, outcome in ((1, "kept"), (2, "dropped"))
    ]
    tables.write(pl.DataFrame(rows), data / "contributions.parquet")
    leak = {
        "id": "chat-2",
        "step": "forksft",
        "reason": "leak.tasks",
        "value": 1.0,
        "threshold": 0.2,
    }
    tables.write(tables.drops([leak]), data / "drops.parquet")
    record = json.loads((tree / "records/sft_data.json").read_text())
    output = output_of(tree, "data/forksft/mine")
    record |= {"step": "forksft", "instance": "mine", "output": output}
    record["parts"]["code"]["function"] = "regrow.learn.tasks.forksft:run"
    write_sound(tree / "records/forksft.mine.json", record)
    for path in (tree / "records").glob("sft.*.json"):
        changed = json.loads(path.read_text())
        changed["inputs"]["data"] |= {
            "record": "records/forksft.mine.json",
            "path": "data/forksft/mine",
        }
        path.write_text(json.dumps(changed))
    return tree
