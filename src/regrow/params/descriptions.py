"""The descriptions of fields, read from the docstrings below them when somebody asks for the schema.

Pydantic can do so itself (`use_attribute_docstrings`), but then reads the source of every model at every start of
every job: a tenth of the time that they take to load.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable

from pydantic import BaseModel


def fill(models: Iterable[type[BaseModel]]) -> None:
    """Give every field of the models that has no description the docstring below it, or below the field that it restates.

    `models`: each before those that hold it, since a model is built with what its fields say then.
    """
    found = list(models)
    for model in found:
        above = [
            one for one in model.__mro__ if issubclass(one, BaseModel) and one is not BaseModel
        ]
        for name, text in ((n, t) for one in above for n, t in _docstrings(one).items()):
            field = model.model_fields.get(name)
            if field is not None and field.description is None:
                field.description = text
    for model in found:
        model.model_rebuild(force=True)


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Field -> the string that stands below it in the class."""
    try:
        source = inspect.getsource(model)
    except (OSError, TypeError):  # made by `create_model`
        return {}
    [body] = ast.parse(textwrap.dedent(source)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[field.target.id] = inspect.cleandoc(str(below.value.value))
    return found
