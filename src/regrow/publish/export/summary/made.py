"""Sections 2.5 and 2.6: text written by AI models, by programs, and for the flow itself."""

from __future__ import annotations

from typing import Any

import polars as pl

from regrow.evidence import contributed, datasets
from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import sizes
from regrow.publish.export.summary.field import (
    Field,
    Section,
    Table,
    asked,
    known,
    modality,
    ticked,
)


def synthetic(subject: Subject) -> Section:
    """2.5: text written by AI models, by the model that wrote it."""
    rows = [*_taught(subject), *_sampled(subject)]
    question = "Was synthetic AI-generated data created by the provider or on their behalf to train the model?"
    fields = [
        ticked("used", question, True, sorted({r[4] for r in rows}))
        if rows
        else asked("used", question, None, _no_synthetic(subject))
        if _written(subject) or subject.corpora or contributed.records(subject.chain)
        else ticked("used", question, False, [subject.record.file], _no_synthetic(subject))
    ]
    if rows:
        others = tuple(r[:4] for r in rows if not r[5])
        ours = tuple(r[:4] for r in rows if r[5])
        columns = ("Model", "What it wrote", "Texts", "Licence")
        fields += [
            modality(),
            known("models", "General-purpose AI model(s) used to generate the synthetic data",
                  Table(columns, others) if others else "None.", [_examples_file(subject)]),
            known("own_models", "Other AI models, including the provider's own, used to generate "
                  "synthetic data", Table(columns, ours) if ours else "None.", [r[4] for r in rows if r[5]],
                  "Named by their records; `regrow audit` says of each how it was made."),
        ]  # fmt: skip
    return Section("2.5", "Synthetic data", tuple(fields))


def other(subject: Subject) -> Section:
    """2.6: text made by programs, and documents that were written for the flow."""
    rows = _programs(subject)
    written, named = _written(subject), _named(subject)
    brought = contributed.brought(subject.outputs, subject.chain)
    sizes.complete(subject)
    question = "Have data sources other than those described in Sections 2.1 to 2.5 been used to train the model?"
    evidence = [
        *(r[3] for r in rows),
        *(["records/decontaminate.json"] if written or named else []),
        *(f"records/{part['job']}.json" for part in brought),
    ]
    fields = [
        ticked("used", question, True, evidence)
        if evidence
        else ticked(
            "used", question, False, [subject.record.file],
            "All documents are of sources in 2.1, and the other training sets are those of 2.5.",
        )
    ]  # fmt: skip
    if rows:
        fields.append(
            known(
                "description",
                "Narrative description of these data sources and the data",
                Table(("Training set", "Program", "Texts"), tuple(r[:3] for r in rows)),
                sorted({r[3] for r in rows}),
                "The tables name the program that wrote each text; some embed passages of documents.",
            )
        )
    if written:
        fields.append(
            known(
                "written",
                "Documents of sources without an origin on record",
                Table(("Source", "Licence", "Documents", "Bytes", "In the mix"), tuple(written)),
                ["records/decontaminate.json", "records/mix.json"],
                "The manifest of sources names no published package that they were taken from; `unknown` are "
                "documents whose address it does not name at all.",
            )
        )
    if named:
        fields.append(
            known(
                "named",
                "Documents of the sources that the recipe names",
                Table(("Source", "Kind", "Origin, as the recipe states it", "Licence", "Documents", "Bytes", "In the mix"), tuple(named)),
                ["records/decontaminate.json", "records/mix.json"],
                "A document's own licence goes before its source's; `unknown` is what the recipe says of a source whose "
                "documents name none. How the provider came by these sources, no record says: where one is a published or "
                "licensed dataset, was crawled, or is of users, the answers to 2.1 to 2.4 must say so.",
            )
        )  # fmt: skip
    return Section("2.6", "Other sources of data", (*fields, *map(_brought, brought)))


def _brought(part: dict[str, Any]) -> Field:
    """What the provider of a fork added, or a recipe names as conversations, by source and licence."""
    rows = tuple(
        (share["source"], share["licence"], share["count"], share["tokens"])
        for share in part["shares"]
    )
    who, begun = f"the recipe names (`{part['job']}`)", "The model learned from them"
    if part["fork"]:
        who = f"the provider of the fork `{part['fork']}` added"
        begun = f"The model was continued from {part['point']} of its parent with them"
    return known(
        part["job"],
        f"{str(part['kind']).capitalize()} that {who}",
        Table(("Source", "Licence", "Number", "Tokens in training"), rows),
        [f"records/{part['job']}.json", part["path"]],
        f"{begun}; {part['path']} holds each with "
        "its address and licence. The records do not say how the provider came by them: where they are a "
        "published or licensed dataset, or of users, the answers to 2.1, 2.2 and 2.4 must say so.",
    )


def _named(subject: Subject) -> list[tuple[str, str, str, str, int, int, int]]:
    """Documents of the sources that the recipe names, by source and licence."""
    table = sizes.composition(subject)
    if table.is_empty() or not subject.corpora:
        return []
    rows = _by_licence(table.filter(pl.col("source").is_in(sorted(subject.corpora))))
    found = []
    for name, licence, count, size, drawn in rows:
        source = subject.corpora[name]
        found.append((name, source.kind, source.origin, licence, count, size, drawn))
    return found


