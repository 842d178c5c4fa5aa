"""What a training step learned from, in words: by the record of the step that made its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from regrow.release.records import Artifact
from regrow.release.sentence import Sentence, get, plural, whole

_Told = tuple[str, list[str]]


def reads(record: Artifact, known: Mapping[str, Artifact]) -> Sentence:
    """What the stage of `record` learned from; its data's own record says what is in it."""
    names = [source for source in record.inputs if source.kind != "record"]
    data = next((source for source in names if source.name == "data"), None)
    if data is None:
        held = [
            s for s in names if len(s.name) > 1 and s.name not in ("base", "previous", "tokenizer")
        ]
        by = tuple(f"{record.step}/inputs.{s.name}" for s in names)
        if record.function == "regrow.learn.train.soup:run":
            where = f"; compared on held-out text of {held[0].path}" if held else ""
            return Sentence(f"Nothing: weights only{where}.", by or (f"{record.step}/function",))
        return Sentence("No data is on record.", (f"{record.step}/inputs",))
    made = known.get(data.record)
    by = (f"{record.step}/inputs.data",)
    if made is None or made.function not in _KNOWN:
        return Sentence(f"`{data.path}`.", by)
    text, fields = _KNOWN[made.function](made, record)
    by = (*by, *(f"{made.step}/{name}" for name in ["function", *fields]))
    read, field = _read(made, record)
    return Sentence(f"{text.removesuffix('.')}{read}.", (*by, *field))


def _read(made: Artifact, record: Artifact) -> tuple[str, list[str]]:
    """How much of its data the stage read, which may be less than there is, or more than once."""
    count, unit = _UNITS.get(made.function, ("", ""))
    read = whole(record.counts.get(count)) if count else None
    if read is None:
        return "", []
    return f"; {read:,} {unit} were read", [f"{record.step}/counts.{count}"]


def _pack(made: Artifact, record: Artifact) -> _Told:
    documents, tokens = (whole(made.counts.get(n)) for n in ("documents", "tokens"))
    if documents is None or tokens is None:
        return "Documents of the mix.", []
    return (
        f"{plural(documents, 'document')} of the mix, {tokens:,} tokens with repeats.",
        ["counts.documents", "counts.tokens"],
    )


def _components(made: Artifact) -> tuple[list[str], list[str]]:
    found, fields = [], []
    components = made.counts.get("components")
    for name, value in sorted(components.items() if isinstance(components, Mapping) else ()):
        tokens = whole(value) if not isinstance(value, Mapping) else whole(value.get("tokens"))
        if tokens:
            found.append(f"{name.replace('_', ' ')} {tokens:,}")
            fields.append(f"counts.components.{name}")
    return found, fields


def _mixture(words: str) -> Callable[[Artifact, Artifact], _Told]:
    def told(made: Artifact, record: Artifact) -> _Told:
        found, fields = _components(made)
        return f"{words}" + (f"; tokens: {', '.join(found)}." if found else "."), fields

    return told


def _examples(made: Artifact, record: Artifact) -> _Told:
    branch = str(record.options.get("branch", "think"))
    found = whole(get(made.counts, f"{branch}.examples"))
    if found is None:
        return f"Chat examples ({branch}).", []
    kinds = get(made.counts, f"{branch}.kinds")
    told = [
        f"{kind} {n:,}"
        for kind, n in sorted(kinds.items() if isinstance(kinds, Mapping) else ())
        if whole(n)
    ]
    more = f"; by kind: {', '.join(told)}" if told else ""
    return (
        f"{plural(found, 'chat example')} ({branch}){more}.",
        [f"counts.{branch}.examples", *([f"counts.{branch}.kinds"] if told else [])],
    )


def _joined(made: Artifact, record: Artifact) -> _Told:
    found, fields = [], []
    joined = get(made.counts, "joined")
    for name in sorted(joined if isinstance(joined, Mapping) else ()):
        tokens = whole(get(made.counts, f"joined.{name}.tokens"))
        if tokens is not None:
            found.append(f"{name} {tokens:,}")
            fields.append(f"counts.joined.{name}.tokens")
    text = "Sequences of several data sets"
    return f"{text}; tokens: {', '.join(found)}." if found else f"{text}.", fields


