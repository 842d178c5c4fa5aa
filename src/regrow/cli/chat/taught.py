"""What a checkpoint was taught, for whoever asks it something else."""

from __future__ import annotations

from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.learn.tasks import draws
from regrow.learn.tasks.families import FAMILIES
from regrow.learn.tasks.families.recognise import recognise

TASKS = "tasks"
"""the step whose tasks the model was trained on"""


def taught(ledger: Ledger, checkpoint: Record) -> str:
    """The kinds of question that went into a checkpoint, and how often it is right; "" if there were none.

    Both are read from records: the tasks that an ancestor was made from, and the checkpoint's own
    evaluation on the held-out ones.
    """
    tasks = ledger.by_name.get(TASKS)
    if tasks is None or not any(_holds(data, tasks) for data in _read(ledger, checkpoint)):
        return ""
    families = [name for name in tasks.counts.get("train", {}) if name in FAMILIES]
    lines = [f"{checkpoint.name} was taught {len(families)} kinds of question, for example:"]
    lines += [f"  {name:<8} {example(name)}" for name in families]
    evaluated = ledger.about("evaluate", checkpoint)
    share = evaluated.counts.get("exact_match") if evaluated else None
    if isinstance(share, float):
        lines.append(
            f"Of held-out questions of these kinds it answers {share:.0%} rightly (greedy)."
        )
    return "\n".join(lines)


def _read(ledger: Ledger, checkpoint: Record) -> list[Record]:
    """The data sets that this checkpoint and those before it were trained on."""
    trained = [record for record in ledger.ancestry(checkpoint) if record.makes_checkpoint]
    files = {
        str(record.inputs["data"].get("record")) for record in trained if "data" in record.inputs
    }
    return [ledger.by_file[file] for file in sorted(files) if file in ledger.by_file]


def _holds(data: Record, tasks: Record) -> bool:
    """Whether a data set is made from tasks; that its texts were only compared with them does not count."""
    return any(entry.get("record") == tasks.file for entry in data.inputs.values())


def example(family: str) -> str:
    """A question of a family, always the same."""
    return FAMILIES[family].draw(next(draws.items("example", 0, family))).question


def is_other(message: str) -> bool:
    """Whether no family asks like this."""
    return recognise(message) is None
