"""One corpus, one uninterrupted run and one set of later stages' data for all training tests."""

from __future__ import annotations

from pathlib import Path

import pytest

import small_stages
from small_run import grow, small, write_pack


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="session")
def grown(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run: a folder with checkpoints 000000, 000020, 000040."""
    root = tmp_path_factory.mktemp("grown")
    grow(pack, root, small(), 40)
    return root


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base and the data of every stage after pretraining."""
    return small_stages.world(tmp_path_factory.mktemp("world"))
