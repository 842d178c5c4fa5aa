"""How much a few words say: whether they can be looked for anywhere, or only where they stand alone.

*What is this about?* is in thousands of pages that never saw an evaluation; *Sort 45, 64.* is in none.
So words are weighed: 1 for a common word, a single letter or a character of a script without
spaces, 3 for a number, 2 for any other word. The measure looks at the item alone, not at how often
the corpus holds it: a leak that comes a hundred times must not pass as common.
"""

from __future__ import annotations

from collections.abc import Iterable

ANYWHERE = 6
"""weight from which on words are looked for anywhere in a text, if there are three of them at least"""
ALONE = 3
"""weight from which on words are looked for as a line or sentence of their own; below: as a whole text"""
LEAST = 3
"""words that are looked for anywhere"""

_TEXT = """
a about above after again all also always am an and another any are aren't around as ask at away back
be because been before best better between big both but by call came can can't could day did didn't do
does doesn't don't done down each else end even ever every example few find first following for from
get give go good got had has have he help her here him his how i i'd i'll i'm i've if in into is isn't
it it's its just keep kind know last less let like little long look made make many may me mean more most
much must my name need never new next no not now of off often old on once one only or other our out over
own part people please point put question read right said same say see set she should show side so some
something start still such sure take tell than thank thanks that that's the their them then there these
they thing things think this those through time to too true try turn two under until up upon us use used
using very want was way we well were what what's when where which while who whose why will with within
without won't word words work would write yes yet you you'll you're you've your
"""
COMMON = frozenset(_TEXT.split())


def weight(tokens: Iterable[str]) -> int:
    """The weight of folded words."""
    return sum(map(_of, tokens))


def tells(word: str) -> bool:
    """Whether a folded word is neither common nor a number nor a single letter."""
    return not (len(word) == 1 or word.isdecimal() or word in COMMON)


def _of(word: str) -> int:
    return 3 if word.isdecimal() else 1 + tells(word)
