"""Where a document went: kept, changed, dropped (by what, at which value), which steps of which
training stage saw it, and which checkpoints were evaluated on it.

DOCUMENT is an id (its first six or more digits), a URL or part of one, or a line of its text. The id
of a task (or its question, word for word), of a fine-tuning example, of a preference pair or of a
document that the flow made is followed through the stages in the same way: a task shows how often it was
passed, the steps that it was a prompt of, and the rewards.

What OLMoTrace does, from a model's output back to its training data, is `regrow explain`.

Ids and whole URLs are looked up (docs/reference/questions.md): the first question makes the lookups that it needs, in
.regrow/lookup, and later ones take the same short time at any number of documents. Parts of URLs and
lines of text are searched for in the tables.

Examples:
  regrow trace 1f0c9a                          the beginning of an id
  regrow trace docs.example/tutorial/joins     a URL, with or without scheme
  regrow trace --text "Now is the winter"      a line of text, and nothing but that
  regrow trace 8a1d6fced512 --json | jq '.training[] | {stage, steps}'
  regrow trace --index                         make all lookups now
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from regrow.cli.answer_json import written
from regrow.cli.paint import Paint
from regrow.engine.visible import shown
from regrow.evidence.reasons import explained

if TYPE_CHECKING:
    from regrow.evidence.ledger import Ledger

MOST = 8
"""lines of one kind, before the rest is only counted"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("document", metavar="DOCUMENT", nargs="*")
    parser.add_argument("--text", action="store_true", help="DOCUMENT is a line of text")
    parser.add_argument("--index", action="store_true", help="make all lookups, ask nothing")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Print where the document went. Exit status 1 where several or none fit."""
    from regrow.ask.trace.answer import trace
    from regrow.evidence.ledger import Ledger, find_root

    ledger = Ledger.load(find_root())
    if args.index:
        return _index(ledger, args.json)
    answer = trace(ledger, " ".join(args.document), args.text)
    if args.json:
        print(written(answer))
    elif "fate" not in answer:
        _show_matches(shown(answer), Paint())
    else:
        _show(shown(answer), Paint())
    return 0 if "fate" in answer else 1


def _index(ledger: Ledger, as_json: bool) -> int:
    from regrow.ask.trace.prepare import prepare
    from regrow.cli.paint import size
    from regrow.evidence.outputs import Outputs

    made = prepare(Outputs(ledger))
    if as_json:
        print(written(made))
    else:
        print(
            f"{made['lookups']} lookups of {made['tables']} tables, {size(made['bytes'])} in {made['folder']}"
        )
        if made["hint"]:
            print(made["hint"])
    return 0


def _show_matches(answer: dict[str, Any], paint: Paint, most: int = 20) -> None:
    matches = answer["matches"]
    kinds = {match["kind"] for match in matches}
    what = f"{kinds.pop()}s" if len(kinds) == 1 else "things"
    print(f"{len(matches):,} {what} fit; name one by its id:")
    some = matches[:most]
    digits = _apart([match["id"] or "" for match in matches])
    for match in some:
        kind = f"{match['kind']}: " if len({m["kind"] for m in some}) > 1 else ""
        name = paint.blue(f"{(match['id'] or '-')[:digits]:<{digits}}")
        print(f"  {name}  {kind}{match['url']}  {paint.dim(match['title'])}")
        if match["line"]:
            print(f"  {'':<{digits}}  {paint.dim(match['line'])}")
    if len(matches) > most:
        print(paint.dim(f"  and {len(matches) - most:,} more (--json lists all)"))


def _apart(ids: list[str], least: int = 12) -> int:
    """Digits by which ids differ."""
    digits = least
    while digits < 64 and len({id[:digits] for id in ids}) < len(set(ids)):
        digits += 4
    return digits


def _show(answer: dict[str, Any], paint: Paint) -> None:
    match = answer["matches"][0]
    print(paint.bold(match["title"] or match["url"]))
    print(f"  {'url ' if match['kind'] == 'document' else match['kind'] + ' of'} {match['url']}")
    if match["id"]:
        print(f"  id   {paint.blue(match['id'])}")
    if match["line"]:
        print(f"  line {match['line']}")
    print()
    for stop in answer["stops"]:
        _show_stop(stop, paint, answer["fate"].startswith("dropped"))
    for entry in answer["training"]:
        _show_training(entry, paint)
    _show_evaluations(answer["evaluations"], paint)
    good = answer["fate"].startswith(("seen", "packed", "kept", "held out", "a WARC file"))
    print()
    print((paint.green if good else paint.red)(answer["fate"]))
    if answer["hint"]:
        print(paint.dim(answer["hint"]))


def _show_stop(stop: dict[str, Any], paint: Paint, lost: bool) -> None:
    facts = dict(stop["facts"])
    mark = {"kept": paint.green("✓"), "held out": paint.yellow("◇"), "dropped": paint.red("✗")}
    mark |= dict.fromkeys(("copied", "not visited"), paint.dim("·"))
    line = f"{mark.get(stop['outcome'], paint.dim('?'))} {stop['step']:<14}"
    if stop["outcome"] == "dropped":
        reason = facts.pop("reason", None) or facts.pop("outcome", "")
        if not lost:  # by a mix of a later stage: others have it
            line = f"{paint.dim('·')} {stop['step']:<14}"
        line += f" {'dropped' if lost else 'left out'}: {paint.bold(str(reason))}"
        if "value" in facts:
            line += f", measured {_number(facts.pop('value'))}"
        if "threshold" in facts:
            line += f", threshold {_number(facts.pop('threshold'))}"
        if stop["step"] != "crawl" and (meaning := explained(str(reason))):
            line += f" ({meaning})"
    elif stop["outcome"] != "kept":
        line += f" {stop['outcome']}"
    copies = facts.pop("copies_dropped", [])
    before = facts.pop("characters_before", None)
    for name in ("url", "outcome") if stop["step"] == "crawl" else ():
        facts.pop(name, None)
    if before is not None:
        facts["characters"] = f"{before:,} → {facts['characters']:,}"
    line += " " + ", ".join(f"{name} {_shown(value)}" for name, value in facts.items())
    print(line.rstrip())
    for copy in copies:
        print(
            paint.dim(
                f"    dropped as its copy: {copy['id'][:12]}  {copy.get('url', '')}  {copy.get('reason', '')}"
            )
        )


def _show_training(training: dict[str, Any], paint: Paint) -> None:
    instances = training["instances"]
    mark = paint.green("✓") if training["steps"] else paint.dim("·")
    stage = f"{training['stage']:<14}"
    if training["kind"] == "documents":
        print(
            f"{mark} {stage} {len(instances)} instance{'s' if len(instances) != 1 else ''} packed"
        )
        several = len({instance["id"] for instance in instances}) > 1
        for instance in instances[:MOST]:
            seen = [s for s in training["seen"] if s["instance"] == instance["instance"]]
            what = f"{instance['id'][:12]} " if several else f"repeat {instance['repeat']}: "
            print(
                f"    {what}tokens {instance['start']:,} to "
                f"{instance['end']:,} of the stream, {_when(seen)}"
            )
        if len(instances) > MOST:
            print(paint.dim(f"    and {len(instances) - MOST} more (--json lists all)"))
    elif training["kind"] == "rollouts":
        rewards = [s["reward"] for s in training["seen"]]
        mean = sum(rewards) / len(rewards) if rewards else 0.0
        print(
            f"{mark} {stage} {len(rewards)} answers, mean reward {mean:.2f}, {_when(training['seen'])}"
        )
    else:
        for id in dict.fromkeys(s["id"] for s in training["seen"]):
            print(f"{mark} {stage} {id} {_when([s for s in training['seen'] if s['id'] == id])}")
    if training["checkpoints"]:
        first, last = training["checkpoints"][0], training["checkpoints"][-1]
        print(
            paint.dim(f"    first in {first}" + (f", in all up to {last}" if last != first else ""))
        )


def _when(seen: list[dict[str, Any]]) -> str:
    steps = sorted({s["step"] for s in seen})
    if not steps:
        return "not seen"
    more = f" and {len(steps) - 12} more" if len(steps) > 12 else ""
    return f"seen at step{'s' if len(steps) != 1 else ''} {', '.join(map(str, steps[:12]))}{more}"


def _show_evaluations(rows: list[dict[str, Any]], paint: Paint, most: int = 12) -> None:
    by: dict[str, list[float]] = {}
    for row in rows:
        by.setdefault(f"{row['checkpoint']}  {row['probe']}", []).append(row["value"])
    for name, values in list(by.items())[:most]:
        figures = ", ".join(f"{value:.4g}" for value in values[:6]) + (
            " …" if len(values) > 6 else ""
        )
        print(f"{paint.green('✓')} {'evaluate':<14} {name}: {figures}")
    if len(by) > most:
        print(paint.dim(f"    and {len(by) - most} more scores (--json lists all)"))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        more = f" and {len(value) - 3} more" if len(value) > 3 else ""
        return ", ".join(str(item)[:12] for item in value[:3]) + more
    return _number(value)


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
