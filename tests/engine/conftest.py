"""One toy repository, built once per worker; tests get copies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from small_repository import Repository, served


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Built, committed, pushed to a folder `remote` beside it. Not to be changed."""
    path = tmp_path_factory.mktemp("toy")
    repository = Repository.toy(path / "repository")
    repository.build()
    repository.commit("published")
    repository.dvc("remote", "add", "--local", "-d", "store", str(path / "remote"))
    repository.dvc("push", "-q")
    (repository.path / ".dvc/config.local").unlink()
    return repository


@pytest.fixture
def repository(built: Repository, tmp_path: Path) -> Repository:
    """A copy of the built toy."""
    return built.copy(tmp_path / "repository")


@pytest.fixture(scope="session")
def address(built: Repository) -> Iterator[str]:
    """The remote, over HTTP."""
    with served(built.path.parent / "remote") as url:
        yield url


@pytest.fixture
def clone(built: Repository, tmp_path: Path) -> Repository:
    """A fresh clone: records, no data."""
    return built.clone(tmp_path / "clone")
