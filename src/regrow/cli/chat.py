"""Talk with a checkpoint. Thinking is dimmed, calls of tools are run and their results read back.

CHECKPOINT is a stage (rlvr: its last checkpoint), a checkpoint by any of its names (sft.000300,
rlvr-step80, a hash), or a folder of a release. A base model continues what is typed. Draws are
keyed, so the same talk under the same seed gives the same answers on every machine. /help lists
the commands; Ctrl-C ends an answer, the end of input (Ctrl-D) the talk.

Into a pipe only the answer is written; --json gives thinking, calls and counts as well.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regrow.cli.talk.place import Place
    from regrow.cli.talk.talk import Talk

PROMPT = "> "


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT")
    parser.add_argument("--once", metavar="PROMPT", help="answer this and end")
    parser.add_argument("--system", metavar="TEXT", help="system message")
    parser.add_argument("--tools", metavar="NAMES", help="tools to describe: add,reverse or all")
    parser.add_argument("--form", choices=("text", "plain", "think", "instruct"))
    parser.add_argument(
        "--temperature",
        type=float,
        help="0 is greedy (default: 0, and 0.6 where text is continued)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the draws (default: 0)")
    parser.add_argument("--tokens", type=int, default=256, help="at most, per turn (default: 256)")
    parser.add_argument("--json", action="store_true", help="one JSON object per answer")


def run(args: argparse.Namespace) -> int:
    """Answer --once, or whatever is typed until the end of input."""
    from regrow.cli.talk import talk as talking
    from regrow.cli.talk.commands import command
    from regrow.cli.talk.place import find, starting_form, starting_temperature
    from regrow.evidence.errors import Unanswerable

    if not 0 <= (args.temperature or 0) < float("inf") or args.tokens < 1 or args.seed < 0:
        raise Unanswerable("--temperature and --seed must be 0 or more, --tokens 1 or more.")
    place = find(args.checkpoint)
    _check(place)
    try:
        talk = talking.load(
            place.folder,
            place.tokenizer,
            form := args.form or starting_form(place),
            temperature=starting_temperature(form, args.temperature),
            seed=args.seed,
            max_new_tokens=args.tokens,
            system=args.system,
        )
    except ValueError as error:
        raise Unanswerable(str(error)) from None
    if args.tools:
        told = command(talk, f"/tools {args.tools}")
        if told.startswith("no tool"):
            raise Unanswerable(f"--tools: {told}")
    if args.once is not None:
        return 0 if _answer(talk, place, args.once, args.json) else 1
    return _converse(talk, place, args.json)


def _check(place: Place) -> None:
    """Say so where the weights are not those of the record."""
    if not place.sha256:
        return
    from regrow.engine.hashing import sha256_file

    if sha256_file(place.folder / "model.safetensors") != place.sha256:
        print(
            f"regrow chat: the weights on disk are not those of the record of {place.name}; "
            "`regrow verify` says more.",
            file=sys.stderr,
        )


def _converse(talk: Talk, place: Place, as_json: bool) -> int:
    from regrow.cli.paint import Paint
    from regrow.cli.talk.commands import Quit, command

    person = sys.stdin.isatty() and not as_json
    paint = Paint(sys.stdout if person else sys.stderr)
    if person:
        import contextlib

        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  line editing and history for input()
        print(f"{paint.bold(place.name)}  {paint.dim(place.title)}")
        print(
            paint.dim(f"form {talk.form}, {talk.context:,} tokens of context; /help, Ctrl-D ends")
        )
    while True:
        try:
            line = input(PROMPT if person else "")
        except EOFError:
            if person:
                print()
            return 0
        except KeyboardInterrupt:
            print(paint.dim("\n(Ctrl-D or /quit ends)"))
            continue
        if line.startswith("/"):
            try:
                told = command(talk, line)
            except Quit:
                return 0
            print(paint.dim(told), file=sys.stdout if person else sys.stderr)
        elif line.strip():
            _answer(talk, place, line, as_json)


def _answer(talk: Talk, place: Place, message: str, as_json: bool) -> bool:
    from regrow.cli.paint import Paint
    from regrow.cli.talk.screen import Screen
    from regrow.cli.talk.talk import TEXT, TooLong
    from regrow.cli.talk.taught import is_other

    screen = Screen()
    other = bool(place.taught) and talk.form != TEXT and talk.system is None and is_other(message)
    try:
        answer = talk.say(message, (lambda kind, text: None) if as_json else screen)
    except TooLong as error:
        print(f"regrow chat: {error}", file=sys.stderr)
        return False
    if as_json:
        about = {
            "checkpoint": place.name,
            "sha256": place.sha256 or None,
            "form": talk.form,
            "temperature": talk.temperature,
            "seed": talk.seed,
            "prompt": message,
            "taught": not other if place.taught else None,
        }
        print(json.dumps({**about, **answer.as_json()}), flush=True)
        return True
    notes = []
    if answer.forgotten:
        notes.append(f"{answer.forgotten} older messages no longer fit the context")
    if answer.interrupted:
        notes.append("interrupted")
    elif not answer.ended and talk.form != "text":
        notes.append("cut off")
    screen.end("; ".join(notes))
    if other:
        print(
            Paint(sys.stderr).dim(f"Nobody taught this model to answer that. {place.taught}"),
            file=sys.stderr,
        )
    return True
