"""What of a text stands word for word in the data that a checkpoint was trained on: where, under
which licence, at which steps of which stage, and what training did with it.

CHECKPOINT is a checkpoint by any of its names (rlvr, sft.000720, release.rlvr-000080, a hash).
The text is TEXT, --file FILE (- for standard input), or what the checkpoint itself answers to
--sample PROMPT (the answer of `regrow chat --once PROMPT` under the same settings).

Only what training had taken up to this checkpoint is searched: sequences that its steps reached, of
all stages before it, the answers of its own reinforcement learning included; steps whose update was
dropped do not count. Spans are maximal: none is part of a longer one. They come in the order of
their bits, -log2 of their probability if words were drawn one by one: the least likely by chance first.
What training did with a span: `trained on` (predicted, token by token), `context` (a prompt: seen, not
learned), `preferred` or `rejected` (an answer of a pair), `reinforced` or `discouraged` (an answer of its own).

Examples:
  regrow explain rlvr "pin pin pin pin pin"
  regrow explain rlvr --sample "Write pin 5 times." --html explain.html
  regrow explain pretrain.000096 --file essay.txt --min-tokens 6 --json | jq .covered
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.cli.answer_json import indented

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regrow.ask.explain.answer import Explainer


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT")
    given = parser.add_mutually_exclusive_group()
    given.add_argument("text", metavar="TEXT", nargs="?")
    given.add_argument("--file", metavar="FILE", help="read the text there; - is standard input")
    given.add_argument("--sample", metavar="PROMPT", help="explain the answer to this prompt")
    parser.add_argument(
        "--min-tokens", type=int, default=8, metavar="N", help="of a span (default: 8)"
    )
    parser.add_argument(
        "--top", type=int, default=3, metavar="N", help="documents per span (default: 3)"
    )
    parser.add_argument(
        "--spans", type=int, default=8, metavar="N", help="on the terminal (default: 8)"
    )
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write the answer as a page there"
    )
    drawing = parser.add_argument_group("how --sample draws")
    drawing.add_argument("--form", choices=("text", "plain", "think", "instruct"))
    drawing.add_argument(
        "--temperature",
        type=float,
        help="0 is greedy (default: 0, and 0.6 where text is continued)",
    )
    drawing.add_argument("--seed", type=int, default=0, help="of the draws (default: 0)")
    drawing.add_argument("--tokens", type=int, default=256, help="drawn at most (default: 256)")


def run(args: argparse.Namespace) -> int:
    """Explain. Exit status 1 where no span is found."""
    from regrow.ask.explain.answer import Explainer
    from regrow.evidence.errors import Unanswerable
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.naming import resolve

    if args.min_tokens < 1 or args.top < 0 or args.spans < 0:
        raise Unanswerable("--min-tokens: 1 or more; --top and --spans: 0 or more.")
    if not 0 <= (args.temperature or 0) < float("inf") or args.tokens < 1 or args.seed < 0:
        raise Unanswerable("--temperature and --seed must be 0 or more, --tokens 1 or more.")
    ledger = Ledger.load(find_root())
    explainer = Explainer(ledger, resolve(ledger, args.checkpoint).record)
    text, about = _given(args, explainer)
    answer = {**explainer.explain(text, args.min_tokens, args.top), "sample": about}
    if args.html:
        _write(args.html, answer)
    if args.json:
        print(indented(answer))
    elif args.html:
        print(f"{args.html}: {args.html.stat().st_size // 1000:,} kB, open it in a browser.")
    else:
        from regrow.cli.explained import show

        show(answer, args.spans)
    return 0 if answer["spans"] else 1


def _given(
    args: argparse.Namespace, explainer: Explainer
) -> tuple[str | NDArray[np.uint16], dict[str, Any] | None]:
    """The text, or the drawn tokens and how they were drawn."""
    from regrow.evidence.errors import Unanswerable

    if args.sample is not None:
        return _sample(args, explainer)
    if args.text is not None:
        return args.text, None
    if args.file is None and sys.stdin.isatty():
        raise Unanswerable("nothing to explain: give TEXT, --file FILE or --sample PROMPT.")
    if args.file in (None, "-"):
        return sys.stdin.read(), None
    try:
        return Path(args.file).read_text(encoding="utf-8"), None
    except (OSError, UnicodeDecodeError) as error:
        raise Unanswerable(f"--file {args.file}: cannot be read as UTF-8 ({error}).") from None


def _sample(
    args: argparse.Namespace, explainer: Explainer
) -> tuple[NDArray[np.uint16], dict[str, Any]]:
    import numpy as np

    from regrow.cli.chat.place import find
    from regrow.evidence.errors import Unanswerable

    place = find(explainer.checkpoint.name)
    try:
        session = place.session(
            args.form,
            temperature=args.temperature,
            seed=args.seed,
            max_new_tokens=args.tokens,
        )
        answer = session.draw(args.sample)
    except ValueError as error:
        raise Unanswerable(f"--sample: {error}") from None
    about = {k: v for k, v in vars(answer).items() if k != "tokens"}
    return np.array(answer.tokens, dtype=np.uint16), about


def _write(path: Path, answer: dict[str, Any]) -> None:
    from regrow.ask.explain.page import page
    from regrow.evidence.errors import Unanswerable

    try:
        path.write_bytes(page(answer).encode())
    except OSError as error:
        raise Unanswerable(
            f"{path}: cannot be written ({error.strerror}). Name another file with --html."
        ) from None
