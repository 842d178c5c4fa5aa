"""What a training step did, in words: by the function, options and params of its record.

The words name the method that the function implements; every number is from the record. A function
that is not known here is named, and nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from regrow.release.records import Artifact
from regrow.release.sentence import Sentence, whole

_COUNT = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ORDER = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def run_named(letter: str) -> str:
    """What a soup keeps, by the name of its input: `a` is the first run; "" for what is none."""
    if letter == "mean":
        return "the mean of their weights"
    place = ord(letter) - ord("a") if len(letter) == 1 else -1
    return f"the {_ORDER[place]} run" if 0 <= place < len(_ORDER) else ""


def _runs(record: Artifact) -> str:
    """How many runs a soup is of, in words."""
    count = sum(len(source.name) == 1 for source in record.inputs)
    return _COUNT[count] if count < len(_COUNT) else str(count)


def _soup_title(record: Artifact) -> str:
    return f"Soup of {_runs(record)} runs"


def title(record: Artifact) -> str:
    """The stage's name in words, its step's name for a function that is not known."""
    found = _KNOWN.get(record.function)
    if found is None:
        return record.stage
    words = found[0](record)
    seed = whole(record.options.get("seed"))
    return f"{words}, seed {seed}" if seed else words


def method(record: Artifact) -> Sentence:
    """What was optimised."""
    found = _KNOWN.get(record.function)
    function = f"{record.step}/function"
    if found is None:
        return Sentence(f"Made by the function `{record.function or 'unknown'}`.", (function,))
    text, fields = found[1](record)
    return Sentence(text, (function, *(f"{record.step}/{name}" for name in fields)))


def is_known(record: Artifact) -> bool:
    """Whether the words here are about its function."""
    return record.function in _KNOWN


def form(record: Artifact, before: str) -> str:
    """The form of its prompts: what its options say, else that of the stage before it."""
    if record.options.get("form") in ("plain", "think", "instruct"):
        return str(record.options["form"])
    branch = record.options.get("branch")
    return str(branch) if branch in ("think", "instruct") else before


def section(record: Artifact) -> Mapping[str, Any]:
    """The params of the stage itself: the section that has an optimizer."""
    for value in record.params.values():
        if isinstance(value, Mapping) and "optimizer" in value:
            return value
    return {}


def _path(record: Artifact, name: str) -> str:
    for key, value in record.params.items():
        if isinstance(value, Mapping) and "optimizer" in value:
            return f"params.{key}.{name}"
    return f"params.{name}"


_Told = tuple[str, list[str]]
"""text and the fields of the record that it follows from"""


def _pretrain(record: Artifact) -> _Told:
    if record.made_by("base"):
        return "Next-token prediction, from the weights named as its base.", ["inputs.base"]
    return "Next-token prediction from random weights.", []


def _rate(record: Artifact) -> _Told:
    schedule, last = section(record).get("schedule"), section(record).get("final_lr")
    if not isinstance(schedule, str) or not isinstance(last, int | float):
        return "", []
    how = "to zero" if last == 0 else f"to {last:g} of its peak"
    moves = "the learning rate stays" if last == 1 else f"the learning rate falls {how}"
    return f"; {moves} ({schedule})", [_path(record, "schedule"), _path(record, "final_lr")]


def _midtrain(record: Artifact) -> _Told:
    rate, fields = _rate(record)
    return f"Next-token prediction{rate}.", fields


def _soup(record: Artifact) -> _Told:
    kept = run_named(str(record.counts.get("kept")))
    count = _runs(record)
    if not kept:
        return f"The mean of the weights of {count} runs, or the best of them.", []
    return (
        f"{count.capitalize()} runs and the mean of their weights compared on held-out text; kept: {kept}.",
        ["counts.kept"],
    )


def _longcontext(record: Artifact) -> _Told:
    params = section(record)
    context, factor = params.get("context"), params.get("yarn_factor")
    if record.options.get("length") == "short":
        return "Next-token prediction on the same tokens cut short, without YaRN.", [
            "options.length"
        ]
    text, fields = "Next-token prediction", []
    if whole(context):
        text, fields = f"{text} at a context of {context:,} tokens", [_path(record, "context")]
    if isinstance(factor, int | float):
        text += f", with YaRN × {factor:g}"
        fields.append(_path(record, "yarn_factor"))
    if params.get("document_mask") is True:
        text += " and attention within documents only"
        fields.append(_path(record, "document_mask"))
    return f"{text}.", fields


def _sft(record: Artifact) -> _Told:
    if record.options.get("branch") == "instruct":
        return "Next-token prediction on the answers of chat examples.", ["options.branch"]
    return (
        "Next-token prediction on the answers (thinking included) of chat examples.",
        ["options.branch"],
    )


def _dpo(record: Artifact) -> _Told:
    beta = section(record).get("beta")
    text = "Length-normalised direct preference optimisation"
    if not isinstance(beta, int | float):
        return f"{text}.", []
    return f"{text}, β = {beta:g}.", [_path(record, "beta")]


def _rl(record: Artifact) -> _Told:
    group = section(record).get("group")
    text, fields = "Group-relative policy optimisation", []
    if whole(group):
        text, fields = f"{text} in groups of {group} answers", [_path(record, "group")]
    reward = record.options.get("reward")
    if reward == "random":
        return f"{text}; rewards are drawn at random.", [*fields, "options.reward"]
    if reward == "verified":
        text += "; the reward is a verifier's verdict"
        fields.append("options.reward")
    return f"{text}.", fields


def _order(record: Artifact) -> str:
    run = str(record.options.get("run", "a"))
    place = ord(run) - ord("a") if len(run) == 1 else 0
    if not place:
        return ""
    return f", {_ORDER[place]} data order" if place < len(_ORDER) else f", data order {place + 1}"


def _named(words: str) -> Callable[[Artifact], str]:
    return lambda record: words


_Known = tuple[Callable[[Artifact], str], Callable[[Artifact], _Told]]

_KNOWN: dict[str, _Known] = {
    "regrow.learn.train.kinds.pretrain:run": (_named("Pretraining"), _pretrain),
    "regrow.learn.train.kinds.midtrain:run": (
        lambda r: "Midtraining" + _order(r),
        _midtrain,
    ),
    "regrow.learn.train.soup:run": (_soup_title, _soup),
    "regrow.learn.train.kinds.longcontext:run": (
        lambda r: (
            "Control of the long-context extension"
            if r.options.get("length") == "short"
            else "Long-context extension"
        ),
        _longcontext,
    ),
    "regrow.learn.train.kinds.sft:run": (
        lambda r: f"Supervised fine-tuning, {str(r.options.get('branch', 'think')).capitalize()}",
        _sft,
    ),
    "regrow.learn.train.kinds.dpo:run": (
        lambda r: (
            "Preference tuning on delta pairs"
            if r.options.get("source") == "delta"
            else "Preference tuning"
        ),
        _dpo,
    ),
    "regrow.learn.rl.rlvr:run": (
        lambda r: (
            "Reinforcement learning with random rewards"
            if r.options.get("reward") == "random"
            else "Reinforcement learning with verified rewards"
        ),
        _rl,
    ),
}
