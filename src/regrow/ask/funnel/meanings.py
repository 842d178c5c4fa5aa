"""What the reason of a drop means, by the step that says it: the crawl's outcomes are words of their own."""

from __future__ import annotations

from regrow.evidence.reasons import explained

CRAWLED = {
    "http_error": "the server answered with an error",
    "max_depth": "more links from a start page than the limit",
    "noindex": "the page asks not to be indexed",
    "redirect": "an address that leads to another",
    "redirect_limit": "too many redirects in a row",
    "redirect_loop": "redirects that lead back",
    "robots": "robots.txt does not allow it",
    "robots_txt": "a robots.txt, not a page",
    "sitemap": "a sitemap, not a page",
    "too_large": "more bytes than the limit",
    "wrong_type": "a type that crawl.content_types does not name",
}
"""outcome of a crawl -> what it means"""


def meaning(reason: str, step: str) -> str:
    """What a reason means at a step; "" for one that is not known."""
    return CRAWLED.get(reason, "") if step == "crawl" else explained(reason)
