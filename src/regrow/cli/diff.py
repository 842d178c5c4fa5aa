"""Why two checkpoints or datasets differ: the smallest set of causes, consequences folded.

A cause is a param (old -> new), a function (named by comparing the syntax of both codes), a package, an
option, or documents that were added, removed or changed at the source. What merely follows from
a cause upstream is counted, not listed; where keys differ and bytes do not, the walk ends, and that is
said (early cutoff). Where nothing else differs at a job and its bytes do, "alone at" names that job: there
the cause is beyond doubt. What each of several causes adds to the artifact, records cannot tell.

ARTIFACT is named as everywhere (step, path, hash), at another branch, tag or commit with @REVISION: its
records, code and sources are then read from git. `@branch` alone is the last checkpoint there. Nothing
is built; no data need be there except for the documents.
Exit status: 0 equal bytes, 1 different.

Examples:
  regrow diff midtrain.000900 midtrain_b.000900
  regrow diff rlvr.000080@main rlvr.000080@my-branch
  regrow diff mix mix@HEAD~1 --code
  regrow diff @v1 @v2 --json | jq '.causes[].text'
"""

from __future__ import annotations

import argparse
import itertools
import textwrap
from typing import Any

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint, size, width

MOST = 6
"""jobs or files of one kind, before the rest is only counted"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("left", metavar="ARTIFACT[@REVISION]")
    parser.add_argument("right", metavar="ARTIFACT[@REVISION]")
    parser.add_argument("--code", action="store_true", help="show how each function changed")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the causes. Exit status 1 where the artifacts differ."""
    from regrow.ask.diff.answer import diff
    from regrow.evidence.ledger import find_root

    answer = diff(find_root(), args.left, args.right)
    if args.json:
        print(indented(answer))
    else:
        _show(answer, Paint(), args.code)
    return 0 if answer["equal"] else 1


def _show(answer: dict[str, Any], paint: Paint, code: bool) -> None:
    for side in (answer["left"], answer["right"]):
        at = f" at {side['commit'][:12]}" if side["commit"] else ""
        print(
            f"{paint.blue(side['sha256'][:16])}  {paint.bold(side['name'])}  {size(side['size'])}{at}"
        )
    print()
    if answer["equal"] and answer["equal_keys"]:
        print(paint.green("equal: the same bytes under the same key."))
        return
    causes = answer["causes"] or answer["without_effect"]
    if answer["equal"]:
        print(
            paint.green("equal bytes") + " under different keys; what differs changed no byte here:"
        )
    else:
        many = "cause" if len(causes) == 1 else "causes"
        print(paint.bold(f"different: {len(causes)} {many}"))
    for _, group in itertools.groupby(causes, key=lambda c: (c["part"], c["jobs"])):
        _show_group(list(group), paint, code, len(causes) > 1)
    print()
    _show_rest(answer, paint)


_PART = {"position": "step", "step": "other way"}


def _show_group(group: list[dict[str, Any]], paint: Paint, code: bool, several: bool) -> None:
    """Causes of one kind that act at the same jobs."""
    part = group[0]["part"]
    label = f"{_PART.get(part, part):<9}"
    if part == "function" and not code:
        for text in _by_module(group):
            print(f"  {paint.yellow(label)} {paint.bold(text)}")
    else:
        for cause in group:
            print(f"  {paint.yellow(label)} {paint.bold(_text(cause))}")
            _show_change(cause, paint, code)
    if part not in ("further", "step"):
        moves = group[0]["moves"]
        alone = f", alone at {_few(jobs(moves))}" if moves and several else ""
        _note(f"at {_few(jobs(group[0]['jobs']))}{alone}", paint)
    for note in dict.fromkeys(note for cause in group for note in _notes(cause)):
        _note(note, paint)


def _by_module(group: list[dict[str, Any]]) -> list[str]:
    """One line per module: `regrow.data.mix.curve: rate changed, area added`."""
    lines: dict[str, list[str]] = {}
    for cause in group:
        module = cause["module"]
        name = cause["name"][len(module) + 1 :]
        lines.setdefault(module, []).append(f"{name} {cause['new']}".strip())
    return [f"{module}: {', '.join(names)}" for module, names in lines.items()]


def jobs(names: list[str]) -> list[str]:
    """Jobs with the instances of a step together: `pretrain.000000-000480 (6)`."""
    steps: dict[str, list[str]] = {}
    for name in names:
        plain = "|" not in name and "." in name
        steps.setdefault(name.partition(".")[0] if plain else name, []).append(name)
    found = []
    for step, of in steps.items():
        ends = sorted(name.partition(".")[2] for name in of)
        found.append(of[0] if len(of) == 1 else f"{step}.{ends[0]}-{ends[-1]} ({len(of)})")
    return found


