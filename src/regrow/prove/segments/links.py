"""The published chain of digests of a checkpoint, read without torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from regrow.evidence.errors import Unanswerable
from regrow.evidence.record import Record
from regrow.prove.segments.verified_files import VerifiedFiles

Link = dict[str, Any]
"""step, digest, chain, tensors (name -> short digest): see `regrow.learn.train.digest`"""
FILE = "digests.jsonl"
FIRST = "0" * 64
"""the chain before its first link"""


def links(verified: VerifiedFiles, record: Record) -> list[Link]:
    """The published links of a checkpoint's segment.

    Raises:
        Unanswerable: not on disk, or no chain of digests.
    """
    path = verified.file(record, FILE)
    try:
        found = read(path)
        for item in found:
            _ = (int(item["step"]), str(item["digest"]), str(item["chain"]), item["tensors"].keys())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unanswerable(f"{record.path}/{FILE}: no chain of digests ({error})") from None
    if not found:
        raise Unanswerable(f"{record.path}/{FILE}: empty")
    return found


def read(path: Path) -> list[Link]:
    """The links in a file. Raises OSError, ValueError."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def joined(before: str, state: str) -> str:
    """The chain after a link whose state has a digest (`regrow.learn.train.digest.link`)."""
    return hashlib.sha256(f"{before} {state}".encode()).hexdigest()
