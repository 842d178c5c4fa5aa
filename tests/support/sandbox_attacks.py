"""Programs that try to get out of the sandbox, and a range that sees whether one did.

A program that reaches what it must not prints ESCAPED. `@NAME@` stands for something of the range: a
port that listens, a file with a secret, a process to hurt. Plain Python without pytest, so that it can
also be run as another user: `python sandbox_attacks.py BACKEND` prints a line of JSON per attack.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from regrow.learn.verifiers.sandbox.limits import Limits, Outcome, Program
from regrow.learn.verifiers.sandbox.runner import run

RAW = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*a):
    return libc.syscall(*[ctypes.c_long(x) if isinstance(x, int) else x for x in a])
"""

MACHINE_CODE = """
import ctypes, mmap
m = mmap.mmap(-1, 4096, prot=7)
def native(code):
    m.write(code)
    return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
"""

ATTACKS: dict[str, str] = {
    # network
    "tcp to a listening port": """
import socket; s = socket.create_connection(("127.0.0.1", @TCP@), 2); s.send(b"out"); print("ESCAPED")""",
    "udp": """
import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"out", ("127.0.0.1", @UDP@)); print("ESCAPED")""",
    "unix socket": """
import socket; s = socket.socket(socket.AF_UNIX); s.connect("@UNIX@"); print("ESCAPED")""",
    "abstract unix socket": """
import socket; s = socket.socket(socket.AF_UNIX); s.connect(chr(0) + "@ABSTRACT@"); print("ESCAPED")""",
    "listen": """
import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print("ESCAPED")""",
    "name lookup": """
import socket; print(socket.getaddrinfo("localhost", 80)); print("ESCAPED")""",
    "http": """
import urllib.request; urllib.request.urlopen("http://127.0.0.1:@TCP@/", timeout=2); print("ESCAPED")""",
    "netlink": """
import socket; socket.socket(16, 3, 0); print("ESCAPED")""",
    "raw packet socket": """
import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW); print("ESCAPED")""",
    "socket by system call": RAW + """
if call(41, 2, 1, 0) >= 0: print("ESCAPED")""",
    "socketpair": """
import socket; socket.socketpair(); print("ESCAPED")""",
    "asyncio": """
import asyncio
async def f():
    await asyncio.open_connection("127.0.0.1", @TCP@); print("ESCAPED")
asyncio.run(f())""",
    "io_uring": RAW + """
import ctypes
if call(425, 8, ctypes.create_string_buffer(256)) >= 0: print("ESCAPED")""",
    # files
    "read the shadow file": """
print(open("/etc/shadow").read()); print("ESCAPED")""",
    "read a secret": """
print(open("@SECRET@").read())""",
    "read a secret by os.open": """
import os; print(os.read(os.open("@SECRET@", os.O_RDONLY), 100))""",
    "read home": """
import os; print("ESCAPED" if os.listdir("@HOME@") else "")""",
    "read /proc environ": """
print(open("/proc/self/environ").read()); print("ESCAPED")""",
    "read the parent's memory map": """
import os; print(open(f"/proc/{os.getppid()}/maps").read()); print("ESCAPED")""",
    "read all cmdlines": """
import glob
for p in glob.glob("/proc/[0-9]*/cmdline"): open(p).read(); print("ESCAPED")""",
    "list the root's homes": """
import os
for d in ("/root", "/home", "/var", "/mnt", "/sys", "/proc"):
    if os.listdir(d): print("ESCAPED")""",
    "write to tmp": """
open("/tmp/@TOKEN@", "w").write("x"); print("ESCAPED")""",
    "write beside the secret": """
open("@FOLDER@/@TOKEN@", "w").write("x"); print("ESCAPED")""",
    "write to the current folder": """
open("@TOKEN@", "w").write("x"); print("ESCAPED")""",
    "append to the secret": """
open("@SECRET@", "a").write("x"); print("ESCAPED")""",
    "delete the secret": """
import os; os.unlink("@SECRET@"); print("ESCAPED")""",
    "rename the secret": """
import os; os.rename("@SECRET@", "@FOLDER@/b"); print("ESCAPED")""",
    "chmod the secret": """
import os; os.chmod("@SECRET@", 0o777); print("ESCAPED")""",
    "truncate the secret": """
import os; os.truncate("@SECRET@", 0); print("ESCAPED")""",
    "symlink to the secret": """
import os; os.symlink("@SECRET@", "/tmp/@TOKEN@"); print(open("/tmp/@TOKEN@").read())""",
    "hard link to the secret": """
import os; os.link("@SECRET@", "@FOLDER@/@TOKEN@"); print("ESCAPED")""",
    "through /proc/self/root": """
print(open("/proc/self/root@SECRET@").read())""",
    "through dots": """
print(open("/usr/lib/../.." + "@SECRET@").read())""",
    "poison the standard library": """
import os; open(os.__file__, "a").write("x"); print("ESCAPED")""",
    "poison the bytecode cache": """
import os, pathlib; (pathlib.Path(os.__file__).parent / "__pycache__" / "@TOKEN@").write_text("x"); print("ESCAPED")""",
    "mkdir": """
import os; os.mkdir("/tmp/@TOKEN@"); print("ESCAPED")""",
    "mkfifo and mknod": """
import os
try: os.mkfifo("/tmp/@TOKEN@")
except OSError: os.mknod("/tmp/@TOKEN@")
print("ESCAPED")""",
    "temporary file": """
import tempfile; tempfile.NamedTemporaryFile(); print("ESCAPED")""",
    "fill tmp": """
import itertools
for i in itertools.count():
    with open(f"/tmp/@TOKEN@{i}", "wb") as f: f.write(bytes(10**6)); print("ESCAPED")""",
    "shared memory": """
from multiprocessing import shared_memory; shared_memory.SharedMemory("@TOKEN@", create=True, size=100); print("ESCAPED")""",
    "memory file": """
import os; os.memfd_create("x"); print("ESCAPED")""",
    "device": """
for d in ("/dev/mem", "/dev/vda", "/dev/sda", "/dev/tty", "/dev/kmsg"):
    try: open(d, "rb"); print("ESCAPED")
    except OSError: pass""",
    "inherited descriptors": """
import os
for fd in range(3, 1024):
    try: os.fstat(fd)
    except OSError: continue
    try: os.read(fd, 1)
    except OSError: continue
    print("ESCAPED")""",
    "file handle by system call": RAW + """
if call(304, -100, ctypes.create_string_buffer(128), 0) >= 0: print("ESCAPED")""",
    # processes
    "fork": """
import os; os.fork(); print("ESCAPED")""",
    "fork bomb": """
import os
while True:
    os.fork(); print("ESCAPED")""",
    "fork by system call": RAW + """
for n in (57, 58):
    if call(n) >= 0: print("ESCAPED")
if call(56, 17, 0, 0, 0, 0) >= 0: print("ESCAPED")""",
    "clone3": RAW + """
if call(435, ctypes.create_string_buffer(88), 88) >= 0: print("ESCAPED")""",
    "subprocess": """
import subprocess; print(subprocess.run(["/bin/sh", "-c", "echo ESCAPED"], capture_output=True, text=True).stdout)""",
    "os.system": """
import os
if os.system("true") == 0: print("ESCAPED")""",
    "os.execve": """
import os, sys; os.execve(sys.executable, [sys.executable, "-c", "print('ESCAPED')"], {})""",
    "posix_spawn": """
import os, sys; os.posix_spawn(sys.executable, [sys.executable, "-c", "print('ESCAPED')"], {}); os.wait()""",
    "thread bomb": """
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(9,)).start(); print("ESCAPED")""",
    "multiprocessing": """
import multiprocessing; p = multiprocessing.Process(target=print, args=("ESCAPED",)); p.start(); p.join()""",
    "daemonise": """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: pass
print("ESCAPED")""",
    "leave the process group": """
import os; os.setsid(); print("ESCAPED")""",
    "kill the parent": """
import os; os.kill(os.getppid(), 9); print("ESCAPED")""",
    "kill the victim": """
import os, signal; os.kill(@VICTIM@, signal.SIGKILL); print("ESCAPED")""",
    "kill everybody": """
import os; os.kill(-1, 9); print("ESCAPED")""",
    "kill the group": """
import os; os.killpg(0, 9); print("ESCAPED")""",
    "queue a signal": RAW + """
import ctypes
if call(129, @VICTIM@, 9, ctypes.create_string_buffer(128)) >= 0: print("ESCAPED")
if call(234, @VICTIM@, @VICTIM@, 9) >= 0 or call(200, @VICTIM@, 9) >= 0: print("ESCAPED")""",
    "signal by descriptor": RAW + """
p = call(434, @VICTIM@, 0)
if p >= 0 and call(424, p, 9, 0, 0) >= 0: print("ESCAPED")""",
    "signal by file owner": """
import fcntl, os; fcntl.fcntl(1, fcntl.F_SETOWN, @VICTIM@); fcntl.fcntl(1, fcntl.F_SETFL, os.O_ASYNC); print("ESCAPED")""",
    "limits of the victim": """
import resource; resource.prlimit(@VICTIM@, resource.RLIMIT_CPU, (0, 0)); print("ESCAPED")""",
    "raise own limits": """
import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99)); print("ESCAPED")""",
    "ptrace the victim": RAW + """
if call(101, 16, @VICTIM@, 0, 0) >= 0 or call(101, 0x4206, @VICTIM@, 0, 0) >= 0: print("ESCAPED")""",
    "read the victim's memory": RAW + """
import ctypes
b = ctypes.create_string_buffer(8)
v = (ctypes.c_size_t * 2)(ctypes.addressof(b), 8)
if call(310, @VICTIM@, v, 1, v, 1, 0) >= 0 or call(310, @PARENT@, v, 1, v, 1, 0) >= 0: print("ESCAPED")""",
    "slow down the victim": """
import os; os.setpriority(os.PRIO_PROCESS, @VICTIM@, 19); print("ESCAPED")""",
    # kernel
    "unshare and mount": RAW + """
if call(272, 0x10000000) >= 0 or call(165, b"x", b"/", b"tmpfs", 0, 0) >= 0: print("ESCAPED")
if call(428, -100, b"/", 1) >= 0 or call(155, b".", b".") >= 0 or call(161, b"/usr") >= 0: print("ESCAPED")""",
    "other people's namespaces": RAW + """
import os
for pid in (@PARENT@, @VICTIM@, 1):
    try: fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    except OSError: continue
    if call(308, fd, 0) >= 0: print("ESCAPED")""",
    "kernel doors": RAW + """
b = ctypes.create_string_buffer(256)
for n in (321, 298, 250, 248, 323, 175, 246, 169, 172, 173, 101, 163, 170, 164, 227, 425, 313):
    if call(n, 0, b, 64, 0, 0) >= 0: print("ESCAPED", n)""",
    "become root": """
import os; os.setuid(0); print("ESCAPED")""",
    "undo the filter": RAW + """
if libc.prctl(22, 0, 0, 0, 0) == 0 or libc.prctl(38, 0, 0, 0, 0) == 0 or call(317, 0, 0, 0) >= 0: print("ESCAPED")""",
    "32-bit system calls": MACHINE_CODE + """
if native(bytes.fromhex("b802000000cd80c3"))() >= 0: print("ESCAPED")""",
    "x32 system calls": RAW + """
if call(0x40000000 + 57) >= 0: print("ESCAPED")""",
    "fork in machine code": MACHINE_CODE + """
if native(bytes.fromhex("b8390000000f05c3"))() >= 0: print("ESCAPED")""",
    "terminal input": """
import fcntl, termios
for c in b"id\\n": fcntl.ioctl(0, termios.TIOCSTI, bytes([c])); print("ESCAPED")""",
    # resources
    "memory": """
x = bytearray(2**31); x[::4096] = b"x" * len(x[::4096]); print("ESCAPED")""",
    "memory piece by piece": """
x = []
while True: x.append(bytes(10**7))""",
    "a huge number": """
x = 10 ** 10 ** 10; print("ESCAPED")""",
    "endless output": """
while True: print("x" * 1000)""",
    "endless errors": """
import sys
while True: sys.stderr.write("x" * 1000)""",
    "endless output by system call": RAW + """
b = ctypes.create_string_buffer(10**6)
while True: libc.write(1, b, 10**6)""",
    "endless loop": """
while True: pass""",
    "endless loop in C": """
list(range(10**4)) and sum(x for x in iter(int, 1))""",
    "a slow pattern": """
import re; re.match("(a+)+$", "a" * 60 + "b")""",
    "ignored signals": """
import signal
for s in range(1, 65):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass""",
    "sleep": """
import time; t = time.monotonic(); time.sleep(600)
if time.monotonic() - t > 300: print("ESCAPED")""",
    "a lock that is never opened": """
import threading; l = threading.Lock(); l.acquire(); l.acquire()""",
    "closed streams, then sleep": """
import os, threading
for fd in (0, 1, 2): os.close(fd)
l = threading.Lock(); l.acquire(); l.acquire()""",
    "wait for input": """
import sys, os; sys.stdin.read(); os.read(0, 1); input()""",
    "deep recursion": """
import sys; sys.setrecursionlimit(10**9)
def f(): f()
f()""",
    "deep recursion in C": """
x = []
for _ in range(10**6): x = [x]
repr(x); del x""",
    "crash": """
import ctypes; ctypes.string_at(0)""",
    "a million exceptions": """
class E(Exception):
    def __str__(self): return "x" * 10**9
raise E""",
    "an exception that lies": """
class E(BaseException):
    def __str__(self): raise E
raise E""",
    "deep source": "(" * 90 + ")" * 90 + "\n" + "-" * 100_000 + "1",
    # interpreter
    "imports of site packages": """
import torch; print("ESCAPED")""",
    "imports of the project": """
import regrow.learn.verifiers.judge; print("ESCAPED")""",
    "the driver's frame": """
import sys
f = sys._getframe()
while f: print(sorted(f.f_locals) and "", end=""); f = f.f_back
import gc
for o in gc.get_objects():
    if isinstance(o, dict) and "@SECRETTEXT@" in str(o.get("expected", "")): print("ESCAPED")""",
    "the environment": """
import os
if set(os.environ) - {"PYTHONHASHSEED", "LC_ALL", "LC_CTYPE", "TZ", "PATH"}: print("ESCAPED", os.environ)""",
    "atexit and finalisers": """
import atexit, os
class D:
    def __del__(self): os.fork() and print("ESCAPED")
d = D()
atexit.register(lambda: os.fork() and print("ESCAPED"))""",
    "a second ready line": """
print("ready"); raise SystemExit(0)""",
}  # fmt: skip

