"""What only the provider knows: name, contact, date of placing on the market. Given as YAML, never guessed."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from regrow.evidence.errors import Unanswerable

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Provider(_Part):
    """Section 1.1 of the template."""

    name: Text | None = None
    """legal name"""
    address: Text | None = None
    contact: Text | None = None
    """where rightsholders write to: an address that is read"""
    website: Text | None = None
    representative: Text | None = None
    """authorised representative (Article 54), or `not applicable` within the Union"""
    sme: bool | None = None
    """small or medium-sized enterprise (Recommendation 2003/361/EC): decides how many domains are listed"""


class Model(_Part):
    """Section 1.2, and Annex XI, section 1, point 1."""

    names: list[Text] | None = None
    """versioned names under which the model is placed on the market"""
    dependencies: Text | None = None
    """the model that this one modifies, with its summary"""
    placed_on_market: datetime.date | None = None
    distribution: Text | None = None
    """how it is distributed"""
    tasks: Text | None = None
    """what it is intended to do, and in which systems"""
    acceptable_use: Text | None = None
    integration: Text | None = None
    """technical means needed to integrate it"""
    continuously_trained: bool | None = None


class Dataset(_Part):
    """A publicly available dataset that the records do not name as one."""

    name: Text
    link: Text | None = None
    description: Text | None = None
    period: Text | None = None


class Data(_Part):
    """Section 2: what the records cannot know about the origin of the data."""

    public: list[Dataset] = []
    licensed: bool | None = None
    """2.2.1: commercial licensing agreements with rightsholders"""
    third_parties: bool | None = None
    """2.2.2: private datasets of other third parties"""
    third_parties_description: Text | None = None
    crawler_purpose: Text | None = None
    user_interactions: bool | None = None
    """2.4: prompts and answers of the model's users"""
    user_services: bool | None = None
    """2.4: data of users of the provider's other services"""
    user_description: Text | None = None
    characteristics: Text | None = None
    """1.3: other relevant characteristics of the data"""
    bias: Text | None = None
    """Annex XI: measures to detect biases and unsuitable sources"""
    comments: Text | None = None


class Processing(_Part):
    """Section 3."""

    code_of_practice: bool | None = None
    """signatory of the Code of Practice for general-purpose AI models"""
    reservations: Text | None = None
    """further measures to respect reservations of rights"""
    illegal_content: Text | None = None
    other: Text | None = None


class Energy(_Part):
    """What the energy estimate assumes, or what was measured."""

    measured_kwh: float | None = Field(default=None, ge=0)
    flop_per_second: float = Field(default=2e10, gt=0)
    """sustained by one unit of hardware, end to end (default: one core under fma32, docs/reference/exports.md)"""
    watts: float = Field(default=10.0, gt=0)
    """drawn by that unit under load, with its share of the machine"""
    pue: float = Field(default=1.2, ge=1)
    """power usage effectiveness of the building"""
    hardware: Text = "one core of an x86-64 server processor"


class Summary(_Part):
    """The document itself."""

    version: Text | None = None
    updated: datetime.date | None = None
    previous: list[Text] = []
    """links to earlier versions"""


class About(_Part):
    """The whole file; every field may be left out."""

    provider: Provider = Provider()
    model: Model = Model()
    data: Data = Data()
    processing: Processing = Processing()
    energy: Energy = Energy()
    summary: Summary = Summary()


def load(path: Path) -> About:
    """Read an about file.

    Raises:
        Unanswerable: missing, not YAML, or a field is unknown or wrong; names file, field and fix.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise Unanswerable(
            f"{path}: cannot be read ({reason}). Give --about another file."
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        what = " ".join(str(error).split())
        raise Unanswerable(f"{path}: not YAML ({what}). Fix that line.") from None
    try:
        return About.model_validate({} if raw is None else raw)
    except ValidationError as error:
        raise Unanswerable(
            "\n".join(f"{path}: {_where(e['loc'])}: {_mend(e)}" for e in error.errors())
        ) from None


def _where(loc: tuple[int | str, ...]) -> str:
    return ".".join(map(str, loc)) or "the file"


def _mend(error: object) -> str:
    assert isinstance(error, dict)
    if error["type"] == "extra_forbidden":
        fields = _fields(error["loc"][:-1])
        return f"no such field. Fields here: {', '.join(fields)}." if fields else "no such field."
    if error["type"] == "model_type":
        return f"must be a mapping of fields. Fields here: {', '.join(_fields(error['loc']))}."
    return (
        f"{error['msg']}. Correct it, or leave the field out: it is then shown as to be filled in."
    )


def _fields(loc: tuple[int | str, ...]) -> list[str]:
    kind: type[BaseModel] = About
    for step in loc:
        if step == "public":
            kind = Dataset
        elif isinstance(step, str):
            found = kind.model_fields[step].annotation
            if not (isinstance(found, type) and issubclass(found, BaseModel)):
                return []
            kind = found
    return list(kind.model_fields)
