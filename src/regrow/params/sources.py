"""Where documents come from, and how the crawler behaves."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from regrow.params.base import Block


class Crawl(Block):
    """The polite crawl. In the demo it visits a site that the step itself serves on loopback."""

    live: bool = False
    """visit the real web: the manifest's hosts without an archive. Its WARC files are then the
    frozen source of what follows, as no second crawl gives the same bytes"""
    hosts: list[str] = Field(
        default=[], description="hosts to visit; empty: every host of the sources manifest"
    )
    user_agent: str = "regrow-crawler/0.1 (+https://example.org/regrow)"
    """sent with every request and matched against robots.txt"""
    obey_robots: bool = True
    """obey robots.txt (RFC 9309), Crawl-delay included"""
    max_delay_seconds: float = Field(default=30.0, ge=0)
    """a host whose robots.txt asks for a longer Crawl-delay (or Request-rate) is not visited; its
    addresses are rows with that reason"""
    requests_per_second: float = Field(default=400.0, gt=0, le=10_000)
    """ceiling per host; a live web wants 1 or less"""
    max_pages: int = Field(default=5_000, ge=1)
    """page addresses asked for per host, whatever comes of them; then the crawl of that host stops"""
    max_depth: int = Field(default=8, ge=0)
    """links from a start page"""
    max_bytes: int = Field(default=8_000_000, ge=1_000)
    """larger bodies are cut off and counted (`too_large`), bytes"""
    max_redirects: int = Field(default=5, ge=0, le=20)
    retries: int = Field(default=3, ge=0, le=10)
    """after 429, 5xx or a broken connection"""
    backoff_seconds: float = Field(default=0.02, ge=0)
    """first wait; it doubles with each retry and yields to Retry-After"""
    timeout_seconds: float = Field(default=20.0, gt=0)
    """for one whole answer, headers and body"""
    content_types: list[str] = [
        "text/html",
        "application/xhtml+xml",
        "text/plain",
        "application/pdf",
    ]
    """anything else is recorded and skipped"""
    warc_date: str = "2026-11-24T00:00:00Z"
    """WARC-Date of a crawl of frozen sources (a live crawl writes the time of the request)"""


class Text(Block):
    """WARC to text."""

    html_extractor: Literal["resiliparse", "trafilatura"] = "resiliparse"
    max_html_bytes: int = Field(default=8_000_000, ge=1_000)
    max_line_characters: int = Field(default=1_000_000, ge=1_000)
    """a page with a longer line is dropped (`line_too_long`)"""
    max_invalid: float = Field(default=0.01, ge=0, le=1)
    """share of characters that may be invalid in a page's charset; those are removed"""
    pdf_max_pages: int = Field(default=400, ge=1)
    min_characters: int = Field(default=1, ge=0)
    """shorter texts are dropped (`empty`)"""
