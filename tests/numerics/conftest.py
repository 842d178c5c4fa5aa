"""The kernels under test: those that this machine runs, and the AVX-512 tiles in AVX2 instructions."""

from __future__ import annotations

import pytest

from kernel_builds import builds
from regrow.numerics import library


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, library.Kernels]:
    """See kernel_builds."""
    return builds(tmp_path_factory.mktemp("wide"))
