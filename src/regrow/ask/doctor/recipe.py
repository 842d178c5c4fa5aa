"""A recipe, examined before the hours are spent: what will fail, what is probably not meant, what is unknown."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regrow.ask.doctor import fits, inputs, models, planned
from regrow.ask.doctor.described import described
from regrow.ask.funnel.funnel import Funnel, read
from regrow.ask.guards import check, reading
from regrow.ask.guards.finding import Finding, ranked
from regrow.ask.guards.reading import Reading
from regrow.engine import jobs
from regrow.engine.errors import FlowError
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.params.schema import ParamsError
from regrow.recipe.lines import Recipe


@dataclass(frozen=True)
class Examined:
    """What was found about a recipe."""

    findings: list[Finding]
    """the gravest first"""
    readings: list[Reading] = field(default_factory=list)
    records: int = 0
    """that describe it"""

    @property
    def verdict(self) -> str:
        """The findings in one sentence."""
        failures = sum(one.severity == "fail" for one in self.findings)
        warnings = sum(one.severity == "warn" for one in self.findings)
        if failures:
            return f"This recipe will not run as it is: {_some(failures, 'failure')}, {_some(warnings, 'warning')}."
        if warnings:
            return f"This recipe runs, with {_some(warnings, 'warning')} of what is probably not meant."
        return "Nothing is known that speaks against this recipe."

    def as_json(self) -> dict[str, Any]:
        """What was found as a mapping."""
        return {
            "findings": [one.as_json() for one in self.findings],
            "readings": planned.as_json(self.readings),
            "records": self.records,
            "verdict": self.verdict,
        }


def _some(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def examine(root: Path, params_file: str, memory: int | None = None) -> Examined:
    """Examine a params file. Nothing is run or written, and no finding ends the examination but a file that does not load.

    Args:
        root: the repository.
        params_file: relative to `root`, or absolute.
        memory: bytes of the machine that it would run on; default: this one's.
    """
    flow = jobs.flow()
    try:
        params = flow.load(root / params_file)
        values = params.model_dump(mode="json")
        under = flow.under(values)
        unfolded = jobs.expand(under, under.instances(params))
    except (ParamsError, FlowError) as error:
        said = [
            Finding("recipe", "fail", line, fix="`regrow schema FIELD` describes a field")
            for line in str(error).splitlines()
        ]
        return Examined(said)
    recipe = Recipe(values)
    main = sum(job.step.group == "main" for job in unfolded.values())
    found = [
        Finding(
            "recipe",
            "ok",
            f"{Path(params_file).name} loads: {_some(len(params.stages), 'stage')}, {main:,} jobs.",
            main,
        )
    ]
    found += models.models(root, params)
    ledger, trouble = _records(root, values)
    found += trouble
    funnel, guarded = _guarded(ledger)
    found += inputs.sources(root, params, any(step.name == "crawl" for step in under.steps))
    tokens, said = inputs.vocabulary(root, params)
    found += [*said, *inputs.languages(params)]
    text, step = planned.text_tokens(params, funnel)
    rows = planned.readings(params, recipe, ledger, text)
    found += [
        *planned.short_of_text(params, text, step, _below(root, params_file)),
        *reading.short(rows),
        *planned.unknown(rows),
    ]
    found.append(fits.fits(params, tokens, memory))
    # What a record says of labels is more than what the settings let expect.
    if not any(one.name == "unlabelled_quality" for one in guarded):
        found += inputs.labels(params)
    return Examined(ranked([*found, *guarded]), rows, len(ledger.records) if ledger else 0)


def _below(root: Path, params_file: str) -> str:
    """The file as a command in the repository names it."""
    place = root / params_file
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else params_file


def _records(root: Path, values: dict[str, Any]) -> tuple[Ledger | None, list[Finding]]:
    try:
        ledger = Ledger.load(root) if any((root / "records").glob("*.json")) else None
        return described(ledger, values), []
    except Unanswerable as error:
        return None, [Finding("records", "warn", f"the records cannot be read: {error}")]


def _guarded(ledger: Ledger | None) -> tuple[Funnel | None, list[Finding]]:
    """The guards over what was made under these params; epochs are those of the recipe and not asked here."""
    if ledger is None:
        return None, []
    try:
        funnel = read(ledger)
        found = check.check(ledger, funnel)
    except Unanswerable as error:
        return None, [Finding("records", "warn", f"the tables cannot be read: {error}")]
    return funnel, [one for one in found if one.name not in ("epochs", "pack_short")]
