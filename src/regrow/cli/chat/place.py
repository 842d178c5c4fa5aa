"""Which files a name means: a checkpoint of this repository, or a released folder anywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.cli.chat.taught import taught
from regrow.engine import loading
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger, find_root
from regrow.evidence.naming import resolve
from regrow.evidence.record import Record
from regrow.evidence.trust import checked
from regrow.learn.evaluate.offline import IDLE
from regrow.recipe.kinds import METHODS
from regrow.release.history import history
from regrow.release.records import artifact

if TYPE_CHECKING:
    from regrow.cli.chat.session import Session

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Place:
    """Where a checkpoint is, and how to chat with it."""

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

    @property
    def starting_form(self) -> str:
        """Chat checkpoints chat; base models continue text, but those of RL were asked questions."""
        if self.form == "plain":
            asked = self.title.startswith("Reinforcement") or self.name.startswith("rl")
            return "plain" if asked else "text"
        return self.form

    def session(
        self,
        form: str | None = None,
        *,
        temperature: float | None = None,
        seed: int = 0,
        max_new_tokens: int = 256,
        system: str | None = None,
    ) -> Session:
        """A chat with the checkpoint; what is not asked for is as its kind of checkpoint starts.

        Raises:
            ValueError: its files do not fit each other.
        """
        # As a job imports them: without libraries that transformers loads and nothing here uses.
        load = loading.function("regrow.cli.chat.session:load", IDLE)
        form = form or self.starting_form
        if temperature is None:  # greedy where a question has one right answer
            temperature = 0.6 if form == "text" else 0.0
        session: Session = load(
            self.folder,
            self.tokenizer,
            form,
            temperature=temperature,
            seed=seed,
            max_new_tokens=max_new_tokens,
            system=system,
        )
        return session


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
    told = _told(ledger, ledger.by_name.get(f"{stage}.{step:06d}"))
    digest = {str(f["path"]): str(f["sha256"]) for f in record.files}.get(WEIGHTS, "")
    return Place(
        record.name, path.parent, tokenizer, told[0], told[1], digest, taught(ledger, record)
    )


def _told(ledger: Ledger, checkpoint: Record | None) -> tuple[str, str]:
    """The form of its prompts and its stage in words, by its chain of records."""
    if checkpoint is None:
        return "plain", ""
    known = {record.name: artifact(record.raw) for record in ledger.records}
    last = history(known, known[checkpoint.name], METHODS)[-1]
    return last.form, last.title


def _on_disk(ledger: Ledger, record: Record, file: str) -> Path:
    path = ledger.root / record.path / file
    if not path.is_file():
        raise Unanswerable(f"{record.path} is not on disk. Fetch with `dvc pull {record.path}`.")
    for entry in record.files:
        if entry["path"] == file:
            return checked(ledger.root, record, entry)
    return path


def _released(folder: Path) -> Place:
    """A folder in Hugging Face format; its card's tags, else its chat template, say the form."""
    name = folder.resolve().name
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    if not config.get("chat_template"):
        return Place(name, folder, folder, "plain")
    card = folder / "README.md"
    head = card.read_text(encoding="utf-8").split("\n---\n")[0] if card.is_file() else ""
    return Place(name, folder, folder, "instruct" if "- instruct\n" in f"{head}\n" else "think")
