"""Names of HTML elements by what they do to the tree while it is built (HTML standard, section 13.2.6)."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FORMATTING = _words("a b big code em font i nobr s small strike strong tt u")
BLOCK = _words(
    "div section article main aside header footer nav form fieldset figure figcaption center ul ol dl menu dir hgroup"
    " blockquote address details summary pre listing search dialog object marquee applet button template table"
    " select svg math"
)
"""elements that stay open until their end tag"""
BOUNDARY = BLOCK | _words(
    "p li dt dd h1 h2 h3 h4 h5 h6 td th tr tbody thead tfoot caption body html hr option optgroup rp rt rb rtc"
)
"""elements whose begin or end closes formatting elements that are opened again behind it"""
INLINE_FREE = _words(
    "head frameset noscript area base br col embed hr img input link meta param source track wbr"
) | (BOUNDARY - BLOCK)
"""elements that hold no others, or that the next one of their kind closes: no nests are made of them"""
