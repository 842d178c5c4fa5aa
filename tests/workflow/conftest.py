"""The tiny flow, grown once."""

from __future__ import annotations

import pytest

from real_repository import Real, fresh
from regrow.engine import files


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Real:
    """The tiny flow, grown once for all workers, committed and pushed to a folder beside it.

    Not to be changed. Every step sees only what its key counts while it grows (docs/reference/keys.md).
    """
    base = tmp_path_factory.getbasetemp()
    place = (base if worker_id == "master" else base.parent) / "real"
    with files.locked(place / "lock", "another worker grows the tree: waiting"):
        if (place / "grown").exists():
            repository = Real(place / "repository", place / "repository/src")
            repository.outcomes()
            return repository
        repository = fresh(place / "repository")
        repository.build(REGROW_HERMETIC="1")
        repository.commit("published")
        repository.dvc("remote", "add", "--local", "-d", "store", str(place / "remote"))
        repository.dvc("push", "-q")
        (repository.path / ".dvc/config.local").unlink()
        (place / "grown").touch()
    return repository