def _written(subject: Subject) -> list[tuple[str, str, int, int, int]]:
    """Documents whose source has no origin in the manifest, or that the manifest does not name."""
    origin = {s.name for s in subject.sources if s.origin}
    table = sizes.composition(subject)
    if table.is_empty():
        return []
    return _by_licence(table.filter(~pl.col("source").is_in(sorted(origin | set(subject.corpora)))))


def _by_licence(found: pl.DataFrame) -> list[tuple[str, str, int, int, int]]:
    rows = found.group_by("source", "licence").agg(
        pl.len(), pl.col("bytes").sum(), pl.col("drawn").sum()
    )
    return [
        (source, licence, int(n), int(size), int(drawn))
        for source, licence, n, size, drawn in rows.sort(
            ["bytes", "source", "licence"], descending=[True, False, False]
        ).iter_rows()
    ]


def _no_synthetic(subject: Subject) -> str:
    """What the records show where no text of an AI model is among the training sets."""
    read = ", ".join(sizes.readers(subject)) or "none"
    said = (
        f"None of the training sets that the stages read ({read}) names an AI model as its author."
    )
    if not _written(subject) and not _named(subject):
        return (
            f"{said} All documents were taken from published packages, by the manifest of sources."
        )
    return f"{said} Whether documents of the sources were written by one, no record says."


def _is_program(name: str) -> bool:
    return name.startswith("regrow.")


_Row = tuple[str, str, int, str, str, bool]


def _examples_read(subject: Subject) -> tuple[str, tuple[str, ...]] | None:
    """The job whose examples the chain read, and the stages that did."""
    for name, (record, stages) in sizes.readers(subject).items():
        if record.function in datasets.EXAMPLES:
            return name, stages
    return None


def _examples(subject: Subject) -> list[tuple[str, str, str, int]]:
    """(teacher, licence, branch, examples) of the fine-tuning data that the chain read."""
    found = []
    read = _examples_read(subject)
    if read is None:
        return []
    job, stages = read
    for branch in sizes.branches_read(subject, stages):
        table = subject.outputs.table(job, f"{branch}.parquet")
        if table is None:
            continue
        # A fork's own conversations are no work of a teacher: 2.6 tells of them.
        theirs = table.filter(pl.col("family") != "own")
        counted = theirs.group_by("teacher", "licence").len().sort("teacher", "licence").collect()
        found += [(str(t), str(c), branch, int(n)) for t, c, n in counted.iter_rows()]
    sizes.complete(subject)
    return found


def _examples_file(subject: Subject) -> str:
    read = _examples_read(subject)
    return f"records/{read[0]}.json" if read else ""


def _taught(subject: Subject) -> list[_Row]:
    return [
        (
            teacher,
            f"answers of chat examples ({branch})",
            n,
            licence,
            _examples_file(subject),
            False,
        )
        for teacher, licence, branch, n in _examples(subject)
        if not _is_program(teacher)
    ]


def _sampled(subject: Subject) -> list[_Row]:
    """What checkpoints of the run wrote: preference pairs and rollouts."""
    rows: list[_Row] = []
    licence = "not on record"
    digests = {
        entry["sha256"]: record.name
        for record in subject.ledger.records
        for entry in record.files
        if record.makes_checkpoint and entry["path"] == "model.safetensors"
    }
    for job, (made, _) in sizes.readers(subject).items():
        if subject.artifacts[made.name].function != "regrow.learn.rl.pairs:run":
            continue
        table = subject.outputs.table(job, "pairs.parquet")
        if table is not None:
            models = pl.concat(
                [table.select(pl.col(c).alias("model")) for c in ("chosen_model", "rejected_model")]
            )
            for model, n in models.group_by("model").len().sort("model").collect().iter_rows():
                name = digests.get(model, f"weights sha256:{str(model)[:16]}")
                rows.append((name, "answers of preference pairs", n, licence, made.file, True))
    for record in subject.chain:
        if any(entry["path"] == "rollouts.parquet" for entry in record.files):
            table = subject.outputs.table(record.name, "rollouts.parquet")
            if table is not None:
                n = int(table.select(pl.len()).collect().item())
                text = "answers rewarded in reinforcement learning"
                rows.append(
                    (f"{record.name} and the steps before it", text, n, licence, record.file, True)
                )
    sizes.complete(subject)
    return rows


def _programs(subject: Subject) -> list[tuple[str, str, int, str]]:
    rows: list[tuple[str, str, int, str]] = []
    for name, (record, _) in sizes.readers(subject).items():
        if record.function not in datasets.MIXES:
            continue
        table = subject.outputs.table(name, "documents.parquet")
        if table is not None and "generator" in table.collect_schema().names():
            made = table.filter(pl.col("generator").is_not_null()).group_by("generator").len()
            for generator, n in made.sort("generator").collect().iter_rows():
                rows.append((name, str(generator), int(n), f"records/{name}.json"))
    sizes.complete(subject)
    job = _examples_read(subject) or ("examples", ())
    rows += [
        (f"{job[0]} ({branch})", teacher, n, _examples_file(subject))
        for teacher, _, branch, n in _examples(subject)
        if _is_program(teacher)
    ]
    return rows