def _show_change(cause: dict[str, Any], paint: Paint, code: bool) -> None:
    if not code or cause["part"] != "function":
        return
    change = cause["change"]
    if change is None:
        _note("its source is not at hand: commit it, or name the revision with @", paint)
        return
    for line in change["lines"]:
        colour = {"+": paint.green, "-": paint.red}.get(line[:1], paint.dim)
        print("              " + colour(line))
    if change["omitted"]:
        _note(f"and {change['omitted']} more lines", paint)


def _text(cause: dict[str, Any]) -> str:
    if cause["part"] == "bits":
        return f"{cause['name']}: equal key, other bytes ({cause['old']}, {cause['new']}): not reproducible"
    if cause["part"] == "source":
        return f"{cause['name']} ({cause['old']} -> {cause['new']})"
    if cause["part"] == "further":
        names = cause["between"]
        lie = "job is" if len(names) == 1 else "jobs are"
        return f"{cause['old']} -> {cause['new']}: {len(names)} {lie} between"
    return str(cause["text"])


def _notes(cause: dict[str, Any]) -> list[str]:
    notes = []
    if cause.get("unexplained"):
        notes.append(
            "not explained: the record of what made it is missing or newer. Run `snakemake`."
        )
    if cause["part"] == "further":
        notes.append(_few(cause["between"]))
    if cause["part"] == "step":
        notes.append(f"both from {_few(cause['both_from']) or 'nothing in common'}")
        for side, names in (("first", cause["only_left"]), ("second", cause["only_right"])):
            if names:
                notes.append(f"only the {side}: {_few(names)}")
    if cause.get("reached"):
        notes.append(f"so other modules are reached: {_few(cause['reached'])}")
    if cause.get("files"):
        notes += [f"files {kind}: {_few(names)}" for kind, names in cause["files"].items() if names]
    if cause.get("documents"):
        notes += document_lines(cause["documents"])
    for brought in cause.get("brings", []):
        notes.append(f"{brought['job']} brings {brought['path']} ({brought['sha256'][:12]})")
        if brought.get("documents"):
            notes += document_lines(brought["documents"])
    return notes


def document_lines(found: dict[str, Any]) -> list[str]:
    """Counts and a few ids of rows added, removed and changed."""
    lines = []
    for kind in ("added", "removed", "changed"):
        rows = found[kind]
        if rows["count"]:
            ids = ", ".join(str(row["id"])[:12] for row in rows["examples"])
            more = ", ..." if rows["count"] > len(rows["examples"]) else ""
            of = "; ".join(
                ", ".join(f"{name} {n:,}" for name, n in list(rows.get(by, {}).items())[:4])
                for by in ("sources", "licences")
                if rows.get(by)
            )
            lines.append(
                f"documents {kind}: {rows['count']:,} ({ids}{more})" + (f": {of}" if of else "")
            )
            if found["table"] == "contributions.parquet":
                lines += [
                    f"{r['id'][:12]} {r['licence']} {r.get('url') or ''}" for r in rows["examples"]
                ]
    table = f"{found['job']}/{found['table']}"
    return [*lines, f"counted in {table}"] if lines else [f"no document differs in {table}"]


def _show_rest(answer: dict[str, Any], paint: Paint) -> None:
    if answer["documents"]:
        for line in document_lines(answer["documents"]):
            print(f"rows: {line}")
    files = answer["files"]
    if files["differing"] and not answer["equal"]:
        print(
            f"files: {len(files['differing'])} differ ({_few(files['differing'])}), {files['equal']} equal"
        )
    if answer["consequences"]:
        names = answer["consequences"]
        differ = "job differs" if len(names) == 1 else "jobs differ"
        print(f"folded: {len(names)} {differ} only as a consequence ({_few(jobs(names))})")
    for cut in answer["early_cutoff"]:
        changes = "; ".join(cut["changes"][:3]) or "nothing of its own"
        print(
            paint.green("early cutoff: ")
            + f"{cut['job']} has another key and equal bytes ({changes})"
        )
    if answer["not_here"]:
        print(
            paint.dim(
                f"documents not compared, the bytes are not here: {_few(answer['not_here'])}. "
                "`dvc fetch --all-branches`, or build there."
            )
        )


def _note(text: str, paint: Paint) -> None:
    for line in textwrap.wrap(text, width() - 14, break_on_hyphens=False):
        print("            " + paint.dim(line))


def _few(names: list[str]) -> str:
    rest = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + rest