ENDLESS = ("endless loop", "ignored signals", "closed streams, then sleep")
"""end by a time-out, of which the first needs processor time and the last none"""
SLOW = ("endless loop in C", "a slow pattern", "a lock that is never opened", "a huge number")
"""the same in other ways"""

LIMITS = Limits(cpu_seconds=1, wall_seconds=60.0, memory_bytes=256 * 2**20)
WAITS = Limits(cpu_seconds=1, wall_seconds=1.5, memory_bytes=256 * 2**20)
"""for what uses no processor time"""


@dataclass(frozen=True)
class Result:
    attack: str
    escaped: str
    """how it got out; "" if it did not"""
    outcome: Outcome
    seconds: float


class Range:
    """What attacks aim at: ports, a secret, a victim; and what shows that one was hit."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="range-"))
        self.folder.chmod(0o777)
        self.secret = self.folder / "secret"
        name = f"{os.getpid()}-{self.folder.name}"
        self.token = f"attack-{name}"
        self.text = f"the-secret-is-{name}"
        self.secret.write_text(self.text)
        self.secret.chmod(0o666)
        self.sockets = {
            "TCP": socket.create_server(("127.0.0.1", 0)),
            "UDP": socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            "UNIX": socket.socket(socket.AF_UNIX),
            "ABSTRACT": socket.socket(socket.AF_UNIX),
        }
        self.sockets["UDP"].bind(("127.0.0.1", 0))
        self.sockets["UNIX"].bind(str(self.folder / "door"))
        self.sockets["ABSTRACT"].bind("\0" + self.token)
        for name in ("UNIX", "ABSTRACT"):
            self.sockets[name].listen()
        (self.folder / "door").chmod(0o777)
        for door in self.sockets.values():
            door.setblocking(False)
        self.victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        self.names = {
            "TCP": str(self.sockets["TCP"].getsockname()[1]),
            "UDP": str(self.sockets["UDP"].getsockname()[1]),
            "UNIX": str(self.folder / "door"),
            "ABSTRACT": self.token,
            "SECRET": str(self.secret),
            "SECRETTEXT": self.text,
            "FOLDER": str(self.folder),
            "HOME": str(Path("~").expanduser()),
            "TOKEN": self.token,
            "VICTIM": str(self.victim.pid),
            "PARENT": str(os.getpid()),
        }
        # Whatever a run leaves behind becomes our child; these are not from runs.
        self.children = children()
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)

    def close(self) -> None:
        self.victim.kill()
        self.victim.wait()
        for door in self.sockets.values():
            door.close()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()

    def source(self, attack: str) -> str:
        text = ATTACKS[attack]
        for name, value in self.names.items():
            text = text.replace(f"@{name}@", value)
        return text

    def fire(self, attack: str, backend: str) -> Result:
        waits = attack in ("a lock that is never opened", "closed streams, then sleep")
        start = time.monotonic()
        outcome = run(Program(self.source(attack)), WAITS if waits else LIMITS, backend)
        seconds = time.monotonic() - start
        return Result(attack, self.damage(outcome), outcome, seconds)

    def damage(self, outcome: Outcome) -> str:
        said = (outcome.stdout + outcome.stderr).decode("utf-8", "replace")
        if "ESCAPED" in outcome.stdout.decode("utf-8", "replace"):
            return "it said so"
        if self.text in said:
            return "it read the secret"
        if not self.secret.exists() or self.secret.read_text() != self.text:
            return "it changed the secret"
        if {p.name for p in self.folder.iterdir()} != {"secret", "door"}:
            return "it made a file"
        if any(Path("/tmp").glob(self.token + "*")) or any(Path.cwd().glob(self.token + "*")):
            return "it made a file in tmp"
        if any(Path("/dev/shm").glob("*" + self.token + "*")):
            return "it made shared memory"
        if self.victim.poll() is not None:
            return "it killed the victim"
        for name, door in self.sockets.items():
            try:
                door.recv(1) if name == "UDP" else door.accept()
            except OSError:
                continue
            return f"it reached {name}"
        for _ in range(100):  # the killed processes of a dying namespace take a moment
            if not (left := children() - self.children):
                return ""
            time.sleep(0.05)
        return f"it left processes {sorted(left)}"


def children() -> set[int]:
    """Our children, dead ones reaped."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            pid = int(path.parent.name)
            if fields[0] == "Z":
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            else:
                found.add(pid)
    return found


def main() -> None:
    """All attacks on the backend named on the command line, a line of JSON each."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    targets = Range()
    try:
        for attack in ATTACKS:
            if attack not in (*ENDLESS, *SLOW, "deep recursion"):
                result = targets.fire(attack, sys.argv[1])
                print(json.dumps([attack, result.escaped, result.outcome.status]), flush=True)
    finally:
        targets.close()


if __name__ == "__main__":
    main()
