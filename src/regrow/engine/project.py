"""Which table of steps a repository runs: `table` under `[tool.regrow]` in its pyproject.toml.

A repository that names none runs the flow of the language model (`regrow.engine.jobs.TABLE`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from regrow.engine import variables
from regrow.engine.errors import FlowError
from regrow.engine.jobs import TABLE_VARIABLE

_FILE = "pyproject.toml"


def enter(root: Path) -> None:
    """Make the repository's table, and the code in its `src/`, those of this process and its children.

    An environment that names a table already (REGROW_TABLE) is left as it is.

    Raises:
        FlowError: pyproject.toml cannot be read, or `table` is no module name.
    """
    if os.environ.get(TABLE_VARIABLE):
        return
    table = table_of(root)
    if table is None:
        return
    source = root / "src"
    variables.put_first("PYTHONPATH", source)
    os.environ[TABLE_VARIABLE] = table
    if str(source) not in sys.path:
        sys.path.insert(0, str(source))


def table_of(root: Path) -> str | None:
    """The module that pyproject.toml names, None where it names none. Raises FlowError, see `enter`."""
    path = root / _FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise FlowError(f"{path}: cannot be read: {error}") from None
    if "tool.regrow" not in text:  # parsing costs more than looking
        return None
    import tomllib

    try:
        table = tomllib.loads(text).get("tool", {}).get("regrow", {}).get("table")
    except tomllib.TOMLDecodeError as error:
        raise FlowError(f"{path}: not TOML: {error}") from None
    if table is None:
        return None
    if not isinstance(table, str) or not all(part.isidentifier() for part in table.split(".")):
        raise FlowError(
            f'{path}: tool.regrow.table must name a module below src/, such as "package.table"; got {table!r}.'
        )
    return table
