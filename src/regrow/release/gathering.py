"""Where the text of a run came from, by the record of its crawl: pages fetched, archives copied, robots.

Nothing is said of a crawler that fetched nothing; what other crawlers did is in no record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regrow.release import corpora
from regrow.release.composition import Source
from regrow.release.records import Artifact
from regrow.release.sentence import Sentence, get, plural, whole

FOREIGN = "foreign-"
"""WARC files of other crawlers, in the crawl's output"""
_WARC = (".warc.gz", ".warc")


@dataclass(frozen=True)
class Gathered:
    """What a crawl's record says."""

    record: Artifact

    @property
    def live(self) -> bool:
        """Whether it visited the Internet."""
        return get(self.record.params, "crawl.live") is True

    @property
    def obeys(self) -> bool | None:
        """Whether it was to obey robots.txt; None: not recorded."""
        found = get(self.record.params, "crawl.obey_robots")
        return found if isinstance(found, bool) else None

    @property
    def fetches(self) -> int | None:
        """Addresses that it came to."""
        return whole(self.record.counts.get("fetches"))

    @property
    def pages(self) -> int | None:
        """Pages that it kept."""
        return whole(self.record.counts.get("pages"))

    def outcome(self, name: str) -> int:
        """Addresses with an outcome."""
        return whole(get(self.record.counts, f"outcomes.{name}")) or 0

    @property
    def own(self) -> list[str]:
        """WARC files that it wrote itself, one per host."""
        return [name for name in self._warcs if not name.startswith(FOREIGN)]

    @property
    def foreign(self) -> list[str]:
        """WARC files of other crawlers that it copied."""
        return [name for name in self._warcs if name.startswith(FOREIGN)]

    @property
    def _warcs(self) -> list[str]:
        return sorted(name for name in self.record.files if name.endswith(_WARC))

    def reads(self, source: Source) -> bool:
        """Whether pages of a source's hosts can have been read: crawled, or in an archive of others."""
        hosts = {place.partition("/")[0] for place in source.places}
        return self._crawled(hosts) or any(map(self._copied, source.archives))

    def holds(self, path: str, hosts: Sequence[str]) -> bool:
        """Whether a source file was read: the archive of hosts that were crawled, or one that was copied."""
        return self._copied(path) if path.endswith(_WARC) else self._crawled(set(hosts))

    def _crawled(self, hosts: set[str]) -> bool:
        crawled = {name.removesuffix(".gz").removesuffix(".warc") for name in self.own}
        return bool({host.replace(":", "_") for host in hosts} & crawled)

    def _copied(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return any(known.removeprefix(FOREIGN).endswith(name) for known in self.foreign)


def told(record: Artifact | None, text: Artifact | None = None) -> list[Sentence]:
    """Sentences on how the text was gathered: by the record of the crawl, and by that of the step `text`."""
    stated = corpora.told(text)
    if record is not None and record.counts:
        return [*stated, *_fetched(Gathered(record)), *_copied(Gathered(record))]
    return stated or [Sentence("How the text was gathered is not on record.", ("crawl",))]


def _fetched(found: Gathered) -> list[Sentence]:
    fetches, pages = found.fetches, found.pages
    if fetches is None:
        return [Sentence("How many addresses were fetched is not recorded.", ("crawl/counts",))]
    if not fetches:
        return [
            Sentence(
                "The run's own crawler fetched nothing: 0 addresses.", ("crawl/counts.fetches",)
            )
        ]
    where = (
        "on the Internet"
        if found.live
        else "that the run itself served from archives of its sources"
    )
    by = ("crawl/counts.fetches", "crawl/counts.pages", "crawl/params.crawl.live")
    text = (
        f"The run's crawler came to {plural(fetches, 'address', 'addresses')} {where} and kept "
        f"{plural(pages or 0, 'page')}."
    )
    return [Sentence(text, by), *robots(found)]


def robots(found: Gathered) -> list[Sentence]:
    """What the fetches show of robots.txt, and the name that the crawler gave."""
    rules, left = found.outcome("robots_txt"), found.outcome("robots")
    setting = "crawl/params.crawl.obey_robots"
    by = (setting, "crawl/counts.outcomes")
    if found.obeys is None:
        said = [Sentence("Whether robots.txt was obeyed is not recorded.", (setting,))]
    elif not found.obeys:
        said = [Sentence("The crawler did **not** obey robots.txt.", (setting,))]
    elif not rules and not left:
        said = [
            Sentence(
                "The crawler was set to obey robots.txt, but no fetch of one is on record.", by
            )
        ]
    else:
        said = [
            Sentence(
                f"The crawler was set to obey robots.txt: it fetched {plural(rules, 'such file')} and left "
                f"{plural(left, 'address', 'addresses')} alone because of them.",
                by,
            )
        ]
    agent = get(found.record.params, "crawl.user_agent")
    if agent:
        said.append(Sentence(f"It called itself {agent}.", ("crawl/params.crawl.user_agent",)))
    return said


def _copied(found: Gathered) -> list[Sentence]:
    names: Sequence[str] = found.foreign
    count = whole(found.record.counts.get("foreign"))
    if not names and not count:
        return []
    listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    number = count if count is not None else len(names)
    verb = "was" if number == 1 else "were"
    text = (
        f"{plural(number, 'WARC file')} from elsewhere {verb} read{f' ({listed})' if listed else ''}; whether the crawlers that "
        "wrote them obeyed robots.txt is not on record."
    )
    return [Sentence(text, ("crawl/counts.foreign", "crawl/output.files"))]
