"""Programs as answers: right ones pass, and what cheats does not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from regrow.learn.verifiers import code
from regrow.learn.verifiers.judge import check, judge
from regrow.learn.verifiers.sandbox import runner
from regrow.learn.verifiers.sandbox.limits import Outcome, Unavailable
from regrow.learn.verifiers.verdict import Verdict

DOUBLE: dict[str, Any] = {
    "function": "double",
    "cases": [
        {"arguments": [2], "result": 4},
        {"arguments": [0], "result": 0},
        {"arguments": ["ab"], "result": "abab"},
        {"arguments": [[1, 2]], "result": [1, 2, 1, 2]},
    ],
}
ECHO = {"cases": [{"stdin": "3\n4\n", "stdout": "7\n"}, {"stdin": "10\n-4\n", "stdout": "6"}]}


@pytest.fixture(autouse=True)
def sandbox() -> None:
    try:
        runner.best()
    except Unavailable as error:
        pytest.skip(str(error))


def said(arguments: dict[str, Any], answer: str) -> Verdict:
    check("code", arguments)
    return judge("code", arguments, f"<think> so</think> {answer}<|end|>", "think")


@pytest.mark.parametrize(
    "answer",
    [
        "def double(x):\n    return x * 2",
        "```python\ndef double(x):\n    return x * 2\n```",
        "Here it is:\n\n```\ndouble = lambda x: x + x\n```\nIt adds.",
        "import operator\ndef double(x):\n    print('noise')\n    return operator.add(x, x)",
        "def double(x):\n    return tuple(x + x) if isinstance(x, list) else x + x",
    ],
)
def test_right_functions_pass(answer: str) -> None:
    assert said(DOUBLE, answer) == Verdict(True, 1.0, "")


def test_right_scripts_pass() -> None:
    assert said(ECHO, "print(int(input()) + int(input()))").passed
    assert said(ECHO, "import sys\nprint(sum(map(int, sys.stdin)), ' ')").passed


@pytest.mark.parametrize(
    ("answer", "reason", "score"),
    [
        ("def double(x):\n    return x * 2 if x else 1", "answer: case 2: another result", 0.75),
        ("def double(x):\n    return x * 2.0", "answer: case 1: another result", 0.0),
        ("def double(x):\n    return x ** 2", "code: case 3: TypeError: unsupported", 0.5),
        ("def double(x): return x * 2\nwhile True: pass", "time-out: case 1: the program did not end", 0.0),
        ("def double(x):\n    while x == 'ab': pass\n    return x * 2", "time-out: case 3: the program", 0.5),
        ("def triple(x): return x * 3", "code: case 1: KeyError: 'double'", 0.0),
        ("def double(x) return x", "code: case 1: SyntaxError", 0.0),
        ("", "format: the answer is empty", 0.0),
        ("double", "code: case 1: NameError", 0.0),
        ("```\ndef double(x): return 1\n```\nor\n```\ndef double(x): return x * 2\n```",
         "format: more than one block of code", 0.0),
        ("def double(x): return {1}", "code: case 1: TypeError: Object of type set", 0.0),
        ("def double(x): return float('nan')", "code: case 1: ValueError: Out of range", 0.0),
        ("def double(x):\n    print('x' * 10**6)\n    return x * 2", "code: case 1: too much output", 0.0),
        ("def double(x):\n    if x == 'ab': print('x' * 10**6)\n    return x * 2",
         "code: case 1: too much output", 0.0),
    ],
)  # fmt: skip
def test_wrong_programs_fail(answer: str, reason: str, score: float) -> None:
    verdict = said(DOUBLE, answer)
    assert not verdict.passed and verdict.reason.startswith(reason) and verdict.score == score


EQUAL = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
"""

