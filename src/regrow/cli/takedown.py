"""Take documents down: what they touched, and the cheapest exact rebuild of everything that saw them.

DOCUMENT is an id, a URL or a line of text that means one document. Without --name nothing is written: the
answer says which data sets, classifiers, tokenizer and evaluations hold it, the first training step of
each stage that saw it, and which other documents hold the same text. With --name, takedowns/NAME/documents.json
(ids only; a source of the flow) and params/NAME.yaml are written, with what would be kept and what rebuilt.

Depths:
  training    their text is masked out of every training sequence, slots kept: no other document moves, and
              checkpoints before the first step that saw them stay valid, byte for byte
  everything  they are dropped behind the text extraction, and all that follows is made without them

--run runs the rebuild and checks it. --finish NAME checks one that was run otherwise (a cluster). Both
write takedowns/NAME/statement.intoto.jsonl, signed with --key. --purge lists, before it is too late, which
stored files and objects (workspace, DVC cache and remote) hold the text or weights that learned from it.

Examples:
  regrow takedown http://roundup.example/roundup_short_paper.html
  regrow takedown 4766e4ee19ef --name art17 --why "Art. 17 GDPR" --copies
  git switch -c art17 && git add takedowns params && git commit -m "Takedown"
  snakemake --cores all --configfile params/art17.yaml && regrow takedown --finish art17 --key K
  regrow attest --check takedowns/art17/statement.intoto.jsonl --public-key K.pub rlvr
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.cli.answer_json import indented
from regrow.cli.paint import Paint, size
from regrow.engine.visible import shown

if TYPE_CHECKING:
    from regrow.change.takedown.place import Place


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("documents", metavar="DOCUMENT", nargs="*")
    parser.add_argument("--name", help="of the takedown; without it, only the question is answered")
    parser.add_argument("--depth", choices=("training", "everything"), default="training")
    parser.add_argument(
        "--copies", action="store_true", help="their copies too (clusters of dedup)"
    )
    parser.add_argument("--why", default="", help="the reason, for the statement (in no key)")
    parser.add_argument(
        "--params",
        "--configfile",
        help="params file of the run (default: the one that asks for all records here)",
    )
    parser.add_argument("--run", action="store_true", help="run the rebuild too, and check it")
    parser.add_argument("--cores", default="all", help="for --run (all)")
    parser.add_argument("--finish", metavar="NAME", help="check a takedown that was run")
    parser.add_argument("--key", type=Path, metavar="FILE", help="sign the statement with this key")
    parser.add_argument("--purge", action="store_true", help="list what still holds the text")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Answer, write, run, check."""
    from regrow.change.takedown.create import Takedown
    from regrow.change.takedown.place import Place
    from regrow.change.takedown.run import Run
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.left_over import grown_under

    root = find_root()
    if args.finish:
        if args.documents or args.name:
            raise Unanswerable("--finish NAME takes no documents and no --name.")
        return _finish(Place(root, args.finish), args)
    if not args.documents:
        raise Unanswerable("name a document (id, URL or a line of its text), or --finish NAME.")
    if (args.run or args.purge) and not args.name:
        raise Unanswerable("--run and --purge need a --name.")
    file = args.params or grown_under(Ledger.load(root))
    asked = Takedown.of(Run(root, file), args.documents, depth=args.depth, copies=args.copies)
    answer = asked.answer()
    if args.name is not None:
        answer |= asked.write(Place(root, args.name), args.why)
    if args.json and not args.run:
        print(indented(answer))
    elif not args.json:
        _show(shown(answer), args, Paint())
    if not args.run:
        return 0
    command = [sys.executable, "-m", "snakemake", "--cores", args.cores]
    done = subprocess.run(
        [*command, "--configfile", answer["params_file"]], cwd=root, stdout=sys.stderr, check=False
    )
    return _finish(Place(root, args.name), args) if done.returncode == 0 else 1


