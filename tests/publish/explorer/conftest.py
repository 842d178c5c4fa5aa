from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from regrow.data.tables import parquet as tables
from regrow.evidence.ledger import Ledger
from regrow.publish.explorer.page import page
from small_tree import ID, republish

HOSTILE = {
    "joins": ("</script><script>document.title='owned'</script>", "javascript:alert(1)//joins"),
    "indexes": (
        "\"'><img src=x onerror=document.title='owned'>",
        "https://a.example/?q=<b>&amp;\"'",
    ),
    "queries": ("abc\u202egpj.exe\u2066\u0000\u001b[31m\u2028end", "https://a.example/\u202emoc"),
    "views": ("<!--<script>&lt;/script&gt;", "https://a.example/#</template><h1>owned"),
}
"""document -> title, url"""


@pytest.fixture(scope="session")
def hostile(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flow whose documents try to break out of the page."""
    root = Path(shutil.copytree(finished, tmp_path_factory.mktemp("hostile") / "tree"))
    titles = {ID[name]: title for name, (title, _) in HOSTILE.items()}
    urls = {ID[name]: url for name, (_, url) in HOSTILE.items()}
    for file in ("text/documents", "filter/documents", "dedup/documents", "decontaminate/train"):
        path = root / f"data/{file}.parquet"
        frame = pl.read_parquet(path)
        changed = frame.with_columns(
            pl.col("id").replace_strict(titles, default=pl.col("title")).alias("title"),
            pl.col("id").replace_strict(urls, default=pl.col("url")).alias("url"),
        )
        tables.write(changed, path)
        republish(root, file.partition("/")[0])
    return root


@pytest.fixture(scope="session")
def explorer(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its page."""
    path = tmp_path_factory.mktemp("page") / "lineage.html"
    path.write_bytes(page(Ledger.load(hostile)).encode())
    return path
