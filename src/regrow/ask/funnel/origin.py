"""Which source a document is of, where its row does not say: by its id, else by the step that read it, else by its
address (`source://NAME/...`, or one that the manifest names)."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import polars as pl

from regrow.ask.funnel.steps import DROPS
from regrow.data.crawl import manifest
from regrow.data.sources.item import SCHEME
from regrow.evidence.errors import Unanswerable
from regrow.evidence.outputs import Outputs
from regrow.evidence.sources import MANIFEST
from regrow.release.composition import UNKNOWN

READ = "read_"
"""beginning of the name of the step that reads a source of the recipe, before `text` gathers all of them"""
CRAWLED = f"{READ}crawl"
"""the one whose documents are of several sources: those of the manifest"""


class Origins:
    """Sources by address, as the manifest of a tree says; each address is looked up once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, str] = {}

    @cached_property
    def _manifest(self) -> manifest.Manifest | None:
        path = self.root / MANIFEST
        try:
            return manifest.load(path) if path.is_file() else None
        except manifest.ManifestError as error:
            raise Unanswerable(f"{error}. Restore it with `git checkout -- {MANIFEST}`.") from None

    def of(self, url: str | None) -> str:
        """The source of an address, "unknown" where the manifest does not name it.

        Raises:
            Unanswerable: the manifest cannot be read.
        """
        if not url:
            return UNKNOWN
        if url.startswith(SCHEME):
            return url.removeprefix(SCHEME).partition("/")[0] or UNKNOWN
        if url not in self._known:
            part = self._manifest.part(url) if self._manifest else None
            self._known[url] = part.source if part else UNKNOWN
        return self._known[url]

    def read(self, outputs: Outputs) -> pl.DataFrame:
        """The drops of the steps that read one source each, as (id, source); of those that are on disk."""
        found = [pl.DataFrame(schema={"id": pl.String, "source": pl.String})]
        for record in outputs.ledger.records:
            if record.step.startswith(READ) and record.step != CRAWLED:
                table = outputs.table(record.name, DROPS)
                if table is not None:
                    name = pl.lit(record.step.removeprefix(READ)).alias("source")
                    found.append(table.select("id", name).collect())
        return pl.concat(found)

    def filled(self, rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
        """`rows` with their `source`: the one that a row says, else that of its id in `known` (id, source), else that of
        its `url`."""
        if "source" not in rows.columns:
            rows = rows.with_columns(source=pl.lit(None, pl.String))
        if "url" not in rows.columns:
            rows = rows.with_columns(url=pl.lit(None, pl.String))
        by_id = known.select("id", known_source="source").unique("id", keep="first")
        rows = rows.join(by_id, on="id", how="left", maintain_order="left")
        rows = rows.with_columns(source=pl.coalesce("source", "known_source")).drop("known_source")
        lost = rows.filter(pl.col("source").is_null())["url"].unique().to_list()
        places = {url: self.of(url) for url in lost if url}
        by_url = pl.col("url").replace_strict(places, default=UNKNOWN, return_dtype=pl.String)
        return rows.with_columns(source=pl.col("source").fill_null(by_url))
