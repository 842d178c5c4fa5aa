"""The recipe of a params file: which stages there are, from what each begins and what it reads.

An entry of `stages` is a name, or a name with what it says: `midtrain2: {kind: midtrain, base: midtrain}`. A
stage begins from one above it in the list. What an entry leaves out follows from its kind and from the stages
above, so the shortest recipe is `[pretrain]`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from regrow.params import joined
from regrow.params.base import Block
from regrow.params.entries import RecipeError, checked, listed, nearest
from regrow.params.names import ANSWERED, CONTENT, JOINED
from regrow.params.registry import BUILT_IN, KINDS
from regrow.params.stages import Dataset, Probe, Stage

DEFAULT: tuple[Any, ...] = (
    "pretrain",
    "midtrain",
    "midtrain_b",
    "soup",
    "longcontext_control",
    "longcontext",
    {"sft": {"seeds": [1, 2]}},
    "sft_instruct",
    "dpo_delta",
    {"dpo": {"seeds": [1, 2]}},
    {"rlvr": {"seeds": [1, 2]}},
    "rlzero",
    "rlzero_random",
)
"""the recipe after Olmo 3, for a params file that names no stages"""
_DATA = tuple(kind.reads[0] for kind in KINDS.values() if kind.reads)
"""the built-in data sets, called like the kind of step that makes them"""
_RESERVED = re.compile(r".*_(seed\d+|masked)|evaluate|release|index|all|seeds")


def stages(
    raw: Any, datasets: Sequence[Dataset], sections: Mapping[str, type[Block]]
) -> tuple[Stage, ...]:
    """The stages of a params file, with what their entries leave out.

    Args:
        raw: the value of `stages`.
        datasets: those that the file adds.
        sections: those that the file or the defaults have, with their models.

    Raises:
        RecipeError: an entry says what cannot be; the message names it, the nearest match and the fix.
    """
    entries = listed(raw, "stages")
    names = [name for name, _ in entries]
    known = {dataset.name: dataset for dataset in datasets}
    found: dict[str, Stage] = {}
    for name, said in entries:
        if name in found:
            raise RecipeError(f"`{name}` comes twice. Fix: give the second another name.")
        if _RESERVED.fullmatch(name) or name in known:
            raise RecipeError(f"`{name}` is the name of something else. Fix: give it another name.")
        found[name] = _complete(name, said, found, names, known, sections)
    if not found:
        raise RecipeError("no stage. Fix: name one at least, `stages: [pretrain]`.")
    _data_sets_fit(found, known)
    return tuple(found.values())


def datasets(raw: Any) -> tuple[Dataset, ...]:
    """The data sets that a params file adds. Raises RecipeError."""
    found: dict[str, Dataset] = {}
    for name, said in listed(raw, "datasets"):
        if name in found or name in _DATA or _RESERVED.fullmatch(name):
            raise RecipeError(f"`{name}` is there already. Fix: give it another name.")
        entry = checked(Dataset, name, {"name": name, **said})
        if entry.kind == "chats" and not entry.file:
            raise RecipeError(f"`{name}`: chats need `file`, the conversations as JSON Lines.")
        found[name] = joined.check_entry(entry, said)
    return tuple(found.values())


def models(raw: Mapping[str, Any]) -> dict[str, str]:
    """Sections that belong to a stage or data set of the file's own -> the section whose model they have.

    Reads what can be read: what is wrong with an entry is said by `stages` and `datasets`.
    """
    found = {}
    for part in ("stages", "datasets"):
        try:
            entries = listed(raw.get(part) or [], part)
        except RecipeError:
            continue
        for name, said in entries:
            whole = {**BUILT_IN.get(name, {}), **said}
            kind = str(whole.get("kind", ""))
            section = _section(kind, whole) if part == "stages" else kind
            for own in (name, str(said.get("settings", ""))):
                if own in raw and section:
                    found[own] = section
    return found


def _complete(
    name: str,
    said: dict[str, Any],
    above: Mapping[str, Stage],
    names: Sequence[str],
    known: Mapping[str, Dataset],
    sections: Mapping[str, type[Block]],
) -> Stage:
    """The stage of an entry, with what follows from its kind and from the stages above it."""
    values = {**BUILT_IN.get(name, {}), **said}
    kind = values.get("kind")
    if kind is None:
        near = difflib.get_close_matches(name, [*BUILT_IN], n=1)
        hint = f"Did you mean `{near[0]}`? Or say" if near else "Say"
        raise RecipeError(f"`{name}` has no kind. {hint} `{name}: {{kind: {' | '.join(KINDS)}}}`.")
    if kind not in KINDS:
        raise RecipeError(f"{name}.kind: no kind `{kind}`. {nearest(str(kind), [*KINDS])}")
    _check_probes(name, values.get("evaluated"))
    # What an entry says has the right types before anything follows from it.
    checked(KINDS[kind], name, {"name": name, **{k: v for k, v in values.items() if k != "base"}})
    if kind == "sft" and values.get("branch", "think") in ("think", "instruct"):
        values["form"] = values.get("branch", "think")
    if kind == "rl" and "form" not in values:
        begun = [above[b].form for b in _names(values.get("base")) if b in above]
        talks = begun or [s.form for s in above.values()]
        values["form"] = "plain" if set(talks) <= {"plain"} else "think"
    values["base"] = _base(name, kind, values, above, names)
    if _pairs(kind):
        values["form"] = above[values["base"][0]].form
    values.setdefault("settings", "")
    if not values["settings"]:
        own = name in sections and kind not in ("soup",)
        values["settings"] = name if own else _section(kind, values)
    if values["settings"] and values["settings"] not in sections:
        raise RecipeError(
            f"{name}.settings: no section `{values['settings']}`. "
            f"{nearest(values['settings'], sorted(sections))}"
        )
    _settings_fit(name, kind, values, sections)
    values["data"] = values.get("data") or _data(kind, values, above)
    stage: Stage = checked(KINDS[kind], name, {"name": name, **values})
    more: dict[str, Any] = {}
    if "checkpoints" not in said and (stage.control or kind == "soup"):
        more["checkpoints"] = "last"
    if "released" not in said and stage.control and kind != "midtrain":
        more["released"] = False
    stage = stage.model_copy(update=more)
    _fits(stage, above, known)
    return stage


def _check_probes(name: str, said: Any) -> None:
    """Raises RecipeError where `evaluated` lists what is no probe."""
    if not isinstance(said, list | tuple):
        return
    known = [*get_args(Probe)]
    if not said:
        raise RecipeError(
            f"{name}.evaluated: no probe is named. Fix: name one of {', '.join(known)}, or say `evaluated: false`."
        )
    for probe in said:
        if probe not in known:
            raise RecipeError(f"{name}.evaluated: no probe `{probe}`. {nearest(str(probe), known)}")


def _settings_fit(
    name: str, kind: str, values: Mapping[str, Any], sections: Mapping[str, type[Block]]
) -> None:
    """Raises RecipeError where the section of a stage is about something else."""
    usual, own = _section(kind, values), str(values["settings"])
    if not usual:
        return
    one, other = sections[own], sections[usual]
    if not (issubclass(one, other) or issubclass(other, one)):
        raise RecipeError(
            f"{name}.settings: `{own}` has no settings of {kind}. Fix: name a section with those of `{usual}`, or leave "
            "it out."
        )


def _data_sets_fit(found: Mapping[str, Stage], known: Mapping[str, Dataset]) -> None:
    """Raises RecipeError where a data set of the file's own names what is not there."""
    joined.check_parts(known, [*found])
    for name, data in known.items():
        if data.base and data.base not in found:
            raise RecipeError(
                f"datasets: {name}.base: no stage `{data.base}`. {nearest(data.base, [*found])}"
            )
        examples = [
            "sft_data",
            *(n for n, d in known.items() if d.kind in ("sft_data", "chats") and n != name),
        ]
        if data.beside and data.beside not in examples:
            raise RecipeError(
                f"datasets: {name}.beside: no data set of conversations `{data.beside}`. {nearest(data.beside, examples)}"
            )