def _joined_examples(made: Artifact, record: Artifact) -> _Told:
    text, fields = _examples(made, record)
    branch = str(record.options.get("branch", "think"))
    joined = get(made.counts, f"{branch}.joined")
    names = sorted(joined if isinstance(joined, Mapping) else ())
    told = [(n, whole(get(made.counts, f"{branch}.joined.{n}.joined"))) for n in names]
    shown = [f"{name} {count:,}" for name, count in told if count is not None]
    if not shown:
        return text, fields
    more = [f"counts.{branch}.joined.{name}.joined" for name, count in told if count is not None]
    return f"{text.removesuffix('.')}; by data set: {', '.join(shown)}.", [*fields, *more]


def _pairs(made: Artifact, record: Artifact) -> _Told:
    source = str(record.options.get("source", "judged"))
    count = whole(get(made.counts, f"pairs.{source}"))
    strong, weak = made.made_by("strong"), made.made_by("weak")
    fields = [f"inputs.{n}" for n, v in (("strong", strong), ("weak", weak)) if v]
    drawn = f"answers of {strong}" + (f" and {weak}" if source == "delta" and weak else "")
    if count is None:
        return f"Pairs of {drawn} ({source}).", fields
    return f"{plural(count, 'pair')} of {drawn} ({source}).", [f"counts.pairs.{source}", *fields]


def _prompts(made: Artifact, record: Artifact) -> _Told:
    kept, policy = whole(made.counts.get("kept")), made.made_by("policy")
    section = str(made.options.get("settings", "difficulty"))
    most = get(made.params, f"{section}.max_pass_rate")
    text, fields = "Its own answers to prompts of the tasks", []
    if kept is not None:
        text, fields = f"Its own answers to {plural(kept, 'prompt')} of the tasks", ["counts.kept"]
    if isinstance(most, int | float) and policy:
        text += f" of which {policy} passed at most {most:g}"
        fields += [f"params.{section}.max_pass_rate", "inputs.policy"]
    verdicts = record.options.get("reward") == "verified"
    return f"{text}{', and the verdicts on them' if verdicts else ''}.", fields


_KNOWN: dict[str, Callable[[Artifact, Artifact], _Told]] = {
    "regrow.data.tokens.pack:run": _pack,
    "regrow.learn.tasks.midtrain_data:run": _mixture("The midtraining mix"),
    "regrow.learn.tasks.forkmix:run": _mixture("The midtraining mix with the fork's documents"),
    "regrow.learn.tasks.longcontext_data:run": _mixture("The long-context mix"),
    "regrow.learn.tasks.sft_data:run": _examples,
    "regrow.learn.tasks.forksft:run": _examples,
    "regrow.learn.tasks.chats:run": _examples,
    "regrow.data.tokens.joined:run": _joined,
    "regrow.learn.tasks.joined:run": _joined_examples,
    "regrow.learn.rl.pairs:run": _pairs,
    "regrow.learn.rl.difficulty:run": _prompts,
}
_UNITS = {
    **dict.fromkeys(
        (
            "regrow.data.tokens.pack:run",
            "regrow.learn.tasks.midtrain_data:run",
            "regrow.learn.tasks.forkmix:run",
            "regrow.learn.tasks.longcontext_data:run",
            "regrow.data.tokens.joined:run",
        ),
        ("tokens", "tokens"),
    ),
    **dict.fromkeys(
        (
            "regrow.learn.tasks.sft_data:run",
            "regrow.learn.tasks.forksft:run",
            "regrow.learn.tasks.chats:run",
            "regrow.learn.tasks.joined:run",
        ),
        ("sequences", "examples"),
    ),
    "regrow.learn.rl.pairs:run": ("sequences", "pairs"),
}
"""function that made the data -> the count of a training record that says how much was read, and its unit"""
