"""What a person calls an artifact: a path, a step name, or the beginning of a hash."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record

MIN_PREFIX = 6
_STEP = re.compile(r"(?P<stage>[a-z]\w*)-(?:step)?(?P<step>\d+)")
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True)
class Artifact:
    """A job's output, or one file of it."""

    record: Record
    file: dict[str, Any] | None = None
    """the entry of the file in the record, None: the whole output"""
    also: tuple[str, ...] = ()
    """other places that hold the same bytes"""
    passed_over: tuple[Record, ...] = ()
    """later checkpoints of the stage that was named, which the params do not ask for"""

    @property
    def path(self) -> str:
        """Path below the root."""
        return self.record.path if self.file is None else f"{self.record.path}/{self.file['path']}"

    @property
    def sha256(self) -> str:
        """Digest of the tree, or of the file."""
        return self.record.sha256 if self.file is None else str(self.file["sha256"])

    @property
    def size(self) -> int:
        """Bytes."""
        return self.record.size if self.file is None else int(self.file["size"])


def resolve(ledger: Ledger, name: str) -> Artifact:
    """The artifact that `name` means.

    Accepted: a step name (`dedup`, `pretrain.000120`; a training stage alone, `sft`, means its last
    checkpoint that the params ask for), a checkpoint as evaluation and release call it (`rlvr-000080`, `rlvr-step80`), a
    path (`data/dedup`, a file inside, `records/dedup.json`), or at least six hex digits of the
    SHA-256 of a tree, a file or a key.

    Raises:
        Unanswerable: nothing or several artifacts fit; the message lists candidates.
    """
    text = name.strip().removeprefix("sha256:").rstrip("/")
    if text in ledger.by_name:
        return Artifact(ledger.by_name[text])
    found = _by_path(ledger, text)
    if found is not None:
        return found
    if made := ledger.checkpoints(text):
        return _last(ledger, text, made)
    checkpoint = _checkpoint(ledger, text)
    if checkpoint is not None:
        return Artifact(checkpoint)
    instances = ledger.of_step(text)
    if instances:
        raise Unanswerable(
            f"`{text}` has {len(instances)} instances; name one: {_listing(r.name for r in instances)}."
        )
    if _HEX.fullmatch(text.lower()):
        return _by_hash(ledger, text.lower())
    raise Unanswerable(f"no artifact is called `{name}`.{_suggest(ledger, text)}")


def _last(ledger: Ledger, stage: str, made: list[Record]) -> Artifact:
    """The last checkpoint of a stage; what an older recipe left behind it is passed over aloud."""
    if len(made) == 1 or not ledger.present:
        return Artifact(made[-1])
    from regrow.engine.present import DEFAULT_PARAMS  # 40 ms that a full name need not wait for
    from regrow.evidence.left_over import passed_over

    late = passed_over(ledger, made)
    chosen = made[len(made) - len(late) - 1]
    if late:
        print(
            f"regrow: `{stage}` is {chosen.name} here, the last that {DEFAULT_PARAMS} asks for. Left over are "
            f"{_listing(record.name for record in late)}: name one to ask about it.",
            file=sys.stderr,
        )
    return Artifact(chosen, passed_over=tuple(late))


def _checkpoint(ledger: Ledger, text: str) -> Record | None:
    """The checkpoint of `rlvr-000080` or `rlvr-step80`."""
    found = _STEP.fullmatch(text)
    if found is None:
        return None
    made = [r for r in ledger.checkpoints(found["stage"]) if r.trained]
    if not made:
        return None
    for record in made:
        if record.trained == (found["stage"], int(found["step"])):
            return record
    have = _listing(record.name for record in made)
    raise Unanswerable(
        f"`{found['stage']}` has no checkpoint of step {found['step']}; it has {have}."
    )


def _by_path(ledger: Ledger, text: str) -> Artifact | None:
    path = Path(text)
    if path.is_absolute() or text.startswith(("./", "../")):
        try:
            text = str(path.resolve().relative_to(ledger.root.resolve()))
        except ValueError:
            return None
    if text in ledger.by_file:
        return Artifact(ledger.by_file[text])
    for record in ledger.records:
        if text == record.path:
            return Artifact(record)
        if text.startswith(record.path + "/"):
            inside = text[len(record.path) + 1 :]
            for entry in record.files:
                if entry["path"] == inside:
                    return Artifact(record, entry)
            have = _listing(f"{record.path}/{entry['path']}" for entry in record.files)
            raise Unanswerable(f"{record.name} made no file `{inside}`. It made: {have}.")
    return None


def _by_hash(ledger: Ledger, prefix: str) -> Artifact:
    if len(prefix) < MIN_PREFIX:
        raise Unanswerable(
            f"`{prefix}` is too short for a hash: give at least {MIN_PREFIX} hex digits."
        )
    hits: dict[str, list[Artifact]] = {}
    for record in ledger.records:
        whole = Artifact(record)
        for digest in {record.key, record.sha256}:
            if digest.startswith(prefix):
                hits.setdefault(digest, []).append(whole)
        for entry in record.files:
            if entry["sha256"].startswith(prefix):
                hits.setdefault(entry["sha256"], []).append(Artifact(record, entry))
    if not hits:
        raise Unanswerable(
            f"no tree, file or key of {len(ledger.records)} records begins with `{prefix}`."
            f"{_suggest(ledger, prefix)}"
        )
    if len(hits) > 1:
        lines = [f"  {digest[:16]}  {items[0].path}" for digest, items in sorted(hits.items())]
        raise Unanswerable(f"`{prefix}` fits {len(hits)} hashes:\n" + "\n".join(lines))
    # The same bytes in several outputs: the first in flow order made them, the others carry them on.
    first, *others = next(iter(hits.values()))
    return Artifact(first.record, first.file, tuple(item.path for item in others))


def _suggest(ledger: Ledger, text: str) -> str:
    import difflib  # nobody who names a thing rightly waits for it

    names = [*ledger.by_name, *(record.path for record in ledger.records)]
    near = difflib.get_close_matches(text, names, n=4, cutoff=0.5)
    if near:
        return f" Did you mean {_listing(near)}?"
    steps = dict.fromkeys(record.step for record in ledger.records)
    return f" Steps with records: {_listing(steps)}."


def _listing(names: Any, most: int = 12) -> str:
    items = [f"`{name}`" for name in names]
    rest = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + rest
