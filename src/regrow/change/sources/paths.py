"""What a list of paths names, as a recipe chooses among it: Common Crawl's `warc.paths.gz` and `wet.paths.gz`.

A line is a path below a prefix (https://data.commoncrawl.org/): `crawl-data/<crawl>/segments/<segment>/warc/<file>`.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from regrow.data.sources import naming, shelf
from regrow.data.sources.download import Web
from regrow.data.sources.frozen import Entry
from regrow.data.sources.opening import BrokenError, chunks
from regrow.data.sources.trouble import FetchError
from regrow.params import addresses
from regrow.params import source as said

MOST_BYTES = 1 << 28
"""of a list, unpacked; one of 100,000 archives has 14 MB"""


def chosen(paths: said.Paths, scratch: Path, web: Web) -> tuple[Entry, list[str]]:
    """Fetch a list of paths; returns it as an entry of a frozen list, and the addresses that are chosen, in its order.

    Raises:
        FetchError: it cannot be had, is not a list of paths, or none of them is chosen.
    """
    with TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / naming.of_address(paths.list).rpartition("/")[2]
        etag = web.fetch(paths.list, path)
        size, sha256 = path.stat().st_size, shelf.sha256_of(path)
        lines = _lines(paths.list, path)
    prefix = addresses.prefix(paths.model_dump())
    found = [line for line in lines if _within(line, paths.segments)][paths.first :: paths.every]
    if not found:
        raise FetchError(
            f"{paths.list}: none of its {len(lines):,} paths is chosen. Fix: `segments`, `every` and `first` of "
            "`paths`."
        )
    made = [prefix + line for line in found]
    for address in made:
        try:
            addresses.check(address)
        except addresses.AddressError as error:
            raise FetchError(f"{paths.list}: is not a list of paths: {error}") from None
    if twice := addresses.repeated(made):
        raise FetchError(f"{paths.list}: names `{twice}` twice. Fix: another list.")
    name = naming.of_address(paths.list)
    return Entry(paths.list, name, size, sha256, etag), made


def _within(path: str, segments: tuple[str, ...]) -> bool:
    return not segments or not set(segments).isdisjoint(path.split("/")[:-1])


def _lines(address: str, path: Path) -> list[str]:
    whole = bytearray()
    try:
        for piece in chunks(path):
            whole += piece
            if len(whole) > MOST_BYTES:
                raise FetchError(f"{address}: has more than {MOST_BYTES:,} bytes. Fix: a list of paths.")  # fmt: skip
        lines = [line.strip() for line in whole.decode("ascii").splitlines()]
    except (BrokenError, UnicodeDecodeError) as error:
        why = error.detail if isinstance(error, BrokenError) else "has bytes beyond ASCII"
        raise FetchError(f"{address}: is not a list of paths: {why}. Fix: its address.") from None
    return [line for line in lines if line]
