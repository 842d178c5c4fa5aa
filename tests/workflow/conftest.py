"""The tiny flow, grown once."""

from __future__ import annotations

import pytest

from real_repository import Real
from tiny_flow import tiny_flow


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Real:
    """See tiny_flow. Not to be changed."""
    return tiny_flow(tmp_path_factory, worker_id)
