"""States handed out for a challenge: what lets a link in the middle of a span be rerun alone.

The publisher stores full states at checkpoints only, but has bound himself to every state by its
digest. So a verifier draws links and tells the seed; the publisher reruns (or looks up) and hands
out the states at which they begin; a state whose digest is not the published one is refused.
They are in `<folder>/<stage>/<step, six digits>/` and have the files of a checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from regrow.evidence.errors import Unanswerable
from regrow.prove.segments import chain
from regrow.prove.segments.links import FILE, read
from regrow.prove.segments.units import Span


@dataclass(frozen=True)
class States:
    """A folder of states."""

    folder: Path

    def place(self, span: Span, step: int) -> Path:
        """Where the state of a step is."""
        return self.folder / span.record.step / f"{step:06d}"

    def of(self, span: Span) -> dict[int, Path]:
        """The states of a span, by step, each compared with the published chain.

        Raises:
            Unanswerable: one is not the state whose digest was published.
        """
        found = {}
        for link in span.links[:-1]:
            where = self.place(span, link["step"])
            if not where.is_dir():
                continue
            mine = chain.state_link(where)
            try:
                last = read(where / FILE)[-1]["chain"]
            except (OSError, ValueError, KeyError, IndexError):
                last = None
            if mine["digest"] != link["digest"] or last != link["chain"]:
                raise Unanswerable(
                    f"{where}: not the state of step {link['step']} that {span.record.path} published "
                    f"(digest {link['digest'][:16]}…, this one has {mine['digest'][:16]}…). "
                    "Whoever handed it out did not keep to the chain."
                )
            found[link["step"]] = where
        return found
