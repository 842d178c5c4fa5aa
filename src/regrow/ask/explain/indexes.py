"""The index of a data set: the one that the index step made, or one made now, in memory."""

from __future__ import annotations

from regrow.ask.explain.rollouts import as_rows
from regrow.data.index import files
from regrow.data.index.build import shards
from regrow.data.index.rows import packed
from regrow.data.index.search import Index
from regrow.data.index.step import reader
from regrow.evidence.datasets import INDEXED
from regrow.evidence.errors import Unanswerable
from regrow.evidence.runs.examples import Table
from regrow.evidence.runs.packs import Packs
from regrow.evidence.runs.rollouts import Rollouts
from regrow.evidence.runs.run import Run

MEMORY = "memory"
MOST = 50_000_000
"""bytes of data that are indexed in memory: about 10 s"""


def name(run: Run) -> str:
    """What the data of a run are called in an answer: the job that made them."""
    return (
        f"rollouts of {run.stage}"
        if isinstance(run, Rollouts)
        else job_of(run) + "/short" * is_short(run)
    )


def job_of(run: Run) -> str:
    """The job that made the data of a run."""
    assert isinstance(run, Packs | Table)
    return run.data


def is_short(run: Run) -> bool:
    """Whether the run read the sequences of the long mix cut short: rows that the step does not index."""
    return isinstance(run, Packs) and run.checkpoint.options.get("length") == "short"


def open_index(run: Run) -> tuple[Index, str]:
    """The index of a run's data, and where it is: a folder, or MEMORY.

    Raises:
        Unanswerable: there is none, and the data are not on disk or too large for the memory.
    """
    if isinstance(run, Rollouts):
        return Index.of(shards(as_rows(run))), MEMORY
    job = job_of(run)
    outputs = run.outputs
    made, record = outputs.ledger.by_name[job], None if is_short(run) else index_of(run, job)
    if record is not None:
        meta = outputs.path(record, "meta.json")
        if meta is not None:
            try:
                return files.read(meta.parent), str(meta.parent.relative_to(outputs.root))
            except (ValueError, OSError) as error:
                raise Unanswerable(f"{error}. Fix: `snakemake --cores all`.") from None
    folder = outputs.root / made.path / ("short" if is_short(run) else "")
    if not folder.is_dir():
        raise Unanswerable(f"{made.path} is not on disk. Fetch with `dvc pull {made.path}`.")
    if made.size > MOST:
        raise Unanswerable(
            f"{job} ({made.size:,} bytes) has no index here: `dvc pull data/index`, or make it with "
            f"`snakemake --cores all records/index.{job.replace('.', '-')}.json`."
        )
    read = packed if isinstance(run, Packs) else reader(INDEXED.get(made.function, ""))
    return Index.of(shards(read(folder))), MEMORY


def index_of(run: Run, job: str) -> str | None:
    """The name of the index job of a data set, None where there is none of these very data."""
    ledger = run.outputs.ledger
    record = ledger.by_name.get(f"index.{job.replace('.', '-')}")
    if record is None or record.parts["inputs"].get("data") != ledger.by_name[job].sha256:
        return None
    return record.name
