"""A mark for tests that need Landlock (landlock(7))."""

from __future__ import annotations

import pytest

from regrow.learn.verifiers.sandbox import landlock


def _lacking() -> bool:
    try:
        return landlock.version() < 1
    except OSError:
        return True


LANDLOCKED = pytest.mark.skipif(_lacking(), reason="no Landlock here: native code is not shut in")
