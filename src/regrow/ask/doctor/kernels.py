"""The native kernels: built, loadable, and right on a product whose bits are known.

The check needs no torch: it multiplies two small matrices with every instruction set that
the processor offers, and compares each element with the definition of fma32 (one chain of
fused multiply-adds in ascending k, from 0), computed in exact rational arithmetic.

numpy is imported only once the processor is known to be able: on one that is not, numpy itself may
end in an illegal instruction, which would be the doctor's last word.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from regrow.ask.doctor.cpu import Cpu
from regrow.ask.doctor.finding import Finding
from regrow.data.dedup.native.build import target
from regrow.numerics import library
from regrow.numerics.build import BuildError, build

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SHAPE = (5, 29, 21)
"""rows, k, columns: odd, so that every edge of the kernels is met"""
_REBUILD = (
    "Build them again: remove src/regrow/numerics/_native, then `python -m regrow.numerics.build`."
)


def check_kernels(cpu: Cpu) -> list[Finding]:
    """Findings about the kernels; none where the processor cannot run them anyway."""
    if cpu.missing and cpu.flags:
        return []
    try:
        build()
    except (BuildError, OSError) as error:
        return [
            Finding(
                "kernels",
                "fail",
                f"the fma32 kernels are not built: {error}",
                "`python -m regrow.numerics.build` (needs the package ziglang, no system compiler).",
            )
        ]
    able = library.supported()
    if not able:
        return [Finding("kernels", "fail", library.available_class()[1], "Run on another machine.")]
    wrong = [isa for isa in able if not right(isa)]
    if wrong:
        return [
            Finding(
                "kernels",
                "fail",
                f"the {' and '.join(wrong)} kernels give other bits than fma32 defines.",
                _REBUILD + " If it stays, the processor or the hypervisor is at fault: report it.",
            )
        ]
    checked = (
        f"fma32 with {library.chosen()} kernels; checked on a known product: {', '.join(able)}."
    )
    return [Finding("kernels", "ok", checked), *_of_dedup()]


def _of_dedup() -> list[Finding]:
    """Whether deduplication is as fast as it can be here; its Python gives the same bytes."""
    try:
        built = target().is_file()
    except OSError:
        built = False
    if built:
        return []
    says = "the native code of dedup is not built: Python does the same for twice the CPU time."
    return [Finding("kernels", "warn", says, "`python -m regrow.data.dedup.native.build`")]


def right(isa: str) -> bool:
    """Whether the product of one instruction set has the bits that fma32 defines."""
    import numpy as np

    rows, inner, columns = _SHAPE
    a, b = _numbers(rows * inner, 1).reshape(rows, inner), _numbers(inner * columns, 2)
    b = b.reshape(inner, columns)
    out = np.empty((rows, columns), dtype=np.float32)
    library.kernels(isa).gemm(
        *(1, rows, columns, inner),
        *(a.ctypes.data, 0, inner, 1),
        *(b.ctypes.data, 0, columns, 1),
        *(out.ctypes.data, 0, columns, 0, 1),
    )
    return bool(np.array_equal(out, product(a, b)))


def product(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """a (m, k) times b (k, n) by the definition, exactly rounded after every multiply-add."""
    import numpy as np

    out = np.empty((a.shape[0], b.shape[1]), dtype=np.float32)
    for i, row in enumerate(a.tolist()):
        for j, column in enumerate(b.T.tolist()):
            chain = Fraction(0)
            for x, y in zip(row, column, strict=True):
                chain = _round(chain + Fraction(x) * Fraction(y))
            out[i, j] = float(chain)
    return out


def _round(value: Fraction) -> Fraction:
    """To the nearest float32 (24 bits), ties to even; exponents are far from the limits here."""
    if not value:
        return value
    exponent = math.frexp(float(value))[1] - 24
    scale = Fraction(2) ** exponent
    return round(value / scale) * scale


def _numbers(count: int, seed: int) -> NDArray[np.float32]:
    """Fixed float32 numbers in (-2, 2) from a linear congruence."""
    import numpy as np

    state, values = seed * 2654435761 + 1, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        values.append(((state >> 40) - (1 << 23)) * 2.0**-22)
    return np.array(values, dtype=np.float32)
