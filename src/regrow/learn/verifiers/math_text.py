"""What a mathematical text is made of, before anything reads it as mathematics.

math-verify passes over what it does not know: a base (`101_2`), bold letters, dots, a bar over digits, a
prime, a unit, the degree sign, a modulus. Two texts that differ in such a thing alone are equal to it.
So only what is known to be read is compared as mathematics (`readable`); every other text is equal to the
same text alone (`same_text`, which passes over spaces, sizes of brackets and braces round one sign).

`latex` writes plain forms (`pi/2`, `exp(x)`, `x**2`) as LaTeX, where they are not products of letters.
"""

from __future__ import annotations

import re


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTIONS = _names(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln exp sqrt abs min max gcd lcm"
)
"""function names of plain text"""
_SPELLED = _names("alpha beta gamma delta epsilon theta lambda mu sigma phi psi omega rho tau")
CONSTANTS = {
    "pi": "\\pi ",
    "inf": "\\infty ",
    "infty": "\\infty ",
    "infinity": "\\infty ",
    **{name: f"\\{name} " for name in sorted(_SPELLED)},
}
"""names of signs of plain text, and their LaTeX"""
_READ = _names(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi rho sigma "
    "tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega "
    "frac dfrac tfrac cfrac sqrt pi cdot times div pm left right infty cup cap "
    "le leq ge geq lt gt ne neq sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh "
    "log ln exp min max gcd binom dbinom tbinom int sum prod lim to emptyset "
    "lfloor rfloor lceil rceil begin end displaystyle quad"
)
"""commands that math-verify reads, none of which it passes over"""
_ENVIRONMENTS = frozenset(("matrix", "pmatrix", "bmatrix", "vmatrix"))
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_UNREAD = re.compile(
    r"[0-9)\]}] ?_"  # a base, or a falling factorial
    r"|\.\.|['\"?@#%~:`]"  # dots, primes, percent inside an expression, ratios
    r"|\\[^A-Za-z{},;!\\ ]"
)
_RUN = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{2,}")
_FAMILIES = tuple(map(set, ("xyzwt", "abcd", "pqrs", "klmn", "uvw", "ijk", "rst")))
_SHORT_WORDS = _names("no on or so am pm is it in if to as at of up us me we he by do go an be")


def words(text: str) -> list[str]:
    """The runs of two or more letters that are no commands."""
    return _RUN.findall(_COMMAND.sub(" ", text))


def is_word(text: str) -> bool:
    """Whether a text is a word (`Monday`, `yes`, `ABC`), no product of letters."""
    if not re.fullmatch("[A-Za-z]{2,}", text) or text in CONSTANTS or text[:-1] in FUNCTIONS:
        return False
    if len(text) == 2:
        return text.lower() in _SHORT_WORDS
    return len(text) > 3 or not any(set(text) <= family for family in _FAMILIES)


def readable(text: str) -> bool:
    """Whether all of a text is read as mathematics, so that nothing in it is passed over."""
    if _UNREAD.search(_UNDERSTOOD.sub("", text)) or is_word(text) or not text.isascii():
        return False
    if any(
        len(run) > 4 and run not in CONSTANTS and run not in FUNCTIONS
        for run in words(re.sub(r"\\(?:begin|end)\{[a-z]*\}", " ", text))
    ):
        return False
    environments = re.findall(r"\\(?:begin|end)\{([a-z]*)\}", text)
    return set(_COMMAND.findall(text)) <= _READ and set(environments) <= _ENVIRONMENTS


_UNDERSTOOD = re.compile(r"\\log_|\\\\")
"""the base of a logarithm and the end of a matrix's row are read"""


def shape(text: str) -> str:
    """`set` for `\\{…\\}`, `ordered` for a tuple or an interval, else ""."""
    if text.startswith("\\{"):
        return "set"
    return (
        "ordered"
        if text.startswith(("(", "[")) and text.endswith((")", "]")) and "," in text
        else ""
    )


def same_text(a: str, b: str) -> bool:
    """Whether two texts differ in nothing but spacing and braces."""
    return _key(a) == _key(b)


def _key(text: str) -> str:
    text = re.sub(r"\\(?:left|right|displaystyle)(?![A-Za-z])|\\[,;!:]|\{,\}(?=\D)", "", text)
    text = re.sub(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\\(?:l|c)?dots(?![A-Za-z])|\.\.\.", r"\\dots ", text)
    text = re.sub(r"\\(?:text|mathrm|mbox|textrm) ?\{[ ~]*([^{}]*?)[ ~]*\}", r"\\text{\1}", text)
    if match := re.fullmatch(r"\\text\{([^{}]*)\}", text):
        text = match[1]
    text = re.sub(r"\{([A-Za-z0-9]|\\[A-Za-z]+)\}", r" \1 ", text)
    text = re.sub(r"[ ~]+", " ", text)
    # A space counts only where two letters or two digits would run together.
    return re.sub(r"(?<![A-Za-z0-9]) | (?![A-Za-z0-9])|(?<=[A-Za-z]) (?=[0-9])", "", text).strip(
        " "
    )


def latex(text: str) -> str:
    """A text with its plain functions, constants, powers and products written as LaTeX."""
    plain = "\\" not in text
    text = text.replace("**", "^").replace("\\,", " ")
    text = re.sub(r"!=", r"\\neq ", re.sub(r"<=", r"\\leq ", re.sub(r">=", r"\\geq ", text)))
    if plain:
        text = re.sub(r"\^ ?(-?[0-9]{2,}|-[A-Za-z0-9])", r"^{\1}", text)
        text = re.sub(r"(?<=[A-Za-z])_([0-9]{2,})", r"_{\1}", text)
    text = _RUN.sub(_command, text)
    for name, before, after in (
        ("\\sqrt", "\\sqrt{", "}"), ("\\abs", "|", "|"), ("^", "^{", "}"), ("\\exp", "e^{", "}"),
    ):  # fmt: skip
        text = _enclosed(text, name, before, after)
    return re.sub(r"\*", r" \\cdot ", text)


def _command(match: re.Match[str]) -> str:
    run = match[0]
    if run in CONSTANTS:
        return CONSTANTS[run]
    if run in FUNCTIONS:
        return f"\\{run} " if run not in ("sqrt", "abs", "exp") else f"\\{run}"
    for name in sorted(FUNCTIONS, key=len, reverse=True):
        if (
            run.startswith(name)
            and len(run) == len(name) + 1
            and name not in ("sqrt", "abs", "exp")
        ):
            return f"\\{name} {run[-1]}"  # sinx
    return run


def _enclosed(text: str, name: str, before: str, after: str) -> str:
    """`name(…)` as `before…after`, wherever the bracket closes."""
    at = 0
    while (found := re.compile(re.escape(name) + r" ?\(").search(text, at)) is not None:
        depth = 1
        for end in range(found.end(), len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if not depth:
                break
        if depth:
            return text
        text = text[: found.start()] + before + text[found.end() : end] + after + text[end + 1 :]
        at = found.start() + len(before)
    return text
