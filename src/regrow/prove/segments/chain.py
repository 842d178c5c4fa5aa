"""What can be checked of a checkpoint without training: its record, its chain, its stored state.

A forger who swaps a checkpoint must also forge the last link of its chain, and from there on
every record after it; these checks hold him to that, so that the lie lies between two stored
states, where a rerun finds it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from regrow.engine import definition
from regrow.engine.records import sound
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.record import Record
from regrow.prove.segments.links import FIRST, Link, joined, links
from regrow.prove.segments.verified_files import VerifiedFiles

POSITION = ("step", "tokens", "updates", "skip")
"""what a link's digest covers besides tensors (Engine.position)"""


def faults(ledger: Ledger, verified: VerifiedFiles, record: Record) -> list[str]:
    """What contradicts itself in the record, the chain and the stored state of a checkpoint.

    Raises:
        Unanswerable: something needed is not on disk.
    """
    found = record_faults(ledger, record)
    chain = links(verified, record)
    before = _before(ledger, verified, record)
    steps = [item["step"] for item in chain]
    if steps != sorted(set(steps)) or record.trained is None or steps[-1] != record.trained[1]:
        found.append(f"the links of {record.name} are of the steps {steps}")
    for item in chain:
        if joined(before, item["digest"]) != item["chain"]:
            found.append(f"the link of step {item['step']} does not hang on the one before it")
        before = item["chain"]
    if stored_link(verified, record)["digest"] != chain[-1]["digest"]:
        found.append("the last link is not the digest of the stored state")
    return found


def record_faults(ledger: Ledger, record: Record) -> list[str]:
    """Whether key and digests of a record follow from its content, and its inputs from its parents."""
    found = []
    if unknown := definition.unknown(record.raw):
        found.append(f"{record.file}: {unknown}")
    elif not sound(record.raw):
        found.append(f"{record.file}: key or digests contradict its content")
    for name, entry in sorted(record.inputs.items()):
        if "record" not in entry:
            continue
        parent = ledger.by_file.get(entry["record"])
        if parent is None:
            found.append(f"{record.file}: its input `{name}` has no record ({entry['record']})")
        elif record.parts["inputs"].get(name) != parent.sha256:
            found.append(f"{record.file}: its input `{name}` is not the output of {parent.file}")
    return found


def _before(ledger: Ledger, verified: VerifiedFiles, record: Record) -> str:
    """The chain that the first link of a checkpoint hangs on."""
    inputs = record.inputs

    def last(name: str) -> str:
        parent = ledger.by_file.get(inputs[name].get("record", ""))
        if parent is None:
            raise Unanswerable(
                f"{record.file} names {inputs[name].get('record')}, which is not here."
            )
        return str(links(verified, parent)[-1]["chain"])

    if "previous" in inputs or "base" in inputs:
        return last("previous" if "previous" in inputs else "base")
    if "a" in inputs and "b" in inputs:  # regrow.learn.train.soup
        return hashlib.sha256(f"{last('a')} {last('b')}".encode()).hexdigest()
    return FIRST


def stored_link(verified: VerifiedFiles, record: Record) -> Link:
    """The link that the stored state of a checkpoint gives (its chain: from the start)."""
    return state_link(verified.folder(record))


def state_link(folder: Path) -> Link:
    """The link that the state in a folder gives (its chain: from the start).

    Raises:
        Unanswerable: the folder holds no full state.
    """
    from safetensors.torch import load_file

    from regrow.learn.model import files
    from regrow.learn.train import checkpoint, digest

    try:
        state = checkpoint.state(folder)
        position = {name: state[name] for name in POSITION}
        weights = load_file(folder / files.WEIGHTS)
        moments = load_file(folder / checkpoint.OPTIMIZER)
    except (OSError, ValueError, KeyError) as error:
        raise Unanswerable(f"{folder}: no full training state ({error})") from None
    named = {f"model/{name}": value for name, value in weights.items()}
    named |= {f"optimizer/{name}": value for name, value in moments.items()}
    return digest.link(state["step"], named, position, digest.FIRST)
