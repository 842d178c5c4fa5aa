"""Reading the entries of `sources`, `stages` and `datasets`: a name, or one name with a mapping; and saying what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from regrow.params.names import RENAMED
from regrow.params.source import Source
from regrow.params.stages import Dataset, Stage


class RecipeError(ValueError):
    """A recipe that cannot be followed; the message names the entry and the fix."""


def listed(raw: Any, part: str) -> list[tuple[str, dict[str, Any]]]:
    """(name, what it says) of each entry of a list. `part`: the field, for the message. Raises RecipeError."""
    if not isinstance(raw, list | tuple):
        raise RecipeError(f"must be a list, got {raw!r}. Fix: `{part}: [...]`.")
    found: list[tuple[str, dict[str, Any]]] = []
    for item in raw:
        if isinstance(item, Stage | Dataset | Source):
            item = item.model_dump()
        if isinstance(item, str):
            found.append((item, {}))
        elif isinstance(item, dict) and "name" in item:
            found.append((str(item["name"]), {k: v for k, v in item.items() if k != "name"}))
        elif isinstance(item, dict) and len(item) == 1:
            [(name, said)] = item.items()
            if said is not None and not isinstance(said, dict):
                raise RecipeError(
                    f"`{name}` must be followed by a mapping, got {said!r}. Fix: `- {name}`, or "
                    f"`- {name}: {{kind: ...}}`."
                )
            found.append((str(name), dict(said or {})))
        else:
            raise RecipeError(f"an entry is a name, or one name with a mapping; got {item!r}.")
    return found


def checked(model: Any, name: str, values: dict[str, Any]) -> Any:
    """The entry as its model. Raises RecipeError, which names the field and the value."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RecipeError(explained(model, name, error.errors()[0])) from None


def explained(model: Any, name: str, item: Any) -> str:
    """One error of pydantic as a sentence about an entry."""
    where = ".".join(str(part) for part in (name, *item["loc"]))
    if item["type"] == "extra_forbidden":
        return (
            f"{where}: unknown key. {nearest(str(item['loc'][-1]), [*model.model_fields], 'Known')}"
        )
    if item["loc"] == ("name",):
        return f"`{name}` is no name of a stage: small letters, digits and `_`, a letter first."
    old = RENAMED.get(str(item.get("input")))
    now = f" It is `{old}` now." if old else ""
    return f"{where}: {item['msg']}, got {item.get('input')!r}.{now}"


def nearest(word: str, known: Sequence[str], title: str = "There are") -> str:
    """What a misspelt word may have meant, else all that there is."""
    if word in RENAMED:
        return f"It is `{RENAMED[word]}` now."
    close = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean `{close[0]}`?" if close else f"{title}: {', '.join(known) or 'none'}."
