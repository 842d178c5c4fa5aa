"""The processor: which instructions it has, and so which numerics class it can certify."""

from __future__ import annotations

import importlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from regrow.ask.doctor.finding import Finding

CPUINFO = Path("/proc/cpuinfo")
NUMERICS = ("avx2", "fma")
"""what the kernels of fma32 are compiled for (`regrow.numerics`)"""
V2 = ("cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3")
"""x86-64-v2 (the psABI's levels), below which numpy's wheels do not start"""
_KERNEL_NAMES = {
    "cmpxchg16b": "cx16",
    "lzcnt": "abm",
    "pclmulqdq": "pclmulqdq",
    "sse3": "pni",
    "sse4.1": "sse4_1",
    "sse4.2": "sse4_2",
}
"""LLVM's name of a feature -> the name in /proc/cpuinfo, where they differ"""
_POLARS = ("_polars_runtime_32", "_polars_runtime_64")
"""the packages that hold polars' binary and say what it was compiled for"""


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
        """Instructions that `fma32` or an installed wheel needs and this processor lacks."""
        return [flag for flag in needed() if flag not in self.flags]


def needed() -> tuple[str, ...]:
    """Features that this environment needs, as /proc/cpuinfo spells them: those of fma32 first.

    Wheels that choose their kernels at run time (torch, blake3) need none beyond the baseline of
    numpy. polars' wheel does not choose: it is compiled for a list of features, which it states.
    """
    wheels = set(V2) | {_KERNEL_NAMES.get(name, name) for name in polars_features()}
    return (*NUMERICS, *sorted(wheels - set(NUMERICS)))


def polars_features() -> list[str]:
    """Features that the installed polars was compiled for (LLVM's names); none if it says none."""
    for package in _POLARS:
        try:
            # The list is a module of its own: the binary, which may not run here, is not loaded.
            flags = importlib.import_module(f"{package}.build_feature_flags").BUILD_FEATURE_FLAGS
        except (ImportError, AttributeError):
            continue
        return [f[1:] for f in flags.split(",") if f.startswith("+") and f != "+crt-static"]
    return []


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
                "Run on an x86-64 machine. Questions about published artifacts (audit, trace, batch) "
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
        numeric = any(flag in NUMERICS for flag in cpu.missing)
        stops = (
            "training and evaluation (fma32) cannot run here, nor can polars"
            if numeric
            else "an installed wheel (polars, numpy) dies of an illegal instruction here"
        )
        return [
            Finding(
                "processor",
                "fail",
                f"{about}: no {names}, so {stops}, with which every step reads and writes its tables.",
                "Use an Intel CPU from 2013 on (Haswell) or an AMD one from 2015 on (Excavator, Zen). "
                "In a virtual machine the host may hide them: start it with `-cpu host`. An emulator "
                "works, slowly, and gives the same bits: `qemu-x86_64 -cpu max`.",
            )
        ]
    return [
        Finding(
            "processor",
            "ok",
            f"{about}: AVX2, FMA, {wide}; the {len(needed())} features that the wheels need.",
        )
    ]
