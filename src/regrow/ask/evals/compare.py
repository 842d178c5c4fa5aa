"""Evaluations side by side: one line per checkpoint, one column per probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regrow.ask.evals.read import Evaluation


@dataclass(frozen=True)
class Column:
    """A figure that checkpoints may have."""

    name: str
    heading: str
    better: str
    family: str = ""

    def of(self, evaluation: Evaluation) -> Mapping[str, Any] | None:
        """`value`, `low`, `high` and the number of items; None where it was not measured."""
        if self.name == "bits_per_byte":
            found = evaluation.results.get("overall")
            if not found:
                return None
            return {
                "value": found["bits_per_byte"],
                "low": found["low"],
                "high": found["high"],
                "items": found["documents"],
            }
        figure = evaluation.results.get("probes", {}).get(self.name)
        if figure and self.family:
            figure = figure.get("families", {}).get(self.family)
        return figure or None


@dataclass(frozen=True)
class Block:
    """Columns that are looked at together."""

    title: str
    columns: tuple[Column, ...]


BLOCKS: tuple[Block, ...] = (
    Block(
        "Text and context",
        (
            Column("bits_per_byte", "bits/byte", "lower"),
            Column("worked_answers", "answers, bits/byte", "lower"),
            Column("loss_long", "loss beyond", "lower"),
            Column("needle", "needle", "higher", "needle"),
            Column("needle", "of several", "higher", "multi_needle"),
        ),
    ),
    Block(
        "Tasks",
        (
            Column("exact_match", "exact, greedy", "higher"),
            Column("pass_rate", "pass, T = 1", "higher"),
            Column("pass@4", "pass@4", "higher"),
            Column("format", "right form", "higher"),
            Column("tokens", "tokens", "neither"),
        ),
    ),
    Block(
        "Instructions, tools, preferences",
        (
            Column("constraints_all", "constraints", "higher"),
            Column("tool_calls", "tool calls", "higher"),
            Column("preference", "judged pairs", "higher", "judged"),
            Column("preference", "delta pairs", "higher", "delta"),
        ),
    ),
)


def table(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Everything that was measured: `checkpoint`, `stage`, `step`, `seed`, `form`, `sha256`, `probes`.

    `sha256` is the digest of the checkpoint's folder. Bits per byte are a probe like the others,
    with the domains as families.
    """
    found = []
    for e in evaluations:
        probes = dict(e.results.get("probes", {}))
        text = BLOCKS[0].columns[0].of(e)
        if text:
            domains = e.results["domains"].items()
            families = {
                name: {
                    "value": d["bits_per_byte"],
                    "low": d["low"],
                    "high": d["high"],
                    "items": d["documents"],
                }
                for name, d in domains
            }
            probes["bits_per_byte"] = {"better": "lower", **text, "families": families}
        found.append(
            {
                "checkpoint": e.name,
                "stage": e.about.stage,
                "seed": e.about.seed,
                "step": e.about.step,
                "form": e.results.get("form"),
                "split": e.results.get("split"),
                "sha256": e.record.parts["inputs"].get("checkpoint"),
                "probes": probes,
            }
        )
    return found


def blocks(
    evaluations: Sequence[Evaluation],
) -> list[tuple[str, list[Column], list[tuple[Evaluation, list[Mapping[str, Any] | None]]]]]:
    """(title, columns, rows) of every block, without columns and rows that are empty throughout."""
    found = []
    for block in BLOCKS:
        columns = [c for c in block.columns if any(c.of(e) for e in evaluations)]
        rows = [(e, [c.of(e) for c in columns]) for e in evaluations]
        rows = [(e, figures) for e, figures in rows if any(figures)]
        if columns:
            found.append((block.title, columns, rows))
    return found
