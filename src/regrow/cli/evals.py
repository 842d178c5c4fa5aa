"""Compare evaluated checkpoints, or show what each stage gained on held-out items.

CHECKPOINT is a checkpoint (rlvr-000080) or a stage (all its checkpoints); by default the last
checkpoint of every stage. Figures come with 95 % intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint

if TYPE_CHECKING:
    from regrow.ask.evals.read import Evaluation, Evaluations


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("checkpoints", metavar="CHECKPOINT", nargs="*")
    parser.add_argument(
        "--gains", action="store_true", help="before and after every stage, with paired intervals"
    )
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw the comparison: FILE.svg or FILE.html"
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="copy the results of further seeds (`snakemake seeds`) to published/, for git to carry",
    )


def run(args: argparse.Namespace) -> int:
    """Print the comparison or the gains."""
    from regrow.ask.evals.compare import table
    from regrow.ask.evals.gains import gains
    from regrow.ask.evals.read import Evaluations
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger, find_root

    evaluations = Evaluations(Ledger.load(find_root()))
    if args.publish:
        return _publish(evaluations)
    if args.gains:
        if args.checkpoints or args.plot:
            raise Unanswerable("--gains compares stages: it takes no CHECKPOINT and no --plot.")
        evaluations.named([])  # says so where there is nothing
        rows = gains(evaluations)
        if args.json:
            print(indented(rows))
        else:
            _show_gains(rows, Paint())
            _hint(evaluations.outputs.hint(), Paint())
        return 0
    chosen = evaluations.named(args.checkpoints)
    if args.plot:
        _plot(chosen, args.plot)
    if args.json:
        print(indented(table(chosen)))
    elif not args.plot:
        _show(chosen, Paint())
        _hint(evaluations.outputs.hint(), Paint())
    return 0


def _publish(evaluations: Evaluations) -> int:
    from regrow.ask.evals.publish import publish
    from regrow.evidence.errors import Unanswerable

    names = publish(evaluations)
    if not names:
        raise Unanswerable(
            "no evaluation under a further seed is on disk: `snakemake --cores all seeds` makes them."
        )
    print(f"published/: {len(names)} evaluations ({', '.join(names)}). Commit it with the records.")
    return 0


def _plot(chosen: list[Evaluation], file: Path) -> None:
    from regrow.ask.evals import plot
    from regrow.evidence.errors import Unanswerable

    makers = {".svg": plot.svg, ".html": plot.html}
    if file.suffix not in makers:
        raise Unanswerable(f"--plot {file}: name a file that ends in .svg or .html.")
    try:
        file.write_text(makers[file.suffix](chosen), encoding="utf-8")
    except OSError as error:
        raise Unanswerable(f"--plot {file}: cannot be written ({error.strerror}).") from None


def _hint(hint: str, paint: Paint) -> None:
    if hint:
        print(paint.dim(hint))


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _figure(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return "-"
    low, high = (_number(figure[side]) for side in ("low", "high"))
    return f"{_number(figure['value'])} [{low}, {high}]"


def _show(chosen: list[Evaluation], paint: Paint) -> None:
    from regrow.ask.evals.compare import blocks

    for title, columns, rows in blocks(chosen):
        print(paint.bold(title))
        cells = [[_figure(figure) for figure in figures] for _, figures in rows]
        wide = [
            max(len(column.heading), *(len(line[i]) for line in cells))
            for i, column in enumerate(columns)
        ]
        name = max(len(e.name) for e, _ in rows)
        heads = (c.heading.rjust(w) for c, w in zip(columns, wide, strict=True))
        print(paint.dim("  ".join(["  " + " " * name, *heads])))
        for (e, _), line in zip(rows, cells, strict=True):
            shown = (cell.rjust(w) for cell, w in zip(line, wide, strict=True))
            print("  ".join(["  " + e.name.ljust(name), *shown]))
        print()


def _show_gains(rows: list[dict[str, Any]], paint: Paint) -> None:
    stage = ""
    for row in rows:
        if row["stage"] != stage:
            stage = row["stage"]
            print(paint.bold(stage))
        note = f" ({row['note']})" if row.get("note") else ""
        print(f"  {row['metric']}{paint.dim(note)}")
        seeds = f"{row['seeds']} seed" + ("s" if row["seeds"] > 1 else "")
        print(
            f"    {_figure(row['before'])} -> {_figure(row['after'])}   {paint.dim(row['better'])}"
            f"{paint.dim(' is better')}"
        )
        print(
            f"    paired {_figure(row['paired'])} over {row['items']} items, {seeds}: "
            + _verdict(row["clear"], row["paired"], row["better"], paint)
        )
        for each in row.get("ignored", ()):
            print(paint.dim(f"    seed {each['seed']} is not counted: {each['why']}"))
        control = row.get("control")
        if control:
            kept = "no gain to survive it"
            if row["clear"] and control["survives"]:
                kept = paint.green("the gain survives it")
            elif row["clear"]:
                kept = paint.yellow("the gain does not survive it")
            print(
                f"    control {control['checkpoint']} {_figure(control)}, paired to it "
                f"{_figure(control['paired'])}: {kept}"
            )


def _verdict(clear: bool, paired: Mapping[str, Any], better: str, paint: Paint) -> str:
    if clear:
        return paint.green("a gain")
    worse = paired["high"] < 0 if better == "higher" else paired["low"] > 0
    return paint.red("a loss") if worse else paint.yellow("inside the interval")
