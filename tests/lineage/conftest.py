from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from regrow.lineage.ledger import Ledger
from small_tree import write_tree


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished flow; tests only read it."""
    return write_tree(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def tree(finished: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(finished, tmp_path / "tree"))


@pytest.fixture
def ledger(finished: Path) -> Ledger:
    return Ledger.load(finished)