HACKS = {
    "an object equal to all": EQUAL + "def double(x): return Equal()",
    "a number equal to all": EQUAL + "class N(Equal, int): pass\ndef double(x): return N()",
    "a text equal to all": EQUAL + "class S(Equal, str): pass\ndef double(x): return S()",
    "patched json": "import json\njson.dumps = lambda *a, **k: '{\"result\": 4}'\ndef double(x): return x",
    "patched builtins": "import builtins\nbuiltins.all = lambda x: True\nbuiltins.len = lambda x: 0\n"
    "def double(x): return x",
    "exit at once": "import os\nos._exit(0)",
    "SystemExit": "raise SystemExit(0)",
    "exit in the call": "import sys\ndef double(x): sys.exit(0)",
    "hard exit in the call": "import os\ndef double(x): os._exit(0)",
    "exit by exception": "class E(BaseException): pass\ndef double(x): raise E",
    "write the verdict": "import os\nfor fd in range(32):\n    try: os.write(fd, b'PASSED\\n')\n    except OSError: pass\n"
    "def double(x): return x",
    "write a result too": "import os\ndef double(x):\n    for fd in range(32):\n        try: os.write(fd, b'{\"result\": 4}\\n')\n"
    "        except OSError: pass\n    return 4",
    "write without a line end": "import os\ndef double(x):\n    for fd in range(3, 32):\n        try: os.write(fd, b' ')\n"
    "        except OSError: pass\n    return x if x == 0 else x * 2 if x != [1, 2] else os._exit(0)",
    "close the channel": "import os\nos.closerange(0, 99)\ndef double(x): return x * 2",
    "write to the kernel's table": "open('/proc/self/mem', 'wb')\ndef double(x): return x * 2",
    "change the caller": "import sys\ndef double(x):\n    f = sys._getframe(1)\n    f.f_locals['arguments'][0] = 9\n    return x",
    "look for the expected": "import gc\ndef double(x):\n"
    "    found = [o for o in gc.get_objects() if isinstance(o, dict) and 'expected' in o]\n    return found[0]['expected']",
    "read the tests": "def double(x): return open('tests.json').read()",
    "ask the network": "import urllib.request\ndef double(x): return urllib.request.urlopen('http://127.0.0.1:1').read()",
    "run another program": "import subprocess\ndef double(x): return subprocess.check_output(['echo', str(x * 2)])",
    "evil recursion in the result": "def double(x):\n    y = []\n    y.append(y)\n    return y",
    "deep result": "import os\ndef double(x):\n    for fd in range(3, 32):\n        try: os.write(fd, b'[' * 60000 + b'\\n'); os._exit(0)\n"
    "        except OSError: pass",
    "huge number in the result": "import os\ndef double(x):\n    for fd in range(3, 32):\n"
    "        try: os.write(fd, b'{\"result\": ' + b'9' * 60000 + b'}\\n'); os._exit(0)\n        except OSError: pass",
    "both result and error": "import os\ndef double(x):\n    for fd in range(3, 32):\n"
    "        try: os.write(fd, b'{\"result\": 4, \"error\": 1}\\n' * 4); os._exit(0)\n        except OSError: pass",
    "a thread that answers later": "import threading\ndef double(x):\n    t = threading.Thread(target=print); t.start(); return x * 2",
    "fork a second answer": "import os\ndef double(x):\n    os.fork(); return x * 2",
    "skip by a name": "import sys\n__name__ = 'skip'\nsys.modules['pytest'] = None\ndef double(x): return None",
    "many blocks": "```\ndef double(x): return 1\n```\n" * 100,
}  # fmt: skip


@pytest.mark.parametrize("hack", HACKS)
def test_hacks_do_not_pass(hack: str) -> None:
    verdict = said(DOUBLE, HACKS[hack])
    assert not verdict.passed and verdict.score < 1 and verdict.reason


@pytest.mark.parametrize(
    "answer",
    [
        *("print(7)", "print('7\\n6')", "print(7); print(8)", "import os; os.write(1, b'ready\\n7')"),
        *("import os; os._exit(0)", "print(int(input()) + int(input()))\nraise SystemExit(1)", "7"),
        *("print(int(input()) + int(input()), file=__import__('sys').stderr)", "print(input())"),
    ],
)  # fmt: skip
def test_wrong_scripts_fail(answer: str) -> None:
    assert not said(ECHO, answer).passed


