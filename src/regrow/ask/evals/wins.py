"""How often one model's answers beat another's, by the judge that made the preference pairs."""

from __future__ import annotations

from regrow.ask.evals.read import Evaluation, Key
from regrow.learn.evaluate.bootstrap import MICRO, Score


def half(score: Score) -> Score:
    """What a model scores against itself: it wins half of what is decided."""
    return Score(score.size * MICRO // 2, score.size)


def wins(
    before: Evaluation, after: Evaluation, length_weight: float, *, drawn: bool
) -> dict[Key, Score]:
    """(family, item) -> wins over decided comparisons of `after`'s answers with `before`'s.

    The judge's score of an answer is 1 if it is right, less `length_weight` times its tokens; the same question's answers are compared sample by sample, and equal scores decide
    nothing. Questions of which nothing was decided are left out.
    """
    passed, tokens = ("pass_rate", "tokens_drawn") if drawn else ("exact_match", "tokens")
    sides = [_judged(side, passed, tokens, length_weight) for side in (before, after)]
    found: dict[Key, Score] = {}
    for (family, item, sample), score in sorted(sides[1].items()):
        other = sides[0].get((family, item, sample))
        if other is None or other == score:
            continue
        have = found.get((family, item), Score(0, 0))
        won = MICRO if score > other else 0
        found[family, item] = Score(have.microbits + won, have.size + 1)
    return found


def _judged(
    side: Evaluation, passed: str, tokens: str, weight: float
) -> dict[tuple[str, str, int], float]:
    lengths = {(i.family, i.item, i.sample): i.value for i in side.items.get(tokens, [])}
    return {
        (i.family, i.item, i.sample): i.value - weight * lengths[i.family, i.item, i.sample]
        for i in side.items.get(passed, [])
    }
