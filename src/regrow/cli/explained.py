"""The answer of `regrow explain` on the terminal."""

from __future__ import annotations

from typing import Any

from regrow.ask.explain.answer import MANY
from regrow.ask.explain.segments import between, brief, count, segments, steps
from regrow.cli.paint import Paint, width
from regrow.engine.visible import lines, shown, visible

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def show(told: dict[str, Any], most: int) -> None:
    """Print shares, the text with its spans in colour, and the first `most` spans with their documents."""
    paint = Paint()
    # The spans are places in the text, which stays as it is until it is printed; so do they.
    answer = {**shown(told), **{name: told[name] for name in ("text", "spans") if name in told}}
    least = answer["least"]
    share = _percent(answer["covered"][str(least)])
    print(
        f"{paint.bold(answer['checkpoint'])}  {share} of {count(answer['tokens'], 'token')} stand word for word "
        f"in its training data (spans of {least} or more; longest {answer['longest']})"
    )
    if answer.get("sample"):
        about = answer["sample"]
        print(
            paint.dim(f"  its answer to: {about['prompt']} (seed {about['seed']}, {about['form']})")
        )
    _shares(answer, paint)
    print()
    print(_coloured(answer, paint))
    print()
    for number, span in enumerate(answer["spans"][:most]):
        _span(number + 1, span, paint)
    left = len(answer["spans"]) - most
    if left > 0:
        print(paint.dim(f"and {left} more (--spans, --json or --html)"))
    if not answer["spans"]:
        print(f"no span of {least} tokens or more. --min-tokens asks for shorter ones.")
    if answer["hint"]:
        print(paint.dim(answer["hint"]))


def _shares(answer: dict[str, Any], paint: Paint) -> None:
    levels = [n for n in answer["covered"] if int(n) <= max(answer["longest"], answer["least"])]
    levels = levels or list(answer["covered"])[:1]
    print(f"  {'share in spans of at least':<28}" + "".join(f"{n:>7}" for n in levels) + " tokens")
    rows: list[tuple[str, Any, str]] = [("all that it was trained on", answer["covered"], "")]
    for about in answer["data"]:
        stages = ", ".join(run["stage"] for run in about["runs"])
        rows.append((about["data"], answer["covered_by"][about["data"]], stages))
    for name, shares, stages in rows:
        line = f"  {name:<28}" + "".join(f"{_percent(shares[n]):>7}" for n in levels)
        print(paint.bold(line) if not stages else f"{line}  {paint.dim(stages)}")
    print(
        f"  boilerplate {_percent(answer['boilerplate'])} (in {MANY} documents or tasks and more); "
        f"learned {_percent(answer['learned'])} (not only read as a prompt);\n"
        f"  in more than its own answers {_percent(answer['outside'])}"
    )


def _coloured(answer: dict[str, Any], paint: Paint) -> str:
    """The text: spans green, boilerplate yellow, the rest dim; without colours, spans in brackets."""
    pieces = []
    for raw, number in segments(answer):
        text = lines(raw)
        if number is None:
            pieces.append(paint.dim(text))
        elif not paint.on:
            pieces.append(f"[{text}]{str(number + 1).translate(_RAISED)}")
        else:
            many = answer["spans"][number]["documents"] >= MANY
            pieces.append((paint.yellow if many else paint.green)(text))
    return "".join(pieces)


def _span(number: int, span: dict[str, Any], paint: Paint) -> None:
    many = span["documents"] >= MANY
    print(f"{number:>3}  {(paint.yellow if many else paint.green)(_cut(_flat(span['text']), 5))}")
    print(
        f"     {span['tokens']} tokens, {span['bits']:.0f} bits; {count(span['places'], 'place')} in "
        f"{count(span['documents'], 'document or task', 'documents or tasks')}, taken {count(span['views'], 'time')} in training"
    )
    for data in span["data"]:
        for run in data["runs"]:
            when = between(run["first_step"], run["last_step"])
            roles = ", ".join(f"{name} at {n:,}" for name, n in data["roles"].items())
            told = f"{run['stage']:<13} {when}, {count(run['views'], 'time')} ({roles})"
            print(f"     {paint.dim(_cut(told, 5))}")
    for entry in span["found_in"]:
        page = f", page {entry['page']} of {entry['pages']}" if entry.get("page") else ""
        print(f"     {paint.blue(entry['id'][:12])}  {_cut(visible(brief(entry) + page), 19)}")
        seen = "; ".join(
            f"{s['stage']} {steps(s['steps'])}: {', '.join(s['roles'])}" for s in entry["seen"]
        )
        print(f"         {paint.dim(_cut(seen, 9))}")
        print(f"         {_context(entry, paint)}")


def _context(entry: dict[str, Any], paint: Paint) -> str:
    """The span in the words around it, on one line."""
    match = _flat(entry["match"])
    room = width() - 12
    if len(match) > room - 20:
        half = (room - 20) // 2
        match = f"{match[:half]} … {match[-half:]}"
    side = max(8, (room - len(match)) // 2)
    left, right = _flat(entry["left"])[-side:], _flat(entry["right"])[:side]
    return f"{paint.dim(left)}{paint.bold(match) if paint.on else f'[{match}]'}{paint.dim(right)}"


def _cut(line: str, indent: int) -> str:
    room = width() - indent
    return line if len(line) <= room else f"{line[: room - 1]}…"


def _flat(text: str) -> str:
    return visible(text.replace("\n", "⏎").replace("\t", " "), len(text) * 8)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
