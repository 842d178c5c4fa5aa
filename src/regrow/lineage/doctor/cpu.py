"""The processor: which instructions it has, and so which numerics class it can certify."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from regrow.lineage.doctor.finding import Finding

CPUINFO = Path("/proc/cpuinfo")
NEEDED = ("avx2", "fma")


@dataclass(frozen=True)
class Cpu:
    """A processor as the operating system describes it."""

    machine: str
    """`x86_64`, `aarch64`, …"""
    vendor: str
    model: str
    flags: frozenset[str]
    cores: int
    """usable by this process"""

    @property
    def missing(self) -> list[str]:
        """Instructions that `fma32` needs and this processor lacks."""
        return [flag for flag in NEEDED if flag not in self.flags]


def read(cpuinfo: Path = CPUINFO, machine: str | None = None) -> Cpu:
    """Describe the processor from `cpuinfo` (the format of Linux's /proc/cpuinfo)."""
    fields: dict[str, str] = {}
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    for line in text.splitlines():
        name, separator, value = line.partition(":")
        if separator:
            fields.setdefault(name.strip(), value.strip())
    return Cpu(
        machine=machine or platform.machine(),
        vendor=fields.get("vendor_id", "unknown vendor"),
        model=fields.get("model name", "unknown model"),
        flags=frozenset(fields.get("flags", "").lower().split()),
        cores=len(os.sched_getaffinity(0)),
    )


def check(cpu: Cpu) -> list[Finding]:
    """Findings about the processor."""
    if cpu.machine.lower() not in {"x86_64", "amd64"}:
        return [
            Finding(
                "processor",
                "fail",
                f"{cpu.machine}: the numerics class fma32 is defined for x86-64 only.",
                "Run on an x86-64 machine. Questions about published artifacts (audit, trace, order) "
                "work here.",
            )
        ]
    wide = "AVX-512" if "avx512f" in cpu.flags else "no AVX-512 (not needed)"
    about = f"{cpu.vendor} {cpu.model}, {cpu.cores} usable core{'s' if cpu.cores != 1 else ''}"
    if not cpu.flags:
        return [
            Finding(
                "processor",
                "warn",
                f"{about}: cannot read its features (/proc/cpuinfo names no flags).",
                "If training fails with an illegal instruction, the CPU lacks AVX2 or FMA.",
            )
        ]
    if cpu.missing:
        names = " and ".join(flag.upper() for flag in cpu.missing)
        return [
            Finding(
                "processor",
                "fail",
                f"{about}: no {names}, so training and evaluation (fma32) cannot run here, nor can "
                "polars, with which the data steps read and write their tables.",
                "Use an Intel CPU from 2013 on (Haswell) or an AMD one from 2015 on (Excavator, Zen). "
                "In a virtual machine the host may hide them: start it with `-cpu host`. An emulator "
                "works, slowly, and gives the same bits: `qemu-x86_64 -cpu max`.",
            )
        ]
    return [Finding("processor", "ok", f"{about}: AVX2, FMA, {wide}.")]
