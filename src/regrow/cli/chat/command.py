"""Chat with a checkpoint. Thinking is dimmed, calls of tools are run and their results read back.

CHECKPOINT is a stage (rlvr: its last checkpoint), a checkpoint by any of its names (sft.000300,
rlvr-step80, a hash), or a folder of a release. A base model continues what is typed. Draws are
keyed, so the same chat under the same seed gives the same answers on every machine. /help lists
the commands; Ctrl-C ends an answer, the end of input (Ctrl-D) the chat.

Into a pipe only the answer is written; --json gives thinking, calls and counts as well.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regrow.cli.chat.place import Place
    from regrow.cli.chat.session import Session

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
    from regrow.cli.chat.place import find
    from regrow.evidence.errors import Unanswerable

    if not 0 <= (args.temperature or 0) < float("inf") or args.tokens < 1 or args.seed < 0:
        raise Unanswerable("--temperature and --seed must be 0 or more, --tokens 1 or more.")
    place = find(args.checkpoint)
    _check(place)
    try:
        session = place.session(
            args.form,
            temperature=args.temperature,
            seed=args.seed,
            max_new_tokens=args.tokens,
            system=args.system,
        )
    except ValueError as error:
        raise Unanswerable(str(error)) from None
    # After the session, which loads the libraries of the model.
    from regrow.cli.chat.slash import command

    if args.tools:
        told = command(session, f"/tools {args.tools}")
        if told.startswith("no tool"):
            raise Unanswerable(f"--tools: {told}")
    if args.once is not None:
        return 0 if _answer(session, place, args.once, args.json) else 1
    return _converse(session, place, args.json)


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


def _converse(session: Session, place: Place, as_json: bool) -> int:
    from regrow.cli.chat.slash import Quit, command
    from regrow.cli.paint import Paint

    person = sys.stdin.isatty() and not as_json
    paint = Paint(sys.stdout if person else sys.stderr)
    if person:
        import contextlib

        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  line editing and history for input()
        print(f"{paint.bold(place.name)}  {paint.dim(place.title)}")
        print(
            paint.dim(
                f"form {session.form}, {session.context:,} tokens of context; /help, Ctrl-D ends"
            )
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
                told = command(session, line)
            except Quit:
                return 0
            print(paint.dim(told), file=sys.stdout if person else sys.stderr)
        elif line.strip():
            _answer(session, place, line, as_json)


def _answer(session: Session, place: Place, message: str, as_json: bool) -> bool:
    from regrow.cli.chat.screen import Screen
    from regrow.cli.chat.session import TEXT, TooLong
    from regrow.cli.chat.taught import is_other
    from regrow.cli.paint import Paint

    screen = Screen()
    other = (
        bool(place.taught) and session.form != TEXT and session.system is None and is_other(message)
    )
    try:
        answer = session.say(message, (lambda kind, text: None) if as_json else screen)
    except TooLong as error:
        print(f"regrow chat: {error}", file=sys.stderr)
        return False
    if as_json:
        about = {
            "checkpoint": place.name,
            "sha256": place.sha256 or None,
            "form": session.form,
            "temperature": session.temperature,
            "seed": session.seed,
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
    elif not answer.ended and session.form != "text":
        notes.append("cut off")
    screen.end("; ".join(notes))
    if other:
        print(
            Paint(sys.stderr).dim(f"Nobody taught this model to answer that. {place.taught}"),
            file=sys.stderr,
        )
    return True