def _pairs(kind: str) -> bool:
    """Whether a kind learns from pairs of answers in the chat form."""
    return KINDS[kind].reads[:1] == ("pairs",)


def _names(given: Any) -> tuple[str, ...]:
    """The value of `base`: a name or several."""
    if given is None or given == "":
        return ()
    return tuple(map(str, given)) if isinstance(given, list | tuple) else (str(given),)


def _section(kind: str, values: Mapping[str, Any]) -> str:
    """The section with the settings of a kind."""
    return KINDS[kind].section(values) if kind in KINDS else ""


def _data(kind: str, values: Mapping[str, Any], above: Mapping[str, Stage]) -> str:
    """The data set of a stage that names none; what a model answered has a name per model."""
    plain = next(iter(KINDS[kind].reads), "")
    if plain not in ANSWERED:
        return plain
    if plain == "difficulty" and values.get("form", "plain") == "plain":
        plain = "difficulty_zero"
    other = {s.base for s in above.values() if s.data == plain} - {tuple(values["base"])}
    return f"{plain}_{values['base'][0]}" if other else plain


def _base(
    name: str,
    kind: str,
    values: Mapping[str, Any],
    above: Mapping[str, Stage],
    names: Sequence[str],
) -> tuple[str, ...]:
    given = values.get("base")
    if given in (None, "", [], ()):
        return _nearest(name, kind, values, above)
    bases = _names(given)
    for base in bases:
        if base == name:
            raise RecipeError(f"{name}.base: a stage cannot begin from itself.")
        if base in names and base not in above:
            raise RecipeError(
                f"{name}.base: `{base}` is below `{name}` in the list, so that the two would wait for each other "
                f"in a cycle if `{base}` began from it. Fix: put `{base}` above `{name}`."
            )
        if base not in above:
            raise RecipeError(f"{name}.base: no stage `{base}`. {nearest(base, [*above])}")
    if kind == "pretrain":
        raise RecipeError(
            f"{name}.base: pretraining begins from initial weights. Fix: leave it out."
        )
    if kind != "soup" and len(bases) > 1:
        raise RecipeError(f"{name}.base: one stage, got {list(bases)}. A soup averages several.")
    return bases


