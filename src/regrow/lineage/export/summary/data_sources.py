"""Section 2 without 2.3: public and private datasets, user data, synthetic and other data."""

from __future__ import annotations

import polars as pl

from regrow.lineage.export.subject import Subject
from regrow.lineage.export.summary import sizes
from regrow.lineage.export.summary.field import (
    Field,
    Section,
    Table,
    asked,
    known,
    modality,
    ticked,
    told,
)

LARGE = 0.03
"""share of all publicly available text from which the template calls a dataset large"""


def public(subject: Subject) -> Section:
    """2.1: sources that were taken from published packages, and what the provider adds."""
    origin = {s.name: s for s in subject.sources if s.origin}
    rows = [
        row for row in sizes.shares(sizes.composition(subject), "source") if row["name"] in origin
    ]
    total = sum(row["bytes"] for row in rows)

    def table(chosen: list[dict[str, object]]) -> Table | None:
        columns = ("Source", "Title", "Licence", "Published as", "Documents", "Bytes", "In the mix")
        return (
            Table(
                columns,
                tuple(
                    (
                        r["name"],
                        (source := origin[str(r["name"])]).title,
                        source.licence,
                        f"{source.origin} {source.version}",
                        r["documents"],
                        r["bytes"],
                        r["drawn"],
                    )
                    for r in chosen
                ),
            )
            if chosen
            else None
        )

    large = [r for r in rows if r["bytes"] > LARGE * total]
    small = [r for r in rows if r["bytes"] <= LARGE * total]
    more = subject.about.data.public
    fields: list[Field] = [
        ticked("used", "Have you used publicly available datasets to train the model?", bool(rows or more),
               ["records/decontaminate.json"], "Packages published by others, each with its SHA-256 in the manifest of sources."),
    ]  # fmt: skip
    if rows or more:
        fields += [
            modality(),
            known(
                "large",
                "List of large publicly available datasets",
                table(large),
                ["records/decontaminate.json", "records/mix.json"],
                "Large: more than 3 % of the bytes of all publicly available text used.",
            ),
        ]
        if small:
            fields.append(
                known(
                    "others",
                    "Other publicly available datasets",
                    table(small),
                    ["records/mix.json"],
                )
            )
    if more:
        lines = [
            " · ".join(x for x in (d.name, d.link, d.description, d.period) if x) for d in more
        ]
        fields.append(told("added", "Further datasets, named by the provider", lines))
    return Section("2.1", "Publicly available datasets", tuple(fields))


def private(subject: Subject) -> list[Section]:
    """2.2.1 and 2.2.2: contracts, which no record knows."""
    data = subject.about.data
    inputs = ", ".join(_inputs(subject))
    hint = f"The run's only inputs are {inputs}; the licence of each source is in 2.1 and 2.3."
    third = [
        asked(
            "third_parties",
            "Have you obtained private datasets from third parties that are not licensed as "
            "described in Section 2.2.1?",
            data.third_parties,
            hint,
        )
    ]
    if data.third_parties:
        third.append(
            told("third_description", "General description", data.third_parties_description)
        )
    return [
        Section(
            "2.2.1",
            "Datasets commercially licensed by rightsholders or their representatives",
            (
                asked(
                    "licensed",
                    "Have you concluded transactional commercial licensing agreement(s) with "
                    "rightsholder(s) or with their representatives?",
                    data.licensed,
                    hint,
                ),
            ),
        ),
        Section("2.2.2", "Private datasets obtained from other third parties", tuple(third)),
    ]


def users(subject: Subject) -> Section:
    """2.4: user data."""
    data = subject.about.data
    hint = f"No step of the flow reads logs of users. Its only inputs are {', '.join(_inputs(subject))}."
    fields = [
        asked("interactions", "Was data from user interactions with the AI model (e.g. user input and "
              "prompts) used to train the model?", data.user_interactions, hint),
        asked("services", "Was data collected from user interactions with the provider's other services "
              "or products used to train the model?", data.user_services, hint),
    ]  # fmt: skip
    if data.user_interactions or data.user_services:
        fields += [
            told("user_description", "General description", data.user_description),
            modality(),
        ]
    return Section("2.4", "User data", tuple(fields))