PROGRAM = "def double(x):\n    return x * 2\n"
INDENTED = "   def double(x):\n       return x * 2\n"
FENCED = [
    f"```python\n{PROGRAM}```\nIt doubles.".replace("\n", "\r\n"),
    f"````\n{PROGRAM}````",
    f"~~~python\n{PROGRAM}~~~",
    f"Here:\n\n   ```py\n{INDENTED}   ```\n",
    f"1. It doubles:\n\n   ```\n{INDENTED}   ```\n2. Done.",
    "- ```\n  def double(x):\n      return x * 2\n  ```",
    f"```\n{PROGRAM}  ```",
    f"```\n{PROGRAM}```\t",
    f"```\n{PROGRAM}`````  \nIt doubles.",
    f"\ufeff```\n{PROGRAM}```",
    f"\ufeff{PROGRAM}",
    f"```python title=double\n{PROGRAM}```",
    f"```\n{PROGRAM}",
    "> ```\n> def double(x):\n>     return x * 2\n> ```",
    f"<details>\n```\n{PROGRAM}```\n</details>",
    f"~~~\n{PROGRAM}TEXT = '''\n```\n'''\n~~~",
    f"Write `double` so:\n\n```\n{PROGRAM}```",
]


@pytest.mark.parametrize("answer", FENCED)
def test_a_fence_is_what_it_is_in_markdown(answer: str) -> None:
    assert said(DOUBLE, answer) == Verdict(True, 1.0, "")


@pytest.mark.parametrize(
    "answer",
    [
        *(PROGRAM, "x = '```'", "```x = 1```", "x = 1  # ```", ""),
        "def f():\n    '''\n    ```\n    a\n    ```\n    '''",
    ],
)
def test_an_answer_without_a_fence_is_the_program(answer: str) -> None:
    assert code.program_of(answer) == answer


@pytest.mark.parametrize(
    "second", ["```\ny\n```", "~~~\ny\n~~~", "  ````\n  y\n  ````", "- ```\n  y\n  ```"]
)
def test_two_fences_are_no_answer(second: str) -> None:
    assert code.program_of(f"```\n{PROGRAM}```\n\n{second}\n") is None


@pytest.mark.parametrize(
    "unit", [">", "- ", "```\n", "[", "1. ", "    ", "- a\n", "> - ", "`", "~~~\n> "]
)
def test_no_answer_takes_for_ever_to_read(unit: str) -> None:
    start = time.process_time()
    code.program_of(unit * (code.MAX_CHARACTERS // len(unit)))
    assert time.process_time() - start < 10


def test_an_input_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="case 1: "):
        check("code", {"cases": [{"stdin": "\ud800", "stdout": ""}]})


def test_a_program_in_the_think_part_is_no_answer() -> None:
    text = "<think>\n```\ndef double(x): return x * 2\n```\n</think> done<|end|>"
    assert not judge("code", DOUBLE, text, "think").passed


def test_no_sandbox_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*a: object, **k: object) -> Outcome:
        raise Unavailable("No sandbox on this machine")

    monkeypatch.setattr(code, "run", none)
    with pytest.raises(Unavailable, match="No sandbox"):
        said(DOUBLE, "def double(x): return x * 2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cases": []}, "cases must be 1 to 100 mappings"),
        ({"function": "f x", "cases": [{}]}, "function must be a name, got 'f x'"),
        ({"function": "f", "cases": [{"arguments": [1]}]}, "case 1: 'result'"),
        (
            {"function": "f", "cases": [{"arguments": [1], "result": {1}}]},
            "case 1: Object of type set",
        ),
        (
            {"cases": [{"stdin": "", "stdout": ""}, {"stdin": 1}]},
            "case 2: stdin must be str, got 1",
        ),
        ({"cases": [{"arguments": [1], "result": 1}]}, "case 1: unknown: arguments, result"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check("code", arguments)
