"""The order of the suite."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs of the whole workflow first: so that no worker is left alone with a long one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("workflow") is None)
