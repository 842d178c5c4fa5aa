"""What counts as an artifact that is simply not here."""

from __future__ import annotations

import pytest

from regrow.engine.verify import Result


@pytest.mark.parametrize(
    ("found", "absent"),
    [
        ({"missing": ["weights", "config"]}, True),
        # Another artifact's equal file lies in the cache: still not here.
        ({"missing": ["weights"], "present": 1, "cached": 1}, True),
        ({"missing": ["weights"], "present": 1}, False),
        ({"differing": ["weights"], "present": 1, "cached": 1}, False),
        ({"missing": ["weights"], "extra": ["stray"]}, False),
        ({"present": 2, "cached": 2}, False),
    ],
)
def test_absent(found: dict[str, object], absent: bool):
    assert Result("sft_seed1.000420", "data/sft_seed1/000420", "0" * 64, **found).absent is absent
