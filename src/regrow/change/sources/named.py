"""The sources of a recipe, and the frozen lists beside it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regrow.data.sources import frozen
from regrow.data.sources.frozen import Frozen
from regrow.evidence.errors import Unanswerable
from regrow.params import addresses, schema
from regrow.params.source import Source


def sources(root: Path, recipe: str, names: Sequence[str] = ()) -> list[Source]:
    """The sources that a recipe names; of those only the named ones.

    Raises:
        ParamsError: the recipe cannot be read.
        Unanswerable: it has no source of that name.
    """
    path = Path(recipe)
    found = list(schema.load(path if path.is_absolute() or path.exists() else root / path).sources)
    known = [source.name for source in found]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"It has: {', '.join(known) or 'none'}."  # fmt: skip
            raise Unanswerable(f"{recipe}: sources: no source is called `{name}`. {hint}")
    return [source for source in found if not names or source.name in names]


def is_frozen(source: Source) -> bool:
    """Whether a source is read from a frozen list."""
    return addresses.frozen(as_json(source))


def asked(source: Source) -> list[str]:
    """What its frozen list must hold."""
    return addresses.asked(as_json(source))


def list_of(root: Path, source: Source) -> Frozen | None:
    """The frozen list of a source, None where there is none yet. Raises FrozenError."""
    path = root / addresses.list_path(source.name)
    return frozen.load(path) if path.exists() else None


def fits(source: Source, found: Frozen) -> bool:
    """Whether a frozen list is of what the recipe asks for now."""
    return found.is_of(as_json(source))


def as_json(source: Source) -> dict[str, Any]:
    """The fields of a source."""
    return source.model_dump(mode="json")
