"""What a mix search found: the chosen shares, what they are predicted to give, and how far to believe it.

The first table has each domain's share of the tokens in what there is and in the mix that was chosen, its limit by
supply and repetition, and how often the mix would read it. The second has each hold-out domain's bits per byte, by
the laws and, where the step `confirm` was run, as measured on a proxy of either mix. The third says what the laws are worth
on the proxies that they were not fitted to, beside two simpler ones: `linear`, and `mean`, which predicts the same for every proxy.

--adopt writes the shares into the section `mix` of a params file, with the key of the record that they are from; the
record of the mix that is made under it, and so `regrow audit`, name that search from then on. --svg draws predicted
against measured.

Examples:
  snakemake --cores all data/mixture/mixture.json data/confirm/confirm.json --configfile params/mixsearch.yaml
  regrow mix
  regrow mix --svg mixture.svg
  regrow mix --adopt params/mine.yaml
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint
from regrow.engine.visible import shown


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--adopt", type=Path, metavar="FILE", help="write the shares into this params file")  # fmt: skip
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw predicted against measured")
    parser.add_argument("--proxies", action="store_true", help="every proxy, predicted and measured")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Answer, draw, adopt."""
    from regrow.ask.mixture import answer
    from regrow.evidence.ledger import find_root

    found = answer(find_root())
    if args.json:
        print(indented(found))
    else:
        _show(shown(found), args.proxies, Paint())
    if args.svg:
        from regrow.publish.mixing import picture

        args.svg.write_text(picture(found), encoding="utf-8")
        _note(args, f"{args.svg}: predicted against measured.")
    if args.adopt:
        from regrow.change.mix import adopt

        adopt(found, args.adopt, str(args.adopt))
        _note(args, f"{args.adopt}: `mix` has these shares, adopted from the record `mixture` ({found['key'][:12]}).")  # fmt: skip
    return 0


def _note(args: argparse.Namespace, text: str) -> None:
    if not args.json:
        print(f"\n{text}")


def _show(found: Mapping[str, Any], proxies: bool, paint: Paint) -> None:
    held = sum(one["held_out"] for one in found["proxies"].values())
    print(
        paint.bold("mix search")
        + f" by {found['by']}: {len(found['proxies'])} proxies, {held} of them held out; record mixture "
        + paint.blue(found["key"][:12])
    )
    rows: list[Sequence[str]] = [
        (
            name,
            f"{one['natural']:.4f}",
            f"{one['share']:.4f}",
            f"{one['limit']:.4f}"
            + ("  at its limit" if one["share"] >= one["limit"] - 1e-4 else ""),
            f"{one['repeats']:.2f}",
        )
        for name, one in sorted(found["domains"].items(), key=lambda item: -item[1]["share"])
    ]
    print(f"\nShares of {found['tokens']:,} tokens")
    _table(("domain", "natural", "chosen", "limit", "times read"), rows, paint)
    if found["left_out"]:
        print(f"in no round, so not in the mix: {', '.join(found['left_out'])}")
    print("\nBits per byte on held-out text")
    _targets(found, paint)
    print(
        "\nWorth of the laws, on the proxies held out: rank correlation, mean error in bits per byte"
    )
    worth = found["worth"]["held_out"]
    every = [*sorted(worth["targets"].items()), ("weighted mean", worth["mean"])]
    kinds = sorted(worth["mean"], key=lambda kind: (kind != "log_linear", kind))
    rows = [(name, *(_worth(one[kind]) for kind in kinds)) for name, one in every]
    _table(("hold-out domain", *kinds), rows, paint)
    if proxies:
        _proxies(found, paint)


def _targets(found: Mapping[str, Any], paint: Paint) -> None:
    confirm = found["confirm"]
    head = ["hold-out domain", "weight", "natural", "chosen", "change"]
    rows: list[Sequence[str]] = []
    for name, one in sorted(found["targets"].items()):
        row = [name, f"{one['weight']:.2f}", *_pair(one["natural"], one["chosen"])]
        if confirm:
            tested = confirm["targets"][name]
            row += _pair(tested["natural"], tested["chosen"])
        rows.append(row)
    if confirm:
        head += ["measured:", "chosen", "change"]
        mean = confirm["mean"]
        rows.append(
            [
                "weighted mean", "", *_pair(mean["predicted_natural"], mean["predicted"]),
                *_pair(mean["natural"], mean["chosen"]),
            ]
        )  # fmt: skip
    _table(head, rows, paint)


def _pair(before: float, after: float) -> list[str]:
    return [f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}"]


def _worth(one: Mapping[str, Any]) -> str:
    if one["error"] is None:
        return "-"
    rank = "   - " if one["rank"] is None else f"{one['rank']:5.2f}"
    return f"{rank}  {one['error']:.3f}"


def _proxies(found: Mapping[str, Any], paint: Paint) -> None:
    print("\nProxies: shares, then predicted > measured bits per byte")
    domains, targets = sorted(found["domains"]), sorted(found["targets"])
    rows = []
    for name, one in sorted(found["proxies"].items()):
        values = (
            f"{one['predicted'][t]['log_linear']:.3f} > {one['measured'][t]:.3f}" for t in targets
        )
        mark = " held out" if one["held_out"] else ""
        rows.append((name + mark, *(f"{one['shares'][d]:.3f}" for d in domains), *values))
    _table(("proxy", *domains, *targets), rows, paint)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], paint: Paint) -> None:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for place, row in enumerate((head, *rows)):
        cells = [cell.ljust(w) if not i else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        line = "  " + "  ".join(cells).rstrip()
        print(line if place else paint.dim(line))
