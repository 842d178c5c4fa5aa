"""The figures that Annex XI asks for (Article 53(1)(a)): architecture, training, data, compute, energy."""

from __future__ import annotations

from typing import Any

from regrow.ask.audit import documents
from regrow.publish.export.subject import Subject
from regrow.publish.export.summary import compute, sizes
from regrow.publish.export.summary.field import Section, Table, known, told
from regrow.release import methods
from regrow.release.statements import KNOWN


def sections(subject: Subject) -> list[Section]:
    """Annex XI, section 1, points 1 and 2."""
    return [_general(subject), _training(subject), _data(subject), _compute(subject)]


def _general(subject: Subject) -> Section:
    about, record = subject.about.model, subject.record
    shape = subject.section("model")
    size = compute.of(subject)
    context = _context(subject)
    placed = about.placed_on_market
    return Section(
        "XI.1.1",
        "General description of the model",
        (
            told("tasks", "Tasks that the model is intended to perform, and systems it can be part of",
                 about.tasks,
                 f"The publisher's description: {subject.description}" if subject.description else ""),
            told("use", "Acceptable use policies", about.acceptable_use),
            told("release", "Date of release and methods of distribution",
                 [p for p in (placed.strftime("%d/%m/%Y") if placed else None, about.distribution) if p]
                 if placed or about.distribution else None),
            known("architecture", "Architecture and number of parameters",
                  f"Decoder-only transformer (Olmo 3), {shape.get('layers')} layers, width "
                  f"{shape.get('hidden')}, {shape.get('heads')} heads; {size:,} parameters."
                  if size else None, [record.file]),
            known("formats", "Modality and format of inputs and outputs",
                  f"Text in, text out; up to {context:,} tokens." if context else "Text in, text out.",
                  [record.file]),
            told("licence", "Licence", subject.licence or None,
                 "As the publisher states it in the release." if subject.licence else "The release states none."),
        ),
    )  # fmt: skip


def _context(subject: Subject) -> int | None:
    found = subject.section("model").get("context")
    for record in subject.chain:
        if record.kind is not None and record.kind.name == "longcontext" and not record.is_control:
            found = methods.section(subject.artifacts[record.name]).get("context") or found
    return found if isinstance(found, int) else None


def _training(subject: Subject) -> Section:
    trained = sizes.trained(subject)
    rows = []
    for stage in subject.history:
        params: dict[str, Any] = dict(methods.section(subject.artifacts[stage.checkpoint]))
        optimizer = params.get("optimizer") or {}
        choices = ", ".join(
            f"{label} {value}"
            for label, value in (
                ("optimiser", optimizer.get("name")),
                ("learning rate", optimizer.get("learning_rate")),
                ("steps", params.get("steps")),
                ("sequences per step", params.get("batch_sequences")),
            )
            if value is not None
        )
        rows.append(
            (
                stage.title,
                stage.method.text,
                stage.reads.text,
                trained.get(stage.name, 0),
                choices,
            )
        )
    return Section(
        "XI.1.2 (a, b)",
        "Design specifications and training process",
        (
            told("integration", "Technical means required to integrate the model", subject.about.model.integration),
            known("stages", "Training methodologies, what was optimised, and on what",
                  Table(("Stage", "Method", "Learned from", "Tokens", "Choices"), tuple(rows)),
                  [r.file for r in subject.chain if r.makes_checkpoint]),
            known("arithmetic", "Arithmetic",
                  ", ".join(sorted({str(r.parts.get("numerics")) for r in subject.chain})),
                  [subject.record.file],
                  _bits(subject)),
        ),
    )  # fmt: skip


def _data(subject: Subject) -> Section:
    table = sizes.composition(subject)
    by_licence = sizes.shares(table, "licence")
    points = [
        (r.name, kept)
        for r in subject.chain
        if (counted := documents(r)) and isinstance(kept := counted["kept"], int)
    ]
    return Section(
        "XI.1.2 (c)",
        "Data used for training, testing and validation",
        (
            known("provenance", "Type and provenance of the data",
                  Table(("Licence", "Documents", "Bytes", "In the mix"),
                        tuple((r["name"], r["documents"], r["bytes"], r["drawn"]) for r in by_licence))
                  if by_licence else None, ["records/decontaminate.json", "records/mix.json"],
                  "Sources one by one: 2.1 and 2.3."),
            known("points", "Number of data points after each step of curation",
                  Table(("Step", "Documents"), tuple(points)) if points else None,
                  [f"records/{name}.json" for name, _ in points],
                  "Curation methods: 3.3. Held-out documents for testing are kept apart by decontaminate."),
            told("bias", "Measures to detect unsuitable sources and identifiable biases", subject.about.data.bias,
                 _no_bias(subject)),
        ),
    )  # fmt: skip


def _bits(subject: Subject) -> str:
    """What the classes of arithmetic promise, where they are those that are defined to the bit."""
    if {str(r.parts.get("numerics")) for r in subject.chain} <= {"exact", "fma32"}:
        return "Both are defined to the bit, so another machine can check the weights (`regrow rebuild`)."
    return ""


def _no_bias(subject: Subject) -> str:
    steps = [r.name for r in subject.chain if not r.makes_checkpoint]
    if any(subject.artifacts[name].function not in KNOWN for name in steps):
        return "Whether a step of the run looks for bias is not on record."
    return f"None of the data steps of this run ({', '.join(steps)}) looks for bias; 3.3 says what they do."


def _compute(subject: Subject) -> Section:
    costs = compute.costs(subject)
    total = sum(cost.flop for cost in costs)
    energy = subject.about.energy
    size = compute.of(subject)
    rows = [
        (sizes.stage_title(subject, c.stage), c.tokens, c.formula, compute.scientific(c.flop))
        for c in costs
    ]
    if energy.measured_kwh is not None:
        consumption = told(
            "energy", "Energy consumption of the training", f"{energy.measured_kwh:g} kWh, measured"
        )
    else:
        consumption = known(
            "energy",
            "Estimated energy consumption of the training",
            f"{compute.kilowatt_hours(total, energy):.3g} kWh" if total else None,
            [r.file for r in subject.chain if r.makes_checkpoint],
            compute.assumption(energy),
        )
    return Section(
        "XI.1.2 (d, e)",
        "Computational resources and energy",
        (
            known("flop", "Compute used for training",
                  f"{compute.scientific(total)} FLOP" if total else None,
                  [r.file for r in subject.chain if r.makes_checkpoint],
                  f"{_beside(total)} P = {size:,} parameters, D = tokens of the stage." if size else ""),
            known("stages", "Compute by stage",
                  Table(("Stage", "Tokens (D)", "Formula", "FLOP"), tuple(rows)) if rows else None,
                  note="Not counted: attention's products over the context, the sampling of preference pairs "
                  "and of the difficulty filter, evaluation, and what a teacher of frozen answers took."),
            consumption,
        ),
    )  # fmt: skip


def _beside(total: int) -> str:
    share = total / compute.THRESHOLD_GPAI
    return (
        f"{compute.scientific(share)} of the 10²³ FLOP that the Commission's guidelines take as the mark of a "
        "general-purpose model; from 10²⁵ on Article 51(2) presumes systemic risk."
    )
