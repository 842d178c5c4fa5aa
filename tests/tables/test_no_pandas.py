"""Steps that stream tables load no pandas: pyarrow looks for it where it is installed, and no key of theirs counts it."""

from __future__ import annotations

from pathlib import Path

from determinism import run_python

CODE = """
import sys
from pathlib import Path
from regrow.data.dedup import decontaminate, signatures, step
from regrow.data.mix import classify
from regrow.data.tables import passes, stream
from regrow.params.schema import check
import polars as pl
params = check({"stages": ["pretrain"]}, "x")
stream.SMALL = 500
rows = [{"id": f"{n:03d}", "url": f"http://a/{n}", "source": "a", "text": f"word{n} " * 40} for n in range(60)]
schema = {name: pl.String for name in rows[0]}
place = Path(sys.argv[1]) / "filter"
with stream.Writer(place / "documents.parquet", schema) as writer:
    for row in rows:
        writer.add(row)
step.run({"filter": place}, params, Path(sys.argv[1]) / "dedup")
list(passes.heads(place / "documents.parquet", ["id"], "text"))
list(passes.picked(place / "documents.parquet", ["url"], lambda at, row: at % 2 == 0, ["id"]))
assert "pandas" not in sys.modules
"""


def test_streamed_tables_load_no_pandas(tmp_path: Path) -> None:
    done = run_python(CODE, str(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
