"""What a kind of training is: all that the rest of the house asks about a stage, said once.

What decides bytes travels from here to the steps as options: those of a stage to its step, the title and the method to
the releases of checkpoints that such a stage led to. Units, charts and comparisons do not, so an edit of them moves no
key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from regrow.release.words import Words

Entry = Mapping[str, Any]
"""a stage of the recipe as the params file resolves it (`regrow.params.stages`)"""
Which = Literal["base", "first"]


@dataclass(frozen=True)
class Gain:
    """One comparison: a probe of a stage's last checkpoint against one before it."""

    probe: str
    against: Which = "base"
    """base: the last checkpoint of the stage that it began from; first: its own first one"""
    before_probe: str = ""
    """where the same thing has another name there"""
    family: str = ""
    """only items of this family"""
    controlled: bool = False
    """whether the control of the stage is compared too"""
    control_probe: str = ""
    better: Literal["higher", "lower"] | None = None
    """where the probe itself does not say"""
    note: str = ""
    only: tuple[str, str] | None = None
    """an option and the value that stages must have for this row"""
    of_control: bool = False
    """a row about the control itself, not about the stage"""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of training stage."""

    name: str
    function: str
    """of the step, "module:function" """
    doc: str
    """what a stage of it does, in a sentence"""
    title: Words
    """of a stage of it, on cards and pages"""
    method: Words
    """what such a stage optimised, a sentence on cards and pages"""
    part: str
    """of the flow, under which its rule is found"""
    data: str = ""
    """the data set that it reads by default"""
    options: Callable[[Entry], dict[str, Any]] = lambda entry: {}
    """entry -> what its function is given beside name, settings and seed"""
    control: tuple[str, str] | None = None
    """the option that makes a stage a control, and its value there"""
    control_doc: str = ""
    tokenizer: bool = False
    """whether it reads the tokenizer"""
    unit: str = "sequences"
    """what a row of its batch is: sequences, examples, pairs, answers"""
    length: Callable[[Any, Any], int] = lambda params, stage: 0
    """(params, stage) -> tokens of a row, at most where rows have unequal lengths"""
    rows: Callable[[Any, Any], int] = lambda params, stage: 1
    """(params, stage) -> factor of the batch, for a control that reads shorter rows"""
    trained: float = 1.0
    """sequences per row that are trained on (a pair has two)"""
    forwards: Callable[[Any], float] = lambda block: 0.0
    """settings -> further forward passes per trained token: a reference model, sampled answers"""
    run: str = ""
    """"module:class" of the reader of what it saw (`regrow.evidence.runs`); none: it reads no data"""
    gains: tuple[Gain, ...] = ()
    chart: str = ""
    """"module:function" that draws what shows that it did something"""
    loss: str = (
        "The loss says how surprised the model is by the next token, in nats; lower is better."
    )
    """how its training curve is read; none: a curve that shows nothing"""
    probes: Callable[[Entry, list[Entry]], dict[str, Any]] = lambda entry, every: {}
    """(stage, all stages) -> what its checkpoints are asked (`regrow.learn.evaluate.probes.Probes`)"""
    short: Callable[[Mapping[str, Any]], str] = lambda options: ""
    """options -> its name in a row of answers"""
    priority: Callable[[Entry], int] = lambda entry: 10
    """of its jobs before others that could run"""

    def is_control(self, options: Mapping[str, Any]) -> bool:
        """Whether a stage with these options is a control, or a further run in another order."""
        if self.control is None:
            return False
        name, value = self.control
        said = options.get(name)
        return said is not None and (said != value[1:] if value[:1] == "!" else said == value)


def when(text: str, /, **options: Any) -> Words:
    """Words that are said of stages with these options."""
    return {"text": text, "when": {f"options.{name}": value for name, value in options.items()}}


def first(*words: Words) -> Words:
    """The first of these words that can be said."""
    return {"first": list(words)}


def after(entry: Entry, every: list[Entry]) -> list[Entry]:
    """The stages that begin from a stage."""
    return [other for other in every if entry["name"] in other["base"]]


def base_probes(entry: Entry, every: list[Entry]) -> dict[str, Any]:
    """What a base model is asked: text and tasks; and what shows the gain of the stages that begin from it."""
    found: dict[str, Any] = {"form": "plain", "text": 1}
    following = after(entry, every)
    if any(other["kind"] == "longcontext" for other in following):
        found["long"] = 1
    found |= untrained(entry, following)
    return found


def untrained(entry: Entry, following: list[Entry]) -> dict[str, Any]:
    """The form that the stage does not speak and fine-tuning from it will teach."""
    forms = [o["form"] for o in following if o["kind"] == "sft" and o["form"] != entry["form"]]
    return {"untrained": forms[-1]} if forms else {}


def preferences(entry: Entry, every: list[Entry]) -> dict[str, Any]:
    """Whether pairs are judged."""
    return {"preferences": 1} if judged_pairs(entry, every) else {}


def judged_pairs(entry: Entry, every: list[Entry]) -> str:
    """The pairs that a stage is judged on: its own, or those of the stage that begins from it; "" for none."""
    for other in (entry, *after(entry, every)):
        # An entry says which pairs it takes, or reads the built-in data set of them.
        if "pairs" in other or str(other["data"]).startswith("pairs"):
            return str(other["data"])
    return ""


def asked(entry: Entry, found: Mapping[str, Any]) -> dict[str, Any]:
    """Of the probes that a stage can have, those that its entry names (`evaluated`); all where it names none."""
    names = entry["evaluated"]
    if isinstance(names, bool):
        return dict(found)
    kept = {name: value for name, value in found.items() if name == "form" or name in names}
    return (
        kept
        | ({} if "answers" in names else {"answers": "none"})
        | ({} if "tasks" in names else {"tasks": 0})
    )


def named(found: Mapping[str, Any]) -> list[str]:
    """The names of probes, as an entry lists them (the other way round)."""
    plain = [name for name in found if name not in ("form", "answers", "tasks")]
    answers = [] if found.get("answers") == "none" else ["answers"]
    return sorted([*plain, *answers, *([] if found.get("tasks") == 0 else ["tasks"])])
