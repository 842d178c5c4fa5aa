"""A script in the sandbox gets what `python script.py < input` gives it, and one answer on every backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from regrow.learn.verifiers.sandbox import backends, landlock, paths, runner, seccomp
from regrow.learn.verifiers.sandbox.limits import Outcome, Program

INPUT = "3\nab é\n"


def outcomes(source: str, stdin: str = "") -> list[Outcome]:
    """One per backend that works here."""
    working = [backend for backend in backends.BACKENDS if runner.why_not(backend) is None]
    if not working:
        pytest.skip("no sandbox works here")
    return [runner.run(Program(source, stdin=stdin), backend=backend) for backend in working]


def one(source: str, stdin: str = "") -> Outcome:
    found = outcomes(source, stdin)
    assert found == [found[0]] * len(found)
    return found[0]


READERS = [
    "print(open(0).read())",
    "import os\nprint(os.read(0, 100))",
    "import os\nprint(os.read(0, os.fstat(0).st_size), os.read(0, 1))",
    "import sys\nprint(sys.__stdin__.read(), sys.stdin.fileno())",
    "import sys\nprint(sys.stdin.buffer.read())",
    "import io, os\nprint(io.BytesIO(os.read(0, os.fstat(0).st_size)).readline())",
    "import mmap\nprint(mmap.mmap(0, 0, prot=mmap.PROT_READ)[:])",
    "print(input()); print(open(0).read() or input())",
    "import sys\nfor line in sys.stdin: print(line.strip())",
    "import fileinput\nprint(list(fileinput.input()))",
    "import os, sys\nprint(os.lseek(0, 0, 2), sys.stdin.isatty())",
]
ENDS = [
    "print(1); exit(); print(2)",
    "print(1); quit(3)",
    "exit(-1)",
    "exit('no')",
    "raise SystemExit(200)",
    "import atexit\natexit.register(print, 'bye')\nprint(1)",
    "import atexit\natexit.register(print, 'bye')\nexit(2)",
    "class A:\n    def __del__(self): print('gone')\na = A()",
    "import sys\nsys.excepthook = lambda *a: print('hooked', a[0])\n1 / 0",
    "print('x', end='')\nraise ValueError('no')",
    "print(callable(help), callable(exit), str(copyright)[:9])",
    "import __main__\nx = 5\nprint(__name__, __main__.x, __builtins__.__name__)",
    "import sys\nprint(len(sys.argv))",
    "from dataclasses import dataclass\nimport pickle\n@dataclass\nclass A:\n    x: int\n"
    "print(pickle.loads(pickle.dumps(A(1))))",
]


@pytest.mark.parametrize("source", [*READERS, *ENDS])
def test_a_script_ends_and_prints_as_under_python(source: str, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(source)
    given = tmp_path / "input"
    given.write_text(INPUT)
    with given.open() as stdin:
        ran = subprocess.run(
            [sys.executable, "-B", str(script)],
            stdin=stdin,
            capture_output=True,
            cwd="/",
            check=False,
        )
    found = one(source, INPUT)
    assert (found.status, found.code, found.stdout) == ("ended", ran.returncode, ran.stdout)
    assert found.stderr.splitlines()[-1:] == ran.stderr.splitlines()[-1:]


def test_a_script_knows_its_file() -> None:
    assert one("print(__file__)").stdout == b"program.py\n"


def test_a_traceback_names_the_program_and_nothing_of_the_sandbox() -> None:
    said = one("def f():\n    1 / 0\nf()").stderr.decode()
    assert said.startswith('Traceback (most recent call last):\n  File "program.py", line 3')
    assert said.count("File ") == 2 and said.endswith("ZeroDivisionError: division by zero\n")


def test_the_input_cannot_be_changed() -> None:
    source = (
        "import os, mmap\n"
        "for act in (lambda: os.write(0, b'x'), lambda: mmap.mmap(0, 0)):\n"
        "    try: act(); print('changed')\n"
        "    except OSError: pass\n"
        "print(open(0).read())"
    )
    assert one(source, "abc").stdout == b"abc\n"


@pytest.mark.parametrize(
    "question",
    [
        "os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getpid(), os.getppid()",
        "__import__('platform').node(), __import__('platform').release(), os.uname()",
        "os.cpu_count(), os.sched_getaffinity(0), os.getcwd(), sorted(os.environ.items())",
        "__import__('threading').get_native_id(), __import__('sys').argv",
        "len(str(__import__('uuid').uuid4())), __import__('locale').setlocale(6, '')",
    ],
)
def test_a_question_about_the_machine_has_one_answer(question: str) -> None:
    found = one(f"import os\nprint({question})")
    assert found.code == 0, found.stderr
    assert str(os.getpid()) not in found.stdout.decode().split()
    assert os.uname().release not in found.stdout.decode()


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nsys.path.append({site!r})\nimport pip",
        "import sys\nsys.path.append('/usr/lib/python3/dist-packages')\nimport yaml",
        "print(open('/usr/lib/os-release').read())",
        "print(open('/etc/passwd').read())",
        "import os\nprint(os.listdir('/usr/lib'))",
        "import os\nfor name in os.listdir({site!r}): print(open(os.path.join({site!r}, name)).read())\n"
        "raise OSError",
    ],
)
def test_packages_and_files_of_the_machine_cannot_be_read(source: str) -> None:
    """How it fails may differ: under Landlock the names are there and the contents are not."""
    site = next(iter(paths.hidden()), "/none")
    for found in outcomes(source.format(site=site)):
        assert (found.status, found.code, found.stdout) == ("ended", 1, b"")


def test_the_standard_library_and_its_shared_libraries_can_be_read() -> None:
    modules = (
        "ssl, sqlite3, zlib, bz2, lzma, ctypes, decimal, hashlib, uuid, curses, xml.parsers.expat"
    )
    assert one(f"import {modules}\nprint(ssl.OPENSSL_VERSION[:7])").stdout == b"OpenSSL\n"


OPENS = [
    "os.O_RDONLY | os.O_TRUNC", "os.O_WRONLY", "os.O_RDWR", "os.O_RDONLY | os.O_CREAT",
    "os.O_WRONLY | os.O_APPEND", "os.O_RDONLY | os.O_APPEND", "os.O_TMPFILE | os.O_RDWR",
]  # fmt: skip


@pytest.mark.parametrize("flags", OPENS)
def test_nothing_is_opened_for_writing_on_any_kernel(flags: str, tmp_path: Path) -> None:
    """The filter refuses it by itself: Landlock before its third ABI does not stop O_TRUNC."""
    victim = tmp_path / "library.py"
    victim.write_text("kept")
    child = (
        "import os, sys\n"
        "from regrow.learn.verifiers.sandbox import seccomp\n"
        "seccomp.install()\n"
        f"try: os.open({str(victim)!r}, {flags})\n"
        "except PermissionError: print('refused')\n"
        f"print(open({str(victim)!r}).read())\n"
    )
    ran = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
    assert ran.stdout == "refused\nkept\n"
    assert victim.read_text() == "kept"


def test_landlock_of_the_first_kernels_keeps_the_library_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As Linux 5.13 to 6.1 have it: the rules of ABI 2, which know no truncation."""
    if runner.why_not("landlock"):
        pytest.skip("no Landlock here")
    old = "from regrow.learn.verifiers.sandbox import landlock; landlock.version = lambda: 2; "
    monkeypatch.setattr(
        backends, "_START", backends._START.replace("from regrow", old + "from regrow", 1)
    )
    library = tmp_path / "library.py"
    library.write_text("kept")
    readable = (*paths.readable(), str(tmp_path))
    monkeypatch.setattr(paths, "readable", lambda: readable)
    source = (
        f"import os\nprint(open({str(library)!r}).read())\n"
        f"os.open({str(library)!r}, os.O_RDONLY | os.O_TRUNC)"
    )
    found = runner.run(Program(source), backend="landlock")
    assert (found.code, found.stdout) == (1, b"kept\n") and b"PermissionError" in found.stderr
    assert library.read_text() == "kept"


def test_landlock_gives_no_right_on_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "tree/hidden").mkdir(parents=True)
    (tmp_path / "tree/file").write_text("x")
    (tmp_path / "tree/folder").mkdir()
    (tmp_path / "link").symlink_to("/usr")
    (tmp_path / "tree/out").symlink_to("/etc")
    tree, link = str(tmp_path / "tree"), str(tmp_path / "link")
    rules = dict(landlock._rules([tree, link], frozenset({f"{tree}/hidden"})))
    read_file, read_folder = 4, 8
    assert rules == {
        tree: read_folder,
        f"{tree}/file": read_file,
        f"{tree}/folder": read_file | read_folder,
    }


def test_the_filter_answers_for_users_and_processes_itself() -> None:
    assert not {"getuid", "getpid", "gettid", "uname", "sched_getaffinity"} & set(seccomp.ALLOWED)
    assert seccomp.OPEN not in {*seccomp.ALLOWED.values(), *seccomp.AT_ONCE.values()}
