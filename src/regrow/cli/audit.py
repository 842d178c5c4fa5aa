"""What went into an artifact: every step down to the source files, with hashes and counts.

ARTIFACT is a path (data/mix/mix.parquet), a step (pretrain.000120) or the first digits of a
SHA-256. The answer comes from the committed records: no data needs to be on disk.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections import Counter
from typing import Any

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint, size, width
from regrow.engine.visible import shown
from regrow.evidence.reasons import counted
from regrow.release.corpora import in_parts

SHOWN = 10
"""documents of a fork that are named"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("artifact", metavar="ARTIFACT")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the audit. Exit status 1 where records contradict each other."""
    from regrow.ask.audit import audit
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.naming import resolve

    ledger = Ledger.load(find_root(), faulty=True)
    answer = audit(ledger, resolve(ledger, args.artifact))
    if args.json:
        print(indented(answer))
    else:
        show(shown(answer), Paint())
    return 1 if answer["problems"] else 0


def show(answer: dict[str, Any], paint: Paint) -> None:
    """The answer as text: the artifact, then the chain from the sources to it, then sums."""
    artifact = answer["artifact"]
    print(paint.bold(artifact["path"]) + f"  {size(artifact['size'])}")
    print(f"  sha256  {paint.blue(artifact['sha256'])}")
    print(f"  key     {paint.blue(artifact['key'])}  of step {artifact['name']}")
    for path in artifact["same_bytes"]:
        print(paint.dim(f"  the same bytes: {path}"))
    for sentence in answer["left_over"]:
        print(paint.yellow(f"  {sentence}"))
    print()
    _show_sources(answer, paint)
    for part in answer["own"]:
        _show_own(part, paint)
    _show_steps(answer["steps"], paint)
    _show_sums(answer, paint)


def _show_sources(answer: dict[str, Any], paint: Paint) -> None:
    sources, files = answer["sources"], answer["source_files"]
    if not sources:
        return
    print(paint.bold("sources") + f"  {_whence(sources)}")
    rows = [
        (
            s["name"],
            s["licence"],
            f"{s['origin']} {s['version']}".strip() or "written for this flow",
        )
        for s in sources
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    for name, licence, origin in rows:
        print(f"├─ {name:<{widths[0]}}  {licence:<{widths[1]}}  {origin}"[: width()])
    for number, file in enumerate(files):
        rail = "└─" if number == len(files) - 1 else "├─"
        digest = paint.blue(str(file["sha256"])[:16]) if file["sha256"] else paint.red("missing")
        print(
            f"{rail} {file['path']:<{widths[0] + widths[1] + 2}}  {digest}  {size(file['size'] or 0)}"
        )
    print()


def _show_steps(steps: list[dict[str, Any]], paint: Paint) -> None:
    """Each step; of the parts of a source the first, and how many others there are."""
    parts = Counter(step["step"] for step in steps if in_parts(str(step["code"].get("function"))))
    shown: set[str] = set()
    for step in steps:
        others = parts[step["step"]] - 1
        if others > 0 and step["step"] in shown:
            continue
        shown.add(step["step"])
        _show_step(step, paint)
        if others > 0:
            print(
                f"and {others:,} more {'part' if others == 1 else 'parts'} of {step['step']}: --json names each\n"
            )


def _whence(sources: list[dict[str, Any]]) -> str:
    """How many sources the manifest names, how many the recipe, and how many somebody contributed."""
    named = sum(bool(source["kind"]) for source in sources)
    crawled = sum(bool(source["places"]) for source in sources)
    about = {
        "in sources/manifest.yaml": crawled,
        "of the recipe": named,
        "contributed": len(sources) - named - crawled,
    }
    return ", ".join(f"{count} {where}" for where, count in about.items() if count)


def _show_own(part: dict[str, Any], paint: Paint) -> None:
    """What a fork brought, or a recipe names as conversations: sums by source and licence, and the first rows."""
    whose, begun = f"data set {part['job']}", ""
    if part["fork"]:
        whose, begun = f"fork {part['fork']}", f", from {part['point']}"
    print(
        paint.bold(f"{part['kind']} of the {whose}")
        + f"  {part['path']} {paint.blue(str(part['sha256'])[:16])}{begun}"
    )
    for share in part["shares"]:
        print(
            f"├─ {share['source']}  {share['licence']}  {share['count']:,} {part['kind']}, "
            f"{share['tokens']:,} tokens in training"
        )
    for row in part["rows"][:SHOWN]:
        line = f"│  {row['id']}  {row['licence']}  {row['outcome']:<8}  {row['url'] or ''}"
        print(paint.dim(line[: width()]))
    rest = part["count"] - SHOWN
    if not part["rows"]:
        print(paint.dim(f"└─ their table is not on disk: `dvc pull` {part['job']}, or `snakemake`"))
    elif rest > 0:
        print(paint.dim(f"└─ and {rest:,} more: --json has all"))
    print()


def _show_step(step: dict[str, Any], paint: Paint) -> None:
    output = step["output"]
    if not step["believed"]:
        print(
            f"{paint.bold(step['name'])}  {output['path']}  " + paint.red("not believed, see below")
        )
        print()
        return
    print(
        f"{paint.bold(step['name'])}  {output['path']}  "
        + paint.dim(f"{output['nfiles']} files, {size(output['size'])}")
    )
    code = step["code"]
    inputs = ", ".join(
        f"{item['made_by'] or item['path']} {paint.blue(str(item['sha256'])[:12])}"
        for item in step["inputs"]
    )
    modules = len(code.get("modules") or {})
    native = len(code.get("native") or {})
    facts = [
        ("from", inputs or "nothing: the beginning"),
        (
            "tree",
            f"{paint.blue(output['sha256'][:16])}  key {paint.blue(step['key'][:16])}"
            + (f" of definition {step['definition']}" if step["definition"] != 1 else ""),
        ),
        (
            "code",
            f"{paint.blue(str(code.get('digest'))[:16])}  {modules} modules"
            + (f", {native} native sources" if native else ""),
        ),
        ("bits", f"{step['numerics']}" + _packages(step["packages"])),
        *(("params", f"{name}: {_values(values)}") for name, values in step["params"].items()),
        *_counts(step, paint),
    ]
    for number, (label, text) in enumerate(facts):
        last = number == len(facts) - 1
        _write(("└─" if last else "├─"), ("  " if last else "│ "), f"{label:<7}", text, paint)
    print()


def _write(rail: str, below: str, label: str, text: str, paint: Paint) -> None:
    if paint.on and "\x1b" in text:
        print(f"{rail} {paint.dim(label)} {text}")
        return
    lines = textwrap.wrap(text, width() - 12, break_on_hyphens=False) or [""]
    print(f"{rail} {paint.dim(label)} {lines[0]}")
    for line in lines[1:]:
        print(f"{below} {'':<7} {line}")


def _packages(packages: dict[str, str]) -> str:
    if not packages:
        return ", no third-party packages"
    return ", with " + ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))