def _finish(place: Place, args: argparse.Namespace) -> int:
    from regrow.change.takedown.finish import finish
    from regrow.change.takedown.statement import statement
    from regrow.cli.keygen import secret_key
    from regrow.evidence.ledger import Ledger
    from regrow.prove.attest.export import Bundle

    key = None if args.key is None else secret_key(args.key)
    found = finish(place)
    said = statement(Ledger.load(place.root), found)
    out = place.statement(signed=key is not None)
    Bundle([said], key).write(out)
    if args.json:
        print(json.dumps({**found, "statement": place.below(out)}, indent=2))
        return 0
    paint = Paint()
    checks = found["checks"]
    print(
        f"{paint.green('done')} {place.name}: {len(found['kept'])} artifacts kept, {len(found['rebuilt'])} rebuilt"
    )
    for what in ("slots_masked", "tokens_masked", "tokens_unchanged"):
        if what in checks:
            print(f"  {what.replace('_', ' '):<18} {checks[what]:,}")
    if "tables_without_them" in checks:
        print(f"  tables without them {len(checks['tables_without_them'])}")
    saw_none = checks["kept_checkpoints_that_saw_none"]
    print(f"  kept checkpoints, none saw them: {', '.join(saw_none) or 'none is kept'}")
    print(f"  {place.below(out)}{'' if key else ' (not signed: --key)'}")
    return 0


def _show(answer: dict[str, Any], args: argparse.Namespace, paint: Paint) -> None:
    found = answer["touched"]
    for row in found["documents"]:
        print(f"{paint.blue(row['id'])}  {row['url']}  {paint.dim(row['title'] or '')}")
    print("  tables    " + ", ".join(f"{name} {n}" for name, n in found["tables"].items()))
    print("  fitted on " + (", ".join(found["learned"]) or "nothing"))
    for job, row in found["datasets"].items():
        print(f"  {job:<9} {row['slots']} slots, {row['tokens']:,} tokens")
    steps = ", ".join(f"{stage} {step}" for stage, step in found["first"].items())
    print(f"  first step that saw them: {paint.bold(steps or 'none')}")
    if found["heldout"]:
        print(paint.yellow(f"  {found['heldout']} held out: evaluated on (--depth everything)"))
    for row in answer["copies"]:
        what = "trained on" if row["kept"] else f"dropped as a copy ({row['reason']})"
        print(
            paint.yellow(f"  same text: {row['id']}  {row['url']}  {what}; --copies takes it too")
        )
    for row in answer["overlaps"][:5]:
        print(paint.yellow(f"  shares {row['share']:.0%}: {row['id']}  {row['url']}  stays"))
    if "plan" not in answer:
        return
    plan = answer["plan"]
    cost, whole = plan["cpu_seconds"]["anew"], plan["cpu_seconds"]["whole"]
    price = f", about {cost:,.0f} of {whole:,.0f} CPU seconds" if cost and whole else ""
    print(f"{', '.join(answer['written'])} written")
    print(
        f"  {paint.green(str(len(plan['kept'])))} artifacts keep their key, {len(plan['anew'])} are rebuilt{price}"
    )
    _show_stored(answer["stored"], args.purge, paint)
    if not args.run:
        print(
            paint.dim(
                f"Next: git switch -c {args.name}; git add takedowns params; git commit; snakemake --cores all "
                f"--configfile {answer['params_file']}; regrow takedown --finish {args.name} --key KEY"
            )
        )


def _show_stored(rows: list[dict[str, Any]], everything: bool, paint: Paint) -> None:
    total = sum(row["size"] for row in rows)
    print(
        f"  {len(rows)} stored files ({size(total)}) hold the page, its text, its tokens or weights that learned "
        "from it"
        + ("" if everything else " (--purge lists them; takedowns/*/request.json has them)")
    )
    for row in rows if everything else []:
        places = [place for place in ("workspace", "cache", "remote") if row[place]]
        print(f"    {row['holds']:<8} {row['md5']}  {row['path']}  {paint.dim(', '.join(places))}")
