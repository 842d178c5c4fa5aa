"""Sections 2.1, 2.2 and 2.4: published datasets, private datasets, user data."""

from __future__ import annotations

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
                "Large: more than 3 % of the bytes of all publicly available text. In the mix: bytes of the "
                "pretraining mix, repeats counted; a source with 0 there may be drawn on by a later mix.",
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
