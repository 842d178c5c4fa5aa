"""The order of the suite, and the finished flow that questions of all houses are asked about."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from regrow.evidence.ledger import Ledger

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


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """No packed bytes in the name of a test: gzip writes the time into them.

    Two workers that collect within one second of each other would name such a test alike, others
    would not, and pytest-xdist then refuses to run.
    """
    packed = isinstance(val, bytes) and not val.decode("latin-1").isprintable()
    return argname if packed else None


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished flow; tests only read it."""
    from small_tree import write_tree  # loads polars, which most modules do not need

    return write_tree(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def tree(finished: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(finished, tmp_path / "tree"))


@pytest.fixture
def ledger(finished: Path) -> Ledger:
    """Its records."""
    from regrow.evidence.ledger import Ledger

    return Ledger.load(finished)
