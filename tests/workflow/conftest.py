"""The tiny flow, grown once per worker."""

from __future__ import annotations

import pytest

from real_repository import Real, fresh


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The tiny flow, grown once, committed and pushed to a folder beside it. Not to be changed.

    Every step sees only what its key counts while it grows (docs/keys.md).
    """
    place = tmp_path_factory.mktemp("real")
    repository = fresh(place / "repository")
    repository.build(REGROW_HERMETIC="1")
    repository.commit("published")
    repository.dvc("remote", "add", "--local", "-d", "store", str(place / "remote"))
    repository.dvc("push", "-q")
    (repository.path / ".dvc/config.local").unlink()
    return repository
