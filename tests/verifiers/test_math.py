"""Mathematical equality: math-verify's verdicts, the gate before it and the clock beside it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.verifiers import math, math_client, math_exact, math_numbers, math_server
from regrow.learn.verifiers.judge import check, judge

# What math-verify's own tests are about, in pairs of our own: gold, answer, equal.
PAIRS = [
    # numbers: separators, decimals, signs
    ("-7", "-7", True),
    ("-7", "7", False),
    ("3150000", "3,150,000", True),
    ("2500", "2{,}500", True),
    ("2500", "2500.0", True),
    ("0.6", ".6", True),
    ("86.25", "86.26", False),
    ("3.75", "15/4", True),
    ("7/8", "\\frac{7}{8}", True),
    ("-7/8", "-\\frac{7}{8}", True),
    ("7/8", "\\frac{8}{7}", False),
    ("1/9", "0.111111", True),
    ("1/9", "0.1111", False),
    ("0.45", "45", False),
    ("\\frac{1}{16}", "0.0625", True),
    # LaTeX notations
    ("1/4", "\\frac14", True),
    ("1", "\\frac5{5}", True),
    ("\\sqrt{7}", "\\sqrt7", True),
    ("1/4", "\\dfrac{1}{4}", True),
    ("1/4", "\\tfrac{1}{4}", True),
    ("1/4", "\\cfrac{1}{4}", True),
    ("1/4", "\\left( \\frac{1}{4} \\right)", True),
    ("60^\\circ", "60^\\circ", True),
    ("\\frac{7}{3}\\pi", "\\frac73\\pi", True),
    ("\\frac{7}{3}\\pi", "\\frac37\\pi", False),
    ("1 \\pm \\sqrt{7}", "1 \\pm \\sqrt{7}", True),
    # sets, tuples, intervals
    ("[0,3)", "[0,3)", True),
    ("[0,3)", "[0,4)", False),
    ("[0,3)", "(0,3)", False),
    ("2", "-[0,2)", False),
    ("(2,5)", "(2, 5)", True),
    ("(2,5)", "(5,2)", False),
    ("(1,\\frac{3}{2})", "(1,1.5)", True),
    ("\\{1,2,3\\}", "\\{3,2,1\\}", True),
    ("\\{1,2,3\\}", "\\{1,2\\}", False),
    ("[-2,0) \\cup (0, 2)", "[-2,0) \\cup (0, 2)", True),
    ("(-\\infty, 4)", "(-\\infty, 4)", True),
    # relations
    ("x >= 4", "x \\geq 4", True),
    ("x < 2", "x \\lt 2", True),
    ("x != 6", "x \\neq 6", True),
    ("x > 4", "x < 4", False),
    ("x \\leq 4", "4 \\geq x", True),
    ("x < 2", "-x > -2", True),
    ("x < 2", "x > -2", False),
    ("13", "x=13", True),
    ("y=13", "13", True),
    ("5x+2y-1=0", "-5x-2y+1=0", True),
    ("5x+2y-1=0", "5x+2y+1=0", False),
    ("x + 3z = 0", "0", False),
    # expressions
    ("x^2+6x+9", "(x+3)^2", True),
    ("x^2+6x+9", "(x+2)^2", False),
    ("\\frac{x+3}{5}", "\\frac{x}{5}+\\frac{3}{5}", True),
    ("\\tan^2(y)+1", "\\sec^2(y)", True),
    ("\\sin^2(x)+\\cos^2(x)", "1", True),
    ("\\frac{1}{\\sqrt{3}}", "\\frac{\\sqrt{3}}{3}", True),
    ("\\sqrt{8}", "2\\sqrt{2}", True),
    ("\\sqrt{8}", "2\\sqrt{3}", False),
    ("x+2n+1", "x+1", False),
    ("a+b", "b+a", True),
    ("a-b", "b-a", False),
    ("3", "\\frac{1+\\sqrt{5}}{2}", False),
    ("2 \\sin b \\cos a", "2 \\cos a \\sin b", True),
    ("e^{2x}", "e^{x} e^{x}", True),
    ("\\log 8", "3 \\log 2", True),
    # matrices
    ("\\begin{pmatrix}1 & 2 \\\\3 & 4\\end{pmatrix}", "\\begin{bmatrix}1 & 2 \\\\3 & 4\\end{bmatrix}", True),
    ("\\begin{pmatrix}1 & 2 \\\\3 & 4\\end{pmatrix}", "\\begin{pmatrix}1 & 2 \\\\3 & 5\\end{pmatrix}", False),
    ("\\begin{pmatrix}\\frac{1}{2}\\\\ 3\\end{pmatrix}", "\\begin{pmatrix}0.5\\\\ 3\\end{pmatrix}", True),
]  # fmt: skip


def test_verdicts_are_those_of_math_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, grader, parse, verify

    targets = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
    theirs = [
        verify(parse(f"${gold}$", targets), parse(f"${answer}$", targets))
        for gold, answer, _ in PAIRS
    ]
    for name in ("sympy_numeric_eq", "sympy_symbolic_eq", "sympy_compare_symbols"):
        monkeypatch.setattr(grader, name, getattr(grader, name))  # put back afterwards
    math_exact.install()
    ours = [math_server.compare(gold, answer) for gold, answer, _ in PAIRS]
    wrong = [
        (pair, theirs_, ours_)
        for pair, theirs_, ours_ in zip(PAIRS, theirs, ours, strict=True)
        if (ours_ == "equal") != theirs_ or theirs_ != pair[2]
    ]
    assert wrong == []


def passed(expected: str | int, answer: str) -> bool:
    check("math", {"answer": expected})
    return judge(
        "math", {"answer": expected}, f"<think> so</think> {answer}<|end|>", "think"
    ).passed


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (12, "12"),
        ("12", "$12$"),
        ("12", "\\boxed{12}"),
        ("12", "$\\boxed{12}$"),
        ("12", "\\(12\\)"),
        ("1200", "1,200"),
        ("1/2", "0.5"),
        ("1/2", "$\\frac{1}{2}$"),
        ("0.5", "1/2"),
        ("x^2+2x+1", "(x+1)^2"),
        ("1200", "1{,}200"),
        ("\\sqrt{8}", "$2\\sqrt{2}$"),
        ("(1, 2)", "(1,2)"),
        ("x=4", "x = 4"),
        ("Monday", "Monday"),
        ("\\binom{5}{2}x", "\\binom{5}{2}x"),
    ],
)
def test_right_answers_pass(expected: str | int, answer: str) -> None:
    assert passed(expected, answer)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        # the work left to the reader
        *((144, a) for a in ("12*12", "12 \\cdot 12", "12^2", "100+44", "72+72", "\\sqrt{20736}", "144*1")),
        *((120, a) for a in ("5!", "\\prod_{i=1}^{5} i", "\\sum_{i=1}^{15} i", "\\binom{10}{3}")),
        ("2x", "\\frac{d}{dx} x^2 + x - x + x - x + x - x"),
        ("x^2", "\\int_0^x 2t dt"),
        ("1/2", "\\lim_{x \\to 0} \\frac{1-\\cos x}{x^2}"),
        # many answers
        *((12, a) for a in ("11, 12", "11 or 12", "12 or 13", "$11$ $12$", "\\boxed{11}\\boxed{12}")),
        *((12, a) for a in ("11 12", "\\{11,12\\}", "11 = 12", "x = 11 = 12", "12 \\text{ or } 13")),
        *((12, " ".join(["12"] * 100)), (12, "12" * 50), (12, "$12$ or $13$")),
        ("x+1", "x+1, x+2"),
        ("x+1", "the answer is x+1"),
        # other signs
        *((12, a) for a in ("１２", "12²", "12\u200b", "−12", "twelve", "12.0.0", "1e1", "012", "+12", "--12")),
        ("10**20", "100000000000000000001"),
        (10**20, str(10**20 + 1)),
        ("0.3333333", "1/2"),
        # not mathematics
        *((12, a) for a in ("$", "$$", "\\boxed{}", "\\frac", "{" * 200, "(" * 250, "__import__('os')", "x")),
        ("x", "exit()"),
        ("x", "__import__('os').system('true')"),
        ("x+y", "\\input{/etc/passwd}"),
    ],
)  # fmt: skip
def test_hacks_do_not_pass(expected: str | int, answer: str) -> None:
    assert not passed(expected, answer)


def test_time_used_up_is_a_verdict_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pair reaches the server only without the gate."""
    monkeypatch.setattr(math, "unfinished", lambda found, expected: "")
    start = time.process_time()
    verdict = judge(
        "math", {"answer": "\\sqrt{2}"}, "<think> so</think> 9^{9^{9^9}}<|end|>", "think"
    )
    assert (verdict.passed, verdict.reason) == (False, "time-out: comparing")
    assert time.process_time() - start < 1  # the work was not done here
    assert passed("1/2", "0.5")  # the server lives