def synthetic(subject: Subject) -> Section:
    """2.5: text written by AI models, by the model that wrote it."""
    rows = [*_taught(subject), *_sampled(subject)]
    fields = [
        ticked("used", "Was synthetic AI-generated data created by the provider or on their behalf to "
               "train the model?", bool(rows), sorted({r[4] for r in rows})),
    ]  # fmt: skip
    if rows:
        others = tuple(r[:4] for r in rows if not r[5])
        own = tuple(r[:4] for r in rows if r[5])
        columns = ("Model", "What it wrote", "Texts", "Licence")
        fields += [
            modality(),
            known("models", "General-purpose AI model(s) used to generate the synthetic data",
                  Table(columns, others) if others else "None.", ["records/sftdata.json"]),
            known("own_models", "Other AI models, including the provider's own, used to generate "
                  "synthetic data", Table(columns, own) if own else "None.", [r[4] for r in rows if r[5]],
                  "The model's own checkpoints answered questions that programs had made; this document "
                  "says what they were trained on."),
        ]  # fmt: skip
    return Section("2.5", "Synthetic data", tuple(fields))


def other(subject: Subject) -> Section:
    """2.6: text made by programs."""
    rows = _programs(subject)
    fields = [
        ticked("used", "Have data sources other than those described in Sections 2.1 to 2.5 been used to "
               "train the model?", bool(rows), [r[3] for r in rows]),
    ]  # fmt: skip
    if rows:
        fields.append(
            known(
                "description",
                "Narrative description of these data sources and the data",
                Table(("Training set", "Program", "Texts"), tuple(r[:3] for r in rows)),
                sorted({r[3] for r in rows}),
                "Questions, worked answers, tool calls and instructions that programs of the flow "
                "write by rule. No AI model takes part; some embed passages of the documents above.",
            )
        )
    return Section("2.6", "Other sources of data", tuple(fields))


def _inputs(subject: Subject) -> list[str]:
    """The committed files and folders that the chain begins from."""
    return sorted(
        {
            str(entry["path"])
            for record in subject.chain
            for entry in record.inputs.values()
            if entry.get("kind") == "source"
        }
    )


def _is_program(name: str) -> bool:
    return name.startswith("regrow.")


_Row = tuple[str, str, int, str, str, bool]


def _examples(subject: Subject) -> list[tuple[str, str, str, int]]:
    """(teacher, licence, branch, examples) of the fine-tuning data that the chain read."""
    found = []
    read = sizes.readers(subject).get("sftdata")
    if read is None:
        return []
    branches = sorted({"instruct" if "instruct" in stage else "think" for stage in read[1]})
    for branch in branches:
        table = subject.shelf.table("sftdata", f"{branch}.parquet")
        if table is None:
            continue
        counted = table.group_by("teacher", "licence").len().sort("teacher", "licence").collect()
        found += [(str(t), str(c), branch, int(n)) for t, c, n in counted.iter_rows()]
    sizes.complete(subject)
    return found


def _taught(subject: Subject) -> list[_Row]:
    return [
        (teacher, f"answers of chat examples ({branch})", n, licence, "records/sftdata.json", False)
        for teacher, licence, branch, n in _examples(subject)
        if not _is_program(teacher)
    ]


def _sampled(subject: Subject) -> list[_Row]:
    """What checkpoints of the run wrote: preference pairs and rollouts."""
    rows: list[_Row] = []
    licence = subject.licence or "unknown"
    digests = {
        entry["sha256"]: record.name
        for record in subject.ledger.records
        for entry in record.files
        if record.makes_checkpoint and entry["path"] == "model.safetensors"
    }
    if "pairs" in sizes.readers(subject):
        table = subject.shelf.table("pairs", "pairs.parquet")
        if table is not None:
            models = pl.concat(
                [table.select(pl.col(c).alias("model")) for c in ("chosen_model", "rejected_model")]
            )
            for model, n in models.group_by("model").len().sort("model").collect().iter_rows():
                name = digests.get(model, f"weights sha256:{str(model)[:16]}")
                rows.append(
                    (name, "answers of preference pairs", n, licence, "records/pairs.json", True)
                )
    for record in subject.chain:
        if any(entry["path"] == "rollouts.parquet" for entry in record.files):
            table = subject.shelf.table(record.name, "rollouts.parquet")
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
    for name in ("midmix", "longmix"):
        if name not in sizes.readers(subject):
            continue
        table = subject.shelf.table(name, "documents.parquet")
        if table is not None and "generator" in table.collect_schema().names():
            made = table.filter(pl.col("generator").is_not_null()).group_by("generator").len()
            for generator, n in made.sort("generator").collect().iter_rows():
                rows.append((name, str(generator), int(n), f"records/{name}.json"))
    sizes.complete(subject)
    rows += [
        (f"sftdata ({branch})", teacher, n, "records/sftdata.json")
        for teacher, _, branch, n in _examples(subject)
        if _is_program(teacher)
    ]
    return rows
