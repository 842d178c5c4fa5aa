"""Sections 2.1, 2.2 and 2.4: published datasets, private datasets, user data."""

from __future__ import annotations

import polars as pl

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
    told,
)
from regrow.release.composition import UNKNOWN
from regrow.selection import parse

LARGE = 0.03
"""share of all publicly available text from which the template calls a dataset large"""


def public(subject: Subject) -> Section:
    """2.1: sources that the manifest says were taken from a published package, and what the provider adds.

    Of text without such an origin no record says whether somebody published it as a dataset: then the answer is the
    provider's, unless it is yes already.
    """
    origin = {s.name: s for s in subject.sources if s.origin and not s.kind}
    found = sizes.shares(sizes.composition(subject), "source")
    rows = [row for row in found if row["name"] in origin]
    others = [row for row in found if row["name"] not in origin]
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
    question = "Have you used publicly available datasets to train the model?"
    without = _without_origin(others, set(subject.corpora))
    fields: list[Field] = [
        ticked("used", question, True, ["records/decontaminate.json"],
               f"{len(rows):,} sources were taken from published packages, by the manifest of sources. {without}".strip())
        if rows
        else asked("used", question, True if more else None, without)
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


def _without_origin(rows: list[dict[str, object]], named: set[str]) -> str:
    if not rows:
        return "No document came through whose source has an origin on record."
    own = sum(int(str(row["documents"])) for row in rows if row["name"] in named)
    documents = sum(int(str(row["documents"])) for row in rows) - own
    about = {
        "whose origin the recipe states in words": own,
        "without an origin on record": documents,
    }
    return " ".join(
        f"{count:,} documents are of sources {which} (2.6 lists them): whether those are a published dataset, no "
        "record says."
        for which, count in about.items()
        if count
    )


def private(subject: Subject) -> list[Section]:
    """2.2.1 and 2.2.2: contracts, which no record knows."""
    data = subject.about.data
    inputs = ", ".join(_inputs(subject))
    hint = f"The committed inputs of the run are {inputs}. {_licences(subject)}"
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
    hint = (
        f"The committed inputs of the run are {', '.join(_inputs(subject))}. Whether they hold data of users, no "
        "record says."
    )
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


def _licences(subject: Subject) -> str:
    """How many documents have a licence on record."""
    table = sizes.composition(subject)
    if table.is_empty():
        return "Of the documents' licences nothing is on record."
    odd = table.filter(pl.col("licence") == UNKNOWN).height
    if odd:
        return f"{odd:,} of {table.height:,} documents have no licence on record."
    where = "on record" if subject.corpora else "in the manifest of sources"
    return f"Each of the {table.height:,} documents has a licence {where}."


def _inputs(subject: Subject) -> list[str]:
    """The committed files and folders that the chain begins from."""
    return sorted(
        {
            parse(str(entry["path"])).whole
            for record in subject.chain
            for entry in record.inputs.values()
            if entry.get("kind") == "source"
        }
    )
