"""Which files a name means: a checkpoint of this repository, or a released folder anywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from regrow.cli.talk.taught import taught
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger, Record, find_root
from regrow.evidence.naming import resolve
from regrow.evidence.trust import checked
from regrow.release import stages

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Place:
    """Where a checkpoint is, and how it is to be talked with."""

    name: str
    folder: Path
    tokenizer: Path
    """folder"""
    form: str
    title: str = ""
    sha256: str = ""
    """recorded, of the weights; "" for a folder without record"""
    taught: str = ""
    """the kinds of question that it was taught, to be read; "" where no record says"""


def find(name: str) -> Place:
    """The place of `name`: a released folder, else an artifact of the repository around.

    Raises:
        Unanswerable: neither, or its files are not on disk.
    """
    folder = Path(name)
    if (folder / WEIGHTS).is_file() and (folder / "tokenizer.json").is_file():
        return _released(folder)
    ledger = Ledger.load(find_root())
    record = resolve(ledger, name).record
    if record.trained is None:
        raise Unanswerable(f"{record.name} is not a checkpoint: name one, or a stage (rlvr, sft).")
    stage, step = record.trained
    if not record.makes_checkpoint:
        record = ledger.by_name.get(f"{stage}.{step:06d}") or record
    released = ledger.about("release", record)
    if released is not None and not (ledger.root / record.path / WEIGHTS).is_file():
        # The same weights, and what a fresh clone can pull.
        record = released
    path = _on_disk(ledger, record, WEIGHTS)
    inside = (path.parent / "tokenizer.json").is_file()
    tokenizer = path.parent
    if not inside:
        made = ledger.by_name.get("tokenizer")
        if made is None:
            raise Unanswerable("there is no record of a tokenizer: run `snakemake --cores all`.")
        tokenizer = _on_disk(ledger, made, "tokenizer.json").parent
    about = stages.stage(stage)
    digest = {str(f["path"]): str(f["sha256"]) for f in record.files}.get(WEIGHTS, "")
    return Place(
        record.name, path.parent, tokenizer, about.form, about.title, digest, taught(ledger, record)
    )


def _on_disk(ledger: Ledger, record: Record, file: str) -> Path:
    path = ledger.root / record.path / file
    if not path.is_file():
        raise Unanswerable(f"{record.path} is not on disk. Fetch with `dvc pull {record.path}`.")
    for entry in record.files:
        if entry["path"] == file:
            return checked(ledger.root, record, entry)
    return path


def _released(folder: Path) -> Place:
    """A folder in Hugging Face format; its name or its chat template says the form."""
    name = folder.resolve().name
    try:
        about = stages.stage(stages.split(name.replace("-step", "-"))[0])
        return Place(name, folder, folder, about.form, about.title)
    except (ValueError, KeyError):
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        return Place(name, folder, folder, "think" if config.get("chat_template") else "plain")


def starting_form(place: Place) -> str:
    """Chat checkpoints chat; base models continue text, but those of RL were asked questions."""
    if place.form == "plain":
        return "plain" if place.name.startswith("rl") else "text"
    return place.form


def starting_temperature(form: str, asked: float | None) -> float:
    """What was asked for; else greedy where a question has one right answer, a draw where text is continued."""
    return asked if asked is not None else 0.6 if form == "text" else 0.0