def _nearest(
    name: str, kind: str, values: Mapping[str, Any], above: Mapping[str, Stage]
) -> tuple[str, ...]:
    """The base of a stage that names none."""
    if kind == "pretrain":
        return ()
    order = [*above.values()][::-1]
    plain = [s for s in order if s.form == "plain" and not s.control and s.kind != "rl"]
    think = [s for s in order if s.form == "think" and not s.control]
    if kind == "soup":
        runs = [s for s in order if s.kind == "midtrain"]
        same = [s.name for s in runs if s.base == runs[0].base and s.data == runs[0].data]
        if len(same) < 2:
            raise RecipeError(
                f"{name}: a soup averages two runs at least, and there are {len(same)} above it. Fix: add "
                "`midtrain_b`, the same in another order of the data, or say `base: [...]`."
            )
        return tuple(same[::-1])
    twins = [
        s
        for s in order
        if s.kind == kind and s.form == values.get("form", "plain") and not s.control
    ]
    if twins and (values.get("order", 1) > 1 or values.get("length") == "short"):
        return twins[0].base  # a control begins where the run begins that it is a control of
    if kind == "sft" and values.get("branch") == "instruct":
        tuned = [s for s in think if s.kind == "sft"]
        found = tuned or plain
    elif _pairs(kind):
        found = [s for s in think if s.kind == "sft"] or think
    elif kind == "rl" and values.get("form", "plain") == "think":
        found = [s for s in think if s.kind != "rl"] or plain
    else:
        found = plain
    if not found:
        need = "a stage that speaks the chat form" if _pairs(kind) else "a stage"
        raise RecipeError(
            f"{name}: {need} must come before it. Fix: put "
            f"{'`sft`' if _pairs(kind) else '`pretrain`'} above it in the list."
        )
    return (found[0].name,)


def _fits(stage: Stage, above: Mapping[str, Stage], known: Mapping[str, Dataset]) -> None:
    """Raises RecipeError where base or data cannot be what the stage needs."""
    name = stage.name
    if stage.kind == "soup":
        if len(stage.base) < 2 or len(set(stage.base)) < len(stage.base):
            raise RecipeError(f"{name}.base: a soup averages two runs at least, each once.")
        return
    base = above[stage.base[0]] if stage.base else None
    if _pairs(stage.kind) and base and base.form == "instruct":
        raise RecipeError(
            f"{name}.base: pairs are asked for in the form with thinking, which `{base.name}` (branch instruct) does "
            "not speak. Fix: begin from a stage of the branch `think`."
        )
    asks = stage.reads[:1] and stage.reads[0] in ANSWERED
    if asks and stage.form == "think" and base and base.form == "plain":
        raise RecipeError(
            f"{name}.base: `{base.name}` has never seen the chat form that `{name}` asks in. Fix: put `sft` "
            f"between the two"
            + (", or say `form: plain` (RL from a base model)." if stage.kind == "rl" else ".")
        )
    if stage.kind in ("pretrain", "midtrain", "longcontext") and base and base.form != "plain":
        raise RecipeError(f"{name}.base: `{base.name}` is tuned to chat; begin from a base model.")
    data = known.get(stage.data)
    if data is not None and data.kind == JOINED:
        _reads_joined(stage, known)
    elif data is not None and data.kind not in stage.reads:
        raise RecipeError(
            f"{name}.data: `{data.name}` is made by {data.kind}; {stage.kind} reads "
            f"{' or '.join(stage.reads)}."
        )
    if data is None and stage.data != stage.reads[0] and not asks:
        able = (*stage.reads, JOINED) if stage.reads[0] in CONTENT else stage.reads
        names = [stage.reads[0], *(n for n, d in known.items() if d.kind in able)]
        raise RecipeError(f"{name}.data: no data set `{stage.data}`. {nearest(stage.data, names)}")


def _reads_joined(stage: Stage, known: Mapping[str, Dataset]) -> None:
    """Raises RecipeError where a stage does not read what a joined data set holds."""
    wanted = CONTENT.get(stage.reads[0] if stage.reads else "", "")
    for part in joined.parts(stage.data, known):
        kind = joined.content(part, known)
        if not wanted or CONTENT.get(kind, wanted) != wanted:
            raise RecipeError(
                f"{stage.name}.data: `{part}`, a part of `{stage.data}`, is made by {kind}; {stage.kind} reads "
                f"{' or '.join(stage.reads)}."
            )
