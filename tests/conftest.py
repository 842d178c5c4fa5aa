"""The order of the suite."""

from __future__ import annotations

import pytest

FIRST, BESIDE = "test_fates.py", "test_behaviour.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs of the whole workflow first: so that no worker is left alone with a long one at the end.

    The second module is another: while the first grows the tree that all these need, there is work to do.
    """
    items.sort(
        key=lambda item: (
            item.path.name != FIRST,
            item.path.name != BESIDE,
            item.get_closest_marker("workflow") is None,
        )
    )