def _values(values: Any) -> str:
    if not isinstance(values, dict):
        return str(values)
    return ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in values.items()
    )


def _counts(step: dict[str, Any], paint: Paint) -> list[tuple[str, str]]:
    counts = step["counts"]
    if not counts:
        return []
    facts = []
    plain = {k: v for k, v in counts.items() if isinstance(v, int | float | str)}
    if plain:
        facts.append(("counts", ", ".join(f"{k} {_number(v)}" for k, v in plain.items())))
    for name, value in counts.items():
        if isinstance(value, dict) and value and all(isinstance(v, int) for v in value.values()):
            ranked = sorted(value.items(), key=lambda item: (-item[1], item[0]))
            if name == "dropped":
                facts += [("dropped", counted(k, v)) for k, v in ranked]
            else:
                said = ", ".join(f"{k} {_number(v)}" for k, v in ranked)
                facts.append(("counts", f"{name}: {said}"))
    return facts


def _number(value: Any) -> str:
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:.6g}"
        if isinstance(value, float)
        else value
    )


def _show_sums(answer: dict[str, Any], paint: Paint) -> None:
    if answer["documents"]:
        print(paint.bold("documents"))
        for row in answer["documents"]:
            lost = sum(row["dropped"].values())
            taken = "" if row["in"] is None else f"{row['in']:>7,} in"
            kept = "" if row["kept"] is None else f"{row['kept']:>7,} kept"
            print(f"  {row['step']:<14} {taken:>11} {kept:>13} {lost:>7,} dropped")
        print()
    if answer["licences"]:
        print(paint.bold("licences"))
        for row in answer["licences"]:
            names = ", ".join(row["sources"])
            print(
                f"  {row['licence']:<18} {textwrap.shorten(names, width() - 22, placeholder=' …')}"
            )
        print()
    unknown = answer["unlicensed"]
    if unknown and unknown["documents"]:
        share = 100 * unknown["documents"] / unknown["of"]
        print(
            paint.yellow(
                f"{unknown['documents']:,} of {unknown['of']:,} documents ({share:.1f} %) have no known licence."
            )
        )
    if answer["uncommitted"]:
        names = ", ".join(answer["uncommitted"][:4])
        rest = len(answer["uncommitted"]) - 4
        more = f" and {rest} more" if rest > 0 else ""
        print(paint.yellow(f"git HEAD has {names}{more} otherwise: they rest on this tree alone."))
    for text in answer["problems"]:
        print(paint.red("contradiction: ") + text)
    if not answer["problems"]:
        count = len(answer["steps"])
        print(
            paint.green(
                f"{count} records, each made from exactly the outputs that the others record."
            )
        )
