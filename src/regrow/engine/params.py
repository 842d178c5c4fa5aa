"""Loading a params file for tables that bring only a pydantic model of it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from regrow.engine.errors import FlowError


class ParamsError(FlowError):
    """A params file that cannot be used; the message names file, field and value."""

    status = 2


def load(path: Path, model: str) -> Any:
    """Read a YAML file and check it.

    Args:
        path: the file.
        model: `module:class` of a pydantic model.

    Raises:
        ParamsError: missing, not YAML, or refused by the model.
    """
    import yaml
    from pydantic import ValidationError

    from regrow import yaml12

    module, _, name = model.partition(":")
    try:
        raw = yaml12.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        have = ", ".join(sorted(p.name for p in path.parent.glob("*.yaml"))) or "none"
        raise ParamsError(
            f"{path}: no such file. Params files in {path.parent}/: {have}."
        ) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ParamsError(f"{path}: cannot be read as YAML: {error}") from None
    try:
        return getattr(importlib.import_module(module), name).model_validate(raw or {})
    except ValidationError as error:
        raise ParamsError("\n".join(f"{path}: {_said(item)}" for item in error.errors())) from None


def _said(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"]) or "(top level)"
    return f"{where}: {item['msg']}, got {json.dumps(item.get('input'), default=str)}."
