"""The whole of a params file, and loading one with errors that name file, field, value and fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import (
    BaseModel,
    Field,
    SerializeAsAny,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from regrow.params import corpora, descriptions, joined, points, recipe
from regrow.params.entries import nearest
from regrow.params.evaluate import Evaluate, Release
from regrow.params.fork import Fork
from regrow.params.names import CUT_STEPS, SEARCH_STEPS
from regrow.params.registry import KINDS, with_sections
from regrow.params.search import Search
from regrow.params.sections import Sections
from regrow.params.source import Source
from regrow.params.stages import Dataset, Stage
from regrow.params.takedown import Takedown

if TYPE_CHECKING:
    _Sections = Sections
else:
    _Sections = with_sections(Sections)


class Params(_Sections):
    """A run of the flow: its recipe, and the settings of each step in the order of the flow."""

    sources: tuple[Source, ...] = ()
    """corpora that pretraining begins from, with licence and origin (docs/guides/corpus.md); default: `crawl`, what
    sources/manifest.yaml names"""
    parts: int = Field(default=1, ge=1, le=10_000)
    """jobs that look for overlaps (decontaminate), score (classify) and tokenise (pack), each a range of the documents;
    decides no byte (docs/guides/corpus.md). 1: each of these steps is one job"""
    stages: tuple[SerializeAsAny[Stage], ...] = ()
    """the training stages in their order: names, or names with what they say (docs/guides/recipe.md); default:
    the recipe after Olmo 3"""
    datasets: tuple[Dataset, ...] = ()
    """data sets of training beside the built-in ones"""
    evaluate: Evaluate = Evaluate()
    release: Release = Release()
    search: Search | None = None
    fork: Fork | None = None
    takedown: Takedown | None = None

    @model_validator(mode="before")
    @classmethod
    def _recipe(cls, raw: Any) -> Any:
        """The entries of the recipe with what they leave out."""
        if not isinstance(raw, dict):
            return raw
        try:
            part = "sources"
            sources = corpora.corpora(raw.get("sources") or ())
            part = "stages"
            given, meant = joined.described(raw.get("stages", recipe.DEFAULT))
            part = "datasets"
            own = raw.get("datasets") or ()
            datasets = recipe.datasets(
                [*own, *meant] if meant and isinstance(own, list | tuple) else own
            )
            part = "stages"
            sections: dict[str, Any] = {
                n: f.annotation for n, f in cls.model_fields.items() if _block(f.annotation)
            }
            stages = recipe.stages(given, datasets, sections)
            part = "sources"
            corpora.apart(sources, [*(s.name for s in stages), *(d.name for d in datasets)])
        except recipe.RecipeError as error:
            raise PydanticCustomError(
                "recipe", "{part}: {why}", {"part": part, "why": str(error)}
            ) from None
        return {**raw, "sources": sources, "stages": stages, "datasets": datasets}

    @model_validator(mode="after")
    def _checkpoints_are_there(self) -> Params:
        for stage in self.stages:
            if why := points.problem(self, stage):
                raise ValueError(why)
        if why := joined.problem(self):
            raise ValueError(why)
        return self

    @model_validator(mode="after")
    def _cut_beside_the_stages(self) -> Params:
        names = {*(s.name for s in self.stages), *(d.name for d in self.datasets)}
        if self.parts > 1 and (own := names & {*CUT_STEPS}):
            raise ValueError(
                f"parts: its step {min(own)} is called like a stage or data set. Fix: give that another name."
            )
        return self

    @model_validator(mode="after")
    def _searched_beside_the_stages(self) -> Params:
        if self.search is not None:
            names = [*(s.name for s in self.stages), *(d.name for d in self.datasets)]
            own = {*SEARCH_STEPS} & {*names}
            if own:
                raise ValueError(
                    f"search: its step {min(own)} is called like a stage or data set. Fix: give that another name."
                )
            if self.mix.shares:
                raise ValueError(
                    "search: the shares of `mix` are set already. Fix: search in the params file without them, and adopt "
                    "the shares in another one (`regrow mix --adopt`)."
                )
        return self

    @model_validator(mode="after")
    def _forked_where_there_is_a_checkpoint(self) -> Params:
        if self.fork is None:
            return self
        at = points.forkable(self)
        if self.fork.stage not in at:
            raise ValueError(
                f"fork.stage ({self.fork.stage}): no stage that can be forked; there are {list(at)}"
            )
        if self.fork.checkpoint not in (have := at[self.fork.stage]):
            raise ValueError(
                f"fork.checkpoint ({self.fork.checkpoint}) is no checkpoint of {self.fork.stage} that can "
                f"be forked: {have}"
            )
        enters = points.entering(self, self.fork.stage, self.fork.checkpoint)
        if self.fork.documents and "documents" not in enters:
            raise ValueError(
                f"no stage after {self.fork.stage} reads documents: fork an earlier checkpoint, or set documents: "
                "false and give chats"
            )
        if self.fork.chats and "chats" not in enters:
            raise ValueError(
                f"no stage after {self.fork.stage} reads conversations: set fork.chats: false"
            )
        return self

    @model_validator(mode="after")
    def _taken_down_where_there_is_a_stage(self) -> Params:
        if self.takedown is not None:
            named = [*(s.name for s in self.stages), "anneal"]
            for stage in self.takedown.first:
                if stage not in named:
                    raise ValueError(f"takedown.first: no stage `{stage}`; there are {named}")
        return self


class ParamsError(Exception):
    """A params file that cannot be used; the message names file, field, value and fix."""


def load(path: Path) -> Params:
    """Read and check a params file.

    Raises:
        ParamsError: missing, not YAML, unknown key, wrong type or value out of range.
    """
    import yaml

    from regrow import yaml12

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        have = ", ".join(sorted(p.name for p in path.parent.glob("*.yaml"))) or "none"
        raise ParamsError(
            f"{path}: no such file. Params files in {path.parent}/: {have}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: cannot be read: {error}") from None
    try:
        raw = yaml12.load(text)
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not YAML: {error}") from None
    except ValueError as error:  # a number of thousands of digits
        raise ParamsError(f"{path}: a value cannot be read: {error}") from None
    if not isinstance(raw, dict):
        raise ParamsError(
            f"{path}: must hold a mapping of stages ({', '.join(Params.model_fields)})."
        )
    return check(raw, str(path))


def check(raw: dict[str, Any], origin: str) -> Params:
    """Validate an already parsed mapping; `origin` is named in errors. Raises ParamsError."""
    model = model_of(raw)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise ParamsError(
            "\n".join(f"{origin}: {_explain(item, model)}" for item in error.errors())
        ) from None


def model_of(raw: dict[str, Any]) -> type[Params]:
    """The model of a file: with a section for each stage and data set of its own that has settings there."""
    own = {
        name: Params.model_fields[section].annotation
        for name, section in recipe.models(raw).items()
        if name not in Params.model_fields and section in Params.model_fields
    }
    if not own:
        return Params
    fields: dict[str, Any] = {name: (block, block()) for name, block in own.items() if block}
    return create_model("Params", __base__=Params, **fields)


def _explain(item: Any, params: type[Params]) -> str:
    if item["type"] == "recipe":
        return str(item["msg"])
    where = ".".join(str(part) for part in item["loc"]) or "(top level)"
    if item["type"] == "extra_forbidden":
        known = _fields_at(item["loc"][:-1], params)
        return f"{where}: unknown key. {nearest(str(item['loc'][-1]), known, 'Known here')}"
    if not item["loc"]:  # about several sections: the message names them
        return str(item["msg"]).removeprefix("Value error, ")
    value = json.dumps(item.get("input"), default=str)
    return f"{where}: {item['msg']}, got {value}. `regrow schema` describes the field."


def _block(annotation: Any) -> bool:
    """Whether a field of the params is a section with settings of its own."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _fields_at(loc: tuple[Any, ...], params: type[Params]) -> list[str]:
    model: type[BaseModel] = params
    for part in loc:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a params file, for editors (`# yaml-language-server: $schema=...`)."""
    descriptions.fill(
        [
            *_blocks(Params).values(),
            Search,
            Fork,
            Takedown,
            Source,
            Stage,
            *KINDS.values(),
            Dataset,
            Params,
        ]
    )
    schema = Params.model_json_schema()
    source = _entry(Source)
    source["properties"]["kind"]["enum"] = list(corpora.KINDS)
    first = {
        "sources": _listed(source, "sources") | {"default": []},
        "stages": _listed(_entry(Stage, *KINDS.values()), "stages")
        | {"default": list(recipe.DEFAULT)},
        "datasets": _listed(_entry(Dataset), "datasets") | {"default": []},
    }
    schema["properties"] = first | {k: v for k, v in schema["properties"].items() if k not in first}
    for unused in ("Source", "Stage", "Dataset"):
        schema["$defs"].pop(unused, None)
    # A stage or data set of one's own has its settings in a section with its name.
    sections = [f.annotation for f in Params.model_fields.values() if _block(f.annotation)]
    own = sorted({getattr(block, "__name__", "") for block in sections})
    schema["additionalProperties"] = {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in own]}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def _listed(entry: dict[str, Any], field: str) -> dict[str, Any]:
    """The schema of a list of names, or of names with what they say."""
    long = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": entry}
    description = Params.model_fields[field].description
    items = {"anyOf": [{"type": "string"}, long]}
    return {
        "type": "array",
        "title": field.capitalize(),
        "description": description,
        "items": items,
    }


def _entry(*models: type[BaseModel]) -> dict[str, Any]:
    """The schema of what follows a name: the fields of the models, each described."""
    fields: dict[str, Any] = {}
    for model in models:
        for name, about in model.model_json_schema()["properties"].items():
            fields.setdefault(name, about)
    fields.pop("name", None)
    if len(models) > 1:
        kinds = [model.model_fields["kind"].default for model in models if model is not Stage]
        text = Stage.model_fields["kind"].description
        fields["kind"] = {"enum": kinds, "title": "Kind", "description": text}
    return {"type": ["object", "null"], "additionalProperties": False, "properties": fields}


def _blocks(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Every block below `model`, by the name that the schema gives it; those inside a block before it."""
    found: dict[str, type[BaseModel]] = {}
    for field in model.model_fields.values():
        block = field.annotation
        if isinstance(block, type) and issubclass(block, BaseModel):
            found |= _blocks(block) | {block.__name__: block}
    return found
