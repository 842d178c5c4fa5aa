"""All checks in order, and the sentence that they add up to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from regrow.ask.doctor import cpu, machine, packages
from regrow.ask.doctor.finding import Finding
from regrow.ask.doctor.kernels import check_kernels
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import find_root


def examine(
    root: Path | None = None, cpuinfo: Path = cpu.CPUINFO, machine_type: str | None = None
) -> list[Finding]:
    """Every finding about this machine; a check that itself fails is a finding too."""
    try:
        root = root or find_root()
    except Unanswerable:
        root = Path.cwd()
    here = root
    processor = cpu.read(cpuinfo, machine_type)
    checks: list[Callable[[], list[Finding]]] = [
        lambda: cpu.check(processor),
        lambda: check_kernels(processor),
        lambda: [packages.check_python()],
        lambda: packages.check_pins(here / "constraints.txt"),
        machine.check_tools,
        lambda: [machine.check_disk(here)],
        lambda: [machine.check_memory()],
        lambda: [machine.check_repository(here)],
        lambda: [machine.check_remote(here)],
    ]
    found = []
    for check in checks:
        try:
            found += check()
        except Exception as error:  # the doctor must not die of the disease
            found.append(
                Finding(
                    "doctor",
                    "warn",
                    f"a check broke off: {type(error).__name__}: {error}",
                    "This is a defect of the doctor: please report it with this line.",
                )
            )
    return found


def certifies(findings: list[Finding]) -> str:
    """What the findings mean for results made here."""
    failed = {finding.check for finding in findings if finding.status == "fail"}
    if failed & {"python", "packages", "git", "snakemake", "repository"}:
        return "This machine cannot run the flow until what failed is fixed."
    if "processor" in failed:
        return (
            "This machine can certify neither training nor evaluation, and the data steps (crawl to "
            "pack) only if the installed polars runs on it; it can fetch published artifacts."
        )
    if "kernels" in failed:
        return (
            "This machine can certify the data steps (crawl to pack), not training and evaluation; "
            "it can fetch and question published artifacts."
        )
    if any(f.check == "packages" and f.status == "warn" for f in findings):
        return (
            "This machine can run every step, but with other packages than published: results may "
            "differ from the published hashes."
        )
    if failed:
        return "This machine can certify every step once what failed is fixed."
    return "This machine can certify every step, data (exact) and training (fma32), bit for bit."