def test_it_works_in_threads() -> None:
    said: list[bool] = []
    threads = [
        threading.Thread(target=lambda n=n: said.append(passed(f"{n}/8", f"{n / 8}")))
        for n in (1, 3, 5, 7)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [True] * 4


def test_the_server_ends_with_its_client() -> None:
    code = (
        "from regrow.learn.verifiers import math_client as c;"
        "print(c.compare('1/2', '0.5'), c._LINE.process.pid)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said, pid = ran.stdout.split()
    assert said == "equal" and ran.stderr == ""
    with pytest.raises(ProcessLookupError):
        import os

        os.kill(int(pid), 0)


def test_a_server_that_was_killed_is_started_again() -> None:
    assert passed("1/2", "0.5")
    process = math_client._LINE.process
    assert process is not None
    process.kill()
    process.wait()
    assert passed("1/2", "0.5")


@given(st.text() | st.text("1234567890+-*/^(){}\\$,. xfracsqt", max_size=40))
@settings(max_examples=300)
def test_the_gate_stands(text: str) -> None:
    """Nothing that is not written as a number is compared with a number."""
    if not math.unfinished(text, "12"):
        assert math_numbers.read(text) is not None
        assert any(c.isdigit() or c == "i" for c in text)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
@settings(max_examples=200)
def test_integers_never_reach_sympy(a: int, b: int) -> None:
    old = math_client.compare
    try:
        math_client.compare = None  # type: ignore[assignment]
        assert passed(a, str(a)) and passed(a, str(b)) == (a == b)
    finally:
        math_client.compare = old


def test_wrong_arguments_are_named() -> None:
    for answer in ("", "$12$", "x" * 301, "\\boxed{1}"):
        with pytest.raises(ValueError, match="verifier math: answer must be one bare expression"):
            check("math", {"answer": answer})
