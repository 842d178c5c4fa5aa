"""Planning a sharded flow takes time in proportion to its jobs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import plan_scale

COUNT = """\
import json
from pathlib import Path
from regrow.engine.present import Present
from regrow.engine.records import Book
from regrow.engine.plan import plan

calls = 0
record = Book.record

def counted(self, job):
    global calls
    calls += 1
    return record(self, job)

Book.record = counted
found = plan(Present(Path.cwd(), "params/demo.yaml"))
print(json.dumps({"calls": calls, "summary": found["summary"]}))
"""


@pytest.mark.parametrize("shards", [40, 160])
def test_each_record_is_looked_at_a_few_times(tmp_path: Path, shards: int) -> None:
    plan_scale.prepare(tmp_path, shards)
    plan_scale.call(tmp_path, sys.executable, "-c", plan_scale.BUILD)
    assert plan_scale.actions(tmp_path) == {"current": shards + 42}
    params = tmp_path / "params/demo.yaml"
    params.write_text(params.read_text() + "clean: {lower: false}\n")
    _, text = plan_scale.call(tmp_path, sys.executable, "-c", COUNT)
    found = json.loads(text)
    assert found["summary"]["run"] == shards and found["summary"]["follow"] == 41
    assert found["calls"] < 10 * (shards + 42)
