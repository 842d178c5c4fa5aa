"""`regrow verify CHECKPOINT`: say the price, rerun, say the verdict."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.cli.paint import Paint, duration

if TYPE_CHECKING:
    from regrow.evidence.ledger import Ledger
    from regrow.prove.segments.challenge import Challenge
    from regrow.prove.segments.units import Run

SHARE, ODDS = 0.05, 0.99


def segments(args: argparse.Namespace) -> int:
    """The exit status is 1 if anything differs."""
    from regrow.evidence.ledger import Ledger, find_root
    from regrow.evidence.naming import resolve
    from regrow.prove.rebuild.numerics import certify
    from regrow.prove.segments.sides import at_revision

    root = find_root()
    ledger = at_revision(root, args.against) if args.against else Ledger.load(root)
    record = resolve(ledger, args.artifacts[0]).record
    certify([record])  # before numpy is imported, which an old processor does not survive
    from regrow.prove.segments.challenge import challenge
    from regrow.prove.segments.draw import Sample, fresh_seed
    from regrow.prove.segments.price import logged
    from regrow.prove.segments.replay import Replay, prepare
    from regrow.prove.segments.states import States
    from regrow.prove.segments.units import run_of
    from regrow.prove.segments.verified_files import VerifiedFiles

    say = _Speaker(as_json=args.json)
    with tempfile.TemporaryDirectory(prefix="regrow-verify-") as folder:
        scratch = Path(folder)
        replay = Replay(ledger, VerifiedFiles(root, scratch))
        run = run_of(ledger, replay.verified, record)
        seconds = logged(root, run.ancestry)
        asked = (args.segments, args.catch, args.odds, args.stretch)
        if all(value is None for value in asked):
            return _prices(run, seconds, args.seed or "price", say)
        sample = Sample(
            args.unit,
            args.seed or fresh_seed(),
            share=next((s for s in (args.stretch, args.catch) if s is not None), SHARE),
            wanted=ODDS if args.odds is None else args.odds,
            count=args.segments,
            stretch=args.stretch is not None,
        )
        given = States(args.states) if args.states else None
        what = challenge(run, sample, seconds, given)
        say.price(what)
        if args.dry_run:
            say.json(what.as_json())
            return 0
        say.code(ledger, run, root)
        prepare()
        from regrow.prove.segments.verify import Verification

        work = Verification(replay, what, scratch, say.hooks())
        if args.hand_out:
            made = work.hand_out(States(args.hand_out))
            say(f"{len(made)} states in {args.hand_out}, each with the published digest.")
            say.json({**what.as_json(), "handed_out": [str(path) for path in made]})
            return 0
        answer = work.answer()
    say.verdict(answer)
    say.json(answer)
    return 0 if answer["verdict"] == "equal" else 1


def _prices(run: Run, seconds: dict[str, float], seed: str, say: _Speaker) -> int:
    """What it would cost to catch a forged 5 % with several odds; nothing is run."""
    from regrow.prove.segments.challenge import challenge
    from regrow.prove.segments.draw import Sample
    from regrow.prove.segments.units import KINDS

    rows = []
    for kind in KINDS:
        for wanted in (0.5, 0.9, 0.99):
            sample = Sample(kind, seed, SHARE, wanted)
            what = challenge(run, sample, seconds)
            alone = sum(unit.end - unit.begin for unit in what.drawn)
            rows.append((kind, wanted, what, alone))
    if say.as_json:
        say.json(
            {
                "checkpoint": run.checkpoint.name,
                "prices": [
                    {"odds": wanted, "steps_from_states": alone, **what.as_json()}
                    for _, wanted, what, alone in rows
                ],
            },
        )
        return 0
    say(say.paint.bold(f"{run.checkpoint.name}") + f"  {run.steps:,} training steps")
    say(f"To catch a forgery of {SHARE:.0%} of the units:")
    for kind, wanted, what, alone in rows:
        line = (
            f"  {kind}  odds {wanted:4.0%}  {len(what.drawn):>4} of {what.population:>4}  "
            f"about {what.price.steps:>6,} steps, {what.price.share:6.1%} of the training"
        )
        if kind == "link":
            line += f"; with handed out states {alone:,} ({alone / max(1, run.steps):.1%})"
        say(line)
    name = run.checkpoint.name
    say(f"Begin: `regrow verify {name} --segments 3`, or `--catch {SHARE} --odds {ODDS}`.")
    return 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


class _Speaker:
    """What a person sees; with `as_json`, beside the answer for a program."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = sys.stderr if as_json else sys.stdout
        self.paint = Paint(self._out)

    def __call__(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def json(self, answer: dict[str, Any]) -> None:
        """The answer, where it is for a program."""
        if self.as_json:
            print(json.dumps(answer, indent=2))

    def price(self, what: Challenge) -> None:
        """Before anything runs: what will be done, the price, the odds."""
        from regrow.prove.segments import odds
        from regrow.prove.segments.challenge import SHARES

        run, cost, paint = what.run, what.price, self.paint
        self(paint.bold(run.checkpoint.name) + f"  {paint.blue(run.checkpoint.sha256)}")
        self(
            f"draws {len(what.drawn)} of {what.population} {what.kind}s, seed {what.seed}; always: "
            + (", ".join(record.name for record in run.made) or "none")
        )
        for rerun in what.reruns:
            inside = [u for u in what.drawn if rerun.covers(u)]
            origin = "a state handed out" if rerun.state else "the stored state"
            links = f", for {_count(len(inside), 'link')}" if what.kind == "link" else ""
            self(
                f"  {rerun.span.record.step} steps {rerun.begin + 1}-{rerun.end}, from {origin}{links}"
            )
        time = "no run log of this run here, so the time is not known"
        if cost.seconds is not None and cost.of_seconds is not None:
            time = f"about {duration(cost.seconds)} of {duration(cost.of_seconds)}"
        whole = ""
        if cost.seconds is not None and cost.whole_seconds:
            whole = f" ({cost.seconds / cost.whole_seconds:.1%} of the run with its data steps)"
        self(
            paint.bold("price: ")
            + f"{cost.steps:,} of {cost.of_steps:,} training steps, {time}: "
            + f"{cost.share:.1%} of the training{whole}"
        )
        if what.stretch is not None:
            self(
                paint.bold("  100.00%")
                + f"  odds of catching {_count(what.stretch, f'forged {what.kind}')} in one stretch "
                f"({what.share:g}); scattered on purpose, at least:"
            )
        rows = {odds.forged(what.population, share): share for share in (*SHARES[::-1], what.share)}
        for wrong, share in sorted(rows.items()):
            text = (
                f"  {what.odds(share):7.2%}  odds of catching {_count(wrong, f'forged {what.kind}')} "
                f"of {what.population} ({share:g})"
            )
            self(paint.bold(text) if share == what.share else text)

    def code(self, ledger: Ledger, run: Run, root: Path) -> None:
        """Warn where the code or the packages here are not those of the records."""
        from regrow.prove.rebuild.packages import differences
        from regrow.prove.segments.replay import other_code

        other = other_code(root, run.checkpoints)
        if other:
            self(
                self.paint.yellow("other code: ")
                + f"{', '.join(other)} has changed since the records were made. If something differs "
                "below it may be that; check out the commit of the records to be sure."
            )
        for row in differences(run.checkpoints):
            self(
                self.paint.yellow("other package: ")
                + f"{row['package']} {row['installed'] or 'not installed'}, recorded {row['recorded']}"
            )

    def hooks(self) -> Any:
        """For the work."""
        from regrow.prove.segments.verify import Hooks

        def checked(record: Any, faults: list[str]) -> None:
            for fault in faults:
                self(self.paint.red(f"  {record.name}: ") + fault)

        def begins(rerun: Any) -> None:
            self(
                self.paint.dim(
                    f"  … {rerun.span.record.step} from step {rerun.begin} to {rerun.end}"
                )
            )

        def compared(result: Any) -> None:
            mark = self.paint.green("equal  ") if result.equal else self.paint.red("differs")
            steps = (
                f"steps {result.begin + 1}-{result.end}" if result.end > result.begin else "rebuilt"
            )
            links = f", {_count(result.links, 'link')}" if result.links else ""
            self(f"  {mark} {result.name:<20} {steps}{links}  {duration(result.seconds):>10}")

        return Hooks(checked, begins, compared)

    def verdict(self, answer: dict[str, Any]) -> None:
        """The last lines."""
        paint = self.paint
        if answer["verdict"] == "equal":
            catch = answer["catch"]
            self(
                paint.green(f"equal, bit for bit, in {duration(answer['seconds'])}.")
                + f" A forgery of {catch['share']:.0%} of the {answer['unit']}s would have been caught "
                + ("for certain if unbroken, else " if answer["stretch"] else "")
                + f"with a probability of {catch['odds']:.2%}"
                + (" at least." if answer["stretch"] else ".")
            )
            return
        if answer["faults"]:
            self(
                paint.red("differs: the records contradict themselves (above); nothing was rerun.")
            )
            return
        bad = next(r for r in answer["results"] if not r["equal"])
        self(paint.red(f"differs: {bad['name']} does not come out of its parent checkpoint."))
        if bad["step"] is not None:
            tensors = bad["tensors"]
            more = f" and {len(tensors) - 3} more" if len(tensors) > 3 else ""
            what = ", ".join(tensors[:3]) + more if tensors else "the position (tokens, updates)"
            self(f"  first at the link of step {bad['step']}: {what}")
        if bad["files"]:
            self(f"  files: {', '.join(bad['files'])}")
