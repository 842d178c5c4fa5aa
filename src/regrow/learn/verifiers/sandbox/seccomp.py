"""A system call filter for a pure Python program, as a classic BPF program (seccomp(2)).

An allow-list: what computing, reading already permitted files and writing to open streams needs.
No process or thread can be made, no program started, no socket, pipe or file created, no file opened
for writing, no signal sent, no other process touched. Everything else fails with EPERM, so that Python raises and nothing hangs.
Sleeping returns at once. x86-64 only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

_ARCHITECTURE = 0xC000003E
_X32 = 0x40000000
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_LOAD, _EQUAL, _AT_LEAST, _ANY_OF, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _SECOND_ARGUMENT, _THIRD_ARGUMENT = 0, 4, 24, 32
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2

ALLOWED: dict[str, int] = {
    "read": 0, "write": 1, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "lseek": 8, "mmap": 9,
    "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
    "rt_sigreturn": 15, "pread64": 17, "readv": 19, "writev": 20, "access": 21, "sched_yield": 24,
    "mremap": 25, "madvise": 28, "dup": 32, "dup2": 33, "exit": 60,
    "getcwd": 79, "readlink": 89, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "times": 100,
    "sigaltstack": 131, "arch_prctl": 158, "time": 201, "futex": 202,
    "getdents64": 217, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229,
    "exit_group": 231, "newfstatat": 262, "readlinkat": 267, "faccessat": 269,
    "set_robust_list": 273, "dup3": 292, "getrandom": 318, "statx": 332, "faccessat2": 439,
}  # fmt: skip

AT_ONCE: dict[str, int] = {
    "getpid": 39, "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "gettid": 186,
    "poll": 7, "select": 23, "nanosleep": 35, "clock_nanosleep": 230, "pselect6": 270, "ppoll": 271,
}  # fmt: skip
"""return 0 without doing anything: time slept would be wall time lost, and no test needs it; numbers of
users and processes differ between machines and backends, so all are 0"""

OPEN = 257
"""openat: for reading only. Landlock before its third ABI lets a file be emptied by O_TRUNC, though it was
opened for reading (https://docs.kernel.org/userspace-api/landlock.html#file-truncation-abi-3)"""
_WRITES = (
    os.O_WRONLY
    | os.O_RDWR
    | os.O_CREAT
    | os.O_TRUNC
    | os.O_APPEND
    | (os.O_TMPFILE & ~os.O_DIRECTORY)
)

BY_COMMAND: dict[str, tuple[int, tuple[int, ...]]] = {
    "ioctl": (16, (0x5401, 0x5451)),
    "fcntl": (72, (0, 1, 2, 3, 1030)),
}
"""system calls of which only these second arguments are allowed: ioctl TCGETS, FIOCLEX; fcntl F_DUPFD,
F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC (F_SETOWN would send signals to other processes)"""


def program() -> bytes:
    """The filter, as an array of `struct sock_filter`."""

    def op(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("<HBBI", code, yes, no, k)

    denied = op(_RETURN, _ERRNO | errno.EPERM)
    parts = [
        op(_LOAD, _ARCH),
        op(_EQUAL, _ARCHITECTURE, yes=1),
        op(_RETURN, _KILL),
        op(_LOAD, _NUMBER),
        op(_AT_LEAST, _X32, no=1),
        op(_RETURN, _KILL),
    ]
    for number in ALLOWED.values():
        parts += [op(_EQUAL, number, no=1), op(_RETURN, _ALLOW)]
    for number in AT_ONCE.values():
        parts += [op(_EQUAL, number, no=1), op(_RETURN, _ERRNO)]
    reading = [op(_LOAD, _THIRD_ARGUMENT), op(_ANY_OF, _WRITES, no=1), denied, op(_RETURN, _ALLOW)]
    parts += [op(_EQUAL, OPEN, no=len(reading)), *reading]
    for number, commands in BY_COMMAND.values():
        block = [op(_LOAD, _SECOND_ARGUMENT)]
        for command in commands:
            block += [op(_EQUAL, command, no=1), op(_RETURN, _ALLOW)]
        block.append(denied)
        parts += [op(_EQUAL, number, no=len(block)), *block]
    return b"".join([*parts, denied])


def install() -> None:
    """Put the filter on this process, for good.

    Raises:
        OSError: the kernel has no seccomp filters.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    filters = program()
    memory = ctypes.create_string_buffer(filters, len(filters))

    class Header(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filters", ctypes.c_void_p)]

    header = Header(len(filters) // 8, ctypes.cast(memory, ctypes.c_void_p))
    if os.uname().machine != "x86_64":
        raise OSError(errno.ENOSYS, f"no system call filter for {os.uname().machine}")
    for arguments in (
        (_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (_SET_SECCOMP, _FILTER, ctypes.byref(header), 0, 0),
    ):
        if libc.prctl(*arguments):
            code = ctypes.get_errno()
            raise OSError(code, f"seccomp: {os.strerror(code)}")
